//! Running the appliance: settings, status, health, the recent errors, and the one outbound HTTP client.
//!
//! What the areas have to report comes through `kernel::ports::Report`; nothing here knows them.

mod disk;
mod egress;
mod guard;
mod health;
mod model;
mod ollama;
mod patch;
mod report;
mod ring;
mod routes;
mod safe_http;
mod settings;
mod status;
mod store;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_trust;

use lectern_edge::Feature;
use lectern_kernel::{Permission, permission};
use lectern_store::Migration;

pub use egress::EgressEntry;
pub use guard::makes_sense;
pub use health::{Ready, root_routes};
pub use model::{
    AnswerSettings, LimitsView, OllamaSettings, OllamaTest, OllamaTestRequest, PatchSettings, SettingsView,
    SpeechSettings,
};
pub use patch::Change;
pub use report::{StatusView, compose};
pub use ring::{ErrorRing, RecentError};
pub use routes::root_openapi;
pub use safe_http::{DialError, Fetched, SafeHttp};
pub use settings::Settings;
pub use status::Status;

permission! {
    /// See the settings.
    SettingsRead = "settings.read";
    /// Change the settings and test addresses.
    SettingsManage = "settings.manage";
    /// See the status, the recent errors and the log of outbound connections.
    StatusRead = "status.read";
}

/// Schema of `control.db`.
pub const CONTROL_MIGRATIONS: &[Migration] =
    &[Migration { name: "ops/0001_egress", sql: include_str!("migrations/0001_egress.sql") }];

/// Schema of a tenant's `data.db`.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "ops/0001_settings", sql: include_str!("migrations/0001_settings.sql") }];

/// What this area brings to the server; its services are `web::Data` of [`Settings`] and [`Status`].
pub fn feature() -> Feature {
    Feature {
        name: "ops",
        permissions: &[SettingsRead::NAME, SettingsManage::NAME, StatusRead::NAME],
        routes: routes::routes,
        openapi: routes::openapi(),
    }
}
