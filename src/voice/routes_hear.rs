//! `/transcriptions`.

use std::time::Instant;

use actix_web::http::header::{ACCEPT, CONTENT_TYPE};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::{Stream, stream};
use lectern_edge::{ApiResult, Permit, Problem, ValidQuery, request_id, sse};
use lectern_hearing::Transcript;
use lectern_kernel::Error;
use utoipa::OpenApi;

use crate::hear::{Heard, Hearing};
use crate::hear_model::{SegmentView, TranscriptFormat, TranscriptTrace, TranscriptView, TranscriptionQuery};
use crate::{Voice, VoiceRead};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/transcriptions", web::post().to(create_transcription));
}

#[derive(OpenApi)]
#[openapi(paths(create_transcription), components(schemas(SegmentView)))]
struct Document;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Write a recording down: WAV, MP3, FLAC, Ogg (Vorbis, Opus), M4A, MP4 or WebM, as the body or as `file` of a form with
/// `language` and `format` before it. With `Accept: text/event-stream` come `segment`, `segment` …, then `done` (a
/// `TranscriptView`) or `error` (a problem).
#[utoipa::path(post, path = "/transcriptions", tag = "voice", operation_id = "create_transcription",
    params(TranscriptionQuery), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = TranscriptView), (status = 401, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
async fn create_transcription(
    permit: Permit<VoiceRead>,
    voice: Data<Voice>,
    request: HttpRequest,
    query: ValidQuery<TranscriptionQuery>,
    body: web::Payload,
) -> ApiResult {
    let started = Instant::now();
    let (recording, query) = voice.receive(permit.scope(), &request, body, query.0).await?;
    let hearing = voice.transcribe(permit.scope(), recording, query.language.clone(), started).await?;
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/event-stream") {
        return Ok(sse::response(events(hearing, request_id(&request))));
    }
    let (transcript, trace) = whole(hearing).await?;
    Ok(written(transcript, trace, query.format))
}

async fn whole(mut hearing: Hearing) -> Result<(Transcript, TranscriptTrace), Error> {
    loop {
        match hearing.next().await {
            Some(Heard::Segment(_)) => {}
            Some(Heard::Done(transcript, trace)) => return Ok((transcript, trace)),
            Some(Heard::Failed(error)) => return Err(error),
            None => return Err(Error::internal("the recogniser ended without a word")),
        }
    }
}

fn written(transcript: Transcript, trace: TranscriptTrace, format: TranscriptFormat) -> HttpResponse {
    let text =
        |kind: &'static str, text: String| HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).body(text);
    match format {
        TranscriptFormat::Json => HttpResponse::Ok().json(TranscriptView::new(transcript, trace)),
        TranscriptFormat::Srt => text("application/x-subrip; charset=utf-8", transcript.to_srt()),
        TranscriptFormat::Vtt => text("text/vtt; charset=utf-8", transcript.to_vtt()),
        TranscriptFormat::Text => text("text/plain; charset=utf-8", format!("{}\n", transcript.text)),
    }
}

fn events(hearing: Hearing, request: Option<String>) -> impl Stream<Item = Bytes> + use<> {
    stream::unfold(Some((hearing, request)), |state| async move {
        let (mut hearing, request) = state?;
        match hearing.next().await {
            Some(Heard::Segment(segment)) => {
                let event = sse::event("segment", &SegmentView::from(segment));
                Some((event, Some((hearing, request))))
            }
            Some(Heard::Done(transcript, trace)) => {
                Some((sse::event("done", &TranscriptView::new(transcript, trace)), None))
            }
            Some(Heard::Failed(error)) => {
                if error.code.status() >= 500 {
                    tracing::error!(request, cause = ?error.cause, "{error}");
                }
                Some((sse::event("error", &Problem::of(&error, request.as_deref())), None))
            }
            None => None,
        }
    })
}
