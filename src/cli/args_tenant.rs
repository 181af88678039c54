//! What can be typed about tenants and the record.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::{ForwardCommand, Place};

#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make a tenant; prints the link with which its owner joins
    Create(NewTenantArgs),
    /// List tenants with what they hold
    List {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Show a tenant
    Show {
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// End its sessions and let nobody in; its data stays
    Suspend {
        id: String,
        /// Shown to its people
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        place: Place,
    },
    /// Let its people in again; takes a deleted one back
    Resume {
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Mark it for its erasure
    Delete {
        id: String,
        /// The tenant's id again
        #[arg(long, value_name = "ID")]
        confirm: String,
        /// Hours until it is erased; 0: at once [default: of the configuration]
        #[arg(long, value_name = "HOURS")]
        grace_hours: Option<u32>,
        #[command(flatten)]
        place: Place,
    },
    /// Write it to one sealed file
    Export {
        id: String,
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// File with a passphrase of 12 characters or more: the export opens on other appliances too; `-` is standard input
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        /// The appliance itself writes the file, in a folder that the configuration allows
        #[arg(long)]
        on_server: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Bring it in from its file
    Import {
        file: PathBuf,
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        /// Put it in the place of the same tenant, which is suspended or deleted
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Bring it to another appliance; here it is suspended when it arrived
    Move {
        id: String,
        /// Address of the other appliance
        #[arg(long, value_name = "URL")]
        to: String,
        /// API key of an operator there
        #[arg(long, value_name = "KEY")]
        to_key: String,
        /// PEM file of the authority that signed its certificate
        #[arg(long, value_name = "FILE")]
        to_authority: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub struct NewTenantArgs {
    /// a-z, 0-9 and -; part of keys, and the name of its folder
    pub id: String,
    #[arg(long)]
    pub name: String,
    /// E-mail of its first owner
    #[arg(long, value_name = "EMAIL")]
    pub owner: String,
    #[arg(long, value_name = "NAME", default_value = "")]
    pub owner_name: String,
    /// free, team, business or enterprise
    #[arg(long, default_value = "enterprise")]
    pub plan: String,
    /// Label of a region of the configuration
    #[arg(long, value_name = "LABEL")]
    pub region: Option<String>,
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Print entries, the newest first
    List {
        /// An action such as key.created, or an area with a dot, key.
        #[arg(long)]
        action: Option<String>,
        /// Id of a person
        #[arg(long, value_name = "USER")]
        actor: Option<String>,
        /// A piece of the entry's text
        #[arg(long)]
        text: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// The appliance's own record
        #[arg(long)]
        appliance: bool,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Write the whole record with its proof to a file
    Export {
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        #[arg(long)]
        appliance: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Send entries to syslog servers and collectors
    Forward {
        #[command(subcommand)]
        command: ForwardCommand,
    },
    /// Verify an exported record; needs no appliance
    Verify {
        file: PathBuf,
        /// The public key that is trusted, or a file that holds it; without it the file's own is believed
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}
