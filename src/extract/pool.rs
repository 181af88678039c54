//! A pool of reading children: started on demand, kept while they behave, ended when they do not. The only way the server
//! reads documents; it never parses one itself.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::frames::Setup;
use crate::model::{ExtractError, ExtractErrorCode, Extracted, Format, Limits, Source};
use crate::ocr::Tesseract;
use crate::worker::{Allowance, Failure, Worker};

/// How children are started and what they may use.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The program to start, this one as a rule, and its hidden subcommand.
    pub program: PathBuf,
    pub argument: String,
    /// Children at work at the same time.
    pub workers: usize,
    /// Address space of a child.
    pub memory_bytes: u64,
    /// Wall time of a job.
    pub seconds: u64,
    pub cpu_seconds: u64,
    /// Largest answer of a child.
    pub output_bytes: usize,
    /// The one folder a child may write to; made when it is not there.
    pub scratch: PathBuf,
    pub tesseract: Option<Tesseract>,
    pub limits: Limits,
    /// A child ends after so many jobs,
    pub jobs_per_child: u32,
    /// when a job left it larger than this,
    pub keep_below_bytes: u64,
    /// or when it had nothing to do for so long.
    pub idle_seconds: u64,
}

impl PoolConfig {
    /// The usual limits: 1 GB, 60 s, two at a time.
    pub fn new(program: PathBuf, scratch: PathBuf) -> Self {
        Self {
            program,
            argument: "__extract".to_owned(),
            workers: 2,
            memory_bytes: 1 << 30,
            seconds: 60,
            cpu_seconds: 60,
            output_bytes: 256 << 20,
            scratch,
            tesseract: None,
            limits: Limits::default(),
            jobs_per_child: 200,
            keep_below_bytes: 256 << 20,
            idle_seconds: 30,
        }
    }
}

/// Reads documents in children. Cheap to clone; all clones share the children.
#[derive(Debug, Clone)]
pub struct Extractor(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    config: PoolConfig,
    places: Semaphore,
    idle: Mutex<Vec<(Instant, Worker)>>,
    warned: AtomicBool,
}

impl Extractor {
    pub fn new(config: PoolConfig) -> Self {
        let places = Semaphore::new(config.workers.max(1));
        Self(Arc::new(Pool { config, places, idle: Mutex::default(), warned: AtomicBool::new(false) }))
    }

    /// Read a file in a child. Dropping the future ends the child.
    pub async fn run(
        &self,
        file: &Path,
        source: &Source,
        mut progress: impl FnMut(u8) + Send,
    ) -> Result<(Format, Extracted), ExtractError> {
        let pool = &self.0;
        let _place = pool.places.acquire().await.map_err(|_| internal("The reader is shutting down."))?;
        let worker = match pool.take() {
            Some(worker) => worker,
            None => pool.start().await?,
        };
        let deadline = Duration::from_secs(pool.config.seconds.max(1));
        match tokio::time::timeout(deadline, pool.job(worker, file, source, &mut progress)).await {
            Ok(result) => result,
            // The worker went down with the future.
            Err(_) => Err(ExtractError {
                code: ExtractErrorCode::Timeout,
                message: format!("Reading this file took longer than {} s.", deadline.as_secs()),
            }),
        }
    }

    /// How many children wait for work.
    pub fn idle(&self) -> usize {
        self.0.lock_idle().len()
    }
}

impl Pool {
    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Worker)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Worker> {
        let mut idle = self.lock_idle();
        while let Some((_, mut worker)) = idle.pop() {
            if worker.is_alive() {
                return Some(worker);
            }
        }
        None
    }

    async fn start(&self) -> Result<Worker, ExtractError> {
        let config = &self.config;
        let fail = |error: std::io::Error| {
            tracing::error!(%error, program = %config.program.display(), "cannot start a reading child");
            internal("The process that reads documents could not be started.")
        };
        tokio::fs::create_dir_all(&config.scratch).await.map_err(fail)?;
        let setup = Setup {
            memory_bytes: config.memory_bytes,
            output_bytes: config.output_bytes,
            scratch: config.scratch.clone(),
            // A long scan ends with what could be read in time.
            tesseract: config
                .tesseract
                .clone()
                .map(|t| Tesseract { seconds: t.seconds.min(config.seconds * 3 / 4), ..t }),
        };
        let (worker, ready) = Worker::start(&config.program, &config.argument, &setup).await.map_err(fail)?;
        if !ready.warnings.is_empty() && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(missing = ?ready.warnings, "reading children are locked in less than they could be");
        }
        Ok(worker)
    }

    async fn job(
        self: &Arc<Self>,
        mut worker: Worker,
        file: &Path,
        source: &Source,
        progress: &mut (impl FnMut(u8) + Send),
    ) -> Result<(Format, Extracted), ExtractError> {
        let config = &self.config;
        let allowance = Allowance {
            limits: &config.limits,
            cpu_seconds: config.cpu_seconds,
            output_bytes: config.output_bytes,
        };
        let result = worker.run(file, source, &allowance, progress).await;
        match result {
            Ok(done) => {
                self.put_back(worker);
                Ok((done.format, done.extracted))
            }
            Err(Failure::Document(error)) => {
                // Memory errors leave a child in which little fits.
                if error.code != ExtractErrorCode::Memory {
                    self.put_back(worker);
                }
                Err(error)
            }
            Err(Failure::File(error)) => {
                tracing::error!(%error, file = %file.display(), "cannot read a stored file");
                Err(internal("The stored file could not be opened."))
            }
            Err(Failure::Output) => Err(ExtractError {
                code: ExtractErrorCode::TooLarge,
                message: format!(
                    "The text of this file is larger than the {} MB it may have.",
                    config.output_bytes / 1_000_000
                ),
            }),
            Err(Failure::Died) => Err(worker.cause_of_death(config.memory_bytes).await),
        }
    }

    /// Keep a child for the next job, if it is fit for one.
    fn put_back(self: &Arc<Self>, worker: Worker) {
        let config = &self.config;
        if worker.jobs() >= config.jobs_per_child || worker.peak_bytes() > config.keep_below_bytes {
            return;
        }
        self.lock_idle().push((Instant::now(), worker));
        let (pool, patience) = (Arc::downgrade(self), Duration::from_secs(config.idle_seconds));
        // Ends by itself; what it holds is only a weak link to the pool.
        tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            if let Some(pool) = pool.upgrade() {
                pool.lock_idle().retain(|(since, _)| since.elapsed() < patience);
            }
        });
    }
}

fn internal(message: &str) -> ExtractError {
    ExtractError { code: ExtractErrorCode::Internal, message: message.to_owned() }
}
