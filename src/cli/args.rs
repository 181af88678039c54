//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use crate::args_forward::{ForwardCommand, NewForwardArgs};
pub use crate::args_tenant::{AuditCommand, NewTenantArgs, TenantCommand};

/// Ask your own documents, get a cited answer, hear it. One file, no internet.
#[derive(Debug, Parser)]
#[command(name = "lectern", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the appliance: page, API and background work
    Serve(ServeArgs),
    /// Check or show the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Add files and folders
    Ingest(IngestArgs),
    /// Search the documents
    Search(SearchArgs),
    /// Ask a question; exits with 3 when the documents do not tell
    Ask(AskArgs),
    /// Turn text into an audio file
    Speak(SpeakArgs),
    /// Write a recording down
    Transcribe(TranscribeArgs),
    /// List the voices
    Voices {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// List, show and delete documents
    Document {
        #[command(subcommand)]
        command: DocumentCommand,
    },
    /// Check or rebuild the search index
    Index {
        #[command(subcommand)]
        command: IndexCommand,
    },
    /// Measure the quality of answers and search on your own data
    Eval {
        #[command(subcommand)]
        command: EvalCommand,
    },
    /// Make, list and revoke API keys
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Make, list, suspend, move and delete tenants; for the appliance's operator
    Tenant {
        #[command(subcommand)]
        command: TenantCommand,
    },
    /// Search, export and verify the record of who did what
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// List, import, verify, choose and remove models: voices, recognisers, meaning
    Models {
        #[command(subcommand)]
        command: ModelsCommand,
    },
    /// Add people or set a password, on the appliance's own machine: the way in when all others are closed
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// What is in use, queue, disk and recent errors
    Status(Place),
    /// Measure this machine: ingest, search, answers, speech, beside the raw engine
    Bench(BenchArgs),
    /// Print the OpenAPI document
    Openapi,
}

/// Which appliance a command works on.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Data folder of the appliance on this machine; used through its server when that runs
    #[arg(long, env = "LECTERN_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// Address of an appliance on another machine, such as https://lectern.site:8443
    #[arg(long, env = "LECTERN_URL", requires = "key", value_name = "URL")]
    pub url: Option<String>,
    /// API key for --url
    #[arg(long, env = "LECTERN_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
    /// PEM file of the authority that signed the certificate of --url
    #[arg(long, requires = "url", value_name = "FILE")]
    pub authority: Option<PathBuf>,
    /// Configuration file, when the data folder is opened directly
    #[arg(long, env = "LECTERN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Tenant of the data folder to work in [default: main]; with --url the key says it
    #[arg(long, env = "LECTERN_TENANT", value_name = "NAME", conflicts_with = "url")]
    pub tenant: Option<String>,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Data folder; made when absent
    #[arg(long, env = "LECTERN_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// Address and port [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// Configuration file [default: DATA/lectern.toml when it exists]
    #[arg(long, env = "LECTERN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Plain HTTP, for a proxy in front that does HTTPS
    #[arg(long)]
    pub insecure_http: bool,
    /// Speak the Wyoming protocol on this address too, for Home Assistant [default: off]
    #[arg(long, value_name = "ADDR:PORT")]
    pub wyoming: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether file and environment are right
    Check {
        #[arg(long, env = "LECTERN_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the configuration in force
    Show {
        #[arg(long, env = "LECTERN_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Collection to put the documents in
    #[arg(long, value_name = "NAME")]
    pub collection: Option<String>,
    /// Tag to give the documents; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Password for encrypted files
    #[arg(long, value_name = "PASSWORD")]
    pub password: Option<String>,
    /// Wait until every document is ready or failed
    #[arg(long)]
    pub wait: bool,
    /// Go on, and add files that appear or change
    #[arg(long)]
    pub watch: bool,
    /// One JSON object a line instead of a progress bar
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words, "phrases", prefix*, fuzzy~, AND, OR, NOT, field:value
    #[arg(required = true, value_name = "QUERY")]
    pub query: Vec<String>,
    /// Most hits, 1–100
    #[arg(long, default_value_t = 10)]
    pub limit: u32,
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct AskArgs {
    #[arg(required = true, value_name = "QUESTION")]
    pub question: Vec<String>,
    /// Only this collection
    #[arg(long, value_name = "NAME")]
    pub collection: Option<String>,
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct SpeakArgs {
    /// What to say; `-` reads standard input
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// Audio file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Language such as en, de or fr-fr, or an eSpeak NG voice
    #[arg(long, default_value = "en")]
    pub language: String,
    /// A voice of `lectern voices`; Piper voices (piper/NAME) need --data
    #[arg(long, value_name = "VOICE")]
    pub voice: Option<String>,
    /// wav, opus, mp3 or pcm [default: by the file's name, else wav]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The text is SSML
    #[arg(long)]
    pub ssml: bool,
    /// Words a minute, 80–450
    #[arg(long, default_value_t = 170)]
    pub rate: u32,
    /// Data folder whose cache holds the voice data [default: a temporary folder]
    #[arg(long, env = "LECTERN_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TranscribeArgs {
    /// WAV, MP3, FLAC, Ogg, M4A, MP4 or WebM
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Language of the recording, such as en
    #[arg(long)]
    pub language: Option<String>,
    /// The whole transcript as JSON
    #[arg(long, conflicts_with_all = ["srt", "vtt"])]
    pub json: bool,
    /// Subtitles as SubRip
    #[arg(long, conflicts_with = "vtt")]
    pub srt: bool,
    /// Subtitles as WebVTT
    #[arg(long)]
    pub vtt: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Passages of made-up text
    #[arg(long, default_value_t = 100_000)]
    pub passages: usize,
    /// Folder with an embedding model: search by words and meaning is measured too, with made-up vectors
    #[arg(long, value_name = "DIR")]
    pub embedding: Option<std::path::PathBuf>,
    /// A Piper voice, its .onnx.json beside it: questions typed and spoken are measured until the first sound
    #[arg(long, value_name = "FILE.onnx")]
    pub voice: Option<PathBuf>,
    /// With --voice: a recorded question instead of spoken ones of its own; may be repeated
    #[arg(long, value_name = "FILE", requires = "voice")]
    pub question: Vec<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum DocumentCommand {
    /// List documents
    List {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Print the extracted text
    Text {
        id: String,
        /// With blocks and offsets
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Delete a document
    Delete {
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// Compare disk, index and database
    Check {
        /// Remove what is too much and index again what is missing
        #[arg(long)]
        mend: bool,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Make the index anew from the database
    Rebuild {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Questions and answers in SQuAD's format: is the right passage found, is the answer in the answer
    Qa {
        /// JSON, or JSON with gzip
        file: PathBuf,
        /// Folder with an embedding model: model.onnx and tokenizer.json
        #[arg(long, value_name = "DIR")]
        embedding: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// A retrieval collection in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/
    Retrieval {
        folder: PathBuf,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; it is shown once
    Create {
        /// What it is for
        name: String,
        /// Days until it ends
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        #[command(flatten)]
        place: Place,
    },
    /// List keys
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a key
    Revoke {
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Installed models; with --known also those that Lectern knows
    List {
        #[arg(long)]
        known: bool,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Bring models in: a bundle, a voice (X.onnx with X.onnx.json beside it), or the folder of an export
    Import(ImportArgs),
    /// Compare a model's files with their hashes and run it once; without a name all of them
    Verify {
        name: Option<String>,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Let a model do the work of its kind
    Use {
        name: String,
        /// End that instead
        #[arg(long)]
        off: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a model from the disk
    Remove {
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Bundles, ONNX files and folders
    #[arg(required = true, value_name = "FILE_OR_DIR")]
    pub paths: Vec<PathBuf>,
    /// A name instead of the files'
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Languages, when the model does not tell, as in de,en
    #[arg(long, value_name = "CODES")]
    pub languages: Option<String>,
    /// Its licence, for the list
    #[arg(long, value_name = "TEXT")]
    pub licence: Option<String>,
    /// Where it is from, for the list
    #[arg(long, value_name = "TEXT")]
    pub source: Option<String>,
    /// Use it at once, also when another model of its kind is in use
    #[arg(long = "use", conflicts_with = "no_use")]
    pub in_use: bool,
    /// Do not use it yet [default: used when no other model of its kind is]
    #[arg(long)]
    pub no_use: bool,
    /// One JSON object a line instead of a progress bar
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add somebody; the password is read from standard input. The first one owns `main` and operates the appliance
    Add {
        email: String,
        #[arg(long)]
        name: String,
        /// owner, admin, editor, member, viewer, auditor or a role of the tenant's own
        #[arg(long, default_value = "admin", value_name = "ROLE")]
        role: String,
        /// Make them an operator of the appliance too
        #[arg(long)]
        operator: bool,
        #[command(flatten)]
        folder: Folder,
    },
    /// Set a password, read from standard input
    Password {
        email: String,
        #[command(flatten)]
        folder: Folder,
    },
    /// Let somebody in again who is disabled or lost their second factor
    ///
    /// Too many wrong passwords are remembered by the running server only: that wait ends by itself after five minutes
    /// at most, or when the server starts anew.
    Unlock {
        email: String,
        /// Remove their second factors and recovery codes too; their sessions end
        #[arg(long)]
        reset_factors: bool,
        #[command(flatten)]
        folder: Folder,
    },
    /// Write all that is held about somebody to a ZIP
    Export {
        email: String,
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Erase all that is held about somebody, everywhere; the record keeps its proofs
    Erase {
        email: String,
        /// The e-mail once more, so that nobody is erased by a slip
        #[arg(long, value_name = "EMAIL")]
        confirm: String,
        #[command(flatten)]
        place: Place,
    },
}

/// A tenant of a data folder on this machine.
#[derive(Debug, Clone, Args)]
pub struct Folder {
    #[arg(long, env = "LECTERN_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    #[arg(long, env = "LECTERN_TENANT", default_value = "main", value_name = "NAME")]
    pub tenant: String,
}
