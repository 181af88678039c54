//! Server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use tokio_stream::wrappers::IntervalStream;

const HEARTBEAT: Duration = Duration::from_secs(15);

/// One event; JSON has no line breaks, so one `data:` line holds it.
pub fn event(name: &str, data: &impl Serialize) -> Bytes {
    let json = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    Bytes::from(format!("event: {name}\ndata: {json}\n\n"))
}

/// A response that sends the events, and a comment every 15 s so that proxies and clients see it live.
pub fn response(events: impl Stream<Item = Bytes> + 'static) -> HttpResponse {
    let beat =
        IntervalStream::new(tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT))
            .map(|_| Bytes::from_static(b": still here\n\n"));
    // The response ends with the events, not with the endless beat.
    let ended = events.map(Some).chain(futures_util::stream::once(async { None }));
    let merged = futures_util::stream::select(ended, beat.map(Some))
        .take_while(|item| std::future::ready(item.is_some()))
        .filter_map(|item| std::future::ready(item.map(Ok::<_, Infallible>)));
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_ENCODING, ContentEncoding::Identity))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(merged)
}
