//! `/lexicon`.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{self, Data, ServiceConfig};
use futures_util::StreamExt;
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson, ValidQuery};
use lectern_kernel::{Code, Error, LexiconId, Page};
use utoipa::OpenApi;

use crate::model::{LexiconImport, LexiconQuery, LexiconView, NewLexiconEntry, PatchLexiconEntry};
use crate::{Voice, VoiceRead, VoiceWrite};

const MAX_IMPORT: usize = 1 << 20;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/lexicon", web::get().to(list_lexicon))
        .route("/lexicon", web::post().to(create_lexicon_entry))
        .route("/lexicon/export", web::get().to(export_lexicon))
        .route("/lexicon/import", web::post().to(import_lexicon))
        .route("/lexicon/{id}", web::patch().to(patch_lexicon_entry))
        .route("/lexicon/{id}", web::delete().to(delete_lexicon_entry));
}

#[derive(OpenApi)]
#[openapi(paths(
    list_lexicon,
    create_lexicon_entry,
    patch_lexicon_entry,
    delete_lexicon_entry,
    export_lexicon,
    import_lexicon
))]
struct Document;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// How words are said on this site.
#[utoipa::path(get, path = "/lexicon", tag = "voice", operation_id = "list_lexicon", params(LexiconQuery),
    responses((status = 200, body = Page<LexiconView>), (status = 401, body = Problem)))]
async fn list_lexicon(
    permit: Permit<VoiceRead>,
    voice: Data<Voice>,
    query: ValidQuery<LexiconQuery>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(voice.lexicon_page(permit.scope(), query.0).await?))
}

/// Say how a word is said, for all texts and voices of the site.
#[utoipa::path(post, path = "/lexicon", tag = "voice", operation_id = "create_lexicon_entry",
    request_body = NewLexiconEntry, responses((status = 201, body = LexiconView), (status = 401, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_lexicon_entry(
    permit: Permit<VoiceWrite>,
    voice: Data<Voice>,
    body: ValidJson<NewLexiconEntry>,
) -> ApiResult {
    Ok(HttpResponse::Created().json(voice.add_pronunciation(permit.scope(), body.0).await?))
}

/// Change a pronunciation.
#[utoipa::path(patch, path = "/lexicon/{id}", tag = "voice", operation_id = "patch_lexicon_entry",
    params(("id" = LexiconId, Path)), request_body = PatchLexiconEntry, responses((status = 200, body = LexiconView),
    (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
async fn patch_lexicon_entry(
    permit: Permit<VoiceWrite>,
    voice: Data<Voice>,
    id: PathId<LexiconId>,
    body: ValidJson<PatchLexiconEntry>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(voice.change_pronunciation(permit.scope(), &id.0, body.0).await?))
}

/// Delete a pronunciation.
#[utoipa::path(delete, path = "/lexicon/{id}", tag = "voice", operation_id = "delete_lexicon_entry",
    params(("id" = LexiconId, Path)), responses((status = 204), (status = 401, body = Problem),
    (status = 404, body = Problem)))]
async fn delete_lexicon_entry(
    permit: Permit<VoiceWrite>,
    voice: Data<Voice>,
    id: PathId<LexiconId>,
) -> ApiResult {
    voice.remove_pronunciation(permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The whole lexicon as CSV.
#[utoipa::path(get, path = "/lexicon/export", tag = "voice", operation_id = "export_lexicon",
    responses((status = 200, content_type = "text/csv", body = String), (status = 401, body = Problem)))]
async fn export_lexicon(permit: Permit<VoiceRead>, voice: Data<Voice>) -> ApiResult {
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"lexicon.csv\""))
        .body(voice.export_lexicon(permit.scope()).await?))
}

/// Add and change pronunciations from CSV with the columns of the export; at most 1 MiB.
#[utoipa::path(post, path = "/lexicon/import", tag = "voice", operation_id = "import_lexicon",
    request_body(content = String, content_type = "text/csv"), responses((status = 200, body = LexiconImport),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 413, body = Problem)))]
async fn import_lexicon(permit: Permit<VoiceWrite>, voice: Data<Voice>, mut body: web::Payload) -> ApiResult {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk =
            chunk.map_err(|e| Error::new(Code::InvalidRequest, format!("The table broke off: {e}.")))?;
        if bytes.len() + chunk.len() > MAX_IMPORT {
            return Err(Error::new(Code::TooLarge, "The table is larger than 1 MiB.").into());
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::new(Code::InvalidRequest, "The table is not UTF-8.").hint("Save it as \"CSV UTF-8\".")
    })?;
    Ok(HttpResponse::Ok().json(voice.import_lexicon(permit.scope(), &text).await?))
}
