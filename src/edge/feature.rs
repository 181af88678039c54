//! What an area brings to the server.

use actix_web::web::ServiceConfig;

/// Routes and their description; `server` lists the features one by one.
pub struct Feature {
    pub name: &'static str,
    /// Names of the permissions that the routes ask for.
    pub permissions: &'static [&'static str],
    /// Adds the routes, relative to `/api/v1`.
    pub routes: fn(&mut ServiceConfig),
    pub openapi: utoipa::openapi::OpenApi,
}
