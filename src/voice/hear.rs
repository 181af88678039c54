//! Recordings written down: received into a file, decoded and heard piece by piece, segments told as they are sure.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_multipart::Multipart;
use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Payload;
use futures_util::StreamExt;
use lectern_audio::{Decoder, Limits};
use lectern_edge::{Incoming, UploadLimits};
use lectern_hearing::{HearOptions, RATE, Segment, Transcript};
use lectern_kernel::{Code, Error, Result, Scope};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use crate::Voice;
use crate::error::{decoded, heard};
use crate::hear_model::{TranscriptFormat, TranscriptTrace, TranscriptionQuery};
use crate::meter::Meter;
use crate::model::check_sound;
use crate::speaking::since;

/// How long a recording waits for another to end.
const WAIT: Duration = Duration::from_secs(60);

/// A recording that has arrived. Dropping it removes the file.
pub(crate) enum Recording {
    Raw(NamedTempFile),
    Form(Incoming),
}

impl Recording {
    fn path(&self) -> &Path {
        match self {
            Self::Raw(file) => file.path(),
            Self::Form(file) => &file.path,
        }
    }
}

/// What comes of a recording.
#[derive(Debug)]
pub(crate) enum Heard {
    Segment(Segment),
    Done(Transcript, TranscriptTrace),
    Failed(Error),
}

/// A transcription on its way. Dropping it stops the work.
pub(crate) struct Hearing {
    told: mpsc::UnboundedReceiver<Heard>,
    stop: Arc<AtomicBool>,
}

impl Hearing {
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        self.told.recv().await
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Voice {
    /// Receives the body, as it is or as a form whose fields go over the query.
    pub(crate) async fn receive(
        &self,
        scope: &Scope,
        request: &HttpRequest,
        body: Payload,
        query: TranscriptionQuery,
    ) -> Result<(Recording, TranscriptionQuery)> {
        let limit = self.limits.upload_bytes;
        let header = |name| request.headers().get(name).and_then(|value: &_| value.to_str().ok());
        if header(CONTENT_LENGTH)
            .and_then(|length| length.parse::<u64>().ok())
            .is_some_and(|length| length > limit)
        {
            return Err(too_large(limit));
        }
        let folder = self.stores.tenant(scope)?.incoming();
        let declared = header(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        if !declared.starts_with("multipart/form-data") {
            return Ok((Recording::Raw(store(body, &folder, limit).await?), query));
        }
        let form = Multipart::new(request.headers(), body.into_inner());
        let incoming = lectern_edge::receive(form, &folder, UploadLimits { max_bytes: limit }).await;
        let incoming = incoming.map_err(|error| match error.code {
            Code::TooLarge => too_large(limit),
            _ => error,
        })?;
        let mut query = query;
        if let Some(language) = incoming.fields.get("language").filter(|language| !language.is_empty()) {
            query.language = Some(language.clone());
        }
        if let Some(format) = incoming.fields.get("format") {
            query.format = TranscriptFormat::parse(format)
                .ok_or_else(|| Error::field("format", "must be json, srt, vtt or text"))?;
        }
        Ok((Recording::Form(incoming), query))
    }

    /// Begins to hear; an error comes before the first segment when there is nothing to be heard in it.
    pub(crate) async fn transcribe(
        &self,
        scope: &Scope,
        recording: Recording,
        language: Option<String>,
        started: Instant,
    ) -> Result<Hearing> {
        let mut wrong = Vec::new();
        check_sound(None, language.as_deref(), None, &mut wrong);
        if let Some(wrong) = wrong.into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        self.check_quota(scope).await?;
        let received_ms = since(started);
        let limits = Limits { seconds: self.limits.audio_seconds(), ..Limits::default() };
        // What is no audio is told before anybody waits for anything.
        let path = recording.path().to_owned();
        let open = tokio::task::spawn_blocking(move || Decoder::open_file(&path, RATE, &limits));
        let mut decoder = open.await.map_err(Error::internal)?.map_err(decoded)?;
        let busy = || {
            Error::new(Code::Busy, "Other recordings are being transcribed.").hint("Try again in a minute.")
        };
        let place = tokio::time::timeout(WAIT, Arc::clone(&self.recognitions).acquire_owned());
        let place = place.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let options = HearOptions { language, site: self.words.soon(scope).await, ..HearOptions::default() };
        let (sender, told) = mpsc::unbounded_channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (ears, stopped) = (Arc::clone(&self.ears), Arc::clone(&stop));
        let meter = Meter::new(self.quota.get(), scope);
        tokio::task::spawn_blocking(move || {
            let (_place, _recording) = (place, recording);
            // Who listens no more is told nothing; `stop` ends the work.
            let mut sink = |segment: Segment| drop(sender.send(Heard::Segment(segment)));
            let last = match ears.transcribe(&mut decoder, &options, &stopped, &mut sink) {
                Ok(transcript) => {
                    meter.add(Duration::from_millis(transcript.duration_ms));
                    Heard::Done(transcript, TranscriptTrace { received_ms, total_ms: since(started) })
                }
                Err(error) => Heard::Failed(heard(error)),
            };
            drop(sender.send(last));
        });
        Ok(Hearing { told, stop })
    }
}

async fn store(mut body: Payload, folder: &Path, limit: u64) -> Result<NamedTempFile> {
    let folder = folder.to_owned();
    let file =
        tokio::task::spawn_blocking(move || tempfile::Builder::new().prefix("recording").tempfile_in(folder));
    let mut file = file.await.map_err(Error::internal)?.map_err(disk)?;
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        let chunk =
            chunk.map_err(|e| Error::new(Code::InvalidRequest, format!("The upload broke off: {e}.")))?;
        bytes += chunk.len() as u64;
        if bytes > limit {
            return Err(too_large(limit));
        }
        let written = tokio::task::spawn_blocking(move || file.write_all(&chunk).map(|()| file));
        file = written.await.map_err(Error::internal)?.map_err(disk)?;
    }
    Ok(file)
}

fn too_large(limit: u64) -> Error {
    Error::new(Code::TooLarge, format!("The recording is larger than the limit of {} MB.", limit / 1_000_000))
        .hint("An administrator can raise hearing.max_size in the configuration.")
}

fn disk(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::new(
            Code::StorageFull,
            "The disk of the appliance is full; the recording was not kept.",
        )
        .hint("Free space on the disk that holds the data folder, then send it again.");
    }
    Error::internal(error)
}
