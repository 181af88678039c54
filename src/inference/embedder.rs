//! Texts to vectors: of length one, near each other when the texts mean the same.

use std::path::Path;
use std::sync::OnceLock;

use lectern_neural::ort::session::Session;
use parking_lot::Mutex;
use tokenizers::Encoding;

use crate::TextModelError;
use crate::text_config::{Pooling, TextConfig};
use crate::text_model::{Batch, TextModel};

type Result<T> = std::result::Result<T, TextModelError>;

/// What a text is to be compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// At once, on all cores that are free.
    Query,
    /// In the background, on one thread, with a session of its own: no question waits for it.
    Passage,
}

/// Texts that have nothing to do with each other; what the model makes of them is where "unrelated" lies for it.
const UNRELATED: [&str; 10] = [
    "When does the ferry to the island leave in winter?",
    "The enzyme breaks down proteins in the stomach.",
    "How do I reset the password of my account?",
    "Interest is paid at the end of each quarter.",
    "Who composed the opera about the flying ship?",
    "Tighten the four bolts crosswise with forty newton metres.",
    "Which documents does the tenant have to sign?",
    "Bees find their way home by the position of the sun.",
    "What was the population of the town in 1910?",
    "Fold the egg whites gently into the dough.",
];

/// An embedding model.
pub struct Embedder {
    model: TextModel,
    config: TextConfig,
    output: String,
    dimensions: usize,
    baseline: f32,
    query: Mutex<Session>,
    passage: OnceLock<Mutex<Session>>,
}

impl Embedder {
    /// Loads the model of a folder: `model.onnx`, `tokenizer.json`, and what tells how it wants to be used.
    pub fn load(folder: &Path) -> Result<Self> {
        let config = TextConfig::read(folder);
        let model = TextModel::open(folder, config.max_tokens, false)?;
        let output = output(&model)?;
        let query = Mutex::new(model.session(0)?);
        let passage = OnceLock::new();
        let mut embedder = Self { model, config, output, dimensions: 0, baseline: 0.0, query, passage };
        embedder.try_out()?;
        Ok(embedder)
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Cosine that unrelated texts have on average: near 0 for some models, above 0.7 for others.
    pub fn baseline(&self) -> f32 {
        self.baseline
    }

    pub fn config(&self) -> &TextConfig {
        &self.config
    }

    /// Memory it takes, about; more when passages are embedded.
    pub fn memory_bytes(&self) -> u64 {
        let sessions = 1 + u64::from(self.passage.get().is_some());
        self.model.shape.bytes * 2 * sessions + (16 << 20)
    }

    /// The vectors of texts, in their order.
    pub fn embed(&self, texts: &[&str], kind: Kind) -> Result<Vec<Vec<f32>>> {
        let prefix = match kind {
            Kind::Query => &self.config.query_prefix,
            Kind::Passage => &self.config.passage_prefix,
        };
        let encode = |text: &&str| {
            if prefix.is_empty() {
                self.model.encode(text)
            } else {
                self.model.encode(&format!("{prefix}{text}"))
            }
        };
        let encodings = texts.iter().map(encode).collect::<Result<Vec<Encoding>>>()?;
        let mut vectors = vec![Vec::new(); texts.len()];
        let session = self.lane(kind)?;
        self.model.run(session, &self.output, &encodings, &mut |batch| {
            pool(&batch, self.config.pooling, &mut vectors)
        })?;
        Ok(vectors)
    }

    fn lane(&self, kind: Kind) -> Result<&Mutex<Session>> {
        match (kind, self.passage.get()) {
            (Kind::Query, _) => Ok(&self.query),
            (Kind::Passage, Some(session)) => Ok(session),
            (Kind::Passage, None) => {
                let session = self.model.session(1)?;
                Ok(self.passage.get_or_init(|| Mutex::new(session)))
            }
        }
    }

    /// Learns the number of dimensions and where "unrelated" lies.
    fn try_out(&mut self) -> Result<()> {
        let vectors = self.embed(&UNRELATED, Kind::Query)?;
        self.dimensions = vectors[0].len();
        if self.dimensions == 0 || vectors.iter().any(|vector| !vector.iter().all(|x| x.is_finite())) {
            return Err(TextModelError::Run("it gives no numbers".to_owned()));
        }
        let mut cosines = Vec::new();
        for (at, vector) in vectors.iter().enumerate() {
            for other in &vectors[at + 1..] {
                cosines.push(vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>());
            }
        }
        // A model that cannot tell them apart at all must not divide by zero later.
        self.baseline = (cosines.iter().sum::<f32>() / cosines.len() as f32).clamp(0.0, 0.95);
        Ok(())
    }
}

/// The output with a vector a text, else the one with a vector a token.
fn output(model: &TextModel) -> Result<String> {
    let outputs = &model.shape.outputs;
    let named = |name: &str| outputs.iter().find(|output| output.name == name);
    let found = named("sentence_embedding")
        .or_else(|| named("last_hidden_state"))
        .or_else(|| named("token_embeddings"))
        .or_else(|| outputs.first());
    found
        .map(|output| output.name.clone())
        .ok_or_else(|| TextModelError::Shape("it has no output".to_owned()))
}

fn pool(batch: &Batch<'_>, pooling: Pooling, vectors: &mut [Vec<f32>]) -> Result<()> {
    let wrong = || TextModelError::Shape(format!("its output has the shape {:?}", batch.shape));
    let (length, dimensions) = match batch.shape[..] {
        [texts, length, dimensions] if texts == batch.texts.len() => (length, dimensions),
        [texts, dimensions] if texts == batch.texts.len() => (1, dimensions),
        _ => return Err(wrong()),
    };
    if dimensions == 0 || length == 0 || batch.numbers.len() != batch.texts.len() * length * dimensions {
        return Err(wrong());
    }
    let rows = batch.numbers.chunks_exact(length * dimensions);
    for ((at, encoding), row) in batch.texts.iter().zip(&batch.encodings).zip(rows) {
        let tokens = match pooling {
            Pooling::Mean => encoding.len().clamp(1, length),
            Pooling::Cls => 1,
        };
        let mut sum = vec![0.0f32; dimensions];
        for token in row.chunks_exact(dimensions).take(tokens) {
            sum.iter_mut().zip(token).for_each(|(sum, x)| *sum += x);
        }
        let factor = 1.0 / sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        for x in &mut sum {
            *x *= factor;
        }
        vectors[*at] = sum;
    }
    Ok(())
}
