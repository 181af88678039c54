//! Silero's detector of speech, versions 4 and 5, for sites that imported it: it takes the built-in detector's place in
//! the gate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lectern_neural::ort::value::{DynValue, Tensor};
use lectern_neural::{SessionOptions, SharedSession};

use crate::HearingError;
use crate::RATE;

/// New samples of a run: 32 ms.
const WINDOW: usize = 512;
/// What version 5 wants to see again of the window before.
const CONTEXT: usize = 64;
const LOAD: Duration = Duration::from_secs(30);

/// What is carried from window to window.
const STATES: [(&str, usize); 3] = [("state", 128), ("h", 64), ("c", 64)];

/// The model, of which any number of streams may run.
#[derive(Debug)]
pub struct Silero {
    session: SharedSession,
    /// Names of the states, and numbers in each.
    states: Vec<(&'static str, usize)>,
    context: usize,
}

fn failed(error: &lectern_neural::ort::Error) -> HearingError {
    HearingError::Failed(error.message().trim_end_matches('.').to_owned())
}

fn misfit(what: impl Into<String>) -> HearingError {
    HearingError::Failed(what.into())
}

impl Silero {
    /// Loads the graph and hears a window of silence, in which there must be no speech.
    pub fn load(graph: &Path) -> Result<Self, HearingError> {
        let options = SessionOptions { threads: 1, deadline: LOAD, ..SessionOptions::default() };
        let session = lectern_neural::session(graph, &options).map_err(|e| misfit(e.to_string()))?;
        let names: Vec<String> = session.inputs().iter().map(|input| input.name().to_owned()).collect();
        let states: Vec<_> = STATES.into_iter().filter(|(name, _)| names.iter().any(|n| n == name)).collect();
        let known = |name: &str| name == "input" || name == "sr" || states.iter().any(|(s, _)| *s == name);
        if let Some(other) = names.iter().find(|name| !known(name)) {
            let other = other.escape_debug();
            return Err(misfit(format!("the model wants '{other}', which no detector of speech needs")));
        }
        if session.outputs().len() != states.len() + 1 {
            return Err(misfit(format!("the model has {} outputs", session.outputs().len())));
        }
        let context = if states.iter().any(|(name, _)| *name == "state") { CONTEXT } else { 0 };
        let session = SharedSession::new(session).map_err(|e| failed(&e))?;
        let model = Arc::new(Self { session, states, context });
        let speech = Stream::new(Arc::clone(&model)).window(&[0.0; WINDOW])?;
        if !(0.0..0.5).contains(&speech) {
            return Err(misfit(format!("the model hears speech in silence ({speech})")));
        }
        Arc::into_inner(model).ok_or_else(|| misfit("the model is in use"))
    }

    /// Memory it takes, about.
    pub const MEMORY_BYTES: u64 = 8 << 20;
}

/// One stream of sound through the model.
pub(crate) struct Stream {
    model: Arc<Silero>,
    /// The end of the window before, and what of the next one is there.
    sound: Vec<f32>,
    states: Vec<Vec<f32>>,
    last: f32,
    broken: bool,
}

impl Stream {
    pub(crate) fn new(model: Arc<Silero>) -> Self {
        let states = model.states.iter().map(|(_, width)| vec![0.0; 2 * width]).collect();
        Self { sound: vec![0.0; model.context], states, model, last: 0.0, broken: false }
    }

    /// How much the newest sound is like speech, 0 to 1; none when the model does not run any more.
    pub(crate) fn score(&mut self, samples: &[f32]) -> Option<f32> {
        if self.broken {
            return None;
        }
        self.sound.extend_from_slice(samples);
        while self.sound.len() >= self.model.context + WINDOW {
            let (whole, keep) = (self.model.context + WINDOW, WINDOW);
            let window: Vec<f32> = self.sound[..whole].to_vec();
            self.sound.drain(..keep);
            match self.run(window) {
                Ok(score) => self.last = score,
                Err(error) => {
                    tracing::error!(%error, "the imported detector of speech fails; the built-in one goes on");
                    self.broken = true;
                    return None;
                }
            }
        }
        Some(self.last)
    }

    fn window(&mut self, samples: &[f32; WINDOW]) -> Result<f32, HearingError> {
        let window = [vec![0.0; self.model.context], samples.to_vec()].concat();
        self.run(window)
    }

    fn run(&mut self, window: Vec<f32>) -> Result<f32, HearingError> {
        let failed = |error: lectern_neural::ort::Error| failed(&error);
        let mut inputs: Vec<(&str, DynValue)> = Vec::with_capacity(4);
        let sound = Tensor::from_array(([1, window.len()], window)).map_err(failed)?;
        inputs.push(("input", sound.into_dyn()));
        let rate = Tensor::from_array(([0_usize; 0], vec![i64::from(RATE)])).map_err(failed)?;
        inputs.push(("sr", rate.into_dyn()));
        for ((name, width), values) in self.model.states.iter().zip(&self.states) {
            let state = Tensor::from_array(([2, 1, *width], values.clone())).map_err(failed)?;
            inputs.push((name, state.into_dyn()));
        }
        let inputs: Vec<(&str, &DynValue)> = inputs.iter().map(|(name, value)| (*name, value)).collect();
        let outputs = self.model.session.run(&inputs, None).map_err(failed)?;
        let mut outputs = outputs.into_iter();
        let speech = outputs.next().ok_or_else(|| misfit("the model gives nothing"))?;
        for (state, value) in self.states.iter_mut().zip(outputs) {
            let (_, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
            if values.len() != state.len() {
                return Err(misfit("the model's state changes its size"));
            }
            state.copy_from_slice(values);
        }
        let (_, speech) = speech.try_extract_tensor::<f32>().map_err(failed)?;
        let speech = speech.first().copied().filter(|speech| speech.is_finite());
        speech.ok_or_else(|| misfit("the model gives no number"))
    }
}
