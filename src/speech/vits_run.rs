//! Runs a VITS graph: as a whole, or in two parts, where the sound comes in pieces, the first of them soon.

use std::ops::ControlFlow;
use std::path::Path;

use lectern_neural::ort::session::RunOptions;
use lectern_neural::ort::value::{DynValue, PrimitiveTensorElementType, Tensor};
use lectern_neural::{NeuralError, SessionOptions, SharedSession, session, session_of};

use crate::vits::{self, Plan, SPEAKER};

/// Frames of the first piece where somebody waits for it: a fifth of a second with Piper's frames of 256 samples at
/// 22,050 Hz. Each piece after it has so many times as many: while one is heard the next is made, and what is made twice
/// stays little.
const FIRST: usize = 16;
const GROWTH: usize = 2;
/// Frames of a piece otherwise: three seconds, so that whoever stops a voice soon has its share of the processor back.
const LONGEST: usize = 256;

/// A clause as the graph wants it.
pub(crate) struct Phrase {
    pub ids: Vec<i64>,
    /// Noise, length, width of the durations' noise.
    pub scales: [f32; 3],
    /// Of a voice with several.
    pub speaker: Option<i64>,
    /// Somebody waits for the first sound: the first pieces are short.
    pub eager: bool,
}

/// Gets the sound as it is made.
pub(crate) type Listener<'a> = &'a mut dyn FnMut(&[f32]) -> ControlFlow<()>;

pub(crate) enum Graph {
    Whole(SharedSession),
    Parts { front: SharedSession, decoder: SharedSession, plan: Plan },
}

impl Graph {
    pub(crate) fn load(path: &Path) -> Result<Self, NeuralError> {
        if let Some(parts) = Self::parts(path) {
            return Ok(parts);
        }
        Self::whole(path)
    }

    pub(crate) fn whole(path: &Path) -> Result<Self, NeuralError> {
        shared(session(path, &SessionOptions::default())?).map(Self::Whole)
    }

    /// None when the graph is no VITS as it is known, or the engine does not take its parts.
    fn parts(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let parts = vits::part(&bytes)?;
        drop(bytes);
        let load = |model: Vec<u8>| session_of(path, &model, &SessionOptions::default()).and_then(shared);
        let (front, decoder) = std::thread::scope(|scope| {
            let decoder = scope.spawn(|| load(parts.decoder));
            (load(parts.front), decoder.join())
        });
        let refused = |error: &NeuralError| tracing::warn!(%error, "the voice cannot be run in parts");
        let front = front.inspect_err(refused).ok()?;
        let decoder = decoder.ok()?.inspect_err(refused).ok()?;
        Some(Self::Parts { front, decoder, plan: parts.plan })
    }

    /// The sound of a phrase, in pieces. `options` can end it from another thread, the listener after a piece.
    pub(crate) fn run(
        &self,
        phrase: Phrase,
        options: &RunOptions,
        listener: Listener<'_>,
    ) -> Result<ControlFlow<()>, String> {
        match self {
            Self::Whole(session) => {
                let sound = first(session, &phrase.inputs()?, options)?;
                let (_, samples) = floats(&sound)?;
                hear(samples, listener)
            }
            Self::Parts { front, decoder, plan } => {
                let latent = first(front, &phrase.inputs()?, options)?;
                let (shape, values) = floats(&latent)?;
                let Some(frames) = frames(shape, plan.channels) else {
                    return Err(format!("the model made a latent of the shape {shape:?}"));
                };
                let speaker = phrase.speaker.filter(|_| plan.speaker);
                let decoder = Decoder { session: decoder, plan, speaker, values, frames };
                decoder.run(if phrase.eager { FIRST } else { LONGEST }, options, listener)
            }
        }
    }
}

impl Phrase {
    fn inputs(&self) -> Result<Vec<(&'static str, DynValue)>, String> {
        let count = self.ids.len();
        let mut inputs = vec![
            ("input", tensor([1, count], self.ids.clone())?),
            ("input_lengths", tensor([1], vec![count as i64])?),
            ("scales", tensor([3], self.scales.to_vec())?),
        ];
        if let Some(speaker) = self.speaker {
            inputs.push((SPEAKER, tensor([1], vec![speaker])?));
        }
        Ok(inputs)
    }
}

/// Makes the sound of a latent piece by piece.
struct Decoder<'a> {
    session: &'a SharedSession,
    plan: &'a Plan,
    speaker: Option<i64>,
    /// A row of frames for each channel.
    values: &'a [f32],
    frames: usize,
}

impl Decoder<'_> {
    fn run(
        &self,
        first: usize,
        options: &RunOptions,
        listener: Listener<'_>,
    ) -> Result<ControlFlow<()>, String> {
        let (mut start, mut length) = (0, first);
        while start < self.frames {
            // A short rest is not worth its surroundings: it goes along.
            let left = self.frames - start;
            let around = self.plan.before + self.plan.after;
            let end = start + if left < length + around { left } else { length };
            if hear(&self.piece(start, end, options)?, listener)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            (start, length) = (end, (length * GROWTH).min(LONGEST));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The sound of some frames, made with what is around them, which is cut off again.
    fn piece(&self, start: usize, end: usize, options: &RunOptions) -> Result<Vec<f32>, String> {
        let from = start.saturating_sub(self.plan.before);
        let to = (end + self.plan.after).min(self.frames);
        let rows = self.values.chunks_exact(self.frames);
        let window: Vec<f32> = rows.flat_map(|row| &row[from..to]).copied().collect();
        let latent = tensor([1, self.plan.channels, to - from], window)?;
        let mut inputs = vec![(self.plan.latent.as_str(), latent)];
        if let Some(speaker) = self.speaker {
            inputs.push((SPEAKER, tensor([1], vec![speaker])?));
        }
        let sound = first(self.session, &inputs, options)?;
        let (_, samples) = floats(&sound)?;
        let hop = self.plan.hop;
        let wanted = (start - from) * hop..(end - from) * hop;
        if samples.len() != (to - from) * hop {
            let (made, expected) = (samples.len(), (to - from) * hop);
            return Err(format!("the model made {made} samples where {expected} were expected"));
        }
        Ok(samples[wanted].to_vec())
    }
}

fn hear(samples: &[f32], listener: Listener<'_>) -> Result<ControlFlow<()>, String> {
    if samples.iter().any(|sample| !sample.is_finite()) {
        return Err("the model gave sound that is no number".into());
    }
    Ok(listener(samples))
}

fn frames(shape: &[i64], channels: usize) -> Option<usize> {
    match shape {
        [1, rows, frames] if *rows == channels as i64 && *frames > 0 => usize::try_from(*frames).ok(),
        _ => None,
    }
}

fn first<S: AsRef<str>>(
    session: &SharedSession,
    inputs: &[(S, DynValue)],
    options: &RunOptions,
) -> Result<DynValue, String> {
    let inputs: Vec<(&str, &DynValue)> = inputs.iter().map(|(name, value)| (name.as_ref(), value)).collect();
    let outputs = session.run(&inputs, Some(options)).map_err(|error| error.message().to_owned())?;
    outputs.into_iter().next().ok_or_else(|| "the model gave nothing".to_owned())
}

fn floats(value: &DynValue) -> Result<(&[i64], &[f32]), String> {
    let (shape, values) = value.try_extract_tensor::<f32>().map_err(|error| error.message().to_owned())?;
    Ok((shape, values))
}

fn tensor<T, const N: usize>(shape: [usize; N], data: Vec<T>) -> Result<DynValue, String>
where
    T: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    Tensor::from_array((shape, data)).map(Tensor::into_dyn).map_err(|error| error.to_string())
}

fn shared(session: lectern_neural::ort::session::Session) -> Result<SharedSession, NeuralError> {
    SharedSession::new(session).map_err(|error| NeuralError::Engine(error.message().to_owned()))
}
