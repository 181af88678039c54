//! The one list of slices.

use std::collections::BTreeSet;

use lectern_edge::Feature;
use lectern_store::Migration;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Server};

/// Every area with routes.
pub(crate) fn features() -> Vec<Feature> {
    vec![
        lectern_access::feature(),
        lectern_identity::feature(),
        lectern_oauth::feature(),
        lectern_documents::feature(),
        lectern_ask::feature(),
        lectern_voice::feature(),
        lectern_models::feature(),
        lectern_privacy::feature(),
        lectern_ops::feature(),
        lectern_scim::feature(),
    ]
}

/// Every permission that a route asks for. Areas may ask for the same one.
pub(crate) fn permissions() -> Vec<&'static str> {
    let all: BTreeSet<_> = features().iter().flat_map(|feature| feature.permissions).copied().collect();
    all.into_iter().collect()
}

/// Schema of `control.db`.
pub(crate) fn control_migrations() -> Vec<Migration> {
    [
        lectern_identity::CONTROL_MIGRATIONS,
        lectern_access::CONTROL_MIGRATIONS,
        lectern_ops::CONTROL_MIGRATIONS,
        lectern_models::CONTROL_MIGRATIONS,
    ]
    .concat()
}

/// Schema of a tenant's `data.db`.
pub(crate) fn tenant_migrations() -> Vec<Migration> {
    [
        lectern_identity::MIGRATIONS,
        lectern_access::MIGRATIONS,
        lectern_oauth::MIGRATIONS,
        lectern_documents::MIGRATIONS,
        lectern_ask::MIGRATIONS,
        lectern_voice::MIGRATIONS,
        lectern_privacy::MIGRATIONS,
        lectern_ops::MIGRATIONS,
        lectern_scim::MIGRATIONS,
    ]
    .concat()
}

/// The description of the whole API.
pub fn openapi() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Lectern")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Ask your own documents, get a cited answer, hear it."))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let mut whole = OpenApiBuilder::new().info(info).servers(Some([Server::new("/api/v1")])).build();
    for feature in features() {
        whole.merge(feature.openapi);
    }
    let components = whole.components.get_or_insert_with(Components::new);
    components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(lectern_edge::SESSION_COOKIE));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    whole
}
