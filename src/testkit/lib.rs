//! Test harness: the real binary on a temporary folder and a free port, with a client for each role.
//!
//! It fails tests by panicking, with the output of the process in the message.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a harness fails by panicking and is its own client"
)]

mod app;
mod client;
pub mod fixture;

pub use app::{EMAIL, Options, PASSWORD, TestApp, lectern};
pub use client::{Answer, Client};
