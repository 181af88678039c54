//! How a text model wants to be used: what its manifest says, else what lies beside it in the layout of
//! sentence-transformers, else what its family is known for.

use std::path::Path;

use serde_json::Value;

/// From the vectors of the tokens to the vector of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    Mean,
    /// The first token's.
    Cls,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TextConfig {
    pub pooling: Pooling,
    /// Written before a question and before a passage.
    pub query_prefix: String,
    pub passage_prefix: String,
    /// Tokens of a text, with the special ones; what is longer is cut.
    pub max_tokens: usize,
}

const LARGEST: u64 = 1 << 20;
const MAX_TOKENS: usize = 8192;
const BGE_QUERY: &str = "Represent this sentence for searching relevant passages: ";

impl TextConfig {
    pub fn read(folder: &Path) -> Self {
        let manifest = json(folder, "manifest.json");
        let own = &manifest["config"];
        let name = [
            manifest["name"].as_str(),
            manifest["title"].as_str(),
            folder.file_name().and_then(|n| n.to_str()),
        ];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ").to_lowercase();
        let is = |part: &str| name.split(|c: char| !c.is_alphanumeric()).any(|word| word == part);
        let (e5, bge) = (is("e5"), is("bge"));
        let pooling = pooling(folder, own).unwrap_or(if bge { Pooling::Cls } else { Pooling::Mean });
        let prefix = |key: &str, e5_prefix: &str, bge_prefix: &str| {
            let by_name = if e5 {
                e5_prefix
            } else if bge {
                bge_prefix
            } else {
                ""
            };
            own[key].as_str().unwrap_or(by_name).chars().take(500).collect::<String>()
        };
        Self {
            pooling,
            query_prefix: prefix("query_prefix", "query: ", BGE_QUERY),
            passage_prefix: prefix("passage_prefix", "passage: ", ""),
            max_tokens: max_tokens(folder, own),
        }
    }
}

fn pooling(folder: &Path, own: &Value) -> Option<Pooling> {
    match own["pooling"].as_str() {
        Some("mean") => return Some(Pooling::Mean),
        Some("cls") => return Some(Pooling::Cls),
        _ => {}
    }
    // In its own folder by sentence-transformers; beside the model after an import, which keeps no folders.
    for name in ["1_Pooling/config.json", "pooling.json", "pooling_config.json"] {
        let found = json(folder, name);
        if found["pooling_mode_cls_token"] == true {
            return Some(Pooling::Cls);
        }
        if found["pooling_mode_mean_tokens"] == true {
            return Some(Pooling::Mean);
        }
    }
    None
}

/// The smallest of the limits that are told.
fn max_tokens(folder: &Path, own: &Value) -> usize {
    if let Some(own) = own["max_tokens"].as_u64() {
        return (own as usize).clamp(8, MAX_TOKENS);
    }
    let told = [
        json(folder, "sentence_bert_config.json")["max_seq_length"].as_u64(),
        json(folder, "tokenizer_config.json")["model_max_length"].as_u64(),
        json(folder, "config.json")["max_position_embeddings"].as_u64(),
    ];
    let least = told.into_iter().flatten().min().unwrap_or(256);
    (least as usize).clamp(8, 512)
}

fn json(folder: &Path, name: &str) -> Value {
    let path = folder.join(name);
    let small = std::fs::metadata(&path).is_ok_and(|meta| meta.len() <= LARGEST);
    let text = if small { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
    serde_json::from_slice(&text).unwrap_or_default()
}
