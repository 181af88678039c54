//! `/collections`, and who sees a collection or a document.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson, ValidQuery};
use lectern_kernel::{DocumentId, Error, Page, PageRequest};

use crate::model::name_error;
use crate::model_access::{
    CollectionAccess, CollectionView, DocumentAccess, NewCollection, SetCollectionAccess, SetDocumentAccess,
};
use crate::{Documents, DocumentsRead, DocumentsShare};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .route("/collections", web::get().to(list_collections))
        .route("/collections", web::post().to(create_collection))
        .route("/collections/{name}/access", web::get().to(get_collection_access))
        .route("/collections/{name}/access", web::put().to(put_collection_access))
        .route("/documents/{id}/access", web::get().to(get_document_access))
        .route("/documents/{id}/access", web::put().to(put_document_access))
        .route("/documents/{id}/access", web::delete().to(delete_document_access));
}

/// The name in the address, decoded. What cannot be a name is answered like what does not exist.
fn named(path: Path<String>) -> ApiResult<String> {
    let name = path.into_inner();
    match name_error("name", &name) {
        None => Ok(name),
        Some(_) => Err(Error::not_found("collection").into()),
    }
}

/// Collections that one sees, by name, with the number of documents in them that one sees.
#[utoipa::path(get, path = "/collections", tag = "documents", params(PageRequest), responses(
    (status = 200, body = Page<CollectionView>), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn list_collections(
    permit: Permit<DocumentsRead>,
    documents: Data<Documents>,
    request: ValidQuery<PageRequest>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.collections(permit.scope(), request.0).await?))
}

/// Makes an empty collection. A listed one has its maker as the first in its list.
#[utoipa::path(post, path = "/collections", tag = "documents", request_body = NewCollection, responses(
    (status = 201, body = CollectionView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "The name is taken", body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create_collection(
    permit: Permit<DocumentsShare>,
    documents: Data<Documents>,
    new: ValidJson<NewCollection>,
) -> ApiResult {
    Ok(HttpResponse::Created().json(documents.add_collection(permit.scope(), new.0).await?))
}

/// Who sees the documents of a collection.
#[utoipa::path(get, path = "/collections/{name}/access", tag = "documents", params(("name" = String, Path)),
    responses((status = 200, body = CollectionAccess), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_collection_access(
    permit: Permit<DocumentsShare>,
    documents: Data<Documents>,
    name: Path<String>,
) -> ApiResult {
    let name = named(name)?;
    Ok(HttpResponse::Ok().json(documents.collection_access(permit.scope(), &name).await?))
}

/// Replaces who sees the documents of a collection; holds at once.
#[utoipa::path(put, path = "/collections/{name}/access", tag = "documents", params(("name" = String, Path)),
    request_body = SetCollectionAccess, responses((status = 200, body = CollectionAccess),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
pub(crate) async fn put_collection_access(
    permit: Permit<DocumentsShare>,
    documents: Data<Documents>,
    name: Path<String>,
    set: ValidJson<SetCollectionAccess>,
) -> ApiResult {
    let name = named(name)?;
    Ok(HttpResponse::Ok().json(documents.set_collection_access(permit.scope(), &name, set.0).await?))
}

/// Who sees a document: its own list, or its collection's rule.
#[utoipa::path(get, path = "/documents/{id}/access", tag = "documents", params(("id" = String, Path)),
    responses((status = 200, body = DocumentAccess), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_document_access(
    permit: Permit<DocumentsShare>,
    documents: Data<Documents>,
    id: PathId<DocumentId>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.document_access(permit.scope(), &id.0).await?))
}

/// Gives a document a list of its own, in place of its collection's rule; holds at once.
#[utoipa::path(put, path = "/documents/{id}/access", tag = "documents", params(("id" = String, Path)),
    request_body = SetDocumentAccess, responses((status = 200, body = DocumentAccess),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
pub(crate) async fn put_document_access(
    permit: Permit<DocumentsShare>,
    documents: Data<Documents>,
    id: PathId<DocumentId>,
    set: ValidJson<SetDocumentAccess>,
) -> ApiResult {
    let told = documents.set_document_access(permit.scope(), &id.0, Some(set.0)).await?;
    Ok(HttpResponse::Ok().json(told))
}

/// Takes a document's own list away; its collection's rule counts again.
#[utoipa::path(delete, path = "/documents/{id}/access", tag = "documents", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn delete_document_access(
    permit: Permit<DocumentsShare>,
    documents: Data<Documents>,
    id: PathId<DocumentId>,
) -> ApiResult {
    documents.set_document_access(permit.scope(), &id.0, None).await?;
    Ok(HttpResponse::NoContent().finish())
}
