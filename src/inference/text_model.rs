//! What embedding and re-ranking have in common: texts to tokens, tokens in batches through the model.

use std::path::{Path, PathBuf};

use lectern_neural::ort::session::{Session, SessionInputValue};
use lectern_neural::ort::value::Tensor;
use lectern_neural::{ModelShape, SessionOptions};
use parking_lot::Mutex;
use tokenizers::{
    EncodeInput, Encoding, Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy,
};

use crate::TextModelError;

type Result<T> = std::result::Result<T, TextModelError>;

const MODEL: &str = "model.onnx";
const TOKENIZER: &str = "tokenizer.json";
const LARGEST_TOKENIZER: u64 = 128 << 20;
/// Tokens of a batch, padding counted: what fits the caches and does not keep others waiting.
const BATCH_TOKENS: usize = 1024;
const BATCH_TEXTS: usize = 32;
/// Characters of a text for each token that is wanted; more is not looked at.
const CHARACTERS: usize = 24;
/// Inputs that are known.
const INPUTS: [&str; 3] = ["input_ids", "attention_mask", "token_type_ids"];

/// A loaded model's tokenizer, and where its sessions come from.
pub(crate) struct TextModel {
    path: PathBuf,
    pub shape: ModelShape,
    tokenizer: Tokenizer,
    max_tokens: usize,
}

/// What a batch gave: for each text the numbers of the output, row by row.
pub(crate) struct Batch<'a> {
    /// Positions of the texts among those that were given.
    pub texts: &'a [usize],
    pub encodings: Vec<&'a Encoding>,
    pub shape: Vec<usize>,
    pub numbers: &'a [f32],
}

impl TextModel {
    pub(crate) fn open(folder: &Path, max_tokens: usize, pairs: bool) -> Result<Self> {
        let path = folder.join(MODEL);
        let shape = lectern_neural::inspect(&path)?;
        let unknown = shape.inputs.iter().find(|input| !INPUTS.contains(&input.name.as_str()));
        if let Some(unknown) = unknown {
            return Err(TextModelError::Shape(format!("it has the input '{}'", unknown.name)));
        }
        if !shape.inputs.iter().any(|input| input.name == INPUTS[0]) {
            return Err(TextModelError::Shape("it has no input 'input_ids'".to_owned()));
        }
        let tokenizer = tokenizer(&folder.join(TOKENIZER), max_tokens, pairs)?;
        Ok(Self { path, shape, tokenizer, max_tokens })
    }

    /// A session of its own; 0 threads: as many as the runtime has.
    pub(crate) fn session(&self, threads: usize) -> Result<Session> {
        // Texts are short: without it packing the weights would be most of the work.
        let options = SessionOptions { threads, prepack: true, ..SessionOptions::default() };
        Ok(lectern_neural::session(&self.path, &options)?)
    }

    pub(crate) fn encode(&self, text: &str) -> Result<Encoding> {
        self.encode_input(EncodeInput::from(self.cut(text)))
    }

    pub(crate) fn encode_pair(&self, first: &str, second: &str) -> Result<Encoding> {
        self.encode_input(EncodeInput::from((self.cut(first), self.cut(second))))
    }

    fn encode_input(&self, input: EncodeInput<'_>) -> Result<Encoding> {
        self.tokenizer.encode_fast(input, true).map_err(|error| TextModelError::Run(error.to_string()))
    }

    fn cut<'t>(&self, text: &'t str) -> &'t str {
        let end = text.char_indices().nth(self.max_tokens * CHARACTERS).map_or(text.len(), |(at, _)| at);
        &text[..end]
    }

    /// Runs all texts in batches of about the same length.
    pub(crate) fn run(
        &self,
        session: &Mutex<Session>,
        output: &str,
        encodings: &[Encoding],
        take: &mut dyn FnMut(Batch<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut order: Vec<usize> = (0..encodings.len()).collect();
        order.sort_by_key(|at| encodings[*at].len());
        let mut rest = &order[..];
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_size(rest, encodings));
            rest = later;
            let chosen: Vec<&Encoding> = batch.iter().map(|at| &encodings[*at]).collect();
            let inputs = self.inputs(&chosen)?;
            // Held for one batch only, so that others come in between.
            let mut session = session.lock();
            let outputs = session.run(inputs)?;
            let value = outputs
                .get(output)
                .ok_or_else(|| TextModelError::Shape(format!("it has no output '{output}'")))?;
            let (shape, numbers) = value.try_extract_tensor::<f32>()?;
            let shape: Vec<usize> = shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)).collect();
            take(Batch { texts: batch, encodings: chosen, shape, numbers })?;
        }
        Ok(())
    }

    fn inputs(&self, batch: &[&Encoding]) -> Result<Vec<(String, SessionInputValue<'static>)>> {
        let length = batch.iter().map(|encoding| encoding.len()).max().unwrap_or(0).max(1);
        let pad = self.tokenizer.token_to_id("[PAD]").or_else(|| self.tokenizer.token_to_id("<pad>"));
        let table = |of: fn(&Encoding) -> &[u32], filler: i64| {
            let mut numbers = Vec::with_capacity(batch.len() * length);
            for encoding in batch {
                let row = of(encoding);
                numbers.extend(row.iter().map(|number| i64::from(*number)));
                numbers.resize(numbers.len() + length - row.len(), filler);
            }
            Tensor::from_array(([batch.len(), length], numbers))
        };
        let mut inputs = Vec::with_capacity(3);
        for input in &self.shape.inputs {
            let tensor = match input.name.as_str() {
                "attention_mask" => table(Encoding::get_attention_mask, 0)?,
                "token_type_ids" => table(Encoding::get_type_ids, 0)?,
                _ => table(Encoding::get_ids, pad.map_or(0, i64::from))?,
            };
            inputs.push((input.name.clone(), tensor.into()));
        }
        Ok(inputs)
    }
}

/// How many of the texts, shortest first, go together.
fn batch_size(order: &[usize], encodings: &[Encoding]) -> usize {
    let fits =
        |count: &usize| *count <= BATCH_TEXTS && count * encodings[order[count - 1]].len() <= BATCH_TOKENS;
    (1..=order.len()).take_while(fits).last().unwrap_or(1)
}

fn tokenizer(path: &Path, max_tokens: usize, pairs: bool) -> Result<Tokenizer> {
    let unreadable =
        |error: std::io::Error| TextModelError::File { path: path.to_owned(), reason: error.to_string() };
    let unusable = |reason: String| TextModelError::Tokenizer { path: path.to_owned(), reason };
    if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST_TOKENIZER {
        return Err(unusable(format!("it is larger than {} MB", LARGEST_TOKENIZER >> 20)));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| unusable(error.to_string()))?;
    tokenizer.with_padding(None);
    let truncation = TruncationParams {
        max_length: max_tokens,
        strategy: if pairs { TruncationStrategy::OnlySecond } else { TruncationStrategy::LongestFirst },
        stride: 0,
        direction: TruncationDirection::Right,
    };
    tokenizer.with_truncation(Some(truncation)).map_err(|error| unusable(error.to_string()))?;
    Ok(tokenizer)
}
