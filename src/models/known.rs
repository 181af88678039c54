//! The list of known models, `models/models.toml`, and what it says about files that arrived.

use std::sync::LazyLock;

use lectern_kernel::Result;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manifest::{Kind, ModelFile, refused};

const TEXT: &str = include_str!("../../models/models.toml");

/// A model that Lectern knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownModel {
    pub name: String,
    pub title: String,
    pub kind: Kind,
    pub languages: Vec<String>,
    pub licence: String,
    /// Where it is from.
    pub source: String,
    /// How it is brought in, when not simply by its files.
    #[serde(default)]
    pub how: Option<String>,
    /// About what it takes when loaded, such as `60 MB`.
    #[serde(default)]
    pub memory: Option<String>,
    pub files: Vec<KnownFile>,
}

/// A file of a known model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    pub name: String,
    /// Absent: its content is not known, only where it is from.
    #[serde(default)]
    pub sha256: Option<String>,
    #[serde(default)]
    pub bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    model: Vec<KnownModel>,
}

static KNOWN: LazyLock<Vec<KnownModel>> = LazyLock::new(|| match toml::from_str::<List>(TEXT) {
    Ok(list) => list.model,
    Err(error) => {
        tracing::error!(%error, "the list of known models cannot be read");
        Vec::new()
    }
});

/// All of them, as the list has them.
pub fn known_models() -> &'static [KnownModel] {
    &KNOWN
}

impl KnownModel {
    /// Whether the list tells what its files must be.
    pub fn has_hashes(&self) -> bool {
        !self.files.is_empty() && self.files.iter().all(|file| file.sha256.is_some())
    }

    fn is(&self, files: &[ModelFile]) -> bool {
        let has =
            |known: &KnownFile| files.iter().any(|f| known.sha256.as_deref() == Some(f.sha256.as_str()));
        self.has_hashes() && self.files.iter().all(has)
    }

    /// The names its files have in the list: those under which it is installed.
    pub(crate) fn installed_name(&self, sha256: &str) -> Option<&str> {
        self.files.iter().find(|f| f.sha256.as_deref() == Some(sha256)).map(|f| f.name.as_str())
    }
}

/// The known model that these files are.
pub(crate) fn recognise(files: &[ModelFile]) -> Option<&'static KnownModel> {
    KNOWN.iter().find(|known| known.is(files))
}

/// Refuses what has a known model's name and is another one.
pub(crate) fn check_name(name: &str, files: &[ModelFile]) -> Result<()> {
    let Some(known) = KNOWN.iter().find(|known| known.name == name && known.has_hashes()) else {
        return Ok(());
    };
    let wrong = known.files.iter().find(|k| !files.iter().any(|f| k.sha256.as_deref() == Some(&f.sha256)));
    match wrong {
        None => Ok(()),
        Some(file) => Err(refused(format!(
            "This is not the '{name}' that Lectern knows: its {} has another SHA-256.",
            file.name
        ))
        .hint("Fetch the model again, or import it under a name of its own.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_right() {
        let list: List = toml::from_str(TEXT).unwrap();
        let mut names: Vec<_> = list.model.iter().map(|m| m.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), list.model.len(), "a name twice");
        for model in &list.model {
            crate::manifest::check_name(&model.name).unwrap();
            assert!(
                !model.licence.is_empty() && !model.source.is_empty() && !model.files.is_empty(),
                "{}",
                model.name
            );
            if let Some(memory) = &model.memory {
                memory.parse::<lectern_config::ByteSize>().unwrap();
            }
            for file in &model.files {
                crate::manifest::check_file_name(&file.name).unwrap();
                assert_eq!(file.sha256.is_some(), file.bytes.is_some(), "{}", file.name);
                assert!(file.sha256.as_ref().is_none_or(|h| h.len() == 64), "{}", file.name);
            }
        }
    }

    #[test]
    fn a_known_name_on_other_files_is_refused() {
        let known = known_models().iter().find(|m| m.has_hashes()).unwrap();
        let file = |sha256: &str| ModelFile { name: "x.onnx".into(), sha256: sha256.into(), bytes: 1 };
        let right: Vec<_> = known.files.iter().map(|f| file(f.sha256.as_deref().unwrap())).collect();
        assert_eq!(recognise(&right).map(|m| &m.name), Some(&known.name));
        assert!(check_name(&known.name, &right).is_ok());
        let wrong = [file(&"0".repeat(64))];
        assert!(recognise(&wrong).is_none());
        assert!(check_name(&known.name, &wrong).unwrap_err().detail.contains(&known.name));
        assert!(check_name("something-else", &wrong).is_ok());
    }
}
