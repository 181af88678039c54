//! `/models`.

use actix_multipart::{Field, Multipart};
use actix_web::http::header;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use lectern_edge::{ApiResult, Permit, Problem, ValidJson, sse};
use lectern_kernel::{Code, Error, Result, Scope};
use tokio_stream::wrappers::BroadcastStream;
use utoipa::{OpenApi, ToSchema};

use crate::import::{Intake, Piece, shown_name};
use crate::model::{ImportState, ImportView, ModelView, ModelsView, NewImport, UseModel, VerifyView};
use crate::progress::{Progress, Told};
use crate::{Models, ModelsRead, ModelsWrite};

const MOST_FIELD: usize = 4096;
const MOST_PARTS: usize = 256;

#[derive(OpenApi)]
#[openapi(
    paths(list_models, import_model, stream_model_events, verify_model, use_model, delete_model),
    components(schemas(ImportView))
)]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/models").route(web::get().to(list_models)).route(web::post().to(import_model)),
        )
        .service(web::resource("/models/events").route(web::get().to(stream_model_events)))
        .service(web::resource("/models/{name}/verify").route(web::post().to(verify_model)))
        .service(web::resource("/models/{name}/use").route(web::post().to(use_model)))
        .service(web::resource("/models/{name}").route(web::delete().to(delete_model)));
}

/// Installed and known models, imports, memory.
#[utoipa::path(get, path = "/models", tag = "models", operation_id = "list_models", responses(
    (status = 200, body = ModelsView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_models(permit: Permit<ModelsRead>, models: Data<Models>) -> ApiResult {
    let _ = permit;
    Ok(HttpResponse::Ok().json(models.view()))
}

/// The files of one model; fields come before them.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form for the OpenAPI document")]
struct ImportForm {
    /// The sender's word for this import; its events carry it.
    id: Option<String>,
    /// A name instead of the files'.
    name: Option<String>,
    /// ISO 639-1 codes, separated by commas.
    languages: Option<String>,
    licence: Option<String>,
    source: Option<String>,
    /// `true` or `false`; absent: it is chosen when nothing of its kind is.
    in_use: Option<bool>,
    /// A bundle, or each file of an export, with its file name.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<String>,
}

/// Brings a model in: a bundle, or the files of one export. The answer comes after its trial run.
#[utoipa::path(post, path = "/models", tag = "models", operation_id = "import_model",
    request_body(content = inline(ImportForm), content_type = "multipart/form-data"), responses(
    (status = 201, description = "Imported", body = ModelView),
    (status = 200, description = "The same model is there already", body = ModelView),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "Another model has the name", body = Problem), (status = 413, body = Problem),
    (status = 422, description = "The model is refused", body = Problem), (status = 507, body = Problem)))]
async fn import_model(
    permit: Permit<ModelsWrite>,
    models: Data<Models>,
    request: HttpRequest,
    form: Multipart,
) -> ApiResult {
    let total = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let mut progress = models.begin_import(total);
    match import(&models, permit.scope(), form, (total, &mut progress)).await {
        Ok((view, created)) => {
            progress.state(ImportState::Done);
            let mut answer = if created { HttpResponse::Created() } else { HttpResponse::Ok() };
            Ok(answer.json(view))
        }
        Err(error) => {
            progress.failed(&error);
            Err(error.into())
        }
    }
}

async fn import(
    models: &Models,
    scope: &Scope,
    mut form: Multipart,
    (total, progress): (Option<u64>, &mut Progress),
) -> Result<(ModelView, bool)> {
    let mut intake: Option<Intake> = None;
    let mut new = NewImport::default();
    let mut parts = 0;
    while let Some(part) = form.next().await {
        let part = part.map_err(broken)?;
        parts += 1;
        if parts > MOST_PARTS {
            return Err(Error::new(Code::InvalidRequest, "The form has too many parts."));
        }
        if part.name() != Some("file") {
            take_field(part, &mut new).await?;
            continue;
        }
        if intake.is_none() {
            progress.called(new.id.as_deref());
            intake = Some(models.intake(total)?);
        }
        let Some(open) = &intake else { continue };
        if !forward(part, open, progress).await? {
            // The disk side has given up; it says why.
            break;
        }
    }
    let Some(intake) = intake else {
        return Err(Error::new(Code::InvalidRequest, "The form has no part named 'file'.")
            .hint("Send the files of one model as parts named 'file', each with its file name."));
    };
    let _ = intake.pieces.send(Piece::Complete).await;
    let received = intake.finish().await?;
    models.install(scope, received, new, progress).await
}

/// Sends a file on to the disk; false when nobody takes it any more.
async fn forward(mut part: Field, intake: &Intake, progress: &mut Progress) -> Result<bool> {
    let given = part.content_disposition().and_then(|d| d.get_filename()).unwrap_or_default().to_owned();
    progress.named(&shown_name(&given));
    if intake.pieces.send(Piece::File(given)).await.is_err() {
        return Ok(false);
    }
    while let Some(data) = part.next().await {
        let data = data.map_err(broken)?;
        progress.received(data.len() as u64);
        if intake.pieces.send(Piece::Data(data)).await.is_err() {
            return Ok(false);
        }
    }
    Ok(intake.pieces.send(Piece::End).await.is_ok())
}

async fn take_field(mut part: Field, new: &mut NewImport) -> Result<()> {
    let name = part.name().unwrap_or_default().to_owned();
    let mut value = Vec::new();
    while let Some(chunk) = part.next().await {
        value.extend_from_slice(&chunk.map_err(broken)?);
        if value.len() > MOST_FIELD {
            return Err(Error::new(Code::TooLarge, "A field of the form is larger than 4 KiB."));
        }
    }
    let text = String::from_utf8(value)
        .map_err(|_| Error::new(Code::InvalidRequest, "A field of the form is not UTF-8."))?;
    let text = text.trim().to_owned();
    if !text.is_empty() {
        set_field(new, &name, text)?;
    }
    Ok(())
}

fn set_field(new: &mut NewImport, name: &str, text: String) -> Result<()> {
    match name {
        "id" => new.id = Some(text),
        "name" => new.name = Some(text),
        "licence" => new.licence = Some(text),
        "source" => new.source = Some(text),
        "languages" => {
            new.languages = text.split(',').map(|l| l.trim().to_ascii_lowercase()).collect();
            if new.languages.iter().any(|l| l.len() != 2 || !l.bytes().all(|b| b.is_ascii_lowercase())) {
                return Err(Error::field("languages", "must be two-letter codes, as in 'de,en'"));
            }
        }
        "in_use" => {
            new.in_use = Some(text.parse().map_err(|_| Error::field("in_use", "must be true or false"))?);
        }
        other => return Err(Error::field(other, "is no field of this form")),
    }
    Ok(())
}

fn broken(error: actix_multipart::MultipartError) -> Error {
    Error::new(Code::InvalidRequest, format!("The upload broke off: {error}.")).hint("Send it again.")
}

/// Imports and changes as they happen: `models` first, then `import` and `changed`.
#[utoipa::path(get, path = "/models/events", tag = "models", operation_id = "stream_model_events", responses(
    (status = 200, content_type = "text/event-stream", body = String,
        description = "`models`: ModelsView; `import`: ImportView; `changed`: the list is another one"),
    (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn stream_model_events(permit: Permit<ModelsRead>, models: Data<Models>) -> ApiResult {
    let _ = permit;
    Ok(sse::response(events(&models)))
}

fn events(models: &Models) -> impl Stream<Item = Bytes> + use<> {
    let told = BroadcastStream::new(models.inner.imports.subscribe());
    let first = sse::event("models", &models.view());
    let later = told.map(|told| match told {
        Ok(Told::Import(view)) => sse::event("import", &*view),
        // Who was too slow to hear all looks at the list again.
        Ok(Told::Changed) | Err(_) => sse::event("changed", &serde_json::json!({})),
    });
    futures_util::stream::once(std::future::ready(first)).chain(later)
}

/// Compares a model's files with their hashes and runs it once.
#[utoipa::path(post, path = "/models/{name}/verify", tag = "models", operation_id = "verify_model",
    params(("name" = String, Path)), responses(
    (status = 200, body = VerifyView, description = "Checked; `ok` and the model's `problem` tell what was found"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn verify_model(permit: Permit<ModelsWrite>, models: Data<Models>, name: Path<String>) -> ApiResult {
    let _ = permit;
    Ok(HttpResponse::Ok().json(models.verify(&name).await?))
}

/// Lets a model do the work of its kind, or ends that.
#[utoipa::path(post, path = "/models/{name}/use", tag = "models", operation_id = "use_model",
    params(("name" = String, Path)), request_body = UseModel, responses(
    (status = 200, body = ModelView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, description = "It is a voice, or has a problem", body = Problem), (status = 415, body = Problem),
    (status = 422, body = Problem)))]
async fn use_model(
    permit: Permit<ModelsWrite>,
    models: Data<Models>,
    name: Path<String>,
    body: ValidJson<UseModel>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(models.set_in_use(permit.scope(), &name, body.0.in_use).await?))
}

/// Removes a model; a choice of it ends.
#[utoipa::path(delete, path = "/models/{name}", tag = "models", operation_id = "delete_model",
    params(("name" = String, Path)), responses(
    (status = 204, description = "Removed"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn delete_model(permit: Permit<ModelsWrite>, models: Data<Models>, name: Path<String>) -> ApiResult {
    models.remove(permit.scope(), &name).await?;
    Ok(HttpResponse::NoContent().finish())
}
