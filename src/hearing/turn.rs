//! When somebody begins to speak, and when they have ended: the state machine behind conversations and long
//! recordings alike.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::RATE;
use crate::silero::{Silero, Stream};
use crate::vad::{FRAME, Frame, Vad};

/// Score that may begin speech, and that keeps it going.
const BEGINS: f32 = 0.35;
const GOES_ON: f32 = 0.35;
/// Beginnings are soft: so much more is kept before than after.
const RUN_UP_MS: u64 = 150;
/// Score of a frame that, voiced, is evidence of speech.
const EVIDENT: f32 = 0.6;
/// Voices waver, buzzing does not: decibels of deviation over [`LIVELY_FRAMES`], the onset left out.
const LIVELY_DB: f32 = 1.5;
const LIVELY_FRAMES: usize = 25;
const LIVELY_LEAST: usize = 8;
const ONSET_FRAMES: u64 = 2;
/// Evidence counts within 400 ms: steps and knocks have a little now and then, speech has it together.
const WINDOW_FRAMES: usize = 25;
/// A beginning without evidence is given up after this pause.
const DOUBT_MS: u64 = 300;
const DOUBT_FRAMES: u64 = 64;
/// Frames between two level events: 96 ms.
const LEVEL_FRAMES: u64 = 6;
const SAMPLES_A_MS: usize = RATE as usize / 1_000;

/// How speech is cut into turns.
#[derive(Debug, Clone)]
pub struct TurnOptions {
    /// Evident speech within 400 ms that makes a start.
    pub start_ms: u32,
    /// Silence that makes an end.
    pub end_ms: u32,
    /// A longer turn is cut at its quietest place.
    pub max_ms: u32,
    /// Sound kept before and after.
    pub padding_ms: u32,
}

impl Default for TurnOptions {
    fn default() -> Self {
        Self { start_ms: 128, end_ms: 700, max_ms: 28_000, padding_ms: 250 }
    }
}

/// What happens while somebody speaks. Times count from the first sample.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnEvent {
    /// Every 96 ms: loudness and peak (0 to 1), and how much it sounds like speech (0 to 1).
    Level { rms: f32, peak: f32, speech: f32, at_ms: u64 },
    /// Somebody speaks since `at_ms`.
    Start { at_ms: u64 },
    /// They have ended: 16 kHz audio with a little silence around.
    End { start_ms: u64, end_ms: u64, audio: Vec<f32> },
}

/// Hears 16 kHz audio in pieces of any size.
pub struct TurnDetector {
    options: TurnOptions,
    silero: Option<Arc<Silero>>,
    vad: Vad,
    /// Sound that may still be needed; its first sample is number `from`.
    kept: Vec<f32>,
    from: u64,
    frames: u64,
    state: State,
    level: Level,
    /// Loudness of the last frames of a doubtful beginning, and which of the last were evident.
    loudness: VecDeque<f32>,
    evidence: VecDeque<bool>,
}

#[derive(Clone, Copy)]
enum State {
    Quiet,
    /// Perhaps speech since frame `begin`.
    Doubt {
        begin: u64,
        last: u64,
    },
    Speech {
        begin: u64,
        last: u64,
    },
}

#[derive(Default)]
struct Level {
    energy: f32,
    peak: f32,
    speech: f32,
    frames: u64,
}

impl TurnDetector {
    pub fn new(options: TurnOptions) -> Self {
        Self::with(options, None)
    }

    /// With an imported detector of speech.
    pub fn with(options: TurnOptions, silero: Option<Arc<Silero>>) -> Self {
        Self {
            options,
            vad: Vad::new(silero.clone().map(Stream::new)),
            silero,
            kept: Vec::new(),
            from: 0,
            frames: 0,
            state: State::Quiet,
            level: Level::default(),
            loudness: VecDeque::with_capacity(LIVELY_FRAMES),
            evidence: VecDeque::with_capacity(WINDOW_FRAMES),
        }
    }

    /// Forgets what was heard; times start anew.
    pub fn reset(&mut self) {
        *self = Self::with(self.options.clone(), self.silero.clone());
    }

    pub fn is_speaking(&self) -> bool {
        matches!(self.state, State::Speech { .. })
    }

    /// What these samples bring about.
    pub fn push(&mut self, samples: &[f32]) -> Vec<TurnEvent> {
        self.kept.extend_from_slice(samples);
        let mut frames = Vec::with_capacity(samples.len() / FRAME + 1);
        self.vad.push(samples, &mut |frame| frames.push(frame));
        let mut events = Vec::new();
        for frame in frames {
            self.measure(frame, &mut events);
            self.step(frame, &mut events);
            self.frames += 1;
        }
        self.forget();
        events
    }

    /// The end of the audio: what is being said ends too.
    pub fn finish(&mut self) -> Vec<TurnEvent> {
        let mut events = Vec::new();
        if let State::Speech { begin, last } = self.state {
            events.push(self.turn(begin, last + 1));
        }
        self.state = State::Quiet;
        events
    }

    fn measure(&mut self, frame: Frame, events: &mut Vec<TurnEvent>) {
        let level = &mut self.level;
        level.energy += frame.rms * frame.rms;
        level.peak = level.peak.max(frame.peak);
        level.speech = level.speech.max(frame.score);
        level.frames += 1;
        if level.frames == LEVEL_FRAMES {
            events.push(TurnEvent::Level {
                rms: (level.energy / level.frames as f32).sqrt(),
                peak: level.peak,
                speech: level.speech,
                at_ms: frames_ms(self.frames + 1),
            });
            *level = Level::default();
        }
    }

    fn step(&mut self, frame: Frame, events: &mut Vec<TurnEvent>) {
        let now = self.frames;
        let evident = frame.voiced && frame.score >= EVIDENT;
        self.state = match self.state {
            State::Quiet if frame.score >= BEGINS => {
                self.loudness.clear();
                self.evidence.clear();
                self.evidence.push_back(evident);
                State::Doubt { begin: now, last: now }
            }
            State::Quiet => State::Quiet,
            State::Doubt { begin, last } => {
                self.remember(frame.loudness, evident, now - begin);
                let last = if frame.score >= GOES_ON { now } else { last };
                if self.is_evident() && self.is_lively() {
                    events.push(TurnEvent::Start { at_ms: frames_ms(begin) });
                    State::Speech { begin, last }
                } else if frames_ms(now - last) > DOUBT_MS {
                    State::Quiet
                } else {
                    // Doubt that lasts is noise: its beginning moves along, so that what comes out of it is heard
                    // from a second before.
                    State::Doubt { begin: begin.max(now.saturating_sub(DOUBT_FRAMES)), last }
                }
            }
            State::Speech { begin, last } => {
                let last = if frame.score >= GOES_ON { now } else { last };
                if frames_ms(now - last) >= u64::from(self.options.end_ms) {
                    events.push(self.turn(begin, last + 1));
                    State::Quiet
                } else if frames_ms(now - begin) >= u64::from(self.options.max_ms) {
                    let cut = self.quietest(begin, now);
                    events.push(self.turn(begin, cut));
                    events.push(TurnEvent::Start { at_ms: frames_ms(cut) });
                    State::Speech { begin: cut, last: last.max(cut) }
                } else {
                    State::Speech { begin, last }
                }
            }
        };
    }

    fn remember(&mut self, loudness: f32, evident: bool, since: u64) {
        if self.evidence.len() == WINDOW_FRAMES {
            self.evidence.pop_front();
        }
        self.evidence.push_back(evident);
        if since >= ONSET_FRAMES {
            if self.loudness.len() == LIVELY_FRAMES {
                self.loudness.pop_front();
            }
            self.loudness.push_back(loudness);
        }
    }

    fn is_evident(&self) -> bool {
        let frames = self.evidence.iter().filter(|evident| **evident).count() as u64;
        frames_ms(frames) >= u64::from(self.options.start_ms)
    }

    fn is_lively(&self) -> bool {
        let count = self.loudness.len() as f32;
        let mean = self.loudness.iter().sum::<f32>() / count;
        let spread = self.loudness.iter().map(|level| (level - mean).powi(2)).sum::<f32>() / count;
        self.loudness.len() >= LIVELY_LEAST && spread.sqrt() >= LIVELY_DB
    }

    /// The sound from frame `begin` to before frame `end`, with what is around it.
    fn turn(&self, begin: u64, end: u64) -> TurnEvent {
        let padding = u64::from(self.options.padding_ms) * SAMPLES_A_MS as u64;
        let run_up = padding + RUN_UP_MS * SAMPLES_A_MS as u64;
        let start = (begin * FRAME as u64).saturating_sub(run_up).max(self.from);
        let until = (end * FRAME as u64 + padding).min(self.from + self.kept.len() as u64);
        let audio = self.kept[(start - self.from) as usize..(until - self.from) as usize].to_vec();
        let ms = |sample: u64| sample / SAMPLES_A_MS as u64;
        TurnEvent::End { start_ms: ms(start), end_ms: ms(until), audio }
    }

    /// The frame with the least sound around it in the last quarter of a turn.
    fn quietest(&self, begin: u64, now: u64) -> u64 {
        let energy = |frame: u64| -> f32 {
            let at = ((frame * FRAME as u64).saturating_sub(self.from)) as usize;
            self.kept[at.min(self.kept.len())..(at + FRAME * 3).min(self.kept.len())]
                .iter()
                .map(|s| s * s)
                .sum()
        };
        let first = now - (now - begin) / 4;
        (first..now.saturating_sub(3)).min_by(|a, b| energy(*a).total_cmp(&energy(*b))).unwrap_or(now)
    }

    /// Drops sound that no turn can need any more.
    fn forget(&mut self) {
        let needed = match self.state {
            State::Quiet => self.frames,
            State::Doubt { begin, .. } | State::Speech { begin, .. } => begin,
        };
        let padding = (u64::from(self.options.padding_ms) + RUN_UP_MS) * SAMPLES_A_MS as u64;
        let needed = (needed * FRAME as u64).saturating_sub(padding);
        // Moving the rest costs; a second at a time is cheap.
        if needed > self.from + u64::from(RATE) {
            self.kept.drain(..(needed - self.from) as usize);
            self.from = needed;
        }
    }
}

fn frames_ms(frames: u64) -> u64 {
    frames * FRAME as u64 / SAMPLES_A_MS as u64
}
