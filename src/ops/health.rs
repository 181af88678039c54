//! `/healthz` and `/readyz`, outside `/api/v1`, for whoever watches the process. No sign-in, and nothing told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, Problem, request_id};
use lectern_kernel::{Code, Error};
use serde_json::json;

/// Whether requests can be answered; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Everything is open.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// The appliance is stopping.
    pub fn unset(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Routes at the root; they need `web::Data<Ready>`.
pub fn root_routes(config: &mut ServiceConfig) {
    config.route("/healthz", web::get().to(get_health)).route("/readyz", web::get().to(get_readiness));
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "ops", operation_id = "get_health", security(()), responses(
    (status = 200, description = "The process lives")))]
pub(crate) async fn get_health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Requests can be answered.
#[utoipa::path(get, path = "/readyz", tag = "ops", operation_id = "get_readiness", security(()), responses(
    (status = 200, description = "Ready"), (status = 503, body = Problem, description = "Starting or stopping")))]
pub(crate) async fn get_readiness(request: HttpRequest, ready: Data<Ready>) -> ApiResult {
    if ready.is_set() {
        return Ok(HttpResponse::Ok().json(json!({ "status": "ready" })));
    }
    // Not an `Err`: asking early is no failure that belongs in the log.
    let error =
        Error::new(Code::Busy, "The appliance is starting or stopping.").hint("Ask again in a moment.");
    Ok(Problem::of(&error, request_id(&request).as_deref()).response())
}
