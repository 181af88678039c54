//! The only code that calls eSpeak NG's C library. It keeps its state in C globals, so exactly one
//! thread may own an `Espeak`; `worker.rs` sees to that. Input comes sanitised (`sanitise.rs`).
#![allow(unsafe_code, reason = "a C library")]

use std::ffi::{CStr, CString, c_int, c_short, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{ptr, slice};

use espeak_rs_sys as sys;
use serde::Serialize;

use crate::SpeechError;

/// A voice as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VoiceInfo {
    /// What `SpeakOptions::voice` takes: the language tag, `en-us`.
    pub id: String,
    /// In words, `English (America)`.
    pub name: String,
    /// Every tag that chooses this voice.
    pub languages: Vec<String>,
    /// For each of them how far the voice is from it; the nearest speaks.
    #[serde(skip)]
    pub(crate) distances: Vec<u8>,
    /// eSpeak's own path of the voice, `gmw/en-US`.
    #[serde(skip)]
    pub(crate) path: String,
}

/// How a clause is spoken; already checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `gmw/en-US` or, with a variant, `gmw/en-US+f3`.
    pub voice: String,
    pub rate: u16,
    pub pitch: u8,
    pub volume: u8,
}

/// Takes a piece of audio; false stops the clause.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&[i16]) -> bool;

pub(crate) struct Espeak {
    data: PathBuf,
    current: Option<Settings>,
    /// Not Send: the library belongs to the thread that opened it.
    thread: PhantomData<*const ()>,
}

const BUFFER_MS: c_int = 60;

impl Espeak {
    pub(crate) fn open(data: &Path, sample_rate: u32) -> Result<Self, SpeechError> {
        set_data_path(data)?;
        // SAFETY: called once, by the owning thread; null context and device are allowed.
        let rate = unsafe {
            check(sys::espeak_ng_Initialize(ptr::null_mut()), "load its data")?;
            let mode = sys::espeak_ng_OUTPUT_MODE_ENOUTPUT_MODE_SYNCHRONOUS;
            check(sys::espeak_ng_InitializeOutput(mode, BUFFER_MS, ptr::null()), "start")?;
            sys::espeak_SetSynthCallback(Some(on_audio));
            sys::espeak_ng_GetSampleRate()
        };
        if u32::try_from(rate) != Ok(sample_rate) {
            return Err(SpeechError::Engine(format!("unexpected sample rate {rate}")));
        }
        Ok(Self { data: data.to_owned(), current: None, thread: PhantomData })
    }

    /// The data may be in another folder than before (its owner went away); it is the same data.
    pub(crate) fn move_to(&mut self, data: &Path) -> Result<(), SpeechError> {
        if self.data != data {
            set_data_path(data)?;
            data.clone_into(&mut self.data);
            self.current = None;
        }
        Ok(())
    }

    #[allow(clippy::unused_self, reason = "who has an `Espeak` may call the library")]
    pub(crate) fn voices(&self) -> Vec<VoiceInfo> {
        let mut voices = Vec::new();
        // SAFETY: the list ends with a null pointer and stays valid until the next call that
        // changes it, which only this thread could make.
        unsafe {
            let mut entry = sys::espeak_ListVoices(ptr::null_mut());
            while !entry.is_null() && !(*entry).is_null() {
                voices.extend(voice_info(&**entry));
                entry = entry.add(1);
            }
        }
        voices.sort_by(|a: &VoiceInfo, b| a.id.cmp(&b.id));
        voices.dedup_by(|a, b| a.id == b.id);
        voices
    }

    /// Speaks one clause. `pause`: end with the silence that its punctuation asks for.
    pub(crate) fn say(
        &mut self,
        text: &CStr,
        settings: &Settings,
        pause: bool,
        sink: Sink<'_>,
    ) -> Result<(), SpeechError> {
        self.apply(settings)?;
        let mut call = Call { sink, panicked: false };
        let flags = sys::espeakCHARS_UTF8 | if pause { sys::espeakENDPAUSE } else { 0 };
        // SAFETY: the text is zero-terminated; `call` outlives this call, which is synchronous,
        // and is used by nobody else meanwhile.
        let status = unsafe {
            sys::espeak_ng_Synthesize(
                text.as_ptr().cast(),
                text.to_bytes_with_nul().len(),
                0,
                sys::espeak_POSITION_TYPE_POS_CHARACTER,
                0,
                flags,
                ptr::null_mut(),
                (&raw mut call).cast(),
            )
        };
        if call.panicked {
            return Err(SpeechError::Engine("the receiver of the audio panicked".into()));
        }
        if status == sys::espeak_ng_STATUS_ENS_SPEECH_STOPPED { Ok(()) } else { check(status, "speak") }
    }

    /// The phonemes of a text in IPA, clause by clause as the library parts it, each with the sign that ends it.
    pub(crate) fn phonemes(
        &mut self,
        text: &CStr,
        voice: &CStr,
    ) -> Result<Vec<(String, Option<char>)>, SpeechError> {
        // The next `say` sets its voice again.
        self.current = None;
        // SAFETY: a zero-terminated string.
        let status = unsafe { sys::espeak_ng_SetVoiceByName(voice.as_ptr()) };
        if status != sys::espeak_ng_STATUS_ENS_OK {
            return Err(SpeechError::UnknownVoice(voice.to_string_lossy().into_owned()));
        }
        let mut clauses = Vec::new();
        let source = text.to_bytes();
        let mut at = text.as_ptr().cast::<c_void>();
        let mut from = 0;
        // Each step takes at least a byte; the limit is for the case that one does not.
        for _ in 0..=source.len() {
            // SAFETY: `at` points into `text`; the library moves it on to the rest, or to null at the end. The
            // answer is a zero-terminated string that lasts until the next call.
            let said = unsafe {
                let said = sys::espeak_TextToPhonemes(
                    &raw mut at,
                    sys::espeakCHARS_UTF8.cast_signed(),
                    sys::espeakPHONEMES_IPA.cast_signed(),
                );
                if said.is_null() {
                    String::new()
                } else {
                    CStr::from_ptr(said).to_string_lossy().into_owned()
                }
            };
            let rest = (at as usize).wrapping_sub(text.as_ptr() as usize);
            let to = if at.is_null() { source.len() } else { rest.clamp(from, source.len()) };
            clauses.push((said, terminator(&source[from..to])));
            from = to;
            if at.is_null() {
                return Ok(clauses);
            }
        }
        Err(SpeechError::Engine("eSpeak NG did not come to the end of a text".into()))
    }

    fn apply(&mut self, settings: &Settings) -> Result<(), SpeechError> {
        if self.current.as_ref() == Some(settings) {
            return Ok(());
        }
        self.current = None;
        let voice = CString::new(settings.voice.as_str())
            .map_err(|_| SpeechError::UnknownVoice(settings.voice.clone()))?;
        // SAFETY: a zero-terminated string; the parameters are inside eSpeak's ranges.
        unsafe {
            check(sys::espeak_ng_SetVoiceByName(voice.as_ptr()), "load the voice")?;
            for (parameter, value) in [
                (sys::espeak_PARAMETER_espeakRATE, c_int::from(settings.rate)),
                (sys::espeak_PARAMETER_espeakPITCH, c_int::from(settings.pitch)),
                (sys::espeak_PARAMETER_espeakVOLUME, c_int::from(settings.volume)),
            ] {
                check(sys::espeak_ng_SetParameter(parameter, value, 0), "set a parameter")?;
            }
        }
        self.current = Some(settings.clone());
        Ok(())
    }
}

/// The sign that ends a piece of text. The library may have looked at the next letter already.
fn terminator(piece: &[u8]) -> Option<char> {
    let piece = String::from_utf8_lossy(piece);
    piece.chars().rev().take(4).find_map(|c| match c {
        '.' | '…' | '。' | '।' => Some('.'),
        '?' | '？' | '؟' => Some('?'),
        '!' | '！' => Some('!'),
        ',' | '，' | '、' | '،' => Some(','),
        ';' | '；' | '؛' => Some(';'),
        ':' | '：' => Some(':'),
        _ => None,
    })
}

fn set_data_path(data: &Path) -> Result<(), SpeechError> {
    let path = data.to_str().and_then(|name| CString::new(name).ok());
    let path = path.ok_or_else(|| SpeechError::FolderName(data.to_owned()))?;
    // SAFETY: a zero-terminated string shorter than eSpeak's buffer (`data.rs` checks).
    unsafe { sys::espeak_ng_InitializePath(path.as_ptr()) };
    Ok(())
}

fn check(status: sys::espeak_ng_STATUS, what: &str) -> Result<(), SpeechError> {
    if status == sys::espeak_ng_STATUS_ENS_OK {
        return Ok(());
    }
    Err(SpeechError::Engine(format!("eSpeak NG could not {what} (status {status:#x})")))
}

/// # Safety
/// The strings of `voice` are null or zero-terminated, as eSpeak gives them.
unsafe fn voice_info(voice: &sys::espeak_VOICE) -> Option<VoiceInfo> {
    if voice.name.is_null() || voice.identifier.is_null() || voice.languages.is_null() {
        return None;
    }
    // SAFETY: checked for null, zero-terminated by the contract above.
    let (name, path) = unsafe {
        (
            CStr::from_ptr(voice.name).to_string_lossy().into_owned(),
            CStr::from_ptr(voice.identifier).to_string_lossy().into_owned(),
        )
    };
    // One byte of priority before each tag, an empty one at the end.
    let (mut languages, mut distances) = (Vec::new(), Vec::new());
    let mut at = voice.languages;
    // SAFETY: the list ends with a zero byte in the place of a priority.
    unsafe {
        while *at != 0 {
            let tag = CStr::from_ptr(at.add(1));
            distances.push((*at).cast_unsigned());
            languages.push(tag.to_string_lossy().to_lowercase());
            at = at.add(tag.to_bytes().len() + 2);
        }
    }
    Some(VoiceInfo { id: languages.first()?.clone(), name, languages, distances, path })
}

struct Call<'a> {
    sink: Sink<'a>,
    panicked: bool,
}

/// eSpeak gives a piece of audio, or null at the end; the answer 1 stops it.
unsafe extern "C" fn on_audio(audio: *mut c_short, count: c_int, events: *mut sys::espeak_EVENT) -> c_int {
    if audio.is_null() || events.is_null() || count <= 0 {
        return 0;
    }
    // SAFETY: `user_data` is the `Call` that `say` holds on its stack during this call, and the
    // buffer has `count` samples.
    let (call, samples) = unsafe {
        let user: *mut c_void = (*events).user_data;
        let Some(call) = user.cast::<Call<'_>>().as_mut() else { return 1 };
        (call, slice::from_raw_parts(audio.cast_const(), count as usize))
    };
    // A panic must not pass through C.
    if let Ok(go_on) = catch_unwind(AssertUnwindSafe(|| (call.sink)(samples))) {
        c_int::from(!go_on)
    } else {
        call.panicked = true;
        1
    }
}
