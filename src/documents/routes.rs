//! `/documents` and `/events`.

use actix_files::NamedFile;
use actix_multipart::Multipart;
use actix_web::http::header::{self, ContentDisposition, DispositionParam, DispositionType};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, PathId, Permit, Problem, UploadLimits, ValidJson, ValidQuery, Validate, sse};
use lectern_kernel::{DocumentId, Error, Page};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::{
    BulkRequest, BulkResponse, DocumentFacets, DocumentView, Documents, DocumentsRead, DocumentsWrite,
    IndexReport, ListParameters, PatchDocument, RetryRequest, TextWindow, deliver, routes_access,
    routes_search,
};

#[derive(OpenApi)]
#[openapi(paths(
    list_documents,
    create_document,
    get_document,
    patch_document,
    delete_document,
    get_document_original,
    get_document_text,
    retry_document,
    bulk_documents,
    get_document_facets,
    stream_events,
    check_index,
    rebuild_index,
    routes_search::search_passages,
    routes_access::list_collections,
    routes_access::create_collection,
    routes_access::get_collection_access,
    routes_access::put_collection_access,
    routes_access::get_document_access,
    routes_access::put_document_access,
    routes_access::delete_document_access,
))]
struct Doc;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Doc::openapi()
}

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .route("/documents", web::get().to(list_documents))
        .route("/documents", web::post().to(create_document))
        .route("/documents/bulk", web::post().to(bulk_documents))
        .route("/documents/facets", web::get().to(get_document_facets))
        .route("/documents/{id}", web::get().to(get_document))
        .route("/documents/{id}", web::patch().to(patch_document))
        .route("/documents/{id}", web::delete().to(delete_document))
        .route("/documents/{id}/original", web::get().to(get_document_original))
        .route("/documents/{id}/text", web::get().to(get_document_text))
        .route("/documents/{id}/retry", web::post().to(retry_document))
        .route("/index/check", web::post().to(check_index))
        .route("/index/rebuild", web::post().to(rebuild_index))
        .route("/events", web::get().to(stream_events));
}

/// Documents, newest first unless sorted otherwise.
#[utoipa::path(get, path = "/documents", tag = "documents", params(ListParameters), responses(
    (status = 200, body = Page<DocumentView>), (status = 400, body = Problem), (status = 401, body = Problem)))]
async fn list_documents(
    permit: Permit<DocumentsRead>,
    documents: Data<Documents>,
    parameters: ValidQuery<ListParameters>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.list(permit.scope(), parameters.0).await?))
}

/// An upload; fields come before the file.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form for the OpenAPI document")]
struct UploadForm {
    collection: Option<String>,
    /// Separated by commas.
    tags: Option<String>,
    title: Option<String>,
    /// Opens an encrypted document; used once and never stored.
    password: Option<String>,
    /// Path at the source.
    path: Option<String>,
    #[schema(format = Binary)]
    file: String,
}

/// Takes a file in; it is read in the background.
#[utoipa::path(post, path = "/documents", tag = "documents",
    request_body(content = inline(UploadForm), content_type = "multipart/form-data"), responses(
    (status = 201, description = "Taken and queued", body = DocumentView),
    (status = 200, description = "The same bytes are there already", body = DocumentView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 413, body = Problem),
    (status = 422, body = Problem), (status = 507, body = Problem)))]
async fn create_document(
    permit: Permit<DocumentsWrite>,
    documents: Data<Documents>,
    form: Multipart,
) -> ApiResult {
    documents.check_space(permit.scope())?;
    let folder = documents.incoming(permit.scope())?;
    let limits = UploadLimits { max_bytes: documents.limits().max_upload_bytes };
    let incoming = lectern_edge::receive(form, &folder, limits).await?;
    let (view, created) = documents.create(permit.scope(), incoming).await?;
    if !created {
        return Ok(HttpResponse::Ok().json(view));
    }
    let place = format!("/api/v1/documents/{}", view.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(view))
}

/// One document.
#[utoipa::path(get, path = "/documents/{id}", tag = "documents", params(("id" = String, Path)), responses(
    (status = 200, body = DocumentView), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_document(
    permit: Permit<DocumentsRead>,
    documents: Data<Documents>,
    id: PathId<DocumentId>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.get(permit.scope(), &id.0).await?))
}

/// Changes title, collection or tags.
#[utoipa::path(patch, path = "/documents/{id}", tag = "documents", params(("id" = String, Path)),
    request_body = PatchDocument, responses((status = 200, body = DocumentView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn patch_document(
    permit: Permit<DocumentsWrite>,
    documents: Data<Documents>,
    id: PathId<DocumentId>,
    patch: ValidJson<PatchDocument>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.patch(permit.scope(), &id.0, patch.0).await?))
}

/// Deletes a document with its text, index entries and original.
#[utoipa::path(delete, path = "/documents/{id}", tag = "documents", params(("id" = String, Path)), responses(
    (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_document(
    permit: Permit<DocumentsWrite>,
    documents: Data<Documents>,
    id: PathId<DocumentId>,
) -> ApiResult {
    documents.delete(permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OriginalParameters {
    /// Show instead of download; only for PDF, images and plain text.
    #[serde(default)]
    inline: bool,
}

/// The file as it was sent.
#[utoipa::path(get, path = "/documents/{id}/original", tag = "documents", params(("id" = String, Path), OriginalParameters),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"),
    (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_document_original(
    permit: Permit<DocumentsRead>,
    documents: Data<Documents>,
    request: HttpRequest,
    id: PathId<DocumentId>,
    parameters: ValidQuery<OriginalParameters>,
) -> ApiResult {
    let (view, path) = documents.original(permit.scope(), &id.0).await?;
    let shown = deliver::shown_inline(&view.kind).filter(|_| parameters.0.inline);
    let media_type = shown.unwrap_or("application/octet-stream");
    let file = NamedFile::open_async(path).await.map_err(Error::internal)?;
    let disposition = ContentDisposition {
        disposition: if shown.is_some() { DispositionType::Inline } else { DispositionType::Attachment },
        parameters: vec![DispositionParam::Filename(view.file_name.clone())],
    };
    let mut response = file
        .set_content_type(media_type.parse().map_err(|e| Error::internal(format!("{e}")))?)
        .set_content_disposition(disposition)
        .into_response(&request);
    let headers = response.headers_mut();
    // A browser's own PDF viewer does not start in a sandbox; other content gets one.
    let policy = if view.kind == "pdf" {
        "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    } else {
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TextParameters {
    /// First code point; 0 when absent.
    #[serde(default)]
    from: u64,
    /// Code point after the last; at most 200,000 after `from`.
    to: Option<u64>,
}

/// The extracted text with its structure.
#[utoipa::path(get, path = "/documents/{id}/text", tag = "documents", params(("id" = String, Path), TextParameters),
    responses((status = 200, body = TextWindow), (status = 401, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn get_document_text(
    permit: Permit<DocumentsRead>,
    documents: Data<Documents>,
    id: PathId<DocumentId>,
    parameters: ValidQuery<TextParameters>,
) -> ApiResult {
    let window = documents.text(permit.scope(), &id.0, parameters.0.from, parameters.0.to).await?;
    Ok(HttpResponse::Ok().json(window))
}

/// Reads a failed document again, with a password when it needs one.
#[utoipa::path(post, path = "/documents/{id}/retry", tag = "documents", params(("id" = String, Path)),
    request_body = RetryRequest, responses((status = 202, body = DocumentView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn retry_document(
    permit: Permit<DocumentsWrite>,
    documents: Data<Documents>,
    id: PathId<DocumentId>,
    request: ValidJson<RetryRequest>,
) -> ApiResult {
    Ok(HttpResponse::Accepted().json(documents.retry(permit.scope(), &id.0, request.0).await?))
}

/// One action on up to 1,000 documents; each has its own outcome.
#[utoipa::path(post, path = "/documents/bulk", tag = "documents", request_body = BulkRequest, responses(
    (status = 200, body = BulkResponse), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn bulk_documents(
    permit: Permit<DocumentsWrite>,
    documents: Data<Documents>,
    request: ValidJson<BulkRequest>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.bulk(permit.scope(), request.0).await?))
}

/// The values that documents can be narrowed by, with counts.
#[utoipa::path(get, path = "/documents/facets", tag = "documents", responses(
    (status = 200, body = DocumentFacets), (status = 401, body = Problem)))]
async fn get_document_facets(permit: Permit<DocumentsRead>, documents: Data<Documents>) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.facets(permit.scope()).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckRequest {
    /// Remove what is too much and index again what is missing.
    #[serde(default)]
    mend: bool,
}

impl Validate for CheckRequest {}

/// Compares disk, search index and database.
#[utoipa::path(post, path = "/index/check", tag = "documents", request_body = CheckRequest, responses(
    (status = 200, body = IndexReport), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn check_index(
    permit: Permit<DocumentsWrite>,
    documents: Data<Documents>,
    request: ValidJson<CheckRequest>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.check_index(permit.scope(), request.0.mend).await?))
}

#[derive(serde::Serialize, ToSchema)]
struct Rebuilding {
    /// Documents that are being indexed again.
    queued: u64,
}

/// Makes the search index anew from the database, in the background.
#[utoipa::path(post, path = "/index/rebuild", tag = "documents", responses(
    (status = 202, body = Rebuilding), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 503, body = Problem)))]
async fn rebuild_index(permit: Permit<DocumentsWrite>, documents: Data<Documents>) -> ApiResult {
    let queued = documents.rebuild_index(permit.scope()).await?;
    Ok(HttpResponse::Accepted().json(Rebuilding { queued }))
}

/// Live changes: `document` (DocumentView), `document_deleted` ({id}), `queue` (counts).
#[utoipa::path(get, path = "/events", tag = "documents", responses(
    (status = 200, description = "Server-sent events", content_type = "text/event-stream"), (status = 401, body = Problem)))]
async fn stream_events(permit: Permit<DocumentsRead>, documents: Data<Documents>) -> ApiResult {
    Ok(sse::response(documents.live(permit.scope())?))
}
