//! A question and a passage together through one model, which says how well one answers the other.

use std::path::Path;

use lectern_neural::ort::session::Session;
use parking_lot::Mutex;
use tokenizers::Encoding;

use crate::TextModelError;
use crate::text_config::TextConfig;
use crate::text_model::TextModel;

type Result<T> = std::result::Result<T, TextModelError>;

/// A re-ranking model (cross-encoder).
pub struct Reranker {
    model: TextModel,
    output: String,
    session: Mutex<Session>,
}

impl Reranker {
    /// Loads the model of a folder, and tries it.
    pub fn load(folder: &Path) -> Result<Self> {
        let config = TextConfig::read(folder);
        let model = TextModel::open(folder, config.max_tokens, true)?;
        let outputs = &model.shape.outputs;
        let output = outputs.iter().find(|output| output.name == "logits").or_else(|| outputs.first());
        let output = output.map(|output| output.name.clone());
        let output = output.ok_or_else(|| TextModelError::Shape("it has no output".to_owned()))?;
        let session = Mutex::new(model.session(0)?);
        let reranker = Self { model, output, session };
        reranker.score("Where is it?", &["It is there.", "A second text to try it with."])?;
        Ok(reranker)
    }

    pub fn memory_bytes(&self) -> u64 {
        self.model.shape.bytes * 2 + (16 << 20)
    }

    /// How well each passage answers; higher is better, only comparable within one call.
    pub fn score(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>> {
        let encode = |passage: &&str| self.model.encode_pair(query, passage);
        let encodings = passages.iter().map(encode).collect::<Result<Vec<Encoding>>>()?;
        let mut scores = vec![0.0; passages.len()];
        self.model.run(&self.session, &self.output, &encodings, &mut |batch| {
            let classes = match batch.shape[..] {
                [texts] if texts == batch.texts.len() => 1,
                [texts, classes @ 1..=2] if texts == batch.texts.len() => classes,
                _ => {
                    return Err(TextModelError::Shape(format!("its output has the shape {:?}", batch.shape)));
                }
            };
            for (at, row) in batch.texts.iter().zip(batch.numbers.chunks_exact(classes)) {
                // One number is the score; of two the second is for "answers", the first against it.
                let score = if let [against, answers] = row { answers - against } else { row[0] };
                scores[*at] = if score.is_finite() { score } else { f32::MIN };
            }
            Ok(())
        })?;
        Ok(scores)
    }
}
