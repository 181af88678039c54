//! The appliance: puts the areas together and runs them.
//!
//! [`compose`] holds the one list of slices. [`serve`] is `lectern serve`; [`Embedded`] is the same appliance inside
//! a command that opens a data folder by itself.

mod appliance;
mod compose;
mod embedded;
mod folder;
mod forwarding;
mod local;
mod logging;
mod network;
mod people;
mod router;
mod serve;
mod tenants;
#[cfg(test)]
mod tests_forwarding;
mod wiring;

pub use compose::openapi;
pub use embedded::Embedded;
pub use folder::{Serving, UserToAdd, add_user, is_serving, load_config, set_password, unlock_user};
pub use serve::serve;

/// Hidden first argument of the child processes that read documents.
pub const EXTRACT_COMMAND: &str = "__extract";

/// Hidden first argument of the child processes that try imported models.
pub const MODEL_COMMAND: &str = "__model";
