//! Through HTTP, area by area.

mod abuse;
mod apps;
mod ask;
mod documents;
mod forward;
mod isolation;
mod models;
mod once;
mod open;
mod privacy;
mod scim;
mod search;
mod sight;
mod start;
mod support;
mod tenants;
mod voice;
