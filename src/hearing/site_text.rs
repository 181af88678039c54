//! The texts of a site, read once: words by number, how often each came, how it was written.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::phones::Dictionary;
use crate::words::{Spoken, sentences};

/// Sentences with a smaller share of words that the dictionary knows are in another language, or no sentences.
const KNOWN_SHARE: f64 = 0.4;

/// The texts, read once: words by number, how often each came and how it was written.
pub(crate) struct Reader {
    left: usize,
    ids: FxHashMap<String, u32>,
    names: Vec<String>,
    counts: Vec<u32>,
    /// Ways of writing that are not plain lower case, inside sentences.
    forms: FxHashMap<u32, FxHashMap<String, u32>>,
    /// How often a word stood inside a sentence.
    inside: Vec<u32>,
    sentences: Vec<Vec<u32>>,
}

impl Reader {
    pub(crate) fn new(chars: usize) -> Self {
        Self {
            left: chars,
            ids: FxHashMap::default(),
            names: Vec::new(),
            counts: Vec::new(),
            forms: FxHashMap::default(),
            inside: Vec::new(),
            sentences: Vec::new(),
        }
    }

    pub(crate) fn sentences(&self) -> &[Vec<u32>] {
        &self.sentences
    }

    pub(crate) fn name(&self, id: u32) -> &str {
        &self.names[id as usize]
    }

    /// False when enough was read.
    pub(crate) fn read(&mut self, text: &str, dictionary: &Dictionary) -> bool {
        let mut end = text.len().min(self.left);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.left -= end;
        sentences(&text[..end], &mut |sentence| self.add(sentence, dictionary));
        end == text.len() && self.left > 0
    }

    fn add(&mut self, sentence: &[Spoken], dictionary: &Dictionary) {
        let known = sentence.iter().filter(|spoken| dictionary.contains(&spoken.word)).count();
        if (known as f64) < KNOWN_SHARE * sentence.len() as f64 {
            return;
        }
        let shouted = sentence.iter().filter(|spoken| is_shouted(spoken)).count() * 2 > sentence.len();
        let row = sentence.iter().map(|spoken| self.count(spoken, shouted)).collect();
        self.sentences.push(row);
    }

    fn count(&mut self, spoken: &Spoken, shouted: bool) -> u32 {
        let id = *self.ids.entry(spoken.word.clone()).or_insert_with(|| {
            self.names.push(spoken.word.clone());
            self.counts.push(0);
            self.inside.push(0);
            self.names.len() as u32 - 1
        });
        self.counts[id as usize] += 1;
        if let Some(form) = spoken.written.as_ref().filter(|_| !shouted) {
            // The first word has a capital anyway; one that has more of them tells something.
            let tells = !spoken.first || form.chars().skip(1).any(char::is_uppercase);
            if tells {
                self.inside[id as usize] += 1;
                if *form != spoken.word {
                    *self.forms.entry(id).or_default().entry(form.clone()).or_default() += 1;
                }
            }
        }
        id
    }

    pub(crate) fn vocabulary(&self, limit: usize) -> FxHashSet<&str> {
        let mut ranked: Vec<(u32, &str)> =
            self.names.iter().zip(&self.counts).map(|(name, count)| (*count, name.as_str())).collect();
        ranked.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        ranked.into_iter().take(limit).map(|(_, name)| name).collect()
    }

    /// The usual way of writing a word, when it is not plain.
    ///
    /// Common words have capitals in titles, so they need more proof than words that the dictionary lacks.
    pub(crate) fn shown(&self, word: &str, is_common: bool) -> Option<String> {
        let id = *self.ids.get(word)?;
        let (forms, inside) = (self.forms.get(&id)?, self.inside[id as usize]);
        let (form, count) = forms.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)))?;
        let proven = if is_common { *count >= 3 && count * 10 >= inside * 9 } else { count * 2 > inside };
        proven.then(|| form.clone())
    }

    pub(crate) fn is_acronym(&self, word: &str) -> bool {
        let written = self.ids.get(word).and_then(|id| self.forms.get(id));
        let upper = word.to_ascii_uppercase();
        (2..=6).contains(&word.len()) && written.is_some_and(|forms| forms.contains_key(&upper))
    }
}

fn is_shouted(spoken: &Spoken) -> bool {
    spoken.word.len() > 1
        && spoken.written.as_ref().is_some_and(|form| form.chars().all(|c| !c.is_lowercase()))
}
