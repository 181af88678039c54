//! Through HTTP, area by area.

mod ask;
mod documents;
mod forward;
mod isolation;
mod models;
mod open;
mod search;
mod start;
mod tenants;
mod voice;
