//! The words of a site: what its documents say, made into a language model and pronunciations, so that names and
//! terms of the site are heard.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::HearingError;
use crate::data::ModelFiles;
use crate::ngram::Counts;
use crate::phones::Dictionary;
use crate::site_text::Reader;
use crate::spelling::spellings;

/// Raised when the same texts give another model: files of the old form are not read.
const VERSION: u32 = 1;

/// Bounds of a site's model.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// Characters of text that are read; the rest is left out.
    pub chars: usize,
    /// Different words; the most frequent stay.
    pub words: usize,
    /// Rows of two and three words.
    pub rows: usize,
    /// Share of the site in the mixture with general English, 0 to 1.
    pub share: f32,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self { chars: 5_000_000, words: 20_000, rows: 500_000, share: 0.35 }
    }
}

/// A tenant's words. Made from its texts, kept in a file, given to the recogniser by [`crate::HearOptions`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SiteModel {
    version: u32,
    id: String,
    words: usize,
    /// Words that the dictionary lacks, with their sounds; the same word may come again.
    spellings: Vec<(String, String)>,
    /// Words that are written with capitals or accents.
    shown: FxHashMap<String, String>,
    arpa: String,
    share: f32,
}

impl SiteModel {
    /// Reads the texts. The same texts give the same model. `cache`: where the recogniser's files are unpacked.
    pub fn build<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        options: &SiteOptions,
        cache: &Path,
    ) -> Result<Self, HearingError> {
        let files = ModelFiles::unpacked(cache)?;
        let dictionary = Dictionary::load(&files.dictionary()).map_err(HearingError::Site)?;
        Ok(Self::of(texts, options, &dictionary))
    }

    fn of<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        options: &SiteOptions,
        dictionary: &Dictionary,
    ) -> Self {
        let mut text = Reader::new(options.chars);
        for part in texts {
            if !text.read(part, dictionary) {
                break;
            }
        }
        let vocabulary = text.vocabulary(options.words);
        let mut counts = Counts::new();
        for sentence in text.sentences() {
            counts.add(sentence.iter().map(|id| {
                let word = text.name(*id);
                vocabulary.contains(word).then_some(word)
            }));
        }
        counts.prune(options.rows);
        let mut ordered: Vec<&str> = vocabulary.iter().copied().collect();
        ordered.sort_unstable();
        let spellings = spellings(&ordered, &text, dictionary);
        let mut model = Self {
            version: VERSION,
            id: String::new(),
            words: ordered.len(),
            spellings,
            shown: ordered
                .iter()
                .filter_map(|word| Some(((*word).to_owned(), text.shown(word, dictionary.contains(word))?)))
                .collect(),
            arpa: if ordered.is_empty() { String::new() } else { counts.arpa() },
            share: options.share.clamp(0.01, 0.99),
        };
        model.id = model.digest();
        model
    }

    fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(VERSION.to_le_bytes());
        hasher.update(self.share.to_le_bytes());
        hasher.update(&self.arpa);
        for (word, phones) in &self.spellings {
            hasher.update(word);
            hasher.update([0]);
            hasher.update(phones);
            hasher.update([0]);
        }
        let mut shown: Vec<_> = self.shown.iter().collect();
        shown.sort_unstable();
        for (word, display) in shown {
            hasher.update(word);
            hasher.update([1]);
            hasher.update(display);
        }
        hex::encode(&hasher.finalize()[..16])
    }

    /// Changes when the words change.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Different words.
    pub fn words(&self) -> usize {
        self.words
    }

    /// How many of them the built-in dictionary lacked.
    pub fn new_words(&self) -> usize {
        let words: FxHashSet<&str> =
            self.spellings.iter().map(|(word, _)| word.split('(').next().unwrap_or(word)).collect();
        words.len()
    }

    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    /// Memory it holds, about.
    pub fn memory_bytes(&self) -> u64 {
        (self.arpa.len() + self.spellings.len() * 60 + self.shown.len() * 60) as u64
    }

    pub(crate) fn spellings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spellings.iter().map(|(word, phones)| (word.as_str(), phones.as_str()))
    }

    pub(crate) fn share(&self) -> f32 {
        self.share
    }

    pub(crate) fn arpa(&self) -> &[u8] {
        self.arpa.as_bytes()
    }

    pub(crate) fn show(&self, word: &str) -> Option<&str> {
        self.shown.get(word).map(String::as_str)
    }

    /// Writes it whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), HearingError> {
        let write = || -> io::Result<()> {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut file = tempfile::Builder::new().prefix(".site-").tempfile_in(folder)?;
            let mut packed = flate2::write::GzEncoder::new(&mut file, flate2::Compression::fast());
            serde_json::to_writer(&mut packed, self)?;
            packed.finish()?.flush()?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(HearingError::Site)
    }

    /// `None` when the file is not there, is damaged or of another version: build it anew.
    pub fn load(path: &Path) -> Option<Self> {
        let file = io::BufReader::new(fs::File::open(path).ok()?);
        let model: Self =
            serde_json::from_reader(io::BufReader::new(flate2::read::GzDecoder::new(file))).ok()?;
        (model.version == VERSION && model.digest() == model.id).then_some(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "the DH AH\nhouse HH AW S\nlight L AY T\nof AH V\nmister M IH S T ER\nin IH N\nran R AE N\n\
                         is IH Z\nbase B EY S\nbase's B EY S IH Z\na AH\na. EY\nn. EH N\ns. EH S\n";

    fn build(texts: &[&str]) -> SiteModel {
        SiteModel::of(texts.iter().copied(), &SiteOptions::default(), &Dictionary::parse(WORDS))
    }

    #[test]
    fn words_get_sounds_and_capitals() {
        let model = build(&[
            "The light of the lighthouse. Lighthouse lights ran in NASA. The NASA house is in the light.",
        ]);
        let spellings: FxHashMap<&str, &str> = model.spellings().collect();
        assert_eq!(spellings["lighthouse"], "L AY T HH AW S");
        assert_eq!(spellings["lights"], "L AY T S");
        assert_eq!(spellings["nasa"], "EH N EY EH S EY");
        assert_eq!(model.show("nasa"), Some("NASA"));
        assert_eq!(model.show("lighthouse"), None);
        assert!(!spellings.contains_key("light"));
        assert_eq!(
            model.id(),
            build(&[
                "The light of the lighthouse. Lighthouse lights ran in NASA. The NASA house is in the light."
            ])
            .id()
        );
    }

    #[test]
    fn other_languages_and_nothing_stay_out() {
        assert!(build(&[]).is_empty());
        assert!(build(&["Der Leuchtturm steht am Meer und leuchtet weit.", "世界", ""]).is_empty());
    }

    #[test]
    fn bounds_hold() {
        let text = "the house of light ran in ".repeat(1_000);
        let options = SiteOptions { chars: 50, words: 3, rows: 4, ..SiteOptions::default() };
        let model = SiteModel::of([text.as_str(), "mister"], &options, &Dictionary::parse(WORDS));
        assert_eq!(model.words(), 3);
        assert!(model.arpa.len() < 600, "{}", model.arpa);
    }

    #[test]
    fn files_keep_it_and_damage_is_noticed() {
        let folder = tempfile::tempdir().expect("temp");
        let path = folder.path().join("deep/site.gz");
        let model = build(&["The light of the NASA lighthouse."]);
        assert!(SiteModel::load(&path).is_none());
        model.save(&path).expect("save");
        assert_eq!(SiteModel::load(&path).expect("load").id(), model.id());
        let mut bytes = fs::read(&path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        fs::write(&path, bytes).expect("write");
        assert!(SiteModel::load(&path).is_none());
    }
}
