//! What comes in and goes out of speech, lexicon and preferences.

use std::collections::BTreeMap;

use lectern_edge::Validate;
use lectern_kernel::{FieldError, LexiconId, Timestamp};
use lectern_speech::{MAX_TEXT_CHARS, phonemes};
use serde::{Deserialize, Deserializer, Serialize};

use crate::stream::SoundFormat;

const MAX_WORD: usize = 64;
const MAX_VALUE: usize = 160;
/// Entries that a request may bring to be tried.
const MAX_TRIED: usize = 100;
/// Bytes of markup around a text.
const MAX_SSML: usize = 4 * MAX_TEXT_CHARS;

/// What makes the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    Espeak,
    Piper,
}

/// A voice that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct VoiceView {
    /// What requests and settings name it by: `en-us`, `piper/NAME`.
    pub id: String,
    pub name: String,
    pub engine: Engine,
    /// BCP 47, lower case.
    pub languages: Vec<String>,
    /// Names for `piper/NAME#SPEAKER`; empty when it has one.
    pub speakers: Vec<String>,
    /// Of the voice itself; what is sent always has 22,050.
    pub sample_rate: u32,
    /// `x_low`, `low`, `medium` or `high`.
    pub quality: Option<String>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct VoiceList {
    pub voices: Vec<VoiceView>,
}

/// A text to be spoken.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSpeech {
    /// 1–100,000 characters; this or `ssml`.
    #[serde(default)]
    pub text: Option<String>,
    /// A subset of SSML: speak, p, s, break, prosody rate, say-as, sub, lang.
    #[serde(default)]
    pub ssml: Option<String>,
    /// Id of a voice; absent: by settings and language.
    #[serde(default)]
    pub voice: Option<String>,
    /// BCP 47; absent: found out for each sentence.
    #[serde(default)]
    pub language: Option<String>,
    /// One of the voice's speakers.
    #[serde(default)]
    pub speaker: Option<String>,
    /// Words a minute, 80–450; 170 is a voice's own speed.
    #[serde(default)]
    pub rate: Option<u32>,
    /// 0–2: how lively a Piper voice is.
    #[serde(default)]
    pub noise: Option<f32>,
    #[serde(default)]
    pub format: SoundFormat,
    /// Pronunciations to try, over those that are saved.
    #[serde(default)]
    pub lexicon: Vec<NewLexiconEntry>,
}

pub(crate) fn wrong(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message: message.into() }
}

/// Names of voices and languages go into paths and C strings further on.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "-_+.#/ ()".contains(c);
    !text.is_empty() && text.chars().count() <= 160 && text.chars().all(plain) && !text.contains("..")
}

fn is_language(text: &str) -> bool {
    (2..=35).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

pub(crate) fn check_sound(
    voice: Option<&str>,
    language: Option<&str>,
    rate: Option<u32>,
    out: &mut Vec<FieldError>,
) {
    if voice.is_some_and(|voice| !is_name(voice)) {
        out.push(wrong("voice", "must be the id of a voice, as in \"en-gb\" or \"piper/NAME\""));
    }
    if language.is_some_and(|language| !is_language(language)) {
        out.push(wrong("language", "must be a language tag, as in \"de\" or \"pt-BR\""));
    }
    if rate.is_some_and(|rate| !(80..=450).contains(&rate)) {
        out.push(wrong("rate", "must be between 80 and 450"));
    }
}

impl Validate for NewSpeech {
    fn validate(&self) -> Vec<FieldError> {
        let mut out = Vec::new();
        check_sound(self.voice.as_deref(), self.language.as_deref(), self.rate, &mut out);
        match (&self.text, &self.ssml) {
            (Some(_), Some(_)) | (None, None) => out.push(wrong("text", "give either text or ssml")),
            (Some(text), None) if text.trim().is_empty() => out.push(wrong("text", "must not be empty")),
            (Some(text), None) if text.chars().nth(MAX_TEXT_CHARS).is_some() => {
                out.push(wrong("text", "may have 100,000 characters at most"));
            }
            (None, Some(ssml)) if ssml.len() > MAX_SSML => {
                out.push(wrong("ssml", "may have 400,000 bytes at most"));
            }
            _ => {}
        }
        if self.speaker.as_deref().is_some_and(|speaker| !is_name(speaker)) {
            out.push(wrong("speaker", "must be the name of one of the voice's speakers"));
        }
        if self.noise.is_some_and(|noise| !(0.0..=2.0).contains(&noise)) {
            out.push(wrong("noise", "must be between 0 and 2"));
        }
        if self.lexicon.len() > MAX_TRIED {
            out.push(wrong("lexicon", "may have 100 entries at most"));
        }
        let tried = self.lexicon.iter().flat_map(Validate::validate);
        out.extend(tried.map(|field| FieldError { field: format!("lexicon.{}", field.field), ..field }));
        out
    }
}

/// How an answer is to sound; absent is as set.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SoundQuery {
    #[serde(default)]
    #[param(inline)]
    pub format: SoundFormat,
    /// Id of a voice.
    #[serde(default)]
    pub voice: Option<String>,
    /// Words a minute, 80–450.
    #[serde(default)]
    pub rate: Option<u32>,
    /// Say after each sentence where it stands.
    #[serde(default)]
    pub citations: Option<bool>,
}

/// How a word is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LexiconKind {
    /// Written so that a voice reads it right.
    #[default]
    Respelling,
    /// In eSpeak NG's notation.
    Phonemes,
}

impl LexiconKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Respelling => "respelling",
            Self::Phonemes => "phonemes",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Respelling, Self::Phonemes].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A word and how it is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLexiconEntry {
    /// 1–64 characters; a whole word, or several.
    pub word: String,
    /// ISO 639-1; absent for all languages.
    #[serde(default)]
    pub language: Option<String>,
    #[serde(default)]
    pub kind: LexiconKind,
    /// The respelling, or phonemes such as `l'Ekt@n`.
    pub value: String,
    #[serde(default)]
    pub case_sensitive: bool,
}

impl Validate for NewLexiconEntry {
    fn validate(&self) -> Vec<FieldError> {
        let mut out = Vec::new();
        let word = self.word.trim();
        if word.is_empty() || word.chars().nth(MAX_WORD).is_some() || word.chars().any(char::is_control) {
            out.push(wrong("word", "must have 1 to 64 characters"));
        }
        let code = |l: &String| l.len() == 2 && l.bytes().all(|b| b.is_ascii_lowercase());
        if !self.language.as_ref().is_none_or(code) {
            out.push(wrong("language", "must be a two-letter language code, as in \"de\""));
        }
        let value = self.value.trim();
        if value.is_empty() || value.chars().nth(MAX_VALUE).is_some() || value.chars().any(char::is_control) {
            out.push(wrong("value", "must have 1 to 160 characters"));
        } else if self.kind == LexiconKind::Phonemes
            && let Err(what) = phonemes(value)
        {
            out.push(wrong("value", what));
        }
        out
    }
}

/// A saved pronunciation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LexiconView {
    pub id: LexiconId,
    pub word: String,
    pub language: Option<String>,
    pub kind: LexiconKind,
    pub value: String,
    pub case_sensitive: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Null where null is meant, absent where nothing is.
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Changes of a pronunciation.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchLexiconEntry {
    #[serde(default)]
    pub word: Option<String>,
    /// Null for all languages.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub language: Option<Option<String>>,
    #[serde(default)]
    pub kind: Option<LexiconKind>,
    #[serde(default)]
    pub value: Option<String>,
    #[serde(default)]
    pub case_sensitive: Option<bool>,
}

impl Validate for PatchLexiconEntry {}

#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LexiconQuery {
    /// Beginning of the word.
    #[serde(default)]
    pub q: Option<String>,
    /// Only entries for this language and for all.
    #[serde(default)]
    pub language: Option<String>,
    /// At most this many items, 1–500; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LexiconImport {
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// Lines that were left out.
    pub problems: Vec<LineProblem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineProblem {
    pub line: usize,
    pub message: String,
}

/// What somebody has set for themselves, and what comes of it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PreferencesView {
    /// Voices by ISO 639-1 code.
    pub voices: BTreeMap<String, String>,
    pub rate: Option<u32>,
    pub speak_citations: Option<bool>,
    pub in_force: InForce,
}

/// Own settings over the site's.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InForce {
    /// For texts of its language, and of none that is known.
    pub voice: Option<String>,
    pub voices: BTreeMap<String, String>,
    pub rate: u32,
    pub speak_citations: bool,
}

/// Changes: what is absent stays, null is the site's.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchPreferences {
    #[serde(default)]
    pub voices: BTreeMap<String, Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>)]
    pub rate: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<bool>)]
    pub speak_citations: Option<Option<bool>>,
}

impl Validate for PatchPreferences {
    fn validate(&self) -> Vec<FieldError> {
        let mut out = Vec::new();
        for (language, voice) in &self.voices {
            if language.len() != 2 || !language.bytes().all(|b| b.is_ascii_lowercase()) {
                out.push(wrong("voices", "are named by two-letter language codes"));
            }
            check_sound(voice.as_deref(), None, None, &mut out);
        }
        check_sound(None, None, self.rate.flatten(), &mut out);
        if self.voices.len() > 100 {
            out.push(wrong("voices", "may have 100 languages at most"));
        }
        out
    }
}
