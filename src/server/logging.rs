//! What the process writes about itself, to standard error.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use lectern_config::{Log, LogFormat};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Starts logging; errors and warnings also go to the ring that the status page shows.
pub fn start(log: &Log, errors: lectern_ops::ErrorRing) -> Result<()> {
    let filter = EnvFilter::try_new(&log.level)
        .with_context(|| format!("log.level: '{}' is not a level or filter", log.level))?;
    let lines = match log.format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(colours).boxed()
        }
        LogFormat::Json => fmt::layer().with_writer(std::io::stderr).json().boxed(),
    };
    // Starting twice in one process (a command that embeds the appliance) keeps the first.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(errors).try_init();
    Ok(())
}
