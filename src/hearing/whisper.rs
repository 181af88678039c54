//! Whisper: an imported ONNX export (encoder, decoder, tokenizer) as a recogniser.
//!
//! Owns: loading an export and refusing one whose parts do not fit, and hearing a recording window by window: language,
//! words, second tries with chance when the words look wrong, segments with times. The graphs are in `whisper_net`,
//! the search for words in `whisper_search`, what may follow what in `whisper_rules`.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::mel::{Features, HOP, Mel};
use crate::whisper_config::Config;
use crate::whisper_net::{Heard, Net, State};
use crate::whisper_rules::{Rules, best, log_sum};
use crate::whisper_search::{Begin, Bounds, Chance, Found, Steps, beams, follow};
use crate::whisper_text::Text;
use crate::whisper_window::{FRAME_MS, Piece, pieces};
use crate::{HearOptions, HearingError, RATE, Recogniser, Segment, Transcript, Word};

/// Tried one after the other until the words look right.
const TEMPERATURES: [f32; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
/// Text that shrinks more than this repeats itself.
const MOST_COMPRESSION: f32 = 2.4;
/// Words less likely than this on average are guesses.
const LEAST_MEAN: f32 = -1.0;
/// With guesses, this chance of silence is believed.
const NO_SPEECH: f32 = 0.6;
const MOST_BEAMS: usize = 10;
/// Less sound than this at the end holds no word.
const LEAST_FRAMES: usize = 10;

/// A loaded model. Several recordings may be heard at once: they take turns step by step.
pub struct Whisper {
    pub(crate) config: Config,
    text: Text,
    mel: Mel,
    net: Mutex<Net>,
    bytes: u64,
}

/// How a recording is decoded.
pub(crate) struct Plan {
    pub timestamps: bool,
    pub beams: usize,
    pub temperatures: Vec<f32>,
    /// Most tokens of a window.
    pub most: usize,
    /// What was said before.
    pub prompt: Vec<u32>,
}

/// What a window gave.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub found: Found,
    /// Chance that nobody speaks.
    pub no_speech: f32,
}

/// What a window of 30 seconds costs.
#[derive(Debug, Clone, Copy)]
pub struct WindowTimes {
    pub features: Duration,
    pub encoder: Duration,
    /// Reading what is given to the decoder.
    pub first: Duration,
    /// A token more, on average.
    pub step: Duration,
}

struct Stepper<'a> {
    net: &'a Mutex<Net>,
    heard: &'a Heard,
}

impl Steps for Stepper<'_> {
    type State = State;

    fn step(&mut self, state: &State, token: u32) -> Result<(Vec<f32>, State), HearingError> {
        lock(self.net).step(self.heard, state, token)
    }
}

/// A panic within a step leaves nothing half done: a step reads the graphs and gives new values.
fn lock(net: &Mutex<Net>) -> MutexGuard<'_, Net> {
    net.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(stop: &AtomicBool) -> Result<(), HearingError> {
    if stop.load(Ordering::Relaxed) { Err(HearingError::Stopped) } else { Ok(()) }
}

impl Whisper {
    /// Loads an export: encoder_model.onnx, decoder_model_merged.onnx or decoder_model.onnx (with
    /// decoder_with_past_model.onnx it is faster), tokenizer.json, config.json, generation_config.json and, when it is
    /// there, preprocessor_config.json.
    pub fn load(folder: &Path) -> Result<Self, HearingError> {
        let text = Text::load(folder)?;
        let config = Config::load(folder, &text)?;
        if text.size() > config.sizes.vocabulary {
            let reason = format!("it has {} tokens, the model {}", text.size(), config.sizes.vocabulary);
            return Err(crate::whisper_config::misfit("tokenizer.json", reason));
        }
        let net = Net::load(folder, &config.sizes)?;
        let bytes = net.bytes;
        Ok(Self { mel: Mel::new(config.sizes.mels), text, config, bytes, net: Mutex::new(net) })
    }

    /// About what it takes: weights, and what a window needs while it is heard.
    pub fn memory_bytes(&self) -> u64 {
        let sizes = &self.config.sizes;
        let position = (sizes.width * sizes.layers * 2 * size_of::<f32>()) as u64;
        self.bytes + position * (sizes.sources + sizes.targets) as u64
    }

    /// Runs every graph over a window of silence: shows that they work together, and how long they take.
    pub fn measure(&self, steps: u32) -> Result<WindowTimes, HearingError> {
        let begin = Instant::now();
        let features = self.features(&[]);
        let made = Instant::now();
        let heard = self.encode(features.values)?;
        let encoded = Instant::now();
        let (_, mut state) = lock(&self.net).start(&heard, &[self.config.marks.start])?;
        let first = Instant::now();
        let steps = steps.clamp(1, self.config.sizes.targets as u32 - 1);
        for _ in 0..steps {
            (_, state) = lock(&self.net).step(&heard, &state, self.config.marks.end)?;
        }
        Ok(WindowTimes {
            features: made - begin,
            encoder: encoded - made,
            first: first - encoded,
            step: first.elapsed() / steps,
        })
    }

    pub(crate) fn plan(&self, options: &HearOptions) -> Result<Plan, HearingError> {
        let targets = self.config.sizes.targets;
        let mut prompt = match &options.prompt {
            Some(prompt) if !prompt.trim().is_empty() => self.text.encode(&format!(" {}", prompt.trim()))?,
            _ => Vec::new(),
        };
        // A prompt is text, whatever it looks like.
        prompt.retain(|token| *token < self.config.marks.end);
        let beyond = prompt.len().saturating_sub(targets / 2 - 1);
        prompt.drain(..beyond);
        Ok(Plan {
            timestamps: self.config.marks.first_time.is_some(),
            beams: options.beam.unwrap_or(1).clamp(1, MOST_BEAMS),
            temperatures: options
                .temperature
                .map_or_else(|| TEMPERATURES.to_vec(), |t| vec![t.clamp(0.0, 2.0)]),
            most: targets / 2,
            prompt,
        })
    }

    /// The token of the language that is spoken; none for a model of one language.
    fn language(&self, heard: &Heard, wanted: Option<&str>) -> Result<Option<u32>, HearingError> {
        if let Some(code) = wanted {
            let unknown = || HearingError::Language(code.to_owned());
            if self.config.languages.is_empty() {
                let english = code.get(..2).is_some_and(|c| c.eq_ignore_ascii_case("en"));
                return if english { Ok(None) } else { Err(unknown()) };
            }
            return self.config.language_token(code).map(Some).ok_or_else(unknown);
        }
        if self.config.languages.is_empty() {
            return Ok(None);
        }
        let scores = self.language_scores(heard)?;
        let (_, token) = self.config.languages[best(&scores)];
        Ok(Some(token))
    }

    /// A score for each language.
    pub(crate) fn language_scores(&self, heard: &Heard) -> Result<Vec<f32>, HearingError> {
        let (logits, _) = lock(&self.net).start(heard, &[self.config.marks.start])?;
        let row = logits.row(0);
        let score =
            |(_, token): &(String, u32)| row.get(*token as usize).copied().unwrap_or(f32::NEG_INFINITY);
        Ok(self.config.languages.iter().map(score).collect())
    }

    pub(crate) fn encode(&self, features: Vec<f32>) -> Result<Heard, HearingError> {
        lock(&self.net).encode(features)
    }

    /// Logits behind what is given, for tests.
    #[cfg(test)]
    pub(crate) fn first_logits(&self, heard: &Heard, given: &[u32]) -> Vec<f32> {
        lock(&self.net).start(heard, given).map(|(logits, _)| logits.last()).unwrap_or_default()
    }

    /// What is given to the decoder, and where in it the window's own begin is.
    pub(crate) fn given(&self, plan: &Plan, language: Option<u32>, prompt: bool) -> (Vec<u32>, usize) {
        let marks = &self.config.marks;
        let mut given = Vec::new();
        if let Some(previous) = marks.previous.filter(|_| prompt && !plan.prompt.is_empty()) {
            given.push(previous);
            given.extend(&plan.prompt);
        }
        let begin = given.len();
        given.push(marks.start);
        given.extend(language);
        given.extend(marks.transcribe);
        given.extend(marks.no_timestamps.filter(|_| !plan.timestamps));
        (given, begin)
    }

    /// The words of an encoded window.
    pub(crate) fn decode(
        &self,
        heard: &Heard,
        plan: &Plan,
        (given, begin): (Vec<u32>, usize),
        stop: &AtomicBool,
    ) -> Result<Outcome, HearingError> {
        check(stop)?;
        let (logits, state) = lock(&self.net).start(heard, &given)?;
        let silent = self.config.marks.no_speech.and_then(|token| {
            let row = logits.row(begin);
            row.get(token as usize).map(|score| (score - log_sum(row)).exp())
        });
        let no_speech = silent.unwrap_or(0.0);
        let rules = Rules::new(&self.config, plan.timestamps);
        let room = self.config.sizes.targets.saturating_sub(given.len()).max(1);
        let bounds = Bounds { rules: &rules, end: self.config.marks.end, most: plan.most.min(room), stop };
        let start = Begin { state, logits: logits.last() };
        let mut stepper = Stepper { net: &self.net, heard };
        let mut chance =
            Chance::new(given.iter().fold(1, |seed, token| seed * 31 % 1_000_003 + u64::from(*token)));
        let mut last = None;
        for temperature in &plan.temperatures {
            let found = if *temperature == 0.0 && plan.beams > 1 {
                beams(&mut stepper, &start, &bounds, plan.beams, self.config.length_penalty)?
            } else {
                follow(&mut stepper, &start, &bounds, *temperature, &mut chance)?
            };
            let outcome = Outcome { found, no_speech };
            let good = self.looks_right(&outcome)?;
            last = Some(outcome);
            if good {
                break;
            }
        }
        Ok(last.unwrap_or(Outcome { found: Found { tokens: Vec::new(), mean: 0.0 }, no_speech }))
    }

    fn looks_right(&self, outcome: &Outcome) -> Result<bool, HearingError> {
        if is_silence(outcome) {
            return Ok(true);
        }
        Ok(outcome.found.mean >= LEAST_MEAN
            && compression(&self.words(&outcome.found.tokens)?) <= MOST_COMPRESSION)
    }

    fn words(&self, tokens: &[u32]) -> Result<String, HearingError> {
        let texts: Vec<u32> = tokens.iter().copied().filter(|token| *token < self.config.marks.end).collect();
        Ok(self.text.decode(&texts)?.trim().to_owned())
    }

    pub(crate) fn features(&self, audio: &[f32]) -> Features {
        self.mel.features(audio, self.config.sizes.frames() * HOP)
    }

    /// Hears a recording of any length; `each` gets what a window gave.
    pub(crate) fn windows(
        &self,
        audio: &[f32],
        plan: &Plan,
        language: Option<&str>,
        stop: &AtomicBool,
        each: &mut dyn FnMut(&Piece, &Outcome) -> Result<(), HearingError>,
    ) -> Result<Option<u32>, HearingError> {
        let features = self.features(audio);
        let content = audio.len() / HOP;
        let size = self.config.sizes.frames();
        let mut spoken: Option<Option<u32>> = None;
        let mut seek = 0;
        while seek + LEAST_FRAMES <= content {
            check(stop)?;
            let heard = self.encode(features.cut(seek, size))?;
            check(stop)?;
            let token = match spoken {
                Some(token) => token,
                None => *spoken.insert(self.language(&heard, language)?),
            };
            let outcome = self.decode(&heard, plan, self.given(plan, token, seek == 0), stop)?;
            let frames = size.min(content - seek);
            if is_silence(&outcome) {
                seek += frames;
                continue;
            }
            let (parts, advance) = pieces(&outcome.found.tokens, &self.config.marks, seek, frames);
            for piece in &parts {
                each(piece, &outcome)?;
            }
            seek += advance;
        }
        Ok(spoken.flatten())
    }

    fn segment(&self, piece: &Piece, mean: f32, length_ms: u64) -> Result<Option<Segment>, HearingError> {
        let text = self.words(&piece.tokens)?;
        if text.is_empty() {
            return Ok(None);
        }
        let end_ms = (piece.end as u64 * FRAME_MS).min(length_ms);
        let start_ms = (piece.start as u64 * FRAME_MS).min(end_ms);
        let words = spread(&text, start_ms, end_ms, mean.exp().clamp(0.0, 1.0));
        Ok(Some(Segment { start_ms, end_ms, text, words }))
    }
}

fn is_silence(outcome: &Outcome) -> bool {
    outcome.no_speech > NO_SPEECH && outcome.found.mean < LEAST_MEAN
}

/// How many times smaller a text becomes: high when it says the same over and over.
fn compression(text: &str) -> f32 {
    if text.is_empty() {
        return 0.0;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let small =
        encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).map_or(1, |small| small.len());
    text.len() as f32 / small.max(1) as f32
}

/// The words of a segment, each with a share of its time by its letters.
fn spread(text: &str, start_ms: u64, end_ms: u64, confidence: f32) -> Vec<Word> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let total: usize = words.iter().map(|word| word.chars().count()).sum();
    let length = end_ms - start_ms;
    let place = |letters: usize| start_ms + length * letters as u64 / total.max(1) as u64;
    let mut before = 0;
    words
        .into_iter()
        .map(|word| {
            let begin = before;
            before += word.chars().count();
            Word { text: word.to_owned(), start_ms: place(begin), end_ms: place(before), confidence }
        })
        .collect()
}

impl Recogniser for Whisper {
    fn name(&self) -> String {
        self.config.name.clone().unwrap_or_else(|| "whisper".to_owned())
    }

    fn languages(&self) -> Option<Vec<String>> {
        if self.config.languages.is_empty() {
            return Some(vec!["en".to_owned()]);
        }
        Some(self.config.languages.iter().map(|(code, _)| code.clone()).collect())
    }

    fn transcribe(
        &self,
        audio: &[f32],
        options: &HearOptions,
        stop: &AtomicBool,
        sink: &mut dyn FnMut(Segment),
    ) -> Result<Transcript, HearingError> {
        let plan = self.plan(options)?;
        let length_ms = audio.len() as u64 * 1_000 / u64::from(RATE);
        let mut segments = Vec::new();
        let language = options.language.as_deref();
        let token = self.windows(audio, &plan, language, stop, &mut |piece, outcome| {
            if let Some(segment) = self.segment(piece, outcome.found.mean, length_ms)? {
                sink(segment.clone());
                segments.push(segment);
            }
            Ok(())
        })?;
        let language = token.and_then(|token| self.config.language_of(token).map(str::to_owned));
        let language = language.or_else(|| self.config.languages.is_empty().then(|| "en".to_owned()));
        Ok(Transcript::of(segments, language, self.name(), length_ms))
    }
}
