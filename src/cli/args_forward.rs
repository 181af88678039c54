//! What can be typed about servers that the record is sent to.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::Place;

#[derive(Debug, Subcommand)]
pub enum ForwardCommand {
    /// List the servers, and how far sending has come
    List {
        /// Those of the appliance's own record
        #[arg(long)]
        appliance: bool,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Add a server; prints its id
    Add(NewForwardArgs),
    /// Remove a server
    Remove {
        id: String,
        #[arg(long)]
        appliance: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Send one test message, and tell step by step what happened
    Test {
        id: String,
        #[arg(long)]
        appliance: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub struct NewForwardArgs {
    /// udp, tcp, tls or https
    pub kind: String,
    /// host:port, or the address of a collector
    pub address: String,
    #[arg(long)]
    pub name: String,
    /// rfc5424, cef, json or json_array
    #[arg(long, default_value = "rfc5424")]
    pub format: String,
    /// PEM file of the authorities that are trusted there in place of the machine's
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Header of requests that carries the secret
    #[arg(long, value_name = "NAME")]
    pub header: Option<String>,
    /// File with the header's value; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Begin with the oldest entry
    #[arg(long)]
    pub from_beginning: bool,
    #[arg(long)]
    pub appliance: bool,
    #[command(flatten)]
    pub place: Place,
}
