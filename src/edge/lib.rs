//! HTTP glue between actix-web and the areas: who asks, what they may, what comes in, what goes out.
//!
//! No routes of its own. Handlers take a [`Permit`], a [`ValidJson`] or [`ValidQuery`], and give a
//! [`lectern_kernel::Error`] back as [`ApiError`]; the middleware makes it an RFC 9457 problem.

mod extract;
mod feature;
mod middleware;
mod once;
mod permit;
mod problem;
pub mod sse;
mod throttle;
pub mod tls;
mod upload;

pub use extract::{PathId, ValidJson, ValidQuery, Validate};
pub use feature::Feature;
pub use middleware::{request_id, watch};
pub use once::once;
pub use permit::{CSRF_HEADER, Permit, SESSION_COOKIE, client_ip, credentials, principal};
pub use problem::{ApiError, ApiResult, Problem};
pub use throttle::Throttle;
pub use upload::{Incoming, UploadLimits, receive};

#[cfg(test)]
mod tests;
