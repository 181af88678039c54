//! `/voices`, `/speech`, `/ask/{id}/speech`, `/ask/{id}/audio`, `/audio/…` and `/voice-preferences`.

use actix_files::NamedFile;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding, ETAG, HeaderValue, IF_NONE_MATCH,
};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, Feature, PathId, Permit, Problem, ValidJson, ValidQuery, request_id, sse};
use lectern_kernel::{Error, TurnId};
use utoipa::OpenApi;

use crate::model::{NewSpeech, PatchPreferences, PreferencesView, SoundQuery, VoiceList};
use crate::speaking::Speaking;
use crate::stream::{self, SoundFormat};
use crate::{
    ClauseEvent, ClausesDone, PERMISSIONS, SpeechTrace, Voice, VoiceRead, clauses, routes_hear,
    routes_lexicon, routes_talk,
};

/// Audio never changes under its address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Routes, permissions and their description.
pub fn feature() -> Feature {
    let mut openapi = Document::openapi();
    openapi.merge(routes_lexicon::openapi());
    openapi.merge(routes_hear::openapi());
    openapi.merge(routes_talk::openapi());
    Feature { name: "voice", permissions: PERMISSIONS, routes, openapi }
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/voices", web::get().to(list_voices))
        .route("/speech", web::post().to(create_speech))
        .route("/ask/{id}/speech", web::get().to(stream_turn_speech))
        .route("/ask/{id}/audio", web::get().to(get_turn_audio))
        .route("/audio/{file}", web::get().to(get_audio))
        .route("/voice-preferences", web::get().to(get_voice_preferences))
        .route("/voice-preferences", web::patch().to(patch_voice_preferences));
    routes_lexicon::routes(config);
    routes_hear::routes(config);
    routes_talk::routes(config);
}

#[derive(OpenApi)]
#[openapi(
    paths(
        list_voices,
        create_speech,
        stream_turn_speech,
        get_turn_audio,
        get_audio,
        get_voice_preferences,
        patch_voice_preferences
    ),
    components(schemas(ClauseEvent, ClausesDone, SpeechTrace))
)]
struct Document;

/// Every voice that can be chosen.
#[utoipa::path(get, path = "/voices", tag = "voice", operation_id = "list_voices",
    responses((status = 200, body = VoiceList), (status = 401, body = Problem)))]
async fn list_voices(_permit: Permit<VoiceRead>, voice: Data<Voice>) -> ApiResult {
    Ok(HttpResponse::Ok().json(VoiceList { voices: voice.voices().await?.to_vec() }))
}

/// A text as sound, sent while it is made: WAV, Opus in Ogg, MP3, or PCM of 16 bit at 22,050 samples a second.
#[utoipa::path(post, path = "/speech", tag = "voice", operation_id = "create_speech", request_body = NewSpeech,
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 401, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
async fn create_speech(
    permit: Permit<VoiceRead>,
    voice: Data<Voice>,
    body: ValidJson<NewSpeech>,
) -> ApiResult {
    let format = body.0.format;
    streamed(voice.speech(permit.scope(), body.0).await?, format).await
}

/// The answer read aloud in one stream, also while it is still being written.
#[utoipa::path(get, path = "/ask/{id}/audio", tag = "voice", operation_id = "get_turn_audio",
    params(("id" = TurnId, Path), SoundQuery),
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 401, body = Problem),
    (status = 404, body = Problem)))]
async fn get_turn_audio(
    permit: Permit<VoiceRead>,
    voice: Data<Voice>,
    id: PathId<TurnId>,
    query: ValidQuery<SoundQuery>,
) -> ApiResult {
    streamed(voice.answer(permit.scope(), &id.0, &query.0).await?, query.0.format).await
}

async fn streamed(speaking: Speaking, format: SoundFormat) -> ApiResult {
    let audio = stream::audio(speaking, format).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, format.media_type()))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compression would hold sound back.
        .insert_header((CONTENT_ENCODING, ContentEncoding::Identity))
        .streaming(audio))
}

/// The answer's clauses, each as soon as it can be heard: `clause` (a `ClauseEvent`), at the end `done`
/// (`ClausesDone`) or `error` (a problem). Closing the stream stops the voice.
#[utoipa::path(get, path = "/ask/{id}/speech", tag = "voice", operation_id = "stream_turn_speech",
    params(("id" = TurnId, Path), SoundQuery),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream"),
    (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn stream_turn_speech(
    permit: Permit<VoiceRead>,
    voice: Data<Voice>,
    request: HttpRequest,
    id: PathId<TurnId>,
    query: ValidQuery<SoundQuery>,
) -> ApiResult {
    if query.0.format == SoundFormat::Pcm {
        return Err(Error::field("format", "must be wav, opus or mp3 here").into());
    }
    let speaking = voice.answer(permit.scope(), &id.0, &query.0).await?;
    Ok(sse::response(clauses::events(speaking, query.0.format, request_id(&request))))
}

/// A clause of a spoken answer. The address is a hash of the sound, so it never changes.
#[utoipa::path(get, path = "/audio/{file}", tag = "voice", operation_id = "get_audio",
    params(("file" = String, Path, description = "`url` of a clause: a hash and wav, opus or mp3")),
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 206, content_type = "audio/wav"),
    (status = 304), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_audio(
    permit: Permit<VoiceRead>,
    voice: Data<Voice>,
    request: HttpRequest,
    file: web::Path<String>,
) -> ApiResult {
    let (path, format) = voice.audio_file(permit.scope(), &file).await?;
    let tag = format!("\"{}\"", *file);
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known == "*" || known.contains(&tag)) {
        return Ok(HttpResponse::NotModified()
            .insert_header((CACHE_CONTROL, FOR_EVER))
            .insert_header((ETAG, tag))
            .finish());
    }
    let named = NamedFile::open_async(path).await.map_err(|_| Error::not_found("audio"))?;
    let media_type = format.media_type().parse().map_err(|e| Error::internal(format!("{e}")))?;
    // Its own tag would change with each use.
    let mut response =
        named.use_etag(false).use_last_modified(false).set_content_type(media_type).into_response(&request);
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&tag).map_err(Error::internal)?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
    Ok(response)
}

/// One's own voices, and what is in force with the site's.
#[utoipa::path(get, path = "/voice-preferences", tag = "voice", operation_id = "get_voice_preferences",
    responses((status = 200, body = PreferencesView), (status = 401, body = Problem)))]
async fn get_voice_preferences(permit: Permit<VoiceRead>, voice: Data<Voice>) -> ApiResult {
    Ok(HttpResponse::Ok().json(voice.preferences(permit.scope()).await?))
}

/// Set one's own voices; null goes back to the site's.
#[utoipa::path(patch, path = "/voice-preferences", tag = "voice", operation_id = "patch_voice_preferences",
    request_body = PatchPreferences, responses((status = 200, body = PreferencesView),
    (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn patch_voice_preferences(
    permit: Permit<VoiceRead>,
    voice: Data<Voice>,
    body: ValidJson<PatchPreferences>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(voice.change_preferences(permit.scope(), body.0).await?))
}
