//! Speaks clauses with a Piper voice: phonemes from eSpeak's thread, sound from the model, both to be stopped at any time.

use std::ffi::CString;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use lectern_audio::Resampler;
use lectern_neural::ort::session::RunOptions;

use crate::clause::Clause;
use crate::lexicon::for_engine;
use crate::piper::{Manner, PiperVoice};
use crate::sanitise::is_speakable;
use crate::synth::SAMPLE_RATE;
use crate::{SpeechError, piper_ids, worker};

/// How often a wait looks whether it is to end.
const TICK: Duration = Duration::from_millis(10);
/// Samples that a receiver gets at once: 60 ms, as from eSpeak.
const PIECE: usize = 1_323;
/// Samples of silence after a sentence, and after a part of one that ends with a sign.
const AFTER_SENTENCE: usize = 4_410;
const AFTER_PART: usize = 882;

pub(crate) type Sink<'a> = &'a mut dyn FnMut(&[i16]) -> ControlFlow<()>;

pub(crate) struct Speaker {
    pub voice: Arc<PiperVoice>,
    pub manner: Manner,
    /// 1 leaves the sound as loud as it is.
    pub volume: f32,
}

/// None: the clause has nothing to say. Break: the receiver or `stop` ended it.
pub(crate) fn speak(
    speaker: &Speaker,
    clause: &Clause,
    data: &Path,
    stop: &AtomicBool,
    sink: Sink<'_>,
) -> Result<Option<ControlFlow<(), u64>>, SpeechError> {
    let Some(ids) = read(speaker, clause, data)? else { return Ok(None) };
    let Some(samples) = synthesise(speaker, ids, stop)? else { return Ok(Some(ControlFlow::Break(()))) };
    let mut sound = to_pcm(speaker, samples)?;
    let signed = clause.text.trim_end().ends_with(|c: char| !c.is_alphanumeric());
    let silence = match (clause.ends_sentence, signed) {
        (true, _) => AFTER_SENTENCE,
        (false, true) => AFTER_PART,
        (false, false) => 0,
    };
    sound.resize(sound.len() + silence, 0);
    for piece in sound.chunks(PIECE) {
        if stop.load(Ordering::Relaxed) || sink(piece).is_break() {
            return Ok(Some(ControlFlow::Break(())));
        }
    }
    Ok(Some(ControlFlow::Continue(sound.len() as u64)))
}

fn read(speaker: &Speaker, clause: &Clause, data: &Path) -> Result<Option<Vec<i64>>, SpeechError> {
    let text = for_engine(&clause.text);
    let text = text.trim();
    if !is_speakable(text) {
        return Ok(None);
    }
    let phonemes = phonemise(text, &speaker.voice.info().espeak_voice, data)?;
    Ok(piper_ids::says_something(&phonemes).then(|| speaker.voice.ids(&phonemes)))
}

pub(crate) fn phonemise(text: &str, voice: &str, data: &Path) -> Result<String, SpeechError> {
    let c_text = |text: &str| CString::new(text.replace('\0', " ")).expect("zeros are gone");
    let reading = worker::Reading { data: data.to_owned(), text: c_text(text), voice: c_text(voice) };
    Ok(piper_ids::phonemes(&worker::phonemes(reading)?, voice))
}

/// None when it was stopped. The run has a thread of its own, so that a stop need not wait for it to notice.
fn synthesise(speaker: &Speaker, ids: Vec<i64>, stop: &AtomicBool) -> Result<Option<Vec<f32>>, SpeechError> {
    let failed = |error: String| SpeechError::Engine(format!("the voice could not speak: {error}"));
    let options = Arc::new(RunOptions::new().map_err(|error| failed(error.to_string()))?);
    let (tx, rx) = mpsc::sync_channel(1);
    let (voice, manner, own) = (Arc::clone(&speaker.voice), speaker.manner, Arc::clone(&options));
    std::thread::Builder::new()
        .name("piper".into())
        .spawn(move || {
            // Nobody waits any more when it was stopped.
            let _ = tx.send(voice.run(ids, manner, &own));
        })
        .map_err(|error| failed(format!("no thread: {error}")))?;
    loop {
        match rx.recv_timeout(TICK) {
            Ok(result) => return result.map(Some).map_err(failed),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(failed("its thread ended".into())),
            Err(mpsc::RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => {
                options.terminate().map_err(|error| failed(error.to_string()))?;
                return Ok(None);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

fn to_pcm(speaker: &Speaker, samples: Vec<f32>) -> Result<Vec<i16>, SpeechError> {
    let rate = speaker.voice.info().sample_rate;
    let samples = if rate == SAMPLE_RATE { samples } else { resampled(&samples, rate)? };
    let scale = speaker.volume * f32::from(i16::MAX);
    let loud = |sample: f32| (sample * scale).clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16;
    Ok(samples.into_iter().map(loud).collect())
}

fn resampled(samples: &[f32], rate: u32) -> Result<Vec<f32>, SpeechError> {
    let failed = |error: lectern_audio::AudioError| SpeechError::Engine(error.to_string());
    let mut resampler = Resampler::new(rate, SAMPLE_RATE).map_err(failed)?;
    let mut out = resampler.push(samples).map_err(failed)?;
    out.extend(resampler.finish().map_err(failed)?);
    Ok(out)
}
