//! Durable jobs: a row is there from the moment the work is owed until it is done.

use std::time::Duration;

use lectern_kernel::{JobId, Timestamp};

use crate::{Row, StoreError, Tx, params};

type Result<T> = std::result::Result<T, StoreError>;

/// Work to be done later. One open job a kind and subject: pushing it again changes nothing.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    pub kind: &'a str,
    pub subject: &'a str,
    pub payload: serde_json::Value,
}

/// A job that was taken.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub kind: String,
    pub subject: String,
    pub payload: serde_json::Value,
    /// Times it was started, this one included.
    pub attempts: u32,
    pub created_at: Timestamp,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    Queued,
    Running,
    Failed,
}

/// Adds a job; false when the same is open already.
pub fn push(tx: &mut Tx<'_>, job: &NewJob<'_>) -> Result<bool> {
    let now = tx.now();
    let added = tx.execute(
        "INSERT INTO jobs (id, kind, subject, payload, state, run_at, created_at)
         VALUES ($1, $2, $3, $4, 'queued', $5, $5) ON CONFLICT DO NOTHING",
        params![&JobId::generate(), job.kind, job.subject, job.payload.to_string(), now],
    )?;
    Ok(added == 1)
}

/// Takes the job that waits longest.
pub fn take(tx: &mut Tx<'_>) -> Result<Option<Job>> {
    let now = tx.now();
    tx.query_one(
        "UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE id =
           (SELECT id FROM jobs WHERE state = 'queued' AND run_at <= $1 ORDER BY run_at, id LIMIT 1)
         RETURNING id, kind, subject, payload, attempts, created_at",
        params![now],
        read,
    )
}

/// The work is done: the job goes with the transaction that holds its result.
pub fn finish(tx: &mut Tx<'_>, id: &JobId) -> Result<()> {
    tx.execute("DELETE FROM jobs WHERE id = $1", params![id])?;
    Ok(())
}

/// Puts a job back, to be tried again after `delay`.
pub fn retry(tx: &mut Tx<'_>, id: &JobId, delay: Duration, error: &str) -> Result<()> {
    let at = tx.now().plus(delay);
    tx.execute(
        "UPDATE jobs SET state = 'queued', run_at = $2, error = $3 WHERE id = $1",
        params![id, at, error],
    )?;
    Ok(())
}

/// Gives a job up and keeps it for the administrator to see.
pub fn fail(tx: &mut Tx<'_>, id: &JobId, error: &str) -> Result<()> {
    tx.execute("UPDATE jobs SET state = 'failed', error = $2 WHERE id = $1", params![id, error])?;
    Ok(())
}

/// Removes the jobs of a thing that is gone.
pub fn forget(tx: &mut Tx<'_>, kind: &str, subject: &str) -> Result<()> {
    tx.execute("DELETE FROM jobs WHERE kind = $1 AND subject = $2", params![kind, subject])?;
    Ok(())
}

/// After a start: what ran when the process ended is owed again. Returns how many.
pub fn recover(tx: &mut Tx<'_>) -> Result<usize> {
    tx.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'", params![])
}

/// How many jobs are in a state.
pub fn count(tx: &Tx<'_>, state: JobState) -> Result<u64> {
    let name = match state {
        JobState::Queued => "queued",
        JobState::Running => "running",
        JobState::Failed => "failed",
    };
    Ok(tx.scalar("SELECT count(*) FROM jobs WHERE state = $1", params![name])?.unwrap_or(0))
}

fn read(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        id: row.get("id")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        payload: serde_json::from_str(&row.get::<String>("payload")?)?,
        attempts: row.get("attempts")?,
        created_at: row.get("created_at")?,
    })
}
