//! The analysis as tantivy tokenizers: `exact` folds, `stem` folds and stems by the language written before the
//! text, `key` makes filter values comparable.

use rustc_hash::FxHashMap;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};

use crate::analysis::{self, Spans};
use crate::language::Stems;

pub(crate) const EXACT: &str = "lectern_exact";
pub(crate) const STEM: &str = "lectern_stem";
pub(crate) const KEY: &str = "lectern_key";

/// Stands before and after the language code in a stemmed field's value; not a character of real text.
const LANGUAGE_MARK: char = '\u{1}';

pub(crate) fn register(manager: &TokenizerManager) {
    manager.register(EXACT, TextAnalyzer::builder(ExactTokenizer::default()).build());
    manager.register(STEM, TextAnalyzer::builder(StemTokenizer::default()).build());
    manager.register(KEY, TextAnalyzer::builder(KeyTokenizer::default()).build());
}

/// The value for a stemmed field.
pub(crate) fn with_language(code: [u8; 2], text: &str) -> String {
    let mut value = String::with_capacity(text.len() + 4);
    value.push(LANGUAGE_MARK);
    value.extend(code.map(char::from));
    value.push(LANGUAGE_MARK);
    value.push_str(text);
    value
}

fn split_language(value: &str) -> ([u8; 2], &str) {
    match value.as_bytes() {
        [1, a, b, 1, ..] => ([*a, *b], &value[4..]),
        _ => (*b"--", value),
    }
}

/// Comparable form of a filter value: case and outer blanks do not count.
pub(crate) fn key(value: &str) -> String {
    value.trim().to_lowercase()
}

#[derive(Clone, Default)]
struct ExactTokenizer {
    lowered: String,
}

struct ExactStream<'a> {
    text: &'a str,
    spans: Spans<'a>,
    lowered: &'a mut String,
    token: Token,
}

impl Tokenizer for ExactTokenizer {
    type TokenStream<'a> = ExactStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> ExactStream<'a> {
        ExactStream {
            text,
            spans: analysis::spans(text),
            lowered: &mut self.lowered,
            token: Token::default(),
        }
    }
}

impl TokenStream for ExactStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(span) = self.spans.next() else { return false };
        let token = &self.text[span.range.clone()];
        if token.is_ascii() {
            analysis::lower(token, &mut self.token.text);
        } else {
            analysis::lower(token, self.lowered);
            analysis::fold(self.lowered, &mut self.token.text);
        }
        place(&mut self.token, span.range, 0);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

fn place(token: &mut Token, range: std::ops::Range<usize>, shift: usize) {
    token.position = token.position.wrapping_add(1);
    token.offset_from = range.start + shift;
    token.offset_to = range.end + shift;
}

#[derive(Default)]
struct StemTokenizer {
    languages: FxHashMap<[u8; 2], Stems>,
}

/// A clone begins with an empty memory; it fills within a page of text.
impl Clone for StemTokenizer {
    fn clone(&self) -> Self {
        Self::default()
    }
}

struct StemStream<'a> {
    text: &'a str,
    spans: Spans<'a>,
    stems: &'a mut Stems,
    shift: usize,
    token: Token,
}

impl Tokenizer for StemTokenizer {
    type TokenStream<'a> = StemStream<'a>;

    fn token_stream<'a>(&'a mut self, value: &'a str) -> StemStream<'a> {
        let (code, text) = split_language(value);
        let stems = self.languages.entry(code).or_insert_with(|| Stems::new(code));
        let shift = value.len() - text.len();
        StemStream { text, spans: analysis::spans(text), stems, shift, token: Token::default() }
    }
}

impl TokenStream for StemStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(span) = self.spans.next() else { return false };
        self.token.text.clear();
        self.token.text.push_str(self.stems.stem(&self.text[span.range.clone()]));
        place(&mut self.token, span.range, self.shift);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[derive(Clone, Default)]
struct KeyTokenizer {
    token: Token,
}

struct KeyStream<'a> {
    token: &'a mut Token,
    done: bool,
}

impl Tokenizer for KeyTokenizer {
    type TokenStream<'a> = KeyStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> KeyStream<'a> {
        self.token.reset();
        self.token.text = key(text);
        self.token.position = 0;
        self.token.offset_to = text.len();
        KeyStream { token: &mut self.token, done: false }
    }
}

impl TokenStream for KeyStream<'_> {
    fn advance(&mut self) -> bool {
        !std::mem::replace(&mut self.done, true)
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(name: &str, text: &str) -> Vec<(String, usize)> {
        let manager = TokenizerManager::new();
        register(&manager);
        let mut analyzer = manager.get(name).expect("registered");
        let mut stream = analyzer.token_stream(text);
        let mut found = Vec::new();
        while stream.advance() {
            found.push((stream.token().text.clone(), stream.token().position));
        }
        found
    }

    #[test]
    fn stems_by_the_language_before_the_text() {
        let english = tokens(STEM, &with_language(*b"en", "Running houses"));
        assert_eq!(english, [("run".to_owned(), 0), ("hous".to_owned(), 1)]);
        let none = tokens(STEM, &with_language(*b"--", "Running"));
        assert_eq!(none, [("running".to_owned(), 0)]);
        assert_eq!(tokens(STEM, "Running"), none);
    }

    #[test]
    fn keys_are_one_token() {
        assert_eq!(tokens(KEY, " My Files "), [("my files".to_owned(), 0)]);
    }
}
