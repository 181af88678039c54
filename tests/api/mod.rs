//! Through HTTP, area by area.

mod ask;
mod documents;
mod models;
mod open;
mod search;
mod start;
mod voice;
