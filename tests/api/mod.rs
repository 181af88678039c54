//! Through HTTP, area by area.

mod ask;
mod documents;
mod isolation;
mod models;
mod open;
mod scim;
mod search;
mod start;
mod tenants;
mod voice;
