//! What is being said: sound is collected, its beginning and end are found, and it is heard ahead of its end.
//!
//! The recogniser works while somebody speaks, when it can. When a short silence begins it finishes what there is; if nothing
//! more is said, the work is done or nearly done when the end is sure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lectern_hearing::{
    Ears, HearOptions, HearingError, RATE, Transcript, TurnDetector, TurnEvent, TurnOptions,
};
use tokio::sync::mpsc;

use crate::listening::Listening;

const SAMPLES_A_MS: usize = RATE as usize / 1000;
/// Below this a level is silence.
const QUIET: f32 = 0.35;
/// Levels of silence, 96 ms each, that begin the work.
const QUIET_LEVELS: u32 = 1;
/// Sound before the beginning that belongs to it.
const BEFORE_MS: usize = 600;
/// With a button even sound in which no speech was noticed is given to the recogniser, which has a gate of its own.
const WORTH_MS: usize = 300;
/// A recogniser this fast, as a share of real time, also hears what is not ended.
const FAST: f64 = 0.15;
/// How often it does.
const PARTIAL: Duration = Duration::from_millis(700);

/// What somebody said, or seems to be saying.
#[derive(Debug)]
pub(crate) struct Said {
    /// Number of the work; older ones do not count.
    pub work: u64,
    pub outcome: Result<Transcript, HearingError>,
    pub took: Duration,
    /// Most of the work was done while it was said.
    pub ahead: bool,
}

/// What the sound brought.
#[derive(Debug)]
pub(crate) enum Noticed {
    Level {
        rms: f32,
        peak: f32,
    },
    Speaking {
        at_ms: u64,
    },
    /// Somebody has ended; the final transcript comes from [`Utterance::finish`].
    Ended {
        at_ms: u64,
        silence: Duration,
    },
}

/// Work on the utterance as it was at some time.
struct Ahead {
    work: u64,
    /// Samples of the utterance that were given.
    samples: usize,
    stop: Arc<AtomicBool>,
    done: Option<Said>,
}

pub(crate) struct Utterance {
    ears: Arc<Ears>,
    detector: TurnDetector,
    hands_free: bool,
    longest: usize,
    end_of_turn: Duration,
    /// The sound since shortly before the beginning; before it only the last of the silence.
    sound: Vec<f32>,
    active: bool,
    /// The gate is sure that it is speech.
    spoken: bool,
    /// Sample of `sound` at which the last speech ended.
    spoken_to: usize,
    quiet: u32,
    listening: Option<Listening>,
    ahead: Option<Ahead>,
    works: u64,
    /// Share of real time that the last work took.
    speed: f64,
    partial: Option<Instant>,
    told: mpsc::UnboundedSender<Said>,
}

impl Utterance {
    /// `told` gets the outcome of all work.
    pub(crate) fn new(
        ears: Arc<Ears>,
        hands_free: bool,
        longest: Duration,
        end_of_turn: Duration,
        told: mpsc::UnboundedSender<Said>,
    ) -> Self {
        let options = TurnOptions {
            end_ms: end_of_turn.as_millis() as u32,
            max_ms: longest.as_millis() as u32,
            ..TurnOptions::default()
        };
        Self {
            detector: ears.turns(options),
            ears,
            hands_free,
            longest: longest.as_millis() as usize * SAMPLES_A_MS,
            end_of_turn,
            sound: Vec::new(),
            active: false,
            spoken: false,
            spoken_to: 0,
            quiet: 0,
            listening: None,
            ahead: None,
            works: 0,
            speed: 1.0,
            partial: None,
            told,
        }
    }

    /// The button was pressed.
    pub(crate) fn begin(&mut self) {
        if !self.active {
            self.reset();
            self.active = true;
        }
    }

    /// Forgets what was said.
    pub(crate) fn reset(&mut self) {
        self.stop_work();
        self.listening = None;
        self.sound.clear();
        (self.active, self.spoken) = (false, false);
        (self.spoken_to, self.quiet, self.partial) = (0, 0, None);
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active
    }

    fn stop_work(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            ahead.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Takes sound of 16 kHz.
    pub(crate) fn push(&mut self, samples: &[f32], options: &HearOptions) -> Vec<Noticed> {
        self.sound.extend_from_slice(samples);
        let mut noticed = Vec::new();
        for event in self.detector.push(samples) {
            match event {
                TurnEvent::Level { rms, peak, speech, .. } => {
                    self.level(speech, options);
                    noticed.push(Noticed::Level { rms, peak });
                }
                TurnEvent::Start { at_ms } => {
                    (self.active, self.spoken) = (true, true);
                    self.spoken_to = self.sound.len();
                    noticed.push(Noticed::Speaking { at_ms });
                }
                TurnEvent::End { end_ms, .. } => {
                    let silence = self.end_of_turn;
                    noticed.push(Noticed::Ended { at_ms: end_ms, silence });
                }
            }
        }
        if self.spoken && self.quiet == 0 {
            self.listen(options);
        }
        if !self.active {
            let before = self.sound.len().saturating_sub(BEFORE_MS * SAMPLES_A_MS);
            self.sound.drain(..before);
        } else if !self.hands_free && self.sound.len() >= self.longest {
            noticed.push(Noticed::Ended { at_ms: 0, silence: Duration::ZERO });
        }
        noticed
    }

    /// Sound goes on or falls silent: work on it may begin, or was in vain.
    fn level(&mut self, speech: f32, options: &HearOptions) {
        if !self.active {
            return;
        }
        if speech >= QUIET {
            self.quiet = 0;
            self.spoken_to = self.sound.len();
            if self.ahead.as_ref().is_some_and(|ahead| ahead.done.is_none()) && self.speed > FAST {
                self.stop_work();
            }
            let due = self.partial.is_none_or(|last| last.elapsed() >= PARTIAL);
            if self.speed <= FAST && due && self.ahead.is_none() {
                self.partial = Some(Instant::now());
                self.work(options);
            }
            return;
        }
        self.quiet += 1;
        let known = self.ahead.as_ref().is_some_and(|ahead| ahead.samples >= self.spoken_to);
        if self.quiet == QUIET_LEVELS && self.spoken_to > 0 && !known {
            self.stop_work();
            self.work(options);
        }
    }

    /// Gives the recogniser what is new.
    fn listen(&mut self, options: &HearOptions) -> &mut Listening {
        let spoken = self.spoken;
        let begin = || Listening::begin(Arc::clone(&self.ears), options.clone(), spoken, self.told.clone());
        let listening = self.listening.get_or_insert_with(begin);
        listening.sound(&self.sound);
        listening
    }

    fn work(&mut self, options: &HearOptions) {
        self.works += 1;
        let (work, samples, stop) = (self.works, self.sound.len(), Arc::new(AtomicBool::new(false)));
        self.listen(options).finish(work, Arc::clone(&stop));
        self.ahead = Some(Ahead { work, samples, stop, done: None });
    }

    /// Some work is done: the text so far, when it still counts.
    pub(crate) fn told(&mut self, said: Said) -> Option<String> {
        let ahead = self.ahead.as_mut().filter(|ahead| ahead.work == said.work)?;
        let seconds = ahead.samples as f64 / f64::from(RATE);
        // To finish in between, what is heard ahead must be searched again.
        self.speed = if said.ahead { 1.0 } else { said.took.as_secs_f64() / seconds.max(0.1) };
        let text = said.outcome.as_ref().ok().map(|transcript| transcript.text.clone());
        let all = ahead.samples >= self.spoken_to;
        ahead.done = Some(said);
        if !all {
            self.ahead = None;
        }
        text.filter(|text| !text.trim().is_empty())
    }

    /// The utterance has ended: its work, done or under way, and a new utterance can begin. None: nothing was said.
    pub(crate) fn finish(&mut self, options: &HearOptions) -> Option<Final> {
        let pressed = !self.hands_free && self.sound.len() >= WORTH_MS * SAMPLES_A_MS;
        let heard = self.active && (self.spoken_to > 0 || pressed);
        let usable = self.ahead.as_ref().is_some_and(|ahead| ahead.samples >= self.spoken_to);
        if heard && !usable {
            self.stop_work();
            self.work(options);
        }
        let ahead = if heard { self.ahead.take() } else { None };
        self.reset();
        // Speech that was too long goes on as another utterance.
        self.active = self.hands_free && self.detector.is_speaking();
        self.spoken = self.active;
        ahead.map(|ahead| Final { work: ahead.work, done: ahead.done })
    }
}

/// The work on a whole utterance.
#[derive(Debug)]
pub(crate) struct Final {
    pub work: u64,
    /// There when it was done ahead.
    pub done: Option<Said>,
}
