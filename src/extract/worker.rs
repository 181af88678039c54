//! One reading child as the server sees it: start, one job at a time, and why it died.

use std::io;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use crate::frames::{self, Done, Job, Ready, Setup};
use crate::model::{ExtractError, ExtractErrorCode, Limits, Source};

const START: Duration = Duration::from_secs(20);
const TO_DIE: Duration = Duration::from_secs(2);
const STDERR_TAIL: usize = 4096;
const COPY_BYTES: usize = 256 << 10;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The document cannot be read; the child is well.
    Document(ExtractError),
    /// Our own file cannot be read.
    File(io::Error),
    /// The answer is too long.
    Output,
    /// The child ended, or speaks nonsense.
    Died,
}

/// What one job may use.
pub(crate) struct Allowance<'a> {
    pub limits: &'a Limits,
    pub cpu_seconds: u64,
    pub output_bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// The last words of the child.
    stderr: Arc<Mutex<Vec<u8>>>,
    jobs: u32,
}

impl Worker {
    pub async fn start(program: &Path, argument: &str, setup: &Setup) -> io::Result<(Self, Ready)> {
        let mut command = std::process::Command::new(program);
        command.arg(argument).env_clear().env("LANG", "C.UTF-8").current_dir(&setup.scratch);
        // Arenas are reserved ahead in large steps by default; under a limit of address space they must be small.
        command.env("MIMALLOC_ARENA_RESERVE", "65536").env("TMPDIR", &setup.scratch);
        // Its own group, so that a recogniser it started ends with it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let gone = || io::Error::other("a pipe of the child is missing");
        let stdin = child.stdin.take().ok_or_else(gone)?;
        let stdout = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        let stderr = Arc::new(Mutex::new(Vec::new()));
        // Ends with the child.
        tokio::spawn(keep_tail(child.stderr.take().ok_or_else(gone)?, Arc::clone(&stderr)));
        let mut worker = Self { child, stdin, stdout, stderr, jobs: 0 };
        let ready =
            tokio::time::timeout(START, worker.greet(setup)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        Ok((worker, ready))
    }

    async fn greet(&mut self, setup: &Setup) -> io::Result<Ready> {
        let setup = serde_json::to_vec(setup)?;
        self.stdin.write_all(&frames::head(frames::SETUP, &setup)?).await?;
        self.stdin.write_all(&setup).await?;
        let (kind, payload) = self.receive(1 << 20).await?.ok_or(io::ErrorKind::InvalidData)?;
        if kind != frames::READY {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(serde_json::from_slice(&payload)?)
    }

    /// Read a file: send it, then follow the answers.
    pub async fn run(
        &mut self,
        file: &Path,
        source: &Source,
        allowance: &Allowance<'_>,
        progress: &mut (impl FnMut(u8) + Send),
    ) -> Result<Done, Failure> {
        self.jobs += 1;
        let mut file = tokio::fs::File::open(file).await.map_err(Failure::File)?;
        let bytes = file.metadata().await.map_err(Failure::File)?.len();
        let job = Job {
            source: source.clone(),
            limits: allowance.limits.clone(),
            cpu_seconds: allowance.cpu_seconds,
            bytes,
        };
        let job = serde_json::to_vec(&job).map_err(|_| Failure::Died)?;
        let head = frames::head(frames::JOB, &job).map_err(|_| Failure::Died)?;
        for part in [&head[..], &job] {
            self.stdin.write_all(part).await.map_err(|_| Failure::Died)?;
        }
        self.send_file(&mut file, bytes).await?;
        loop {
            let frame = self.receive(allowance.output_bytes).await.map_err(|_| Failure::Died)?;
            let Some((kind, payload)) = frame else { return Err(Failure::Output) };
            match kind {
                frames::PROGRESS => progress(payload.first().copied().unwrap_or(0).min(100)),
                frames::DONE => return serde_json::from_slice(&payload).map_err(|_| Failure::Died),
                frames::FAILED => {
                    let error = serde_json::from_slice(&payload).map_err(|_| Failure::Died)?;
                    return Err(Failure::Document(error));
                }
                _ => return Err(Failure::Died),
            }
        }
    }

    async fn send_file(&mut self, file: &mut tokio::fs::File, bytes: u64) -> Result<(), Failure> {
        let mut buffer = vec![0; COPY_BYTES];
        let mut left = bytes;
        while left > 0 {
            let want = COPY_BYTES.min(usize::try_from(left).unwrap_or(COPY_BYTES));
            let got = file.read(&mut buffer[..want]).await.map_err(Failure::File)?;
            if got == 0 {
                return Err(Failure::File(io::ErrorKind::UnexpectedEof.into()));
            }
            self.stdin.write_all(&buffer[..got]).await.map_err(|_| Failure::Died)?;
            left -= got as u64;
        }
        self.stdin.flush().await.map_err(|_| Failure::Died)
    }

    /// The next frame; `None` when it claims more than it may.
    async fn receive(&mut self, most: usize) -> io::Result<Option<(u8, Vec<u8>)>> {
        let mut head = [0; frames::HEAD];
        self.stdout.read_exact(&mut head).await?;
        let (kind, length) = frames::parse_head(head);
        if length > most.saturating_add(1 << 16) {
            return Ok(None);
        }
        let mut payload = Vec::new();
        (&mut self.stdout).take(length as u64).read_to_end(&mut payload).await?;
        if payload.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some((kind, payload)))
    }

    pub fn jobs(&self) -> u32 {
        self.jobs
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The most memory the child ever held; without an answer of the kernel, all there is.
    pub fn peak_bytes(&self) -> u64 {
        let status =
            self.child.id().and_then(|id| std::fs::read_to_string(format!("/proc/{id}/status")).ok());
        let line = status.as_deref().and_then(|s| s.lines().find_map(|line| line.strip_prefix("VmHWM:")));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        kilobytes.map_or(u64::MAX, |kb| kb << 10)
    }

    /// Wait for the end of a child that stopped talking, and say in one sentence what became of the document.
    pub async fn cause_of_death(mut self, memory_bytes: u64) -> ExtractError {
        let status = match tokio::time::timeout(TO_DIE, self.child.wait()).await {
            Ok(Ok(status)) => Some(status),
            _ => None,
        };
        // Its last words may still be on the way.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let words =
            String::from_utf8_lossy(&self.stderr.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        tracing::warn!(?status, words = words.trim(), "a reading child died");
        explain(status.and_then(|status| status.signal()), &words, memory_bytes)
    }
}

fn explain(signal: Option<i32>, words: &str, memory_bytes: u64) -> ExtractError {
    let no_memory = ["memory allocation of", "out of memory", "Cannot allocate memory"]
        .iter()
        .any(|sign| words.contains(sign));
    let killed = |wanted: Signal| signal == Some(wanted.as_raw());
    let (code, message) = if words.contains("has overflowed its stack") {
        (ExtractErrorCode::TooComplex, "This file is nested too deeply to be read.".to_owned())
    } else if no_memory || killed(Signal::KILL) {
        let limit = memory_bytes >> 20;
        (
            ExtractErrorCode::Memory,
            format!("Reading this file takes more than the {limit} MB of memory it may use."),
        )
    } else if killed(Signal::XCPU) {
        (ExtractErrorCode::Timeout, "Reading this file took more computing time than it may use.".to_owned())
    } else {
        (ExtractErrorCode::Damaged, "This file is damaged in a way that stops its reader.".to_owned())
    };
    ExtractError { code, message }
}

/// A child that is let go ends at once, with everything it started.
impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id as i32)) {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
    }
}

async fn keep_tail(mut stderr: ChildStderr, tail: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(got @ 1..) = stderr.read(&mut buffer).await {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(&buffer[..got]);
        let extra = tail.len().saturating_sub(STDERR_TAIL);
        tail.drain(..extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_told_from_signal_and_last_words() {
        let code = |signal, words| explain(signal, words, 1 << 30).code;
        assert_eq!(code(Some(6), "memory allocation of 8 bytes failed"), ExtractErrorCode::Memory);
        assert_eq!(code(Some(6), "thread has overflowed its stack"), ExtractErrorCode::TooComplex);
        assert_eq!(code(Some(9), ""), ExtractErrorCode::Memory);
        assert_eq!(code(Some(24), ""), ExtractErrorCode::Timeout);
        assert_eq!(code(Some(11), ""), ExtractErrorCode::Damaged);
        assert_eq!(code(None, ""), ExtractErrorCode::Damaged);
    }
}
