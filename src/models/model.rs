//! What goes out about models, and what comes in.

use lectern_edge::Validate;
use lectern_kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::known::KnownModel;
use crate::manifest::{Facts, Kind, Manifest, ModelFile};

/// An installed model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelView {
    pub name: String,
    pub title: String,
    pub kind: Kind,
    pub languages: Vec<String>,
    pub licence: String,
    /// Where it is from.
    pub source: String,
    /// Whether its files are those of an entry in the list of known models.
    pub known: bool,
    pub files: Vec<ModelFile>,
    /// On the disk.
    pub bytes: u64,
    /// What its trial run found out.
    pub facts: Facts,
    pub imported_at: Option<Timestamp>,
    /// When its files were compared with their hashes and it was tried last.
    pub verified_at: Option<Timestamp>,
    /// What that check found wrong; the model is not used as long as this is set.
    pub problem: Option<String>,
    /// Whether it does the work of its kind. Voices are chosen in the voice settings instead: null.
    pub in_use: Option<bool>,
    pub loaded: bool,
    /// What it takes now.
    pub memory_bytes: u64,
    /// Since the start of the appliance.
    pub last_used_at: Option<Timestamp>,
}

/// Memory for loaded models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelMemory {
    pub budget_bytes: u64,
    pub used_bytes: u64,
    /// A model that was not used for so long is unloaded.
    pub idle_seconds: u64,
}

/// The engine that runs models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuntimeView {
    /// Such as `RTen` or `ONNX Runtime`.
    pub name: String,
    pub version: String,
    /// `CPU` or `CUDA`.
    pub device: String,
    pub threads: usize,
}

/// All models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelsView {
    /// Installed, by kind and name.
    pub items: Vec<ModelView>,
    /// Those of the list that are not installed.
    pub known: Vec<KnownModel>,
    /// Running imports, and the last that ended since the start.
    pub imports: Vec<ImportView>,
    pub memory: ModelMemory,
    pub runtime: RuntimeView,
    /// Largest import, all files together.
    pub max_import_bytes: u64,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImportState {
    /// Files arrive.
    Receiving,
    /// It is run once in a process of its own.
    Trying,
    Done,
    Failed,
}

/// What an import met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportProblem {
    pub code: String,
    pub message: String,
    pub hint: Option<String>,
}

/// An import: the data of the event `import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportView {
    pub id: String,
    /// The model's name, or the file's as long as that is not known.
    pub name: String,
    pub state: ImportState,
    pub received_bytes: u64,
    /// What the request said it sends.
    pub total_bytes: Option<u64>,
    pub started_at: Timestamp,
    pub problem: Option<ImportProblem>,
}

/// Fields of an import, sent before its files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct NewImport {
    /// Its sender's word for this import, so that its events can be told from others'.
    pub id: Option<String>,
    /// A name instead of the files'.
    pub name: Option<String>,
    /// ISO 639-1 codes, when the model does not tell.
    pub languages: Vec<String>,
    pub licence: Option<String>,
    pub source: Option<String>,
    /// Whether it shall do the work of its kind; absent: when nothing does yet.
    pub in_use: Option<bool>,
}

/// Whether a model does the work of its kind.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UseModel {
    /// False: nothing imported does the work of the kind any more.
    #[serde(default = "yes")]
    pub in_use: bool,
}

fn yes() -> bool {
    true
}

impl Validate for UseModel {}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VerifyView {
    pub model: ModelView,
    pub ok: bool,
}

impl ModelView {
    pub(crate) fn new(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            title: if manifest.title.is_empty() { manifest.name.clone() } else { manifest.title.clone() },
            kind: manifest.kind,
            languages: manifest.languages.clone(),
            licence: manifest.licence.clone(),
            source: manifest.source.clone(),
            known: manifest.known,
            files: manifest.files.clone(),
            bytes: manifest.bytes(),
            facts: manifest.facts.clone(),
            imported_at: manifest.imported_at,
            verified_at: manifest.imported_at,
            problem: None,
            in_use: manifest.kind.is_chosen().then_some(false),
            loaded: false,
            memory_bytes: 0,
            last_used_at: None,
        }
    }
}
