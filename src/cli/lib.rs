//! The command line: `lectern serve`, and commands that talk to a running appliance or open its data folder.
//!
//! Exit codes: 0 done (or answered), 1 failed, 2 wrong use, 3 not in the documents.

#[macro_use]
mod out;

mod args;
mod args_forward;
mod args_tenant;
mod audit;
mod bench;
mod bench_meaning;
mod bench_text;
mod bench_voice;
mod client;
mod connect;
mod document;
mod evaluate;
mod forward;
mod ingest;
mod keys;
mod models;
mod person;
mod query;
mod serve;
mod speak;
mod tenant;
mod voice;
mod walk;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Cli, Command, ConfigCommand};

/// What a question that the documents do not answer exits with.
const NOT_IN_DOCUMENTS: u8 = 3;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|a| a == lectern_server::EXTRACT_COMMAND) {
        return lectern_extract::child_main();
    }
    if arguments.get(1).is_some_and(|a| a == lectern_server::MODEL_COMMAND) {
        return lectern_models::child_main();
    }
    match run(Cli::parse_from(arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lectern: {error:#}");
            if let Some(hint) = hint(&error) {
                eprintln!("  hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// What to do about an error of the appliance's own; others have it in their message.
fn hint(error: &anyhow::Error) -> Option<&str> {
    let mut causes = error.chain();
    causes.find_map(|cause| cause.downcast_ref::<lectern_kernel::Error>()?.hint.as_deref())
}

fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Serve(arguments) => serve::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Config { command } => configure(&command),
        Command::Ingest(arguments) => ingest::run(&arguments),
        Command::Search(arguments) => query::search(&arguments),
        Command::Ask(arguments) => query::ask(&arguments),
        Command::Speak(arguments) => speak::run(&arguments),
        Command::Transcribe(arguments) => voice::transcribe(&arguments),
        Command::Voices { json, place } => voice::voices(json, &place),
        Command::Document { command } => document::run(&command),
        Command::Index { command } => document::index(&command),
        Command::Eval { command } => evaluate::run(&command),
        Command::Key { command } => keys::keys(&command),
        Command::Tenant { command } => tenant::run(&command),
        Command::Audit { command } => audit::run(&command),
        Command::Models { command } => models::run(&command),
        Command::User { command } => keys::users(&command),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Status(place) => query::status(&place),
        Command::Openapi => {
            say!("{}", lectern_server::openapi().to_pretty_json()?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn configure(command: &ConfigCommand) -> Result<ExitCode> {
    let (ConfigCommand::Check { config } | ConfigCommand::Show { config }) = command;
    let loaded = lectern_config::Config::load(config.as_deref(), &[])?;
    match command {
        ConfigCommand::Check { .. } => say!("The configuration is right."),
        ConfigCommand::Show { .. } => say_part!("{}", loaded.to_toml()),
    }
    Ok(ExitCode::SUCCESS)
}
