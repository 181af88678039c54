//! Tokens to text and back.

use std::ops::Range;
use std::path::Path;

use tokenizers::Tokenizer;

use crate::HearingError;
use crate::whisper_config::misfit;

const FILE: &str = "tokenizer.json";
const BYTES: u64 = 64 << 20;
pub(crate) struct Text {
    tokenizer: Tokenizer,
}

impl Text {
    pub(crate) fn load(folder: &Path) -> Result<Self, HearingError> {
        let path = folder.join(FILE);
        let bytes = std::fs::metadata(&path).map_err(|_| misfit(FILE, "it is not there"))?.len();
        if bytes > BYTES {
            return Err(misfit(FILE, "it is larger than 64 MiB"));
        }
        let json = std::fs::read(&path).map_err(|e| misfit(FILE, format!("it cannot be read ({e})")))?;
        let tokenizer =
            Tokenizer::from_bytes(&json).map_err(|e| misfit(FILE, format!("it is no tokenizer ({e})")))?;
        Ok(Self { tokenizer })
    }

    /// The id of a token with a meaning.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        self.tokenizer.token_to_id(name)
    }

    /// Highest id and one.
    pub(crate) fn size(&self) -> usize {
        let vocabulary = self.tokenizer.get_vocab(true);
        vocabulary.values().max().map_or(0, |last| *last as usize + 1)
    }

    /// Languages by the names of tokens (`<|en|>`, `<|haw|>`) within a range of ids.
    pub(crate) fn languages(&self, ids: Range<u32>) -> Vec<(String, u32)> {
        let code = |id: u32| {
            let name = self.tokenizer.id_to_token(id)?;
            let code = name.strip_prefix("<|")?.strip_suffix("|>")?;
            let fits = (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase());
            fits.then(|| (code.to_owned(), id))
        };
        ids.filter_map(code).collect()
    }

    /// Text of tokens that stand for text.
    pub(crate) fn decode(&self, tokens: &[u32]) -> Result<String, HearingError> {
        self.tokenizer
            .decode(tokens, false)
            .map_err(|e| HearingError::Failed(format!("tokens without a text: {e}")))
    }

    /// Tokens of a text in which nothing has a meaning of its own.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>, HearingError> {
        let encoded = self.tokenizer.encode_fast(text, false);
        encoded
            .map(|encoded| encoded.get_ids().to_vec())
            .map_err(|e| HearingError::Failed(format!("the prompt has no tokens: {e}")))
    }
}
