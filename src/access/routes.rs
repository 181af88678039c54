//! `/tenants`, for those who operate the appliance.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson, ValidQuery};
use lectern_kernel::{Code, Error, TenantId};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;
use utoipa::OpenApi;

use crate::model::{
    DeleteTenant, ErasureView, ExportRequest, NewTenant, NewTenantView, PatchTenant, Suspension, TenantView,
};
use crate::transfer::Exported;
use crate::{Access, TenantsManage};

/// The largest file that is taken in.
const LARGEST: u64 = 1 << 42;
const PASSPHRASE: &str = "x-lectern-passphrase";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/tenants").route(web::get().to(list_tenants)).route(web::post().to(create_tenant)),
        )
        .service(web::resource("/tenants/import").route(web::post().to(import_tenant)))
        .service(web::resource("/tenants/erasures").route(web::get().to(list_erasures)))
        .service(
            web::resource("/tenants/{id}")
                .route(web::get().to(get_tenant))
                .route(web::patch().to(update_tenant))
                .route(web::delete().to(delete_tenant)),
        )
        .service(web::resource("/tenants/{id}/suspend").route(web::post().to(suspend_tenant)))
        .service(web::resource("/tenants/{id}/resume").route(web::post().to(resume_tenant)))
        .service(web::resource("/tenants/{id}/restore").route(web::post().to(restore_tenant)))
        .service(web::resource("/tenants/{id}/export").route(web::post().to(export_tenant)));
}

#[derive(OpenApi)]
#[openapi(paths(
    list_tenants,
    create_tenant,
    get_tenant,
    update_tenant,
    delete_tenant,
    suspend_tenant,
    resume_tenant,
    restore_tenant,
    export_tenant,
    import_tenant,
    list_erasures
))]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let mut whole = Description::openapi();
    whole.merge(crate::routes_audit::Description::openapi());
    whole.merge(crate::routes_forward::Description::openapi());
    whole.merge(crate::routes_usage::Description::openapi());
    whole
}

/// All tenants with what they held when it was last counted, by id.
#[utoipa::path(get, path = "/tenants", tag = "operator", operation_id = "list_tenants", responses(
    (status = 200, body = Vec<TenantView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_tenants(_permit: Permit<TenantsManage>, access: Data<Access>) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.tenants().await?))
}

/// Makes a tenant with database, index, key and the invitation of its first owner. The same call again finds it made.
#[utoipa::path(post, path = "/tenants", tag = "operator", operation_id = "create_tenant", request_body = NewTenant,
    responses((status = 201, body = NewTenantView), (status = 200, body = NewTenantView, description = "It was there"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
async fn create_tenant(
    permit: Permit<TenantsManage>,
    access: Data<Access>,
    body: ValidJson<NewTenant>,
) -> ApiResult {
    let (view, made) = access.create_tenant(permit.scope(), body.0).await?;
    Ok(if made { HttpResponse::Created() } else { HttpResponse::Ok() }.json(view))
}

/// A tenant, counted now.
#[utoipa::path(get, path = "/tenants/{id}", tag = "operator", operation_id = "get_tenant",
    params(("id" = TenantId, Path)), responses((status = 200, body = TenantView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get_tenant(_permit: Permit<TenantsManage>, access: Data<Access>, id: PathId<TenantId>) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.tenant_view(&id.0).await?))
}

/// Changes name, plan or limits.
#[utoipa::path(patch, path = "/tenants/{id}", tag = "operator", operation_id = "update_tenant",
    params(("id" = TenantId, Path)), request_body = PatchTenant, responses((status = 200, body = TenantView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
async fn update_tenant(
    permit: Permit<TenantsManage>,
    access: Data<Access>,
    id: PathId<TenantId>,
    body: ValidJson<PatchTenant>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.change_tenant(permit.scope(), &id.0, body.0).await?))
}

/// Marks a tenant for its erasure, or erases it at once; its id has to be typed again.
#[utoipa::path(delete, path = "/tenants/{id}", tag = "operator", operation_id = "delete_tenant",
    params(("id" = TenantId, Path)), request_body = DeleteTenant, responses(
    (status = 200, body = TenantView, description = "Marked"), (status = 204, description = "Erased"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn delete_tenant(
    permit: Permit<TenantsManage>,
    access: Data<Access>,
    id: PathId<TenantId>,
    body: ValidJson<DeleteTenant>,
) -> ApiResult {
    Ok(match access.delete_tenant(permit.scope(), &id.0, &body.0).await? {
        Some(view) => HttpResponse::Ok().json(view),
        None => HttpResponse::NoContent().finish(),
    })
}

/// Ends the sessions of a tenant and lets nobody in; its data stays.
#[utoipa::path(post, path = "/tenants/{id}/suspend", tag = "operator", operation_id = "suspend_tenant",
    params(("id" = TenantId, Path)), request_body = Suspension, responses((status = 200, body = TenantView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn suspend_tenant(
    permit: Permit<TenantsManage>,
    access: Data<Access>,
    id: PathId<TenantId>,
    body: ValidJson<Suspension>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.suspend(permit.scope(), &id.0, &body.0.reason).await?))
}

/// Lets the people of a suspended tenant in again.
#[utoipa::path(post, path = "/tenants/{id}/resume", tag = "operator", operation_id = "resume_tenant",
    params(("id" = TenantId, Path)), responses((status = 200, body = TenantView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn resume_tenant(
    permit: Permit<TenantsManage>,
    access: Data<Access>,
    id: PathId<TenantId>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.resume(permit.scope(), &id.0).await?))
}

/// Takes a deleted tenant back, suspended.
#[utoipa::path(post, path = "/tenants/{id}/restore", tag = "operator", operation_id = "restore_tenant",
    params(("id" = TenantId, Path)), responses((status = 200, body = TenantView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn restore_tenant(
    permit: Permit<TenantsManage>,
    access: Data<Access>,
    id: PathId<TenantId>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.restore_tenant(permit.scope(), &id.0).await?))
}

/// Statements of the tenants that were erased, the newest first.
#[utoipa::path(get, path = "/tenants/erasures", tag = "operator", operation_id = "list_erasures", responses(
    (status = 200, body = Vec<ErasureView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_erasures(_permit: Permit<TenantsManage>, access: Data<Access>) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.erasures().await?))
}

/// The tenant as one sealed file, in the answer or on the appliance's disk.
#[utoipa::path(post, path = "/tenants/{id}/export", tag = "operator", operation_id = "export_tenant",
    params(("id" = TenantId, Path)), request_body = ExportRequest, responses(
    (status = 200, content_type = "application/octet-stream", description = "The file"),
    (status = 201, description = "Written to the appliance's disk"), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn export_tenant(
    permit: Permit<TenantsManage>,
    access: Data<Access>,
    id: PathId<TenantId>,
    body: ValidJson<ExportRequest>,
) -> ApiResult {
    match access.export(permit.scope(), &id.0, body.0).await? {
        Exported::At(path) => {
            Ok(HttpResponse::Created().json(serde_json::json!({ "file": path.display().to_string() })))
        }
        Exported::Here(file, length) => {
            let name = format!("attachment; filename=\"{}.lectern-tenant\"", id.0);
            Ok(HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, "application/octet-stream"))
                .insert_header((CONTENT_DISPOSITION, name))
                .no_chunking(length)
                .streaming(ReaderStream::new(tokio::fs::File::from_std(file))))
        }
    }
}

/// How a tenant comes in.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ImportParameters {
    /// Put the file in the place of a suspended or deleted tenant that has the same key.
    #[serde(default)]
    replace: bool,
}

/// Brings a tenant in from its file; the passphrase stands in the header X-Lectern-Passphrase, percent-encoded.
#[utoipa::path(post, path = "/tenants/import", tag = "operator", operation_id = "import_tenant",
    params(ImportParameters), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 201, body = TenantView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem),
    (status = 422, body = Problem)))]
async fn import_tenant(
    request: HttpRequest,
    permit: Permit<TenantsManage>,
    access: Data<Access>,
    parameters: ValidQuery<ImportParameters>,
    body: Payload,
) -> ApiResult {
    let passphrase = request.headers().get(PASSPHRASE).map(passphrase).transpose()?;
    let file = access.receive(body).await?;
    let view = access.import(permit.scope(), file, passphrase, parameters.0.replace).await?;
    Ok(HttpResponse::Created().json(view))
}

/// A header holds no other letters than ASCII, so the passphrase comes percent-encoded (RFC 3986).
fn passphrase(value: &HeaderValue) -> Result<String, Error> {
    let wrong = || Error::field("passphrase", "must be percent-encoded");
    let text = value.to_str().map_err(|_| wrong())?;
    let query = actix_web::web::Query::<Vec<(String, String)>>::from_query(&format!(
        "p={}",
        text.replace('+', "%2B")
    ));
    let mut pairs = query.map_err(|_| wrong())?.into_inner();
    pairs.pop().map(|(_, value)| value).ok_or_else(wrong)
}

impl Access {
    /// Writes a body to a file without a name.
    async fn receive(&self, mut body: Payload) -> Result<std::fs::File, Error> {
        let file = tempfile::tempfile_in(self.folder()).map_err(Error::internal)?;
        let mut out = tokio::fs::File::from_std(file);
        let mut size = 0;
        while let Some(piece) = body.next().await {
            let broke = |e| Error::new(Code::InvalidRequest, format!("The body broke off: {e}."));
            let piece = piece.map_err(broke)?;
            size += piece.len() as u64;
            if size > LARGEST {
                return Err(Error::new(Code::TooLarge, "The file is larger than a tenant can be."));
            }
            out.write_all(&piece).await.map_err(full)?;
        }
        out.flush().await.map_err(full)?;
        let mut file = out.into_std().await;
        std::io::Seek::rewind(&mut file).map_err(Error::internal)?;
        Ok(file)
    }
}

fn full(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::new(Code::StorageFull, "The disk of the appliance is full; nothing was changed.");
    }
    Error::internal(error)
}
