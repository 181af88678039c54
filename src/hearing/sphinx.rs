//! The built-in recogniser: PocketSphinx for US English, a few decoders that are kept while they are used.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::data::ModelFiles;
use crate::sphinx_decoder::{RawWord, SphinxDecoder};
use crate::sphinx_live::{Expected, LiveSphinx};
use crate::{HearOptions, HearingError, Recogniser, Segment, SiteModel, Transcript, Word};

/// More at once would only be slower: each uses a core and 100 MB.
const MOST_DECODERS: usize = 4;
/// How long a request waits for a decoder.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a decoder holds, measured (see adr/0007).
const DECODER_BYTES: u64 = 110 << 20;
/// Silence between two words that parts two segments.
const GAP_MS: u64 = 600;
/// Less than this is no word.
const SHORTEST_MS: usize = 100;

/// For people and logs.
pub(crate) const NAME: &str = "pocketsphinx en-us";

#[derive(Clone)]
pub(crate) struct Sphinx(Arc<Shared>);

struct Shared {
    cache: PathBuf,
    limit: usize,
    files: Mutex<Option<ModelFiles>>,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Idle>,
    busy: usize,
}

struct Idle {
    /// Which site's words it has; empty for none.
    site: String,
    decoder: SphinxDecoder,
    since: Instant,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sphinx {
    pub(crate) fn new(cache: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self(Arc::new(Shared {
            cache,
            limit: cores.clamp(1, MOST_DECODERS),
            files: Mutex::new(None),
            pool: Mutex::new(Pool::default()),
            freed: Condvar::new(),
        }))
    }

    /// Loads a decoder ahead of use.
    pub(crate) fn warm(&self, options: &HearOptions) -> Result<(), HearingError> {
        self.0.borrow(options.site.as_deref(), &AtomicBool::new(false)).map(drop)
    }

    /// Drops decoders that were not used for so long; how many.
    pub(crate) fn release_idle(&self, idle: Duration) -> usize {
        let old: Vec<Idle> = {
            let mut pool = locked(&self.0.pool);
            let (old, fresh) = pool.idle.drain(..).partition(|entry| entry.since.elapsed() >= idle);
            pool.idle = fresh;
            old
        };
        old.len()
    }

    /// Loaded, and of these at work.
    pub(crate) fn loaded(&self) -> (usize, usize) {
        let pool = locked(&self.0.pool);
        (pool.idle.len() + pool.busy, pool.busy)
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.loaded().0 as u64 * DECODER_BYTES
    }

    /// A recogniser for somebody who speaks now. None when other work would have to wait for it.
    pub(crate) fn live(&self, options: &HearOptions) -> Result<Option<LiveSphinx>, HearingError> {
        if options.language.as_deref().is_some_and(|language| !is_english(language)) {
            return Ok(None);
        }
        let Some(expected) = Expected::read(&self.0.files()?.acoustic()) else { return Ok(None) };
        let Some(found) = self.0.find_now(options.site.as_deref()) else { return Ok(None) };
        let borrowed = self.0.lend(options.site.as_deref(), found)?;
        LiveSphinx::new(borrowed, expected, options).map(Some)
    }
}

impl Shared {
    /// Compared with what was packed once a process: the library ends the process on damaged files.
    fn files(&self) -> Result<ModelFiles, HearingError> {
        let mut known = locked(&self.files);
        if let Some(files) = known.as_ref().filter(|files| files.dictionary().is_file()) {
            return Ok(files.clone());
        }
        let files = ModelFiles::unpacked(&self.cache)?;
        Ok(known.insert(files).clone())
    }

    /// A place for somebody who speaks now, and an idle decoder for it. The last place is for those who only need it for a
    /// moment.
    #[allow(clippy::option_option, reason = "no place, and a place without a decoder yet, are two things")]
    fn find_now(&self, site: Option<&SiteModel>) -> Option<Option<SphinxDecoder>> {
        let mut pool = locked(&self.pool);
        if pool.busy > 0 && pool.busy + 1 >= self.limit {
            return None;
        }
        pool.busy += 1;
        Some(pool.take(site.map_or("", |site| site.id()), self.limit))
    }

    fn borrow(
        self: &Arc<Self>,
        site: Option<&SiteModel>,
        stop: &AtomicBool,
    ) -> Result<Borrowed, HearingError> {
        let started = Instant::now();
        let found = {
            let mut pool = locked(&self.pool);
            while pool.busy >= self.limit {
                if stop.load(Ordering::Relaxed) {
                    return Err(HearingError::Stopped);
                }
                if started.elapsed() > PATIENCE {
                    return Err(HearingError::Busy);
                }
                let waited = self.freed.wait_timeout(pool, Duration::from_millis(50));
                pool = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            pool.busy += 1;
            pool.take(site.map_or("", |site| site.id()), self.limit)
        };
        self.lend(site, found)
    }

    /// The pool counts it as busy already.
    fn lend(
        self: &Arc<Self>,
        site: Option<&SiteModel>,
        found: Option<SphinxDecoder>,
    ) -> Result<Borrowed, HearingError> {
        let site_id = site.map_or("", |site| site.id()).to_owned();
        // From here on the place is given back when `Borrowed` is dropped.
        let mut borrowed = Borrowed { owner: Arc::clone(self), site: site_id, decoder: found };
        if borrowed.decoder.is_none() {
            borrowed.decoder = Some(SphinxDecoder::load(&self.files()?, site, &self.cache)?);
        }
        Ok(borrowed)
    }
}

impl Pool {
    /// An idle decoder with these words; others make room when there are too many.
    fn take(&mut self, site: &str, limit: usize) -> Option<SphinxDecoder> {
        let same = self.idle.iter().position(|entry| entry.site == site);
        let found = same.map(|at| self.idle.swap_remove(at).decoder);
        while !self.idle.is_empty() && self.idle.len() + self.busy > limit {
            self.idle.swap_remove(0);
        }
        found
    }
}

/// A decoder of the pool, given back when it is dropped.
pub(crate) struct Borrowed {
    owner: Arc<Shared>,
    site: String,
    decoder: Option<SphinxDecoder>,
}

impl Borrowed {
    pub(crate) fn decoder(&self) -> Result<&SphinxDecoder, HearingError> {
        self.decoder.as_ref().ok_or(HearingError::Busy)
    }

    pub(crate) fn decoder_mut(&mut self) -> Result<&mut SphinxDecoder, HearingError> {
        self.decoder.as_mut().ok_or(HearingError::Busy)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let mut pool = locked(&self.owner.pool);
        pool.busy -= 1;
        if let Some(decoder) = self.decoder.take() {
            let site = std::mem::take(&mut self.site);
            pool.idle.push(Idle { site, decoder, since: Instant::now() });
        }
        drop(pool);
        self.owner.freed.notify_one();
    }
}

impl Recogniser for Sphinx {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn languages(&self) -> Option<Vec<String>> {
        Some(vec!["en".to_owned()])
    }

    fn transcribe(
        &self,
        audio: &[f32],
        options: &HearOptions,
        stop: &AtomicBool,
        sink: &mut dyn FnMut(Segment),
    ) -> Result<Transcript, HearingError> {
        if let Some(language) = options.language.as_deref().filter(|language| !is_english(language)) {
            return Err(HearingError::Language(language.to_owned()));
        }
        let per_ms = crate::RATE as usize / 1_000;
        let duration_ms = (audio.len() / per_ms) as u64;
        let mut segments = Vec::new();
        if audio.len() >= SHORTEST_MS * per_ms {
            let mut borrowed = self.0.borrow(options.site.as_deref(), stop)?;
            for (at, part) in audio.chunks(self.max_samples()).enumerate() {
                if stop.load(Ordering::Relaxed) {
                    return Err(HearingError::Stopped);
                }
                let samples = lectern_audio::to_i16(part);
                let Some(decoder) = borrowed.decoder.as_mut() else { break };
                let words = decoder.recognise(&samples)?;
                let shift = (at * self.max_samples() / per_ms) as u64;
                for segment in parted(words, options.site.as_deref()) {
                    let segment = segment.shifted(shift);
                    sink(segment.clone());
                    segments.push(segment);
                }
            }
        }
        Ok(Transcript::of(segments, Some("en".to_owned()), self.name(), duration_ms))
    }
}

impl Sphinx {
    fn max_samples(&self) -> usize {
        self.max_seconds() as usize * crate::RATE as usize
    }
}

fn is_english(language: &str) -> bool {
    language.split(['-', '_']).next().is_some_and(|base| base.eq_ignore_ascii_case("en"))
}

/// The segments of an utterance: what is said without a pause.
pub(crate) fn parted(raw: Vec<RawWord>, site: Option<&SiteModel>) -> Vec<Segment> {
    let mut parts: Vec<Vec<RawWord>> = Vec::new();
    for word in raw {
        let goes_on = |part: &&mut Vec<RawWord>| {
            part.last().is_some_and(|last| word.start_ms < last.end_ms.saturating_add(GAP_MS))
        };
        match parts.last_mut().filter(goes_on) {
            Some(part) => part.push(word),
            None => parts.push(vec![word]),
        }
    }
    parts.into_iter().filter_map(|part| segment(part, site)).collect()
}

/// Words as people read them. `None` when nothing was said.
fn segment(raw: Vec<RawWord>, site: Option<&SiteModel>) -> Option<Segment> {
    let words: Vec<Word> = raw
        .into_iter()
        .enumerate()
        .map(|(at, word)| Word {
            text: shown(&word.text, at == 0, site),
            start_ms: word.start_ms,
            end_ms: word.end_ms,
            confidence: word.confidence,
        })
        .collect();
    let (first, last) = (words.first()?, words.last()?);
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    Some(Segment { start_ms: first.start_ms, end_ms: last.end_ms, text, words })
}

/// `word(2)` is another way to say `word`; letters are `a.`; names have capitals.
fn shown(word: &str, first: bool, site: Option<&SiteModel>) -> String {
    let word = word.split('(').next().unwrap_or(word);
    if let Some(shown) = site.and_then(|site| site.show(word)) {
        return if first { capital(shown) } else { shown.to_owned() };
    }
    let is_i = word == "i" || word.starts_with("i'");
    let is_letter = word.len() == 2 && word.ends_with('.');
    if first || is_i || is_letter {
        capital(word.trim_end_matches(if is_letter { '.' } else { '\0' }))
    } else {
        word.to_owned()
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_readable() {
        let raw = |text: &str, at: u64| RawWord {
            text: text.to_owned(),
            start_ms: at,
            end_ms: at + 100,
            confidence: 0.5,
        };
        let segment =
            segment(vec![raw("read(2)", 100), raw("i'm", 200), raw("b.", 300), raw("it", 400)], None)
                .expect("words");
        assert_eq!(segment.text, "Read I'm B it");
        assert_eq!((segment.start_ms, segment.end_ms), (100, 500));
        assert!(super::segment(vec![], None).is_none());
        let parts = parted(vec![raw("read", 100), raw("it", 700), raw("again", 1_400)], None);
        let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(texts, ["Read it", "Again"]);
    }

    #[test]
    fn other_languages_are_refused() {
        let cache = tempfile::tempdir().expect("temp");
        let sphinx = Sphinx::new(cache.path().to_owned());
        let options = HearOptions { language: Some("de".to_owned()), ..HearOptions::default() };
        let error = sphinx
            .transcribe(&vec![0.0; 16_000], &options, &AtomicBool::new(false), &mut |_| {})
            .expect_err("German");
        assert_eq!(error.code(), "hearing_language");
        assert!(error.hint().is_some());
    }
}
