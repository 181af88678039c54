//! The trial run of a model in a process of its own, under limits: this side starts it and reads its word.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use lectern_kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::manifest::{Facts, Kind, refused};

/// Longest answer of the child.
const ANSWER_BYTES: u64 = 256 << 10;

/// How the child is started and what it may use.
#[derive(Debug, Clone)]
pub struct TrialConfig {
    /// The program to start, this one as a rule, and its hidden subcommand.
    pub program: PathBuf,
    pub argument: String,
    /// Address space beside the files of the model.
    pub memory_bytes: u64,
    pub time: Duration,
    /// The library of ONNX Runtime, when that is the engine.
    pub onnxruntime: Option<PathBuf>,
}

/// What the child is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub folder: PathBuf,
    /// What it may be.
    pub kinds: Vec<Kind>,
    pub memory_bytes: u64,
    pub cpu_seconds: u64,
    pub onnxruntime: Option<PathBuf>,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    Works { kind: Kind, facts: Facts },
    Refused { message: String, hint: Option<String> },
}

/// Runs a model once, away from everything else.
#[async_trait]
pub trait Trial: Send + Sync {
    /// `kinds` is what it may be, `bytes` the size of its files.
    async fn run(&self, folder: &Path, kinds: &[Kind], bytes: u64) -> Result<(Kind, Facts)>;
}

#[async_trait]
impl Trial for TrialConfig {
    async fn run(&self, folder: &Path, kinds: &[Kind], bytes: u64) -> Result<(Kind, Facts)> {
        let task = Task {
            folder: folder.to_owned(),
            kinds: kinds.to_vec(),
            memory_bytes: self.memory_bytes.saturating_add(bytes.saturating_mul(3)),
            cpu_seconds: self.time.as_secs().saturating_mul(2).max(1),
            onnxruntime: self.onnxruntime.clone(),
        };
        match tokio::time::timeout(self.time, talk(self, &task)).await {
            Ok(answer) => read(answer?),
            // The child ends with the future.
            Err(_) => {
                Err(refused(format!("The model did not finish its trial run in {} s.", self.time.as_secs()))
                    .hint(
                        "It is too slow for this machine; or raise models.trial_time in the configuration.",
                    ))
            }
        }
    }
}

struct Answer {
    text: Vec<u8>,
    status: std::process::ExitStatus,
    words: String,
}

async fn talk(config: &TrialConfig, task: &Task) -> Result<Answer> {
    let mut command = std::process::Command::new(&config.program);
    command.arg(&config.argument).env_clear().env("LANG", "C.UTF-8").current_dir(&task.folder);
    // Arenas are reserved ahead in large steps by default; under a limit of address space they must be small.
    command.env("MIMALLOC_ARENA_RESERVE", "65536");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = tokio::process::Command::from(command).kill_on_drop(true).spawn();
    let mut child = started.map_err(Error::internal)?;
    let gone = || Error::internal("a pipe of the child is missing");
    let mut stdin = child.stdin.take().ok_or_else(gone)?;
    let stdout = child.stdout.take().ok_or_else(gone)?;
    let stderr = child.stderr.take().ok_or_else(gone)?;
    let task = serde_json::to_vec(task).map_err(Error::internal)?;
    // A child that ended before it read says so by its status.
    let _ = stdin.write_all(&task).await;
    drop(stdin);
    let (mut text, mut words) = (Vec::new(), Vec::new());
    let (mut out, mut err) = (stdout.take(ANSWER_BYTES), stderr.take(16 << 10));
    let (one, other) = tokio::join!(out.read_to_end(&mut text), err.read_to_end(&mut words));
    one.and(other).map_err(Error::internal)?;
    // Whatever it still wants to say, nobody reads.
    drop((out, err));
    let status = child.wait().await.map_err(Error::internal)?;
    Ok(Answer { text, status, words: String::from_utf8_lossy(&words).into_owned() })
}

fn read(answer: Answer) -> Result<(Kind, Facts)> {
    if answer.status.success()
        && let Ok(word) = serde_json::from_slice(&answer.text)
    {
        return match word {
            Word::Works { kind, facts } => Ok((kind, facts)),
            Word::Refused { message, hint } => {
                let error = refused(message);
                Err(if let Some(hint) = hint { error.hint(hint) } else { error })
            }
        };
    }
    tracing::warn!(status = ?answer.status, words = answer.words.trim(), "the trial run of a model ended early");
    let no_memory = ["memory allocation of", "out of memory", "Cannot allocate memory"]
        .iter()
        .any(|s| answer.words.contains(s));
    Err(if no_memory {
        refused("The model needs more memory than its trial run may use.")
            .hint("Import a smaller model, or raise models.memory in the configuration.")
    } else {
        refused("The model stops the engine that runs it: its file is damaged, or made for another engine.")
    })
}
