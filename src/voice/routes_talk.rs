//! `/voice`: a conversation over a WebSocket (RFC 6455).

use std::time::{Duration, Instant};

use actix_web::http::header::{HOST, ORIGIN};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Session};
use futures_util::StreamExt;
use lectern_edge::{ApiResult, Permit, Problem};
use lectern_kernel::{Actor, Code, Error, Result};
use utoipa::OpenApi;

use crate::outgoing::{self, Frame, Sending};
use crate::socket_model::{ClientMessage, Start, TalkTrace};
use crate::talk::{End, Talk};
use crate::{Voice, VoiceRead};

/// Bytes of a frame from a client: two seconds of sound.
pub(crate) const MAX_FRAME: usize = 64 << 10;
/// A sign of life, so that nothing in between closes a quiet connection.
const PING: Duration = Duration::from_secs(25);

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/voice", web::get().to(converse));
}

#[derive(OpenApi)]
#[openapi(paths(converse), components(schemas(ClientMessage, Start, TalkTrace)))]
struct Document;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// A conversation by voice over a WebSocket: sound and messages both ways, as docs/voice-protocol.md describes.
#[utoipa::path(get, path = "/voice", tag = "voice", operation_id = "converse",
    responses((status = 101, description = "The connection is a WebSocket now"), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 503, body = Problem)))]
async fn converse(
    permit: Permit<VoiceRead>,
    voice: Data<Voice>,
    request: HttpRequest,
    body: Payload,
) -> ApiResult {
    if matches!(permit.principal().actor, Actor::Session { .. }) {
        own_page(&request)?;
    }
    let busy = || {
        Error::new(Code::Busy, "Too many people are speaking with the appliance.")
            .hint("Try again in a moment.")
    };
    let place = std::sync::Arc::clone(&voice.conversations).try_acquire_owned().map_err(|_| busy())?;
    let (response, session, messages) = actix_ws::handle(&request, body).map_err(|_| {
        Error::new(Code::InvalidRequest, "This address speaks WebSocket.")
            .hint("Connect with a WebSocket client; see docs/voice-protocol.md.")
    })?;
    let messages =
        messages.max_frame_size(MAX_FRAME).aggregate_continuations().max_continuation_size(MAX_FRAME);
    let (out, sending) = outgoing::channel();
    let talk = Talk::new(voice.get_ref().clone(), permit.scope().clone(), out);
    let (idle, stop) = (voice.limits.idle, voice.stop.clone());
    let (stores, tenant) = (voice.stores.clone(), permit.scope().tenant().clone());
    actix_web::rt::spawn(send(session.clone(), sending));
    actix_web::rt::spawn(async move {
        let _place = place;
        let reason = tokio::select! {
            () = stop.cancelled() => Some(closing(CloseCode::Away, "the appliance stops")),
            () = stores.until_closed(&tenant) => Some(closing(CloseCode::Policy, "the organisation is suspended")),
            reason = listen(talk, messages, session.clone(), idle) => reason,
        };
        // The client may have closed already.
        let _ = session.close(reason).await;
    });
    Ok::<HttpResponse, _>(response)
}

/// A page of another site can open a WebSocket with a visitor's cookie, so the page's origin must be this host.
fn own_page(request: &HttpRequest) -> Result<()> {
    let header = |name| request.headers().get(name).and_then(|value: &_| value.to_str().ok());
    let origin = header(ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let host = header(HOST).map(str::to_owned).or_else(|| request.uri().authority().map(ToString::to_string));
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    if origin.zip(host.as_deref()).is_some_and(|(origin, host)| same(origin, host)) {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden, "The conversation was not begun by this site's own page.")
        .hint("Programs use an API key in the header Authorization."))
}

fn closing(code: CloseCode, why: &str) -> CloseReason {
    CloseReason { code, description: Some(why.to_owned()) }
}

/// Sends until the conversation has ended or the client is gone.
async fn send(mut session: Session, mut sending: Sending) {
    while let Some(frame) = sending.next().await {
        let sent = match frame {
            Frame::Text(text) => session.text(text).await,
            Frame::Sound(bytes) => session.binary(bytes).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn listen(
    mut talk: Talk,
    mut messages: AggregatedMessageStream,
    mut session: Session,
    idle: Duration,
) -> Option<CloseReason> {
    let mut ping = tokio::time::interval(PING);
    let mut active = Instant::now();
    let reason = loop {
        let left = idle.saturating_sub(active.elapsed());
        let done = tokio::select! {
            message = messages.next() => match message {
                Some(Ok(message)) => {
                    active = Instant::now();
                    take(&mut talk, &mut session, message).await
                }
                Some(Err(_)) => Err(Some(closing(CloseCode::Size, "a frame is broken or larger than 64 KiB"))),
                None => Err(None),
            },
            Some(said) = talk.said.recv() => {
                talk.heard(said);
                Ok(())
            }
            Some(told) = talk.told.recv() => {
                active = Instant::now();
                talk.answered(told);
                Ok(())
            }
            _ = ping.tick() => session.ping(b"").await.map_err(|_| None),
            () = tokio::time::sleep(left) => Err(Some(closing(CloseCode::Policy, "nothing happened for too long"))),
        };
        if let Err(reason) = done {
            break reason;
        }
    };
    talk.close();
    reason
}

async fn take(
    talk: &mut Talk,
    session: &mut Session,
    message: AggregatedMessage,
) -> std::result::Result<(), Option<CloseReason>> {
    let done = match message {
        AggregatedMessage::Text(text) => talk.message(&text).await,
        AggregatedMessage::Binary(bytes) => talk.sound(&bytes),
        AggregatedMessage::Ping(bytes) => return session.pong(&bytes).await.map_err(|_| None),
        AggregatedMessage::Pong(_) => Ok(()),
        AggregatedMessage::Close(reason) => return Err(reason),
    };
    done.map_err(|End::Breach(error)| Some(closing(CloseCode::Policy, &error.detail)))
}
