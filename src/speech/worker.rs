//! The one thread that owns eSpeak. Requests queue by clause, first come first served; a stream has
//! one clause in the queue at a time, so parallel streams take turns.

use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use crate::SpeechError;
use crate::espeak::{Espeak, Settings, VoiceInfo};
use crate::synth::SAMPLE_RATE;

/// More clauses waiting than this are refused: nobody would wait for them.
const MAX_WAITING: usize = 256;

pub(crate) enum Piece {
    Audio(Vec<i16>),
    Done(Result<(), SpeechError>),
}

pub(crate) struct Clause {
    pub data: PathBuf,
    pub text: CString,
    pub settings: Settings,
    pub pause: bool,
    pub stop: Arc<AtomicBool>,
}

/// The phonemes of a clause and the sign after each part of it.
pub(crate) type Phonemes = Vec<(String, Option<char>)>;

pub(crate) struct Reading {
    pub data: PathBuf,
    pub text: CString,
    /// eSpeak's name of the voice, as Piper's configurations have it.
    pub voice: CString,
}

enum Request {
    Phonemes(Reading, Sender<Result<Phonemes, SpeechError>>),
    Say(Clause, Sender<Piece>),
    Voices(PathBuf, Sender<Result<Vec<VoiceInfo>, SpeechError>>),
}

/// eSpeak is global in the process, so the way to it is too.
static WORKER: Mutex<Option<Sender<Request>>> = Mutex::new(None);
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Queues a clause; its audio comes piece by piece, then `Done`. The pieces wait without a limit of
/// their own: a clause is short, and a slow listener must not hold up the others.
pub(crate) fn say(clause: Clause) -> Result<Receiver<Piece>, SpeechError> {
    let (tx, rx) = mpsc::channel();
    send(Request::Say(clause, tx))?;
    Ok(rx)
}

pub(crate) fn voices(data: PathBuf) -> Result<Vec<VoiceInfo>, SpeechError> {
    let (tx, rx) = mpsc::channel();
    send(Request::Voices(data, tx))?;
    rx.recv().unwrap_or_else(|_| Err(gone()))
}

pub(crate) fn phonemes(reading: Reading) -> Result<Phonemes, SpeechError> {
    let (tx, rx) = mpsc::channel();
    send(Request::Phonemes(reading, tx))?;
    rx.recv().unwrap_or_else(|_| Err(gone()))
}

pub(crate) fn gone() -> SpeechError {
    SpeechError::Engine("its thread ended; the next request starts it again".into())
}

fn send(request: Request) -> Result<(), SpeechError> {
    if WAITING.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
        WAITING.fetch_sub(1, Ordering::Relaxed);
        return Err(SpeechError::Busy { limit: MAX_WAITING });
    }
    let mut worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner);
    let request = match worker.as_ref() {
        None => request,
        Some(queue) => match queue.send(request) {
            Ok(()) => return Ok(()),
            Err(mpsc::SendError(request)) => request,
        },
    };
    // The first request, or the thread is gone.
    let (tx, rx) = mpsc::channel();
    std::thread::Builder::new()
        .name("espeak".into())
        .spawn(move || run(&rx))
        .map_err(|error| SpeechError::Engine(format!("no thread: {error}")))?;
    WAITING.store(1, Ordering::Relaxed);
    tx.send(request).map_err(|_| gone())?;
    *worker = Some(tx);
    Ok(())
}

fn run(queue: &Receiver<Request>) {
    let mut engine = None;
    while let Ok(request) = queue.recv() {
        WAITING.fetch_sub(1, Ordering::Relaxed);
        let outcome = catch_unwind(AssertUnwindSafe(|| serve(&mut engine, request)));
        if outcome.is_err() {
            tracing::error!("a request to the speech engine panicked");
        }
    }
}

fn serve(engine: &mut Option<Espeak>, request: Request) {
    match request {
        Request::Voices(data, reply) => {
            // A caller that went away needs no answer; so below.
            let _ = reply.send(ready(engine, &data).map(|espeak| espeak.voices()));
        }
        Request::Phonemes(reading, reply) => {
            let phonemes = ready(engine, &reading.data)
                .and_then(|espeak| espeak.phonemes(&reading.text, &reading.voice));
            let _ = reply.send(phonemes);
        }
        Request::Say(clause, reply) => {
            let _ = reply.send(Piece::Done(speak(engine, &clause, &reply)));
        }
    }
}

fn speak(engine: &mut Option<Espeak>, clause: &Clause, reply: &Sender<Piece>) -> Result<(), SpeechError> {
    if clause.stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    let espeak = ready(engine, &clause.data)?;
    espeak.say(&clause.text, &clause.settings, clause.pause, &mut |samples| {
        !clause.stop.load(Ordering::Relaxed) && reply.send(Piece::Audio(samples.to_vec())).is_ok()
    })
}

fn ready<'a>(engine: &'a mut Option<Espeak>, data: &Path) -> Result<&'a mut Espeak, SpeechError> {
    if engine.is_none() {
        *engine = Some(Espeak::open(data, SAMPLE_RATE)?);
    }
    let espeak = engine.as_mut().expect("opened above");
    espeak.move_to(data)?;
    Ok(espeak)
}
