//! `/search`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, Permit, Problem, ValidQuery};

use crate::{Documents, DocumentsRead, SearchParameters, SearchResponse};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.route("/search", web::get().to(search_passages));
}

/// Passages that fit a query: words, "phrases", prefix*, fuzzy~, AND, OR, NOT, parentheses and field:value.
#[utoipa::path(get, path = "/search", tag = "documents", params(SearchParameters), responses(
    (status = 200, body = SearchResponse), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn search_passages(
    permit: Permit<DocumentsRead>,
    documents: Data<Documents>,
    parameters: ValidQuery<SearchParameters>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(documents.search(permit.scope(), parameters.0).await?))
}
