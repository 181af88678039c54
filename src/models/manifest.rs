//! What a model is: the manifest of a bundle, and of an installed model's folder.

use std::path::Path;

use lectern_kernel::{Code, Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Name of the manifest in a bundle and in a model's folder.
pub const MANIFEST: &str = "manifest.json";
/// The only format there is so far.
pub const FORMAT: u32 = 1;
/// Largest manifest.
pub const MANIFEST_BYTES: usize = 256 << 10;
/// Most files of a model.
pub const MOST_FILES: usize = 32;

const LONGEST_NAME: usize = 80;

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Voice,
    Recogniser,
    Embedding,
    Reranker,
    Vad,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Voice, Self::Recogniser, Self::Embedding, Self::Reranker, Self::Vad];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Recogniser => "recogniser",
            Self::Embedding => "embedding",
            Self::Reranker => "reranker",
            Self::Vad => "vad",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether one model of the kind does its work; voices are chosen a sentence at a time.
    pub fn is_chosen(self) -> bool {
        self != Self::Voice
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelFile {
    /// Without folders.
    pub name: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    pub bytes: u64,
}

/// What the trial run of a model found out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Facts {
    /// What it takes when it is loaded, about.
    pub memory_bytes: u64,
    /// Of a voice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speakers: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub speaker_names: Vec<String>,
    /// Of a voice: low, medium, high.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// Of an embedding model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// Languages that the model itself names (BCP 47).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Milliseconds for loading it and for the tiny input, in the child.
    pub load_ms: f64,
    pub run_ms: f64,
}

/// A model's description.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub name: String,
    #[serde(default)]
    pub title: String,
    pub kind: Kind,
    /// ISO 639-1 codes; empty: any, or not known.
    #[serde(default)]
    pub languages: Vec<String>,
    #[serde(default)]
    pub licence: String,
    /// Where it is from.
    #[serde(default)]
    pub source: String,
    pub files: Vec<ModelFile>,
    /// How the model wants to be used, in the words of its kind: prefixes, pooling and the like.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub config: serde_json::Map<String, serde_json::Value>,
    /// From here on: written at the import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<Timestamp>,
    /// Whether its files are those of an entry in the list of known models.
    #[serde(default)]
    pub known: bool,
    #[serde(default)]
    pub facts: Facts,
}

impl Manifest {
    /// Reads what came from outside.
    pub fn parse(text: &[u8]) -> Result<Self> {
        if text.len() > MANIFEST_BYTES {
            return Err(refused(format!("The manifest is larger than {} KiB.", MANIFEST_BYTES >> 10)));
        }
        let manifest: Self = serde_json::from_slice(text)
            .map_err(|e| refused(format!("The manifest cannot be read: {e}.")))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        if self.format != FORMAT {
            return Err(refused(format!(
                "The manifest has format {}, this program reads {FORMAT}.",
                self.format
            ))
            .hint("The bundle was made for a newer version of Lectern."));
        }
        check_name(&self.name)?;
        if self.files.is_empty() || self.files.len() > MOST_FILES {
            return Err(refused(format!(
                "A model has 1 to {MOST_FILES} files, this one {}.",
                self.files.len()
            )));
        }
        for (index, file) in self.files.iter().enumerate() {
            check_file_name(&file.name)?;
            if self.files[..index].iter().any(|other| other.name == file.name) {
                return Err(refused(format!("The manifest names '{}' twice.", file.name)));
            }
            let hex = file.sha256.len() == 64
                && file.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            if !hex {
                return Err(refused(format!("'{}' has no SHA-256 in the manifest.", file.name)));
            }
        }
        Ok(())
    }

    /// The manifest of an installed model.
    pub fn load(folder: &Path) -> Result<Self> {
        Self::parse(&std::fs::read(folder.join(MANIFEST)).map_err(Error::internal)?)
    }

    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Changes when any file does: names the model where its results are kept.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        for file in files {
            hash.update(file.name.as_bytes());
            hash.update([0]);
            hash.update(file.sha256.as_bytes());
            hash.update([0]);
        }
        // What the configuration says changes results too.
        hash.update(serde_json::to_vec(&self.config).unwrap_or_default());
        hex::encode(&hash.finalize()[..8])
    }
}

/// A model that is refused, and why.
pub fn refused(message: impl Into<String>) -> Error {
    Error::new(Code::ModelRefused, message)
}

/// A model's name becomes a folder.
pub fn check_name(name: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
    let good = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(plain)
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && !name.contains("..")
        // An address of the API.
        && name != "events";
    if good {
        return Ok(());
    }
    let shown: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    Err(refused(format!("'{shown}' is no name for a model."))
        .hint(format!("Use letters, digits, '.', '_', '+' and '-', at most {LONGEST_NAME}.")))
}

/// A file of a model lies in its folder and nowhere else.
pub fn check_file_name(name: &str) -> Result<()> {
    check_name(name).map_err(|_| {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        refused(format!("'{shown}' is no name for a file of a model."))
            .hint("Files of a bundle lie in no folder; names have letters, digits, '.', '_', '+' and '-'.")
    })?;
    if name == MANIFEST || name == crate::bundle::SIGNATURE {
        return Err(refused(format!("'{name}' cannot be a file of a model.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, file: &str, sha256: &str) -> String {
        format!(
            r#"{{"format":1,"name":"{name}","kind":"vad","files":[{{"name":"{file}","sha256":"{sha256}","bytes":3}}]}}"#
        )
    }

    #[test]
    fn a_manifest_with_odd_names_or_hashes_is_refused() {
        let hash = "a".repeat(64);
        assert!(Manifest::parse(text("silero-vad", "model.onnx", &hash).as_bytes()).is_ok());
        for (name, file, sha256) in [
            ("../up", "model.onnx", hash.as_str()),
            ("a..b", "model.onnx", &hash),
            (".hidden", "model.onnx", &hash),
            ("", "model.onnx", &hash),
            ("v", "../model.onnx", &hash),
            ("v", "/etc/passwd", &hash),
            ("v", "a/b.onnx", &hash),
            ("v", "manifest.json", &hash),
            ("v", "model.onnx", "abc"),
            ("v", "model.onnx", &hash.to_uppercase()),
        ] {
            let error = Manifest::parse(text(name, file, sha256).as_bytes()).expect_err(name);
            assert_eq!(error.code, Code::ModelRefused, "{error}");
        }
    }

    #[test]
    fn the_fingerprint_follows_files_and_configuration() {
        let one = Manifest::parse(text("v", "model.onnx", &"a".repeat(64)).as_bytes()).unwrap();
        let mut other = one.clone();
        assert_eq!(one.fingerprint(), other.fingerprint());
        other.config.insert("pooling".to_owned(), "cls".into());
        assert_ne!(one.fingerprint(), other.fingerprint());
        let mut third = one.clone();
        third.files[0].sha256 = "b".repeat(64);
        assert_ne!(one.fingerprint(), third.fingerprint());
    }
}
