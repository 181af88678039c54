//! The configuration: `defaults.toml` is embedded and is the reference for file, environment and flags.
//!
//! The only crate that reads the environment.

mod environment;
mod error;
mod layer;
mod model;
mod unit;

use std::path::Path;

pub use environment::{find_program, variable};
pub use error::ConfigError;
pub use model::{
    Answers, Config, Encryption, Extraction, Hearing, Log, LogFormat, Models, Oauth, Ollama, Plan, Retention,
    Search, Server, Session, Speech, Tenants, Upload, Wyoming,
};
pub use unit::{ByteSize, Span};

/// The reference, with a comment for every key.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// A value set on the command line: `("server", "listen", "0.0.0.0:443")`.
pub type Flag<'a> = (&'a str, &'a str, String);

impl Config {
    /// Defaults, then the file, then `LECTERN_…` of the environment, then flags.
    pub fn load(file: Option<&Path>, flags: &[Flag<'_>]) -> Result<Self, ConfigError> {
        Self::from_layers(file, environment::lectern_variables(), flags)
    }

    fn from_layers(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[Flag<'_>],
    ) -> Result<Self, ConfigError> {
        let mut table = layer::defaults();
        if let Some(path) = file {
            layer::apply_file(&mut table, path)?;
        }
        for (name, value) in variables {
            layer::apply_variable(&mut table, &name, &value)?;
        }
        for (section, key, value) in flags {
            layer::apply_text(&mut table, section, key, value, &format!("flag --{}", key.replace('_', "-")))?;
        }
        model::from_table(table)
    }

    /// The configuration in force, as a file that would give it.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("every section is a table of plain values")
    }
}

#[cfg(test)]
mod tests;
