//! One decoder of PocketSphinx behind a safe face. The only file that calls the C library.
//!
//! The library ends the process when a model is damaged or an utterance has more than 2^31 frames: [`ModelFiles`]
//! compares the model's content, the caller bounds the length, and words of the site are letters and known phones.

#![allow(unsafe_code, reason = "calls a C library")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::io::Write;
use std::path::Path;
use std::ptr;
use std::sync::Once;

use crate::data::ModelFiles;
use crate::sphinx_ffi as ffi;
use crate::{HearingError, SiteModel};

/// Hypotheses that are followed at once; the library's own default is 30,000. With fewer the recogniser takes three fifths of
/// the time and hears about as well (see adr/0007), and who asked by voice waits for it.
const MOST_HYPOTHESES: &CStr = c"4000";
/// Weight of the language model against the sound; the library's own default.
const LANGUAGE_WEIGHT: f32 = 6.5;
/// The library's frames are 10 ms.
pub(crate) const FRAME_MS: u64 = 10;
/// No longer utterance reaches the library.
pub(crate) const MAX_SECONDS: usize = 60;
const SEARCH: &CStr = c"site";

/// A word as the library names it, with frames and probability.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawWord {
    pub(crate) text: String,
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
    pub(crate) confidence: f32,
}

/// Hears one utterance after the other. Some 60 MB, loaded in a quarter of a second.
pub(crate) struct SphinxDecoder {
    decoder: *mut ffi::Decoder,
    config: *mut ffi::Config,
}

// SAFETY: a decoder has no state of its thread; it is used by one thread at a time because all use is by `&mut self`.
unsafe impl Send for SphinxDecoder {}

impl Drop for SphinxDecoder {
    fn drop(&mut self) {
        // SAFETY: both came from the library and are not used afterwards; null is allowed by both.
        unsafe {
            ffi::ps_free(self.decoder);
            ffi::cmd_ln_free_r(self.config);
        }
    }
}

/// The library writes to the terminal otherwise.
fn silence() {
    static ONCE: Once = Once::new();
    // SAFETY: no callback and no stream are what the library's documentation names for "no log"; done once, before
    // any decoder exists.
    ONCE.call_once(|| unsafe {
        ffi::err_set_logfp(ptr::null_mut());
        ffi::err_set_callback(None, ptr::null_mut());
    });
}

fn c_path(path: &Path) -> Result<CString, HearingError> {
    let text = path.to_str().ok_or_else(|| HearingError::FolderName(path.to_owned()))?;
    CString::new(text).map_err(|_| HearingError::FolderName(path.to_owned()))
}

fn failed(what: &str) -> HearingError {
    HearingError::Start(what.to_owned())
}

impl SphinxDecoder {
    /// Loads the model; with a site its words and its language model are mixed in. `scratch` takes a file for a moment.
    pub(crate) fn load(
        files: &ModelFiles,
        site: Option<&SiteModel>,
        scratch: &Path,
    ) -> Result<Self, HearingError> {
        silence();
        let (acoustic, dictionary) = (c_path(&files.acoustic())?, c_path(&files.dictionary())?);
        let weight =
            CString::new(LANGUAGE_WEIGHT.to_string()).map_err(|_| failed("its settings are wrong"))?;
        let no_argument: *const c_char = ptr::null();
        // SAFETY: every argument is a zero-terminated string that lives through the call, the list ends with null.
        let config = unsafe {
            ffi::cmd_ln_init(
                ptr::null_mut(),
                ffi::ps_args(),
                1,
                c"-hmm".as_ptr(),
                acoustic.as_ptr(),
                c"-dict".as_ptr(),
                dictionary.as_ptr(),
                c"-lw".as_ptr(),
                weight.as_ptr(),
                // The gate in front removes silence; here it would shift the times of words.
                c"-remove_silence".as_ptr(),
                c"no".as_ptr(),
                c"-maxhmmpf".as_ptr(),
                MOST_HYPOTHESES.as_ptr(),
                no_argument,
            )
        };
        if config.is_null() {
            return Err(failed("its settings are wrong"));
        }
        // SAFETY: the configuration is whole; the library keeps its own reference.
        let decoder = unsafe { ffi::ps_init(config) };
        let mut this = Self { decoder, config };
        if this.decoder.is_null() {
            return Err(failed("the acoustic model does not load"));
        }
        this.set_language(files, site, scratch)?;
        Ok(this)
    }

    fn set_language(
        &mut self,
        files: &ModelFiles,
        site: Option<&SiteModel>,
        scratch: &Path,
    ) -> Result<(), HearingError> {
        let general = self.read_model(&files.language(), 2)?;
        let model = match site.filter(|site| !site.is_empty()) {
            None => general,
            Some(site) => {
                self.add_words(site);
                let mixed = self.mix(&general, site, scratch)?;
                drop(general);
                mixed
            }
        };
        // SAFETY: decoder and model are whole; the search takes its own reference to the model.
        let done = unsafe {
            ffi::ps_set_lm(self.decoder, SEARCH.as_ptr(), model.0) == 0
                && ffi::ps_set_search(self.decoder, SEARCH.as_ptr()) == 0
        };
        if done { Ok(()) } else { Err(failed("the language model does not load")) }
    }

    /// A word that the library refuses is only not heard.
    fn add_words(&mut self, site: &SiteModel) {
        for (word, phones) in site.spellings() {
            let (Ok(word), Ok(phones)) = (CString::new(word), CString::new(phones)) else { continue };
            // SAFETY: two zero-terminated strings; no search exists yet that would have to be rebuilt.
            unsafe { ffi::ps_add_word(self.decoder, word.as_ptr(), phones.as_ptr(), 0) };
        }
    }

    fn mix(&mut self, general: &Model, site: &SiteModel, scratch: &Path) -> Result<Model, HearingError> {
        let mut file = tempfile::Builder::new()
            .prefix(".site-")
            .suffix(".arpa")
            .tempfile_in(scratch)
            .map_err(HearingError::Site)?;
        file.write_all(site.arpa()).and_then(|()| file.flush()).map_err(HearingError::Site)?;
        let own = self.read_model(file.path(), 1)?;
        let mut models = [general.0, own.0];
        let mut names = [c"general".as_ptr().cast_mut(), c"site".as_ptr().cast_mut()];
        // The library mixes scores, which are probabilities to the power of the language weight, so the share is
        // raised as they are. General English keeps its full score: anything less would be a price on every word.
        let weights = [1.0, (site.share() / (1.0 - site.share())).powf(LANGUAGE_WEIGHT)];
        // SAFETY: arrays of two, as said; the set copies names and weights and takes its own references.
        let mixed = unsafe {
            ffi::ngram_model_set_init(
                self.config,
                models.as_mut_ptr(),
                names.as_mut_ptr(),
                weights.as_ptr(),
                2,
            )
        };
        if mixed.is_null() { Err(failed("the site's words do not mix in")) } else { Ok(Model(mixed)) }
    }

    /// `kind`: 1 is ARPA text, 2 the library's binary form.
    fn read_model(&self, path: &Path, kind: c_int) -> Result<Model, HearingError> {
        let path = c_path(path)?;
        // SAFETY: decoder, configuration and path are whole; the log table lives as long as the decoder.
        let model = unsafe {
            let log_math = ffi::ps_get_logmath(self.decoder);
            ffi::ngram_model_read(self.config, path.as_ptr(), kind, log_math)
        };
        if model.is_null() { Err(failed("a language model cannot be read")) } else { Ok(Model(model)) }
    }

    /// The words of one utterance: 16 kHz, at most [`MAX_SECONDS`]. Fillers and pauses are left out.
    pub(crate) fn recognise(&mut self, samples: &[i16]) -> Result<Vec<RawWord>, HearingError> {
        let failed = |what: &str| HearingError::Failed(what.to_owned());
        if samples.len() > MAX_SECONDS * crate::RATE as usize {
            return Err(failed("the utterance is too long"));
        }
        // SAFETY: the decoder is whole and idle; the samples live through the call; whole utterance at once, because
        // the library takes the mean of all of it away.
        unsafe {
            if ffi::ps_start_utt(self.decoder) < 0 {
                return Err(failed("an utterance cannot begin"));
            }
            let heard = ffi::ps_process_raw(self.decoder, samples.as_ptr(), samples.len(), 0, 1);
            let ended = ffi::ps_end_utt(self.decoder);
            if heard < 0 || ended < 0 {
                return Err(failed("an utterance was not taken"));
            }
        }
        Ok(self.words())
    }

    /// The part of the library that makes features of sound.
    pub(crate) fn front_end(&self) -> Result<FrontEnd, HearingError> {
        // SAFETY: the decoder is whole; the front end keeps its own reference to the configuration.
        let front = unsafe { ffi::fe_init_auto_r(ffi::ps_get_config(self.decoder)) };
        if front.is_null() {
            return Err(failed("the features of sound are not computed"));
        }
        let front = FrontEnd(front);
        // SAFETY: the front end is whole.
        let fits =
            unsafe { ffi::fe_get_output_size(front.0) == WIDTH as c_int && ffi::fe_start_utt(front.0) == 0 };
        if fits { Ok(front) } else { Err(failed("its features have another size")) }
    }

    /// An utterance begins whose features come piece by piece.
    pub(crate) fn begin(&mut self) -> Result<(), HearingError> {
        // SAFETY: the decoder is whole and idle.
        let begun = unsafe { ffi::ps_start_utt(self.decoder) };
        if begun < 0 { Err(HearingError::Failed("an utterance cannot begin".to_owned())) } else { Ok(()) }
    }

    pub(crate) fn feed(&mut self, features: &mut [Cepstrum]) -> Result<(), HearingError> {
        let mut rows: Vec<*mut f32> = features.iter_mut().map(|row| row.as_mut_ptr()).collect();
        // SAFETY: an utterance has begun; as many rows of the model's width as said, which the library copies.
        let fed = unsafe { ffi::ps_process_cep(self.decoder, rows.as_mut_ptr(), rows.len() as c_int, 0, 0) };
        if fed < 0 { Err(HearingError::Failed("an utterance was not taken".to_owned())) } else { Ok(()) }
    }

    pub(crate) fn end(&mut self) -> Result<Vec<RawWord>, HearingError> {
        // SAFETY: an utterance has begun.
        let ended = unsafe { ffi::ps_end_utt(self.decoder) };
        if ended < 0 {
            return Err(HearingError::Failed("an utterance was not taken".to_owned()));
        }
        Ok(self.words())
    }

    fn words(&mut self) -> Vec<RawWord> {
        let mut words = Vec::new();
        // SAFETY: the iterator is valid until `ps_seg_next` gives null, which also frees it; words are copied before
        // the next step.
        unsafe {
            let log_math = ffi::ps_get_logmath(self.decoder);
            let mut at = ffi::ps_seg_iter(self.decoder);
            while !at.is_null() {
                let (mut start, mut end) = (0, 0);
                ffi::ps_seg_frames(at, &raw mut start, &raw mut end);
                let probability = ffi::ps_seg_prob(at, ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
                let text = ffi::ps_seg_word(at);
                if !text.is_null() {
                    words.push(RawWord {
                        text: CStr::from_ptr(text).to_string_lossy().into_owned(),
                        start_ms: start.max(0) as u64 * FRAME_MS,
                        end_ms: (end.max(0) as u64 + 1) * FRAME_MS,
                        confidence: (ffi::logmath_exp(log_math, probability) as f32).clamp(0.0, 1.0),
                    });
                }
                at = ffi::ps_seg_next(at);
            }
        }
        words.retain(|word| !is_filler(&word.text));
        words
    }
}

/// Numbers that describe 10 ms of sound.
pub(crate) const WIDTH: usize = 13;
pub(crate) type Cepstrum = [f32; WIDTH];

/// Makes features of sound that comes in pieces.
pub(crate) struct FrontEnd(*mut ffi::FrontEnd);

// SAFETY: it has no state of its thread and is used by one at a time because all use is by `&mut self`.
unsafe impl Send for FrontEnd {}

impl Drop for FrontEnd {
    fn drop(&mut self) {
        // SAFETY: it came from the library and is not used afterwards.
        unsafe { ffi::fe_free(self.0) };
    }
}

impl FrontEnd {
    /// Adds the features that these samples complete.
    pub(crate) fn push(&mut self, samples: &[i16], features: &mut Vec<Cepstrum>) -> Result<(), HearingError> {
        let (mut at, mut left) = (samples.as_ptr(), samples.len());
        while left > 0 {
            let mut block = [[0.0_f32; WIDTH]; 32];
            let mut rows = block.each_mut().map(|row| row.as_mut_ptr());
            let (mut count, mut first, before) = (rows.len() as i32, 0, left);
            // SAFETY: `at` and `left` say what is left of the samples; as many rows of the width as `count` says.
            let done = unsafe {
                ffi::fe_process_frames(
                    self.0,
                    &raw mut at,
                    &raw mut left,
                    rows.as_mut_ptr(),
                    &raw mut count,
                    &raw mut first,
                )
            };
            let count = usize::try_from(count).unwrap_or(0).min(block.len());
            if done < 0 || (count == 0 && left == before) {
                return Err(HearingError::Failed("the features of sound are not computed".to_owned()));
            }
            features.extend_from_slice(&block[..count]);
        }
        Ok(())
    }
}

fn is_filler(word: &str) -> bool {
    word.starts_with(['<', '[', '+'])
}

/// A language model that is let go when it is dropped.
struct Model(*mut ffi::NGrams);

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: one reference is ours, and it is given back once.
        unsafe { ffi::ngram_model_free(self.0) };
    }
}
