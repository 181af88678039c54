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
/// Pieces that may be made before they are taken.
const AHEAD: usize = 2;

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
    let mut out = Output { speaker, resampler: resampler(speaker)?, left: Vec::new(), sent: 0, stop, sink };
    if synthesise(speaker, ids, stop, &mut |samples| out.push(samples))?.is_break() {
        return Ok(Some(ControlFlow::Break(())));
    }
    let signed = clause.text.trim_end().ends_with(|c: char| !c.is_alphanumeric());
    let silence = match (clause.ends_sentence, signed) {
        (true, _) => AFTER_SENTENCE,
        (false, true) => AFTER_PART,
        (false, false) => 0,
    };
    Ok(Some(out.finish(silence)?.map_continue(|()| out.sent)))
}

/// From the voice's samples to those that are heard, in pieces.
struct Output<'a> {
    speaker: &'a Speaker,
    /// None for a voice that has the rate of what is heard.
    resampler: Option<Resampler>,
    /// Not yet enough for a piece.
    left: Vec<i16>,
    sent: u64,
    stop: &'a AtomicBool,
    sink: Sink<'a>,
}

impl Output<'_> {
    fn push(&mut self, samples: &[f32]) -> Result<ControlFlow<()>, SpeechError> {
        match &mut self.resampler {
            Some(resampler) => {
                let samples = resampler.push(samples).map_err(unheard)?;
                self.keep(&samples);
            }
            None => self.keep(samples),
        }
        let whole = self.left.len() / PIECE * PIECE;
        Ok(self.send(whole))
    }

    fn finish(&mut self, silence: usize) -> Result<ControlFlow<()>, SpeechError> {
        if let Some(mut resampler) = self.resampler.take() {
            let samples = resampler.finish().map_err(unheard)?;
            self.keep(&samples);
        }
        self.left.resize(self.left.len() + silence, 0);
        Ok(self.send(self.left.len()))
    }

    fn keep(&mut self, samples: &[f32]) {
        let scale = self.speaker.volume * f32::from(i16::MAX);
        let loud = |sample: &f32| (sample * scale).clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16;
        self.left.extend(samples.iter().map(loud));
    }

    fn send(&mut self, count: usize) -> ControlFlow<()> {
        let sent: Vec<i16> = self.left.drain(..count).collect();
        for piece in sent.chunks(PIECE) {
            if self.stop.load(Ordering::Relaxed) || (self.sink)(piece).is_break() {
                return ControlFlow::Break(());
            }
            self.sent += piece.len() as u64;
        }
        ControlFlow::Continue(())
    }
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

/// Takes what was made; may have enough.
type Taker<'a> = &'a mut dyn FnMut(&[f32]) -> Result<ControlFlow<()>, SpeechError>;

/// The run has a thread of its own, so that a stop need not wait for it to notice.
fn synthesise(
    speaker: &Speaker,
    ids: Vec<i64>,
    stop: &AtomicBool,
    take: Taker<'_>,
) -> Result<ControlFlow<()>, SpeechError> {
    let failed = |error: String| SpeechError::Engine(format!("the voice could not speak: {error}"));
    let options = Arc::new(RunOptions::new().map_err(|error| failed(error.to_string()))?);
    let (tx, rx) = mpsc::sync_channel(AHEAD);
    let (voice, manner, own) = (Arc::clone(&speaker.voice), speaker.manner, Arc::clone(&options));
    std::thread::Builder::new()
        .name("piper".into())
        .spawn(move || {
            // Nobody waits any more when it was stopped.
            let mut send = |piece: &[f32]| match tx.send(Ok(Some(piece.to_vec()))) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            let ended = voice.run(ids, manner, &own, &mut send);
            let _ = tx.send(ended.map(|_| None));
        })
        .map_err(|error| failed(format!("no thread: {error}")))?;
    let end = || options.terminate().map_err(|error| failed(error.to_string()));
    loop {
        let taken = match rx.recv_timeout(TICK) {
            Ok(piece) => match piece.map_err(failed)? {
                Some(piece) => take(&piece)?,
                None => return Ok(ControlFlow::Continue(())),
            },
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(failed("its thread ended".into())),
            Err(mpsc::RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => ControlFlow::Break(()),
            Err(mpsc::RecvTimeoutError::Timeout) => ControlFlow::Continue(()),
        };
        if taken.is_break() {
            end()?;
            return Ok(ControlFlow::Break(()));
        }
    }
}

fn resampler(speaker: &Speaker) -> Result<Option<Resampler>, SpeechError> {
    let rate = speaker.voice.info().sample_rate;
    (rate != SAMPLE_RATE).then(|| Resampler::new(rate, SAMPLE_RATE).map_err(unheard)).transpose()
}

fn unheard(error: lectern_audio::AudioError) -> SpeechError {
    SpeechError::Engine(error.to_string())
}
