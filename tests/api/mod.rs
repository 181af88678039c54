//! Through HTTP, area by area.

mod ask;
mod documents;
mod open;
mod search;
mod start;
