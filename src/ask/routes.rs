//! `/ask` and `/conversations`.

use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::StreamExt;
use lectern_edge::{ApiResult, Feature, PathId, Permit, Problem, ValidJson, ValidQuery, request_id, sse};
use lectern_kernel::{ConversationId, Error, Page, Scope, TurnId};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

use crate::event::{RetrievalEvent, error_event};
use crate::model::{
    CitationView, ConversationDetail, ConversationQuery, ConversationView, ExportQuery, NewFeedback,
    NewQuestion, PatchConversation, SentenceView, TurnView,
};
use crate::{Ask, AskRead, AskWrite, PERMISSIONS};

/// Routes, permissions and their description.
pub fn feature() -> Feature {
    Feature { name: "ask", permissions: PERMISSIONS, routes, openapi: Document::openapi() }
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/ask", web::post().to(create_turn))
        .route("/ask/{id}", web::get().to(get_turn))
        .route("/ask/{id}/feedback", web::post().to(create_feedback))
        .route("/conversations", web::get().to(list_conversations))
        .route("/conversations", web::delete().to(delete_conversations))
        .route("/conversations/{id}", web::get().to(get_conversation))
        .route("/conversations/{id}", web::patch().to(patch_conversation))
        .route("/conversations/{id}", web::delete().to(delete_conversation))
        .route("/conversations/{id}/export", web::get().to(export_conversation));
}

#[derive(OpenApi)]
#[openapi(
    paths(
        create_turn,
        get_turn,
        create_feedback,
        list_conversations,
        delete_conversations,
        get_conversation,
        patch_conversation,
        delete_conversation,
        export_conversation
    ),
    components(schemas(RetrievalEvent, CitationView, SentenceView))
)]
struct Document;

/// Ask a question. With `Accept: text/event-stream` the answer comes as events: `retrieval`, `token`, `citation`,
/// `sentence`, `done` (a `TurnView`) or `error` (a problem).
#[utoipa::path(post, path = "/ask", tag = "ask", operation_id = "create_turn", request_body = NewQuestion,
    responses((status = 200, body = TurnView)))]
async fn create_turn(
    permit: Permit<AskWrite>,
    ask: Data<Ask>,
    request: HttpRequest,
    body: ValidJson<NewQuestion>,
) -> ApiResult {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/event-stream") {
        return answer_json(permit.scope(), &ask, body.0).await;
    }
    ask.check(permit.scope(), &body.0).await?;
    Ok(answer_events(permit.scope().clone(), &ask, body.0, request_id(&request)))
}

/// The answer is made in a task of its own: when the client goes away it still ends in order, and is kept.
async fn answer_json(scope: &Scope, ask: &Ask, question: NewQuestion) -> ApiResult {
    let stop = CancellationToken::new();
    let _gone = stop.clone().drop_guard();
    let (ask, scope) = (ask.clone(), scope.clone());
    let work = actix_web::rt::spawn(async move { ask.ask(&scope, question, &stop, &mut |_| {}).await });
    let turn = work.await.map_err(Error::internal)??;
    Ok(HttpResponse::Ok().json(turn))
}

fn answer_events(scope: Scope, ask: &Ask, question: NewQuestion, request: Option<String>) -> HttpResponse {
    let stop = CancellationToken::new();
    let gone = stop.clone().drop_guard();
    let (events, received) = mpsc::unbounded_channel::<Bytes>();
    let ask = ask.clone();
    actix_web::rt::spawn(async move {
        // A client that is gone is told nothing; `stop` ends the work.
        let mut sink = |event: crate::AskEvent| drop(events.send(event.to_sse()));
        if let Err(error) = ask.ask(&scope, question, &stop, &mut sink).await {
            if error.code.status() >= 500 {
                tracing::error!(request, cause = ?error.cause, "{error}");
            }
            drop(events.send(error_event(&Problem::of(&error, request.as_deref()))));
        }
    });
    // The guard goes with the body, which is dropped with the connection.
    sse::response(UnboundedReceiverStream::new(received).map(move |event| {
        let _with_the_body = &gone;
        event
    }))
}

/// A question with its answer.
#[utoipa::path(get, path = "/ask/{id}", tag = "ask", operation_id = "get_turn",
    params(("id" = TurnId, Path)), responses((status = 200, body = TurnView)))]
async fn get_turn(permit: Permit<AskRead>, ask: Data<Ask>, id: PathId<TurnId>) -> ApiResult {
    Ok(HttpResponse::Ok().json(ask.turn(permit.scope(), &id.0).await?))
}

/// Thumbs up or down.
#[utoipa::path(post, path = "/ask/{id}/feedback", tag = "ask", operation_id = "create_feedback",
    params(("id" = TurnId, Path)), request_body = NewFeedback, responses((status = 204)))]
async fn create_feedback(
    permit: Permit<AskWrite>,
    ask: Data<Ask>,
    id: PathId<TurnId>,
    body: ValidJson<NewFeedback>,
) -> ApiResult {
    ask.rate(permit.scope(), &id.0, body.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// One's own conversations, the last used first.
#[utoipa::path(get, path = "/conversations", tag = "ask", operation_id = "list_conversations",
    params(ConversationQuery), responses((status = 200, body = Page<ConversationView>)))]
async fn list_conversations(
    permit: Permit<AskRead>,
    ask: Data<Ask>,
    query: ValidQuery<ConversationQuery>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(ask.conversations(permit.scope(), query.0).await?))
}

/// Delete all of one's own conversations.
#[utoipa::path(delete, path = "/conversations", tag = "ask", operation_id = "delete_conversations",
    responses((status = 204)))]
async fn delete_conversations(permit: Permit<AskWrite>, ask: Data<Ask>) -> ApiResult {
    ask.delete_conversations(permit.scope()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A conversation with all its turns.
#[utoipa::path(get, path = "/conversations/{id}", tag = "ask", operation_id = "get_conversation",
    params(("id" = ConversationId, Path)), responses((status = 200, body = ConversationDetail)))]
async fn get_conversation(permit: Permit<AskRead>, ask: Data<Ask>, id: PathId<ConversationId>) -> ApiResult {
    Ok(HttpResponse::Ok().json(ask.conversation(permit.scope(), &id.0).await?))
}

/// Give a conversation another title.
#[utoipa::path(patch, path = "/conversations/{id}", tag = "ask", operation_id = "patch_conversation",
    params(("id" = ConversationId, Path)), request_body = PatchConversation,
    responses((status = 200, body = ConversationView)))]
async fn patch_conversation(
    permit: Permit<AskWrite>,
    ask: Data<Ask>,
    id: PathId<ConversationId>,
    body: ValidJson<PatchConversation>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(ask.rename_conversation(permit.scope(), &id.0, body.0).await?))
}

/// Delete a conversation with its turns.
#[utoipa::path(delete, path = "/conversations/{id}", tag = "ask", operation_id = "delete_conversation",
    params(("id" = ConversationId, Path)), responses((status = 204)))]
async fn delete_conversation(
    permit: Permit<AskWrite>,
    ask: Data<Ask>,
    id: PathId<ConversationId>,
) -> ApiResult {
    ask.delete_conversation(permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A conversation as a file: `format=json` or `format=markdown`.
#[utoipa::path(get, path = "/conversations/{id}/export", tag = "ask", operation_id = "export_conversation",
    params(("id" = ConversationId, Path), ExportQuery), responses((status = 200, body = String)))]
async fn export_conversation(
    permit: Permit<AskRead>,
    ask: Data<Ask>,
    id: PathId<ConversationId>,
    query: ValidQuery<ExportQuery>,
) -> ApiResult {
    let export = ask.export_conversation(permit.scope(), &id.0, query.0.format).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, export.media_type))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", export.file_name)))
        .body(export.content))
}
