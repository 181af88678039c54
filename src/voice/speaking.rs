//! Lines to sound: clause after clause, each once and in order, no further ahead than it is listened to.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lectern_kernel::{Code, Error, Result, Scope};
use lectern_speech::{SAMPLE_RATE, SpeakOptions, SpeechError, sample_bytes, wav_header};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::Voice;
use crate::cache::Shelf;
use crate::choice::{Plan, Prepared};
use crate::error::told;
use crate::line::{Line, Lines, Said};
use crate::meter::Meter;

/// Clauses that are made before the first of them was taken.
const AHEAD: usize = 4;
/// A listener that takes nothing for so long has gone away without a word.
const STALLED: Duration = Duration::from_mins(2);
/// How long a clause waits for its turn.
const WAIT: Duration = Duration::from_secs(60);
/// Bytes of a WAV file before its samples.
const HEADER: usize = 44;

/// A clause that begins to sound.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub index: usize,
    pub sentence: usize,
    pub citation: bool,
    pub text: String,
    pub language: Option<String>,
    pub voice: String,
    /// When its synthesis began.
    pub begun_ms: f64,
}

/// A clause that was spoken. Times are milliseconds since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct PartTrace {
    pub index: usize,
    /// Its text was there.
    pub text_ready_ms: f64,
    pub synthesis_started_ms: f64,
    pub first_audio_ms: f64,
    pub done_ms: f64,
    /// It was spoken before.
    pub cached: bool,
}

#[derive(Debug)]
pub(crate) enum Sound {
    Begin(Head),
    Samples(Vec<i16>),
    /// `name` under which the cache holds it.
    End {
        name: Option<String>,
        trace: PartTrace,
    },
    /// The end of all.
    Over,
    /// The end, for this reason.
    Failed(Error),
}

/// Ends the work on a sound, for those who wait and for those who compute.
#[derive(Debug, Clone, Default)]
struct Stop {
    token: CancellationToken,
    flag: Arc<AtomicBool>,
}

impl Stop {
    fn now(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.token.cancel();
    }

    fn is_on(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }
}

/// Sound on its way. Dropping it stops the voice.
pub(crate) struct Speaking {
    sounds: mpsc::UnboundedReceiver<Sound>,
    room: Arc<Semaphore>,
    stop: Stop,
    pub started: Instant,
    meter: Meter,
}

impl Drop for Speaking {
    fn drop(&mut self) {
        self.stop.now();
    }
}

impl Speaking {
    /// None after the end.
    pub(crate) async fn next(&mut self) -> Option<Sound> {
        let sound = self.sounds.recv().await?;
        Some(self.taken(sound))
    }

    /// None when nothing is there now.
    pub(crate) fn next_now(&mut self) -> Option<Sound> {
        let sound = self.sounds.try_recv().ok()?;
        Some(self.taken(sound))
    }

    fn taken(&self, sound: Sound) -> Sound {
        match &sound {
            Sound::End { .. } => self.room.add_permits(1),
            Sound::Samples(samples) => self.meter.add_samples(samples.len()),
            _ => {}
        }
        sound
    }
}

pub(crate) fn tenth(milliseconds: f64) -> f64 {
    (milliseconds * 10.0).round() / 10.0
}

pub(crate) fn since(started: Instant) -> f64 {
    tenth(started.elapsed().as_secs_f64() * 1000.0)
}

impl Voice {
    /// Speaks the lines. With `keep` each clause is in the cache when it ends.
    pub(crate) fn speak(&self, scope: &Scope, plan: Plan, lines: Lines, keep: bool) -> Speaking {
        let (sender, sounds) = mpsc::unbounded_channel();
        let (room, stop) = (Arc::new(Semaphore::new(AHEAD)), Stop::default());
        let started = Instant::now();
        let run = Run {
            voice: self.clone(),
            scope: scope.clone(),
            plan,
            keep,
            sender: sender.clone(),
            room: Arc::clone(&room),
            stop: stop.clone(),
            started,
            index: 0,
            spoken: 0,
        };
        tokio::spawn(async move {
            if let Err(error) = run.all(lines).await {
                // Nobody there to hear of it is fine.
                let _ = sender.send(Sound::Failed(error));
            }
        });
        let meter = Meter::new(self.quota.get(), scope);
        Speaking { sounds, room, stop, started, meter }
    }
}

struct Run {
    voice: Voice,
    scope: Scope,
    plan: Plan,
    keep: bool,
    sender: mpsc::UnboundedSender<Sound>,
    room: Arc<Semaphore>,
    stop: Stop,
    started: Instant,
    index: usize,
    /// Characters.
    spoken: usize,
}

impl Run {
    async fn all(mut self, mut lines: Lines) -> Result<()> {
        loop {
            let line = tokio::select! {
                biased;
                () = self.stop.token.cancelled() => return Ok(()),
                line = lines.next() => line,
            };
            match line {
                Some(Line::Say(said)) => self.say(&said).await?,
                Some(Line::Rest(ms)) => self.send(Sound::Samples(silence(ms))),
                Some(Line::Over) => {
                    self.send(Sound::Over);
                    return Ok(());
                }
                Some(Line::Failed(failure)) => return Err(failure.into()),
                None => return Err(Error::internal("the text ended without its end")),
            }
        }
    }

    fn send(&self, sound: Sound) {
        // A listener that is gone has cancelled `stop`.
        let _ = self.sender.send(sound);
    }

    async fn say(&mut self, said: &Said) -> Result<()> {
        let ready = since(self.started);
        let language = said.language.as_deref();
        let mut clauses = self.plan.prepare(&said.text, language, said.rate, self.spoken);
        clauses.extend(self.plan.citations(language, &said.citations));
        for clause in clauses {
            if self.stop.is_on() {
                return Ok(());
            }
            self.spoken += clause.text.chars().count();
            self.clause(clause, said.sentence, ready).await?;
        }
        Ok(())
    }

    async fn clause(&mut self, clause: Prepared, sentence: usize, ready: f64) -> Result<()> {
        if !clause.text.chars().any(char::is_alphanumeric) {
            return Ok(());
        }
        let room = tokio::time::timeout(STALLED, self.room.acquire());
        let turn = tokio::select! {
            () = self.stop.token.cancelled() => return Ok(()),
            room = room => {
                let Ok(Ok(room)) = room else {
                    self.stop.now();
                    return Ok(());
                };
                room.forget();
                self.voice.turn().await?
            }
        };
        let work = Work {
            head: Head {
                index: self.index,
                sentence,
                citation: clause.citation,
                text: clause.text.trim().to_owned(),
                language: clause.language.clone(),
                voice: clause.voice.clone(),
                begun_ms: 0.0,
            },
            clause,
            voice: self.voice.clone(),
            scope: self.scope.clone(),
            keep: self.keep,
            sender: self.sender.clone(),
            stop: self.stop.clone(),
            started: self.started,
            ready,
        };
        let spoken = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work.run()
        });
        if spoken.await.map_err(Error::internal)?? {
            self.index += 1;
        } else {
            self.room.add_permits(1);
        }
        Ok(())
    }
}

/// One clause, off the async threads.
struct Work {
    head: Head,
    clause: Prepared,
    voice: Voice,
    scope: Scope,
    keep: bool,
    sender: mpsc::UnboundedSender<Sound>,
    stop: Stop,
    started: Instant,
    ready: f64,
}

impl Work {
    /// False when the clause has nothing to say.
    fn run(mut self) -> Result<bool> {
        let shelf = self.voice.cache.shelf(&self.scope)?;
        let name = name(&shelf, &self.clause);
        let begun = since(self.started);
        self.head.begun_ms = begun;
        let mut trace = PartTrace {
            index: self.head.index,
            text_ready_ms: self.ready,
            synthesis_started_ms: begun,
            first_audio_ms: begun,
            done_ms: begun,
            cached: true,
        };
        if let Some(samples) = cached(&shelf, &name) {
            trace.done_ms = since(self.started);
            self.tell(Sound::Begin(self.head.clone()));
            self.tell(Sound::Samples(samples));
            self.tell(Sound::End { name: Some(name), trace });
            return Ok(true);
        }
        trace.cached = false;
        let Some(samples) = self.synthesize(&mut trace)? else { return Ok(false) };
        if self.stop.is_on() {
            return Ok(true);
        }
        let name = self.keep.then_some(name);
        if let Some(name) = &name {
            shelf.keep(name, "wav", &wav(&samples))?;
        }
        trace.done_ms = since(self.started);
        self.tell(Sound::End { name, trace });
        Ok(true)
    }

    fn tell(&self, sound: Sound) {
        let _ = self.sender.send(sound);
    }

    fn synthesize(&self, trace: &mut PartTrace) -> Result<Option<Vec<i16>>> {
        let mut all: Vec<i16> = Vec::new();
        let mut sink = |samples: &[i16]| {
            if self.stop.is_on() {
                return ControlFlow::Break(());
            }
            if all.is_empty() && !samples.is_empty() {
                trace.first_audio_ms = since(self.started);
                self.tell(Sound::Begin(self.head.clone()));
            }
            all.extend_from_slice(samples);
            self.tell(Sound::Samples(samples.to_vec()));
            ControlFlow::Continue(())
        };
        let said = std::slice::from_ref(&self.clause.said);
        let options = &SpeakOptions { eager: self.head.index == 0, ..self.clause.options.clone() };
        let spoken = match self.voice.synthesizer.speak_clauses(said, options, &self.stop.flag, &mut sink) {
            // The voice may have been taken away since it was chosen: better another voice than none.
            Err(SpeechError::UnknownVoice(voice)) if options.voice.is_some() && !self.clause.asked => {
                tracing::warn!(voice, "there is no such voice; the text's language chooses one");
                let options = SpeakOptions { voice: None, ..options.clone() };
                self.voice.synthesizer.speak_clauses(said, &options, &self.stop.flag, &mut sink)
            }
            other => other,
        };
        match spoken {
            Ok(_) | Err(SpeechError::Empty) => Ok((!all.is_empty()).then_some(all)),
            Err(error) => Err(told(error)),
        }
    }
}

fn name(shelf: &Shelf, clause: &Prepared) -> String {
    let options = &clause.options;
    let fields = [
        "1",
        options.voice.as_deref().unwrap_or_default(),
        options.language.as_deref().unwrap_or_default(),
        &format!("{options:?}"),
        &format!("{:?}", clause.said),
    ];
    shelf.name(&fields.map(str::as_bytes))
}

fn cached(shelf: &Shelf, name: &str) -> Option<Vec<i16>> {
    samples_of(&std::fs::read(shelf.find(name, "wav")?).ok()?)
}

/// The samples of a WAV file that [`wav`] made.
pub(crate) fn samples_of(wav: &[u8]) -> Option<Vec<i16>> {
    let samples = wav.get(HEADER..).filter(|samples| !samples.is_empty())?;
    Some(samples.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

pub(crate) fn wav(samples: &[i16]) -> Vec<u8> {
    let mut bytes = wav_header(SAMPLE_RATE, samples.len() as u64).to_vec();
    bytes.extend(sample_bytes(samples));
    bytes
}

fn silence(ms: u32) -> Vec<i16> {
    vec![0; (u64::from(SAMPLE_RATE) * u64::from(ms) / 1000) as usize]
}

impl Voice {
    /// The right to synthesise a clause: as many at a time as there are cores, first come first served.
    async fn turn(&self) -> Result<tokio::sync::OwnedSemaphorePermit> {
        let busy =
            || Error::new(Code::Busy, "Too many texts are being read aloud.").hint("Try again in a moment.");
        let turn = Arc::clone(&self.turns).acquire_owned();
        tokio::time::timeout(WAIT, turn).await.map_err(|_| busy())?.map_err(|_| busy())
    }
}
