//! Integration tests: the real binary, through HTTP and the command line.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests fail by panicking")]

mod api;
mod architecture;
mod cli;
mod crash;
mod hostile;

/// The binary under test.
const LECTERN: &str = env!("CARGO_BIN_EXE_lectern");

/// Real documents beside the repository, when they are there.
fn shared(path: &str) -> Option<std::path::PathBuf> {
    let base = std::env::var("LECTERN_SHARED").map_or_else(
        |_| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        std::path::PathBuf::from,
    );
    let found = base.join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: {} is not there", found.display());
    None
}
