//! `/ask/{id}/audio`.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding};
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, Feature, PathId, Permit};
use lectern_kernel::TurnId;
use utoipa::OpenApi;

use crate::{PERMISSIONS, Voice, VoiceRead};

/// Routes, permissions and their description.
pub fn feature() -> Feature {
    Feature { name: "voice", permissions: PERMISSIONS, routes, openapi: Document::openapi() }
}

fn routes(config: &mut ServiceConfig) {
    config.route("/ask/{id}/audio", web::get().to(get_turn_audio));
}

#[derive(OpenApi)]
#[openapi(paths(get_turn_audio))]
struct Document;

/// The answer read aloud: WAV, 16 bit, mono, 22,050 samples a second, sent while it is made. Waits when the answer is
/// still being written.
#[utoipa::path(get, path = "/ask/{id}/audio", tag = "ask", operation_id = "get_turn_audio",
    params(("id" = TurnId, Path)), responses((status = 200, content_type = "audio/wav", body = Vec<u8>)))]
async fn get_turn_audio(permit: Permit<VoiceRead>, voice: Data<Voice>, id: PathId<TurnId>) -> ApiResult {
    let audio = voice.turn_audio(permit.scope(), &id.0).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "audio/wav"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compression would hold sound back.
        .insert_header((CONTENT_ENCODING, ContentEncoding::Identity))
        .streaming(audio))
}
