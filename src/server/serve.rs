//! `lectern serve`: from the lock on the folder to the last closed file.

use std::net::TcpListener;
use std::path::Path;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use anyhow::{Context, Result};
use lectern_config::Config;
use lectern_store::DataLock;
use tokio::signal::unix::{SignalKind, signal};

use crate::appliance::{self, Appliance};
use crate::folder::Serving;
use crate::{logging, network, router};

/// Runs until SIGTERM or SIGINT.
pub fn serve(folder: &Path, config: Config) -> Result<()> {
    let listener = TcpListener::bind(config.server.listen)
        .with_context(|| format!("{} cannot be listened on", config.server.listen))?;
    let insecure = config.server.insecure_http;
    let url = network::url(listener.local_addr()?, insecure);
    let _lock = DataLock::take(folder, &url)?;
    Serving::withdraw(folder);
    let errors = lectern_ops::ErrorRing::default();
    logging::start(&config.log, errors.clone())?;
    actix_web::rt::System::with_tokio_rt(runtime).block_on(async {
        let appliance = Appliance::open(folder, config, errors, !insecure)?;
        run(folder, &appliance, listener, &url, true).await
    })
}

/// Threads for background work beside the threads that answer requests.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .max_blocking_threads(64)
        .thread_name("lectern")
        .on_thread_park(lectern_inference::collect_if_unloaded)
        .build()
        .expect("the operating system gives threads")
}

/// Serves an open appliance until it is stopped, then closes it.
pub(crate) async fn run(
    folder: &Path,
    appliance: &Appliance,
    listener: TcpListener,
    url: &str,
    announce: bool,
) -> Result<()> {
    appliance.identity.adopt().await?;
    appliance.access.recover().await?;
    let server = &appliance.config.server;
    let insecure = server.insecure_http;
    let bound = listener.local_addr()?;
    let own = appliance.clone();
    let mut http = HttpServer::new(move || {
        App::new().wrap(from_fn(lectern_edge::watch)).configure(|config| router::configure(&own, config))
    })
    .disable_signals()
    // A client that hung up is gone: its answer stops.
    .h1_allow_half_closed(false)
    .max_connections(server.max_connections)
    .shutdown_timeout(server.shutdown_time.0.as_secs());
    if server.workers > 0 {
        http = http.workers(server.workers);
    }
    let (http, authority) = if insecure {
        (http.listen(listener)?, None)
    } else {
        let files = appliance::certificate(folder, &appliance.config)?;
        let authority = files.authority.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        (http.listen_rustls_0_23(listener, lectern_edge::tls::server_config(&files)?)?, authority)
    };
    // The port is bound already: whoever reads this waits there until the workers run.
    let token = appliance.authenticate.token().to_owned();
    Serving { url: network::local_url(bound, insecure), token, authority }.publish(folder)?;
    let running = http.run();
    let handle = running.handle();
    if announce {
        welcome(folder, appliance, url).await?;
    }
    let work = tokio::spawn({
        let appliance = appliance.clone();
        async move { appliance.work().await }
    });
    let stop = appliance.stop.clone();
    let waiting = tokio::spawn(async move {
        wait_for_end(&stop).await;
        // Streams and jobs end at once; running requests are finished.
        stop.cancel();
        handle.stop(true).await;
    });
    running.await?;
    appliance.stop.cancel();
    waiting.abort();
    work.await??;
    Serving::withdraw(folder);
    appliance.close()?;
    tracing::info!("stopped");
    Ok(())
}

async fn wait_for_end(stop: &tokio_util::sync::CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return stop.cancelled().await;
    };
    tokio::select! {
        _ = terminate.recv() => tracing::info!("asked to stop (SIGTERM)"),
        _ = interrupt.recv() => tracing::info!("asked to stop (SIGINT)"),
        () = stop.cancelled() => {}
    }
}

async fn welcome(folder: &Path, appliance: &Appliance, url: &str) -> Result<()> {
    println!("Lectern {} is running: {url}/", env!("CARGO_PKG_VERSION"));
    println!("data folder: {}", folder.display());
    if !appliance.config.server.insecure_http && appliance.config.server.tls_certificate.is_empty() {
        println!(
            "certificate authority for this site's browsers: {}",
            folder.join("tls/authority.pem").display()
        );
    }
    if let Some(code) = appliance.identity.setup_code().await? {
        println!("setup code: {code}");
        println!("Open the page and enter the code to make the first administrator.");
    }
    tracing::info!(url, data = %folder.display(), version = env!("CARGO_PKG_VERSION"), "started");
    Ok(())
}
