//! The web console, embedded: the files of `assets/console/dist` with their headers.
//!
//! Owns how the page is served (paths, compression, caching, security headers). Knows nothing of the API.

mod encoding;
mod headers;
mod pages;

pub use pages::configure;

#[cfg(test)]
mod tests;
