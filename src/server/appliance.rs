//! All areas, opened on one data folder and joined through their ports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use lectern_access::Access;
use lectern_ask::Ask;
use lectern_config::Config;
use lectern_documents::{Documents, Limits};
use lectern_edge::tls::Files;
use lectern_extract::{Extractor, PoolConfig, Tesseract};
use lectern_hearing::Ears;
use lectern_identity::Identity;
use lectern_kernel::ports::{Quota, Report, Retrieve};
use lectern_kernel::{Clock, PersonPart, RetentionPart, Scope, SystemClock, TenantId, Timestamp};
use lectern_models::{Models, TrialConfig};
use lectern_oauth::Oauth;
use lectern_ops::{Ready, SafeHttp, Settings, Status};
use lectern_privacy::Privacy;
use lectern_scim::Scim;
use lectern_speech::Synthesizer;
use lectern_store::{Stores, outbox};
use lectern_voice::{Network, Parts, Voice};
use tokio_util::sync::CancellationToken;

use crate::compose;
use crate::forwarding::ForwardFromHttp;
use crate::local::LocalFirst;
use crate::wiring::{AskFromSettings, SignInFromHttp, VoiceFromSettings, voice_limits};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);
/// Seconds between looks for tenants to be closed.
const CLOSING: u64 = 5;
const SWEEP: std::time::Duration = std::time::Duration::from_secs(3600);

/// An appliance that is open; [`crate::router`] serves it.
#[derive(Clone)]
pub(crate) struct Appliance {
    pub config: Arc<Config>,
    pub stores: Stores,
    pub identity: Identity,
    pub oauth: Oauth,
    pub privacy: Privacy,
    pub access: Access,
    pub documents: Documents,
    pub ask: Ask,
    pub voice: Voice,
    pub models: Models,
    pub scim: Scim,
    pub settings: Settings,
    pub status: Status,
    pub ready: Ready,
    pub http: SafeHttp,
    pub authenticate: Arc<LocalFirst>,
    pub stop: CancellationToken,
}

impl Appliance {
    /// Opens the folder; the caller holds its lock. `secure` tells whether clients come by HTTPS.
    pub fn open(folder: &Path, config: Config, errors: lectern_ops::ErrorRing, secure: bool) -> Result<Self> {
        // Child processes have other working folders.
        let folder = &std::path::absolute(folder).context("the data folder's path is not known")?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let stores = crate::tenants::stores(folder, &config, clock)?;
        let stop = CancellationToken::new();
        let config = Arc::new(config);
        let keyring = crate::tenants::keyring(folder, &config, &stores)?;
        let http = SafeHttp::new(&stores);
        let identity = Identity::new(stores.clone(), &config.session, secure, compose::permissions())
            .with_sign_in(Arc::new(keyring.clone()), Arc::new(SignInFromHttp(http.clone())));
        let oauth = crate::people::oauth(&stores, &identity, &config, secure)?;
        let keep_free = config.upload.keep_free.0;
        let models = Models::open(stores.clone(), &config.models, keep_free, Arc::new(trial(&config)?))?;
        let documents = documents(folder, &config, &stores, &stop)?.with_meaning(Arc::new(models.clone()));
        let settings = Settings::new(stores.clone(), &config, http.clone());
        let retrieve: Arc<dyn Retrieve> = Arc::new(documents.clone());
        let answers = Arc::new(AskFromSettings::new(settings.clone(), http.clone(), &config));
        let ask = Ask::new(stores.clone(), retrieve, answers);
        let synthesizer = Synthesizer::new(folder.join("cache")).with_bank(Arc::new(models.clone()));
        let ears = Ears::new(folder.join("cache"), Some(Arc::new(models.clone())));
        let voice = Voice::new(Parts {
            stores: stores.clone(),
            answers: Arc::new(ask.clone()),
            settings: Arc::new(VoiceFromSettings(settings.clone())),
            synthesizer,
            ears: Arc::new(ears),
            texts: Some(Arc::new(documents.clone())),
            limits: voice_limits(&config),
            stop: stop.clone(),
        });
        let parts = lectern_access::Parts {
            stores: stores.clone(),
            identity: identity.clone(),
            keyring,
            network: Arc::new(ForwardFromHttp(http.clone())),
        };
        let access = Access::new(parts, &config);
        access.set_parts(vec![Arc::new(documents.clone())]);
        limit(&Arc::new(access.clone()), &identity, &documents, &ask, &voice);
        let scim = Scim::new(stores.clone(), identity.clone());
        let parts: [Arc<dyn PersonPart>; 6] = [
            Arc::new(ask.clone()),
            Arc::new(voice.clone()),
            Arc::new(documents.clone()),
            Arc::new(oauth.clone()),
            Arc::new(scim.clone()),
            Arc::new(access.clone()),
        ];
        let retention: Vec<Arc<dyn RetentionPart>> = vec![Arc::new(ask.clone()), Arc::new(documents.clone())];
        let privacy = crate::people::privacy(&stores, &identity, parts.into(), retention);
        let others = crate::people::senders(&identity, &oauth, &privacy);
        let reports: Vec<Arc<dyn Report>> = vec![
            Arc::new(documents.clone()),
            Arc::new(ask.clone()),
            Arc::new(voice.clone()),
            Arc::new(models.clone()),
        ];
        let status = Status::new(stores.clone(), reports, http.clone(), errors);
        let authenticate = Arc::new(LocalFirst::new(stores.clone(), others));
        let ready = Ready::default();
        Ok(Self {
            config,
            stores,
            identity,
            oauth,
            privacy,
            access,
            documents,
            ask,
            voice,
            models,
            scim,
            settings,
            status,
            ready,
            http,
            authenticate,
            stop,
        })
    }

    /// Background work until the appliance stops.
    pub async fn work(&self) -> Result<()> {
        let mut tasks = tokio::task::JoinSet::new();
        let documents = self.documents.clone();
        tasks.spawn(async move { documents.run().await });
        if let Err(error) = self.http.load_log().await {
            tracing::warn!(%error, "the log of outbound connections cannot be read");
        }
        let tender = self.clone();
        tasks.spawn(async move { tender.tend().await });
        let (access, stop) = (self.access.clone(), self.stop.clone());
        tasks.spawn(async move { access.forward(&stop).await });
        let sweeper = self.clone();
        tasks.spawn(async move { sweeper.sweep().await });
        let (models, stop) = (self.models.clone(), self.stop.clone());
        tasks.spawn(async move {
            models.run(&stop).await;
            Ok(())
        });
        let voice = self.voice.clone();
        tasks.spawn(async move {
            voice.run().await;
            Ok(())
        });
        self.wyoming().await?;
        self.ready.set();
        self.warm_up();
        while let Some(done) = tasks.join_next().await {
            if let Err(error) = done? {
                tracing::error!(%error, cause = ?error.cause, "the work of a tenant ended");
            }
        }
        Ok(())
    }

    /// The server for voice assistants of the house, when there is to be one.
    async fn wyoming(&self) -> Result<()> {
        let wyoming = &self.config.wyoming;
        if wyoming.listen.is_empty() {
            return Ok(());
        }
        let networks: Result<Vec<Network>, String> = wyoming.allow.iter().map(|text| text.parse()).collect();
        let networks = networks.map_err(anyhow::Error::msg).context("wyoming.allow")?;
        let listener = tokio::net::TcpListener::bind(&wyoming.listen)
            .await
            .with_context(|| format!("wyoming.listen: {} cannot be listened on", wyoming.listen))?;
        tracing::info!(listen = %listener.local_addr()?, "speaking the Wyoming protocol");
        let voice = self.voice.clone();
        tokio::spawn(async move {
            voice.serve_wyoming(Scope::system(TenantId::main()), listener, networks).await;
        });
        Ok(())
    }

    /// In the background, so that the first question waits for neither voice nor model.
    fn warm_up(&self) {
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(error) = this.voice.warm_up().await {
                tracing::warn!(%error, "there is no voice");
            }
            if let Err(error) = this.ask.warm_up(&Scope::system(TenantId::main())).await {
                tracing::warn!(%error, "the language model is not loaded");
            }
        });
    }

    /// Every second: requests that were counted are written. Every now and then: tenants that nobody uses are closed.
    async fn tend(&self) -> lectern_kernel::Result<()> {
        let mut seconds = 0u64;
        loop {
            let ended = tokio::select! {
                () = self.stop.cancelled() => true,
                () = tokio::time::sleep(SECOND) => false,
            };
            self.access.write_counts().await;
            self.identity.write_failures(ended).await;
            if ended {
                return Ok(());
            }
            seconds += 1;
            if seconds.is_multiple_of(CLOSING) {
                let access = self.access.clone();
                let _ = tokio::task::spawn_blocking(move || access.close_unused()).await;
            }
        }
    }

    /// Every hour: what is over is forgotten.
    async fn sweep(&self) -> lectern_kernel::Result<()> {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(SWEEP) => {}
            }
            let now = self.stores.clock().now();
            if let Err(error) = self.sweep_once(now).await {
                tracing::warn!(%error, "old entries cannot be removed");
            }
        }
    }

    async fn sweep_once(&self, now: Timestamp) -> lectern_kernel::Result<()> {
        self.access.hourly().await?;
        self.http.sweep(now).await?;
        let before = now.minus(self.config.retention.events.0);
        self.stores.control().write(move |tx| outbox::trim(tx, before)).await?;
        for tenant in self.stores.tenant_ids() {
            // One that cannot be written must not keep the others from it.
            if let Err(error) = self.sweep_tenant(&tenant, before).await {
                tracing::warn!(%tenant, %error, "old entries of a tenant cannot be removed");
            }
        }
        Ok(())
    }

    async fn sweep_tenant(&self, tenant: &TenantId, events: Timestamp) -> lectern_kernel::Result<()> {
        let store = self.stores.tenant(&Scope::system(tenant.clone()))?;
        if store.db.read_only().is_some() {
            return Ok(());
        }
        self.identity.sweep(tenant).await?;
        self.oauth.sweep(tenant).await?;
        self.privacy.expire(tenant).await?;
        store.db.write(move |tx| outbox::trim(tx, events)).await?;
        Ok(())
    }

    /// Closes the databases; nothing else may run any more.
    pub fn close(&self) -> Result<()> {
        self.stores.close().context("the databases cannot be closed")
    }
}

/// Gives the areas the limits of plans.
fn limit(access: &Arc<Access>, identity: &Identity, documents: &Documents, ask: &Ask, voice: &Voice) {
    let quota: Arc<dyn Quota> = access.clone();
    identity.set_quota(quota.clone());
    documents.set_quota(quota.clone());
    ask.set_quota(quota.clone());
    voice.set_quota(quota);
}

/// Documents, with what reads them in processes of their own.
fn documents(folder: &Path, config: &Config, stores: &Stores, stop: &CancellationToken) -> Result<Documents> {
    let tesseract = tesseract(config);
    let limits = limits(config, tesseract.as_ref());
    let extractor = Extractor::new(pool(folder, config, tesseract)?);
    Ok(Documents::new(stores.clone(), extractor, limits, stop.clone()))
}

fn cores(configured: usize) -> usize {
    if configured > 0 { configured } else { std::thread::available_parallelism().map_or(2, usize::from) }
}

fn limits(config: &Config, ocr: Option<&Tesseract>) -> Limits {
    Limits {
        max_upload_bytes: config.upload.max_size.0,
        keep_free_bytes: config.upload.keep_free.0,
        writer_memory_bytes: config.search.writer_memory.0 as usize,
        commit_time: config.search.commit_time.0,
        workers: cores(config.extraction.workers),
        ocr: ocr.map(|found| found.program.display().to_string()),
    }
}

fn tesseract(config: &Config) -> Option<Tesseract> {
    let program = match config.extraction.tesseract.as_str() {
        "" => return None,
        "auto" => lectern_config::find_program("tesseract")?,
        path => path.into(),
    };
    let languages = Some(config.extraction.tesseract_languages.clone()).filter(|l| l != "auto");
    Some(Tesseract { languages, ..Tesseract::from(program) })
}

fn pool(folder: &Path, config: &Config, tesseract: Option<Tesseract>) -> Result<PoolConfig> {
    let scratch = folder.join("scratch");
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    let extraction = &config.extraction;
    let seconds = extraction.time.0.as_secs().max(1);
    let program = own_program()?;
    Ok(PoolConfig {
        argument: crate::EXTRACT_COMMAND.to_owned(),
        workers: cores(extraction.workers),
        memory_bytes: extraction.memory.0,
        seconds,
        cpu_seconds: seconds,
        tesseract,
        limits: lectern_extract::Limits {
            text_bytes: extraction.text.0 as usize,
            unpacked_bytes: extraction.unpacked.0,
            ..lectern_extract::Limits::default()
        },
        ..PoolConfig::new(program, scratch)
    })
}

/// The trial run of a model may take what a loaded one may, and room for the engine.
fn trial(config: &Config) -> Result<TrialConfig> {
    Ok(TrialConfig {
        program: own_program()?,
        argument: crate::MODEL_COMMAND.to_owned(),
        memory_bytes: config.models.memory.0.saturating_add(512 << 20),
        time: config.models.trial_time.0,
        onnxruntime: Some(&config.models.onnxruntime).filter(|path| !path.is_empty()).map(PathBuf::from),
    })
}

/// Where this program lies; without /proc, as in an empty root folder, the name it was started by tells.
fn own_program() -> Result<PathBuf> {
    std::env::current_exe().or_else(|error| {
        let name = std::env::args_os().next().map(PathBuf::from).filter(|name| name.components().count() > 1);
        name.ok_or(error).and_then(std::fs::canonicalize).context("the path of this program is not known")
    })
}

/// Certificate files: the site's own, or those that are made in the data folder.
pub(crate) fn certificate(folder: &Path, config: &Config) -> Result<Files> {
    let server = &config.server;
    if server.tls_certificate.is_empty() {
        return Ok(lectern_edge::tls::ensure(&folder.join("tls"), &crate::network::names(server))?);
    }
    Ok(Files {
        certificate: (&server.tls_certificate).into(),
        key: (&server.tls_key).into(),
        authority: None,
    })
}
