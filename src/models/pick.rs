//! Which model a set of files is by its names and its JSON files, and what its files are called once it is installed.
//!
//! What the graphs are is not looked at here: that happens in the trial run, in a process of its own.

use std::path::Path;

use lectern_kernel::Result;
use serde_json::Value;

use crate::manifest::{Kind, ModelFile, refused};

/// Files beside the graphs that loaders may read.
const SIDE_FILES: &[&str] = &[
    "tokenizer.json",
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "pooling.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "added_tokens.json",
    "normalizer.json",
];
/// Precisions that an export may hold beside each other, the wanted first.
const VARIANTS: &[&str] = &["", "_quantized", "_int8", "_uint8", "_fp16", "_q8", "_q4", "_q4f16", "_bnb4"];
const JSON_BYTES: u64 = 64 << 20;

/// A file and the name it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Index into the names that were given.
    pub index: usize,
    pub name: String,
}

/// What names tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// Several for what only a look inside can tell apart.
    pub kinds: &'static [Kind],
    pub files: Vec<Taken>,
}

fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// The index of the best variant of `stem`: `encoder_model.onnx`, or else one of its reduced forms.
fn variant(names: &[&str], stem: &str) -> Option<usize> {
    VARIANTS.iter().find_map(|v| names.iter().position(|name| base(name) == format!("{stem}{v}.onnx")))
}

fn is_graph(name: &str) -> bool {
    Path::new(base(name)).extension().is_some_and(|extension| extension == "onnx")
}

/// Whether a file of an export can belong to its model; the rest is not even kept while it arrives.
pub(crate) fn may_belong(name: &str) -> bool {
    let json = Path::new(name).extension().is_some_and(|extension| extension == "json");
    is_graph(name) || name.contains(".onnx") || json || SIDE_FILES.contains(&name)
}

/// Chooses the files of one model among those of an export.
pub fn pick(names: &[&str]) -> Result<Picked> {
    let graphs: Vec<usize> = (0..names.len()).filter(|i| is_graph(names[*i])).collect();
    let external = names.iter().find(|n| n.ends_with(".onnx_data") || n.ends_with(".onnx.data"));
    if graphs.is_empty() {
        return Err(refused("There is no ONNX file (*.onnx) among the files.").hint(
            "A voice is X.onnx with X.onnx.json; other models are an ONNX export with its tokenizer.json; or a bundle.",
        ));
    }
    let taken = |index: usize, name: &str| Taken { index, name: name.to_owned() };
    if let Some(encoder) = variant(names, "encoder_model") {
        let mut files = vec![taken(encoder, "encoder_model.onnx")];
        files.extend(decoders(names)?);
        files.extend(side_files(names));
        return Ok(Picked { kinds: &[Kind::Recogniser], files });
    }
    if let Some(data) = external {
        return Err(refused(format!("'{}' holds weights outside of the ONNX file.", base(data)))
            .hint("Export the model into one file; ONNX files up to 2 GB can hold their weights."));
    }
    if let Some((graph, config)) = voice(names, &graphs) {
        let files = vec![taken(graph, "model.onnx"), taken(config, "model.onnx.json")];
        return Ok(Picked { kinds: &[Kind::Voice], files });
    }
    let graph = match graphs.as_slice() {
        [only] => *only,
        _ => variant(names, "model").ok_or_else(|| {
            refused("There are several ONNX files, and none is called model.onnx.")
                .hint("Import one model at a time.")
        })?,
    };
    let mut files = vec![taken(graph, "model.onnx")];
    files.extend(side_files(names));
    let has_tokenizer = files.iter().any(|f| f.name == "tokenizer.json" || f.name == "vocab.txt");
    let kinds: &[Kind] = if has_tokenizer { &[Kind::Embedding, Kind::Reranker] } else { &[Kind::Vad] };
    Ok(Picked { kinds, files })
}

fn voice(names: &[&str], graphs: &[usize]) -> Option<(usize, usize)> {
    graphs.iter().find_map(|graph| {
        let stem = base(names[*graph]).trim_end_matches(".onnx");
        let wanted = [format!("{stem}.onnx.json"), format!("{stem}.json")];
        wanted.iter().find_map(|w| names.iter().position(|n| base(n) == w)).map(|config| (*graph, config))
    })
}

fn decoders(names: &[&str]) -> Result<Vec<Taken>> {
    let taken = |index: usize, name: &str| Taken { index, name: name.to_owned() };
    if let Some(merged) = variant(names, "decoder_model_merged") {
        return Ok(vec![taken(merged, "decoder_model_merged.onnx")]);
    }
    let Some(first) = variant(names, "decoder_model") else {
        return Err(refused("There is an encoder_model.onnx without a decoder_model.onnx.")
            .hint("Give all files of the export: encoder, decoder and tokenizer."));
    };
    let mut files = vec![taken(first, "decoder_model.onnx")];
    files.extend(variant(names, "decoder_with_past_model").map(|i| taken(i, "decoder_with_past_model.onnx")));
    Ok(files)
}

fn side_files(names: &[&str]) -> Vec<Taken> {
    let place = |wanted: &&str| {
        names.iter().position(|n| base(n) == *wanted && !n.contains("Pooling")).or_else(|| {
            (*wanted == "pooling.json")
                .then(|| names.iter().position(|n| n.contains("Pooling") && base(n) == "config.json"))
                .flatten()
        })
    };
    SIDE_FILES
        .iter()
        .filter_map(|wanted| Some(Taken { index: place(wanted)?, name: (*wanted).to_owned() }))
        .collect()
}

/// A name from the files: a voice's is its file's, others have it in their configuration.
pub(crate) fn name_of(kinds: &[Kind], files: &[ModelFile], picked: &Picked, folder: &Path) -> Option<String> {
    let graph = &files[picked.files.first()?.index].name;
    let stem = graph.trim_end_matches(".onnx");
    if kinds == [Kind::Voice] || !matches!(stem, "model" | "encoder_model" | "model_quantized" | "model_int8")
    {
        return Some(stem.to_owned()).filter(|_| !stem.starts_with("encoder_model"));
    }
    let config = json(&folder.join("config.json"))?;
    let given = config.get("_name_or_path")?.as_str()?;
    Some(base(given).to_owned()).filter(|name| crate::manifest::check_name(name).is_ok())
}

fn json(path: &Path) -> Option<Value> {
    let bytes = std::fs::metadata(path).ok()?.len();
    if bytes > JSON_BYTES {
        return None;
    }
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(picked: &Picked) -> Vec<&str> {
        picked.files.iter().map(|f| f.name.as_str()).collect()
    }

    #[test]
    fn exports_are_told_apart_by_their_files() {
        let voice = pick(&["en_US-x-medium.onnx", "en_US-x-medium.onnx.json"]).unwrap();
        assert_eq!((voice.kinds, names(&voice)), (&[Kind::Voice][..], vec!["model.onnx", "model.onnx.json"]));
        let vad = pick(&["silero_vad.onnx"]).unwrap();
        assert_eq!((vad.kinds, names(&vad)), (&[Kind::Vad][..], vec!["model.onnx"]));
        let text =
            pick(&["tokenizer.json", "onnx/model.onnx", "README.md", "1_Pooling/config.json", "config.json"]);
        let text = text.unwrap();
        assert_eq!(text.kinds, &[Kind::Embedding, Kind::Reranker]);
        assert_eq!(names(&text), ["model.onnx", "tokenizer.json", "config.json", "pooling.json"]);
        assert_eq!(text.files[2].index, 4);
    }

    #[test]
    fn of_many_precisions_one_is_taken() {
        let all = [
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "onnx/decoder_model.onnx",
            "onnx/decoder_model_merged_quantized.onnx",
            "onnx/decoder_model_merged.onnx",
            "onnx/decoder_with_past_model.onnx",
            "onnx/encoder_model_fp16.onnx",
            "onnx/encoder_model.onnx",
        ];
        let whisper = pick(&all).unwrap();
        assert_eq!(whisper.kinds, &[Kind::Recogniser]);
        assert_eq!(whisper.files[0].index, 8);
        assert_eq!(whisper.files[1], Taken { index: 5, name: "decoder_model_merged.onnx".into() });
        let only_int8 = pick(&["encoder_model_quantized.onnx", "decoder_model_quantized.onnx"]).unwrap();
        assert_eq!(names(&only_int8), ["encoder_model.onnx", "decoder_model.onnx"]);
    }

    #[test]
    fn what_is_no_model_is_said() {
        assert!(pick(&["README.md"]).unwrap_err().detail.contains("no ONNX file"));
        assert!(pick(&["encoder_model.onnx"]).unwrap_err().detail.contains("decoder"));
        assert!(pick(&["a.onnx", "b.onnx"]).unwrap_err().detail.contains("several"));
        assert!(
            pick(&["model.onnx", "model.onnx_data", "tokenizer.json"])
                .unwrap_err()
                .detail
                .contains("weights")
        );
    }
}
