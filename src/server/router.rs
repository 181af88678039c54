//! One actix application from all features.

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiError, ApiResult, once};
use lectern_kernel::Error;
use lectern_kernel::ports::{Admit, Authenticate, Replays};

use crate::appliance::Appliance;
use crate::compose;

/// Adds everything the appliance answers to.
pub(crate) fn configure(appliance: &Appliance, config: &mut ServiceConfig) {
    let authenticate: Arc<dyn Authenticate> = appliance.authenticate.clone();
    let admit: Arc<dyn Admit> = Arc::new(appliance.access.clone());
    let replays: Arc<dyn Replays> = Arc::new(appliance.access.clone());
    config
        .app_data(Data::from(authenticate))
        .app_data(Data::from(admit))
        .app_data(Data::from(replays))
        .app_data(Data::new(appliance.access.clone()))
        .app_data(Data::new(appliance.identity.clone()))
        .app_data(Data::new(appliance.oauth.clone()))
        .app_data(Data::new(appliance.privacy.clone()))
        .app_data(Data::new(appliance.documents.clone()))
        .app_data(Data::new(appliance.ask.clone()))
        .app_data(Data::new(appliance.voice.clone()))
        .app_data(Data::new(appliance.models.clone()))
        .app_data(Data::new(appliance.scim.clone()))
        .app_data(Data::new(appliance.settings.clone()))
        .app_data(Data::new(appliance.status.clone()))
        .app_data(Data::new(appliance.ready.clone()));
    let mut api = web::scope("/api/v1").route("/openapi.json", web::get().to(get_openapi));
    for feature in compose::features() {
        api = api.configure(feature.routes);
    }
    config.service(api.default_service(web::to(nothing)).wrap(from_fn(once)));
    lectern_ops::root_routes(config);
    lectern_oauth::root_routes(config);
    lectern_console::configure(config);
}

async fn get_openapi() -> HttpResponse {
    HttpResponse::Ok().json(compose::openapi())
}

async fn nothing(request: HttpRequest) -> ApiResult {
    let _ = request;
    Err(ApiError(Error::not_found("address")))
}
