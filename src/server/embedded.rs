//! The appliance inside a command: for a data folder that no server runs on.
//!
//! It answers on a loopback port that only its token opens, so that a command has one way to work, not two.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use lectern_config::{Config, Log, LogFormat};
use lectern_store::DataLock;
use tokio_util::sync::CancellationToken;

use crate::appliance::Appliance;
use crate::folder::Serving;
use crate::{logging, network, serve};

/// A running embedded appliance.
pub struct Embedded {
    serving: Serving,
    stop: CancellationToken,
    thread: JoinHandle<Result<()>>,
    _lock: DataLock,
}

impl Embedded {
    pub fn start(folder: &Path, mut config: Config) -> Result<Self> {
        config.server.insecure_http = true;
        config.server.workers = 1;
        config.log = Log { level: "error".to_owned(), format: LogFormat::Text };
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let url = network::local_url(listener.local_addr()?, true);
        let lock = DataLock::take(folder, "a lectern command")?;
        Serving::withdraw(folder);
        let (tell, told) = mpsc::channel();
        let (folder, address) = (folder.to_owned(), url.clone());
        let thread = std::thread::spawn(move || {
            let errors = lectern_ops::ErrorRing::default();
            logging::start(&config.log, errors.clone())?;
            actix_web::rt::System::with_tokio_rt(serve::runtime).block_on(async {
                let appliance = Appliance::open(&folder, config, errors, false)?;
                let _ = tell.send((appliance.authenticate.token().to_owned(), appliance.stop.clone()));
                serve::run(&folder, &appliance, listener, &address, false).await
            })
        });
        match told.recv() {
            Ok((token, stop)) => {
                let serving = Serving { url, token, authority: None };
                Ok(Self { serving, stop, thread, _lock: lock })
            }
            Err(_) => Err(join(thread).err().unwrap_or_else(|| anyhow!("the appliance ended at its start"))),
        }
    }

    pub fn serving(&self) -> &Serving {
        &self.serving
    }

    /// Ends it as a SIGTERM ends a server.
    pub fn stop(self) -> Result<()> {
        self.stop.cancel();
        join(self.thread)
    }
}

fn join(thread: JoinHandle<Result<()>>) -> Result<()> {
    thread.join().map_err(|_| anyhow!("the appliance panicked")).and_then(|r| r).context("the data folder")
}
