//! The graphs of an export: the encoder, and a decoder in one of the forms that exporters make.
//!
//! A step takes one token and gives a new state; the old one stays as it was. So the beams of a search share what they
//! have in common, and changing beams copies nothing. The keys and values of the sound are made once a window.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use lectern_neural::ort::session::{Session, SessionInputValue};
use lectern_neural::ort::value::{DynValue, Tensor};
use lectern_neural::{NeuralError, SessionOptions};

use crate::HearingError;
use crate::whisper_config::{Sizes, misfit};
use crate::whisper_ports::{DECODER, ENCODER, MERGED, NEXT, Ports};

/// What a decoder knows after some tokens.
#[derive(Clone)]
pub(crate) struct State {
    /// What was said, for decoders without a cache.
    tokens: Vec<u32>,
    own: Arc<Vec<DynValue>>,
    far: Arc<Vec<DynValue>>,
}

/// Logits of every given token, one row after the other.
pub(crate) struct Logits {
    pub width: usize,
    pub values: Vec<f32>,
}

impl Logits {
    pub(crate) fn row(&self, at: usize) -> &[f32] {
        let start = (at * self.width).min(self.values.len());
        &self.values[start..(start + self.width).min(self.values.len())]
    }

    pub(crate) fn last(self) -> Vec<f32> {
        let rows = self.values.len() / self.width.max(1);
        if rows == 1 { self.values } else { self.row(rows.saturating_sub(1)).to_vec() }
    }
}

/// The encoded sound of a window.
pub(crate) struct Heard(DynValue);

enum Decoder {
    /// Says everything again at each step.
    Plain(Graph),
    /// One graph for the first step and one for the others.
    Pair { first: Graph, next: Graph },
    /// Both in one, with a switch.
    Merged(Graph),
}

/// A session and what goes in and out.
struct Graph {
    file: &'static str,
    session: Session,
    ports: Ports,
}

pub(crate) struct Net {
    sizes: Sizes,
    encoder: Graph,
    decoder: Decoder,
    /// Stands in for a cache where the graph wants one before there is any.
    empty: Option<DynValue>,
    pub bytes: u64,
}

type Input<'v> = (Cow<'static, str>, SessionInputValue<'v>);

fn failed(error: &lectern_neural::ort::Error) -> HearingError {
    HearingError::Failed(error.message().trim_end_matches('.').to_owned())
}

fn tensor<T>(shape: &[usize], values: Vec<T>) -> Result<DynValue, HearingError>
where
    T: lectern_neural::ort::value::PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    Tensor::from_array((shape.to_vec(), values)).map(Tensor::into_dyn).map_err(|e| failed(&e))
}

impl Graph {
    fn open(folder: &Path, file: &'static str, sizes: &Sizes) -> Result<(Self, u64), HearingError> {
        let path = folder.join(file);
        let refused = |error: NeuralError| misfit(file, error.to_string());
        let shape = lectern_neural::inspect(&path).map_err(refused)?;
        let ports = Ports::read(file, &shape, sizes)?;
        let session = lectern_neural::session(&path, &SessionOptions::default()).map_err(refused)?;
        Ok((Self { file, session, ports }, shape.bytes))
    }

    fn open_if_there(
        folder: &Path,
        file: &'static str,
        sizes: &Sizes,
    ) -> Result<Option<(Self, u64)>, HearingError> {
        if folder.join(file).is_file() { Self::open(folder, file, sizes).map(Some) } else { Ok(None) }
    }
}

impl Net {
    pub(crate) fn load(folder: &Path, sizes: &Sizes) -> Result<Self, HearingError> {
        let (encoder, mut bytes) = Graph::open(folder, ENCODER, sizes)?;
        let mut add = |(graph, size): (Graph, u64)| {
            bytes += size;
            graph
        };
        let decoder = if let Some(merged) = Graph::open_if_there(folder, MERGED, sizes)? {
            Decoder::Merged(add(merged))
        } else {
            let first = add(Graph::open(folder, DECODER, sizes)?);
            let next =
                if first.ports.gives.is_empty() { None } else { Graph::open_if_there(folder, NEXT, sizes)? };
            match next.map(&mut add) {
                Some(next) => Decoder::Pair { first, next },
                None => Decoder::Plain(first),
            }
        };
        let empty = match &decoder {
            Decoder::Merged(_) => {
                let each = sizes.width / sizes.heads;
                Some(tensor(&[1, sizes.heads, 1, each], vec![0.0f32; sizes.width])?)
            }
            _ => None,
        };
        let mut net = Self { sizes: sizes.clone(), encoder, decoder, empty, bytes };
        net.check_chain()?;
        net.try_decoder()?;
        Ok(net)
    }

    /// What one graph of a pair gives the other must want.
    fn check_chain(&self) -> Result<(), HearingError> {
        let (from, to) = match &self.decoder {
            Decoder::Plain(_) => return Ok(()),
            Decoder::Pair { first, next } => (first, next),
            Decoder::Merged(graph) => (graph, graph),
        };
        for wanted in &to.ports.wants {
            if !from.ports.gives.contains(wanted) {
                return Err(misfit(
                    from.file,
                    format!("it does not give present.{wanted}, which {} wants", to.file),
                ));
            }
        }
        for own in to.ports.wants.iter().filter(|name| name.contains(".decoder.")) {
            if !to.ports.gives.contains(own) {
                return Err(misfit(to.file, format!("it does not give present.{own}")));
            }
        }
        Ok(())
    }

    /// One step over silence: tells whether width and vocabulary are as the configuration says, where a graph
    /// leaves them open.
    fn try_decoder(&mut self) -> Result<(), HearingError> {
        let file = match &self.decoder {
            Decoder::Plain(graph) | Decoder::Pair { first: graph, .. } | Decoder::Merged(graph) => graph.file,
        };
        let silent = tensor(
            &[1, self.sizes.sources, self.sizes.width],
            vec![0.0f32; self.sizes.sources * self.sizes.width],
        )?;
        let explain = |error: HearingError| match error {
            HearingError::Failed(reason) => misfit(file, format!("its first step failed: {reason}")),
            other => other,
        };
        let heard = Heard(silent);
        let (_, state) = self.start(&heard, &[0]).map_err(explain)?;
        self.step(&heard, &state, 0).map_err(explain)?;
        Ok(())
    }

    /// Encodes the features of a window: bins times frames.
    pub(crate) fn encode(&mut self, features: Vec<f32>) -> Result<Heard, HearingError> {
        let input = tensor(&[1, self.sizes.mels, self.sizes.frames()], features)?;
        let graph = &mut self.encoder;
        let inputs: Vec<Input<'_>> = vec![(graph.ports.main.clone().into(), input.into())];
        let mut outputs = graph.session.run(inputs).map_err(|e| failed(&e))?;
        let missing = || HearingError::Failed("the encoder gave nothing".to_owned());
        let heard = outputs.remove(&graph.ports.result).ok_or_else(missing)?;
        let (shape, _) = heard.try_extract_tensor::<f32>().map_err(|e| failed(&e))?;
        let wanted = [1, self.sizes.sources as i64, self.sizes.width as i64];
        if shape[..] != wanted {
            let reason = format!("it gives {:?} for a window, the configuration says {wanted:?}", &shape[..]);
            return Err(misfit(ENCODER, reason));
        }
        Ok(Heard(heard))
    }

    /// The values of an encoded window, for tests.
    #[cfg(test)]
    pub(crate) fn values(heard: &Heard) -> Vec<f32> {
        heard.0.try_extract_tensor::<f32>().map(|(_, values)| values.to_vec()).unwrap_or_default()
    }

    /// The first step, with everything that is given.
    pub(crate) fn start(&mut self, heard: &Heard, tokens: &[u32]) -> Result<(Logits, State), HearingError> {
        let vocabulary = self.sizes.vocabulary;
        let (graph, cached) = match &mut self.decoder {
            Decoder::Plain(graph) => (graph, false),
            Decoder::Pair { first, .. } => (first, true),
            Decoder::Merged(graph) => (graph, true),
        };
        let mut inputs = token_inputs(graph, tokens, 0)?;
        inputs.push(("encoder_hidden_states".into(), (&heard.0).into()));
        if let Some(empty) = &self.empty {
            for name in &graph.ports.wants {
                inputs.push((format!("past_key_values.{name}").into(), empty.into()));
            }
            inputs.push(("use_cache_branch".into(), tensor(&[1], vec![false])?.into()));
        }
        let (logits, present) = run(graph, inputs, tokens.len(), vocabulary)?;
        let (own, far) = present.into_iter().partition::<Vec<_>, _>(|(name, _)| name.contains(".decoder."));
        let values =
            |list: Vec<(String, DynValue)>| Arc::new(list.into_iter().map(|(_, v)| v).collect::<Vec<_>>());
        let state = if cached {
            State { tokens: tokens.to_vec(), own: values(own), far: values(far) }
        } else {
            State { tokens: tokens.to_vec(), own: Arc::default(), far: Arc::default() }
        };
        Ok((logits, state))
    }

    /// One token more.
    pub(crate) fn step(
        &mut self,
        heard: &Heard,
        state: &State,
        token: u32,
    ) -> Result<(Vec<f32>, State), HearingError> {
        let mut tokens = state.tokens.clone();
        tokens.push(token);
        let vocabulary = self.sizes.vocabulary;
        let graph = match &mut self.decoder {
            Decoder::Plain(_) => {
                let (logits, state) = self.start(heard, &tokens)?;
                return Ok((logits.last(), state));
            }
            Decoder::Pair { next: graph, .. } | Decoder::Merged(graph) => graph,
        };
        let mut inputs = token_inputs(graph, &[token], state.tokens.len())?;
        if graph.ports.hears {
            inputs.push(("encoder_hidden_states".into(), (&heard.0).into()));
        }
        if self.empty.is_some() {
            inputs.push(("use_cache_branch".into(), tensor(&[1], vec![true])?.into()));
        }
        let (mut own, mut far) = (state.own.iter(), state.far.iter());
        for name in &graph.ports.wants {
            let value = if name.contains(".decoder.") { own.next() } else { far.next() };
            let value = value.ok_or_else(|| HearingError::Failed(format!("there is no past for {name}")))?;
            inputs.push((format!("past_key_values.{name}").into(), value.into()));
        }
        let (logits, present) = run(graph, inputs, 1, vocabulary)?;
        let own =
            present.into_iter().filter(|(name, _)| name.contains(".decoder.")).map(|(_, v)| v).collect();
        Ok((logits.last(), State { tokens, own: Arc::new(own), far: Arc::clone(&state.far) }))
    }
}

fn token_inputs<'v>(graph: &Graph, tokens: &[u32], before: usize) -> Result<Vec<Input<'v>>, HearingError> {
    let ids = tokens.iter().map(|token| i64::from(*token)).collect::<Vec<_>>();
    let mut inputs: Vec<Input<'v>> =
        vec![(graph.ports.main.clone().into(), tensor(&[1, tokens.len()], ids)?.into())];
    if graph.ports.places {
        let places = (before..before + tokens.len()).map(|at| at as i64).collect::<Vec<_>>();
        inputs.push(("cache_position".into(), tensor(&[tokens.len()], places)?.into()));
    }
    Ok(inputs)
}

type Present = Vec<(String, DynValue)>;

/// Gives logits and what the graph remembers, in the order of its ports.
fn run(
    graph: &mut Graph,
    inputs: Vec<Input<'_>>,
    rows: usize,
    width: usize,
) -> Result<(Logits, Present), HearingError> {
    let missing = |name: &str| HearingError::Failed(format!("the decoder gave no {name}"));
    let mut outputs = graph.session.run(inputs).map_err(|e| failed(&e))?;
    let logits = outputs.remove(&graph.ports.result).ok_or_else(|| missing("logits"))?;
    let (shape, values) = logits.try_extract_tensor::<f32>().map_err(|e| failed(&e))?;
    if shape[..] != [1, rows as i64, width as i64] {
        let reason = format!(
            "it gives logits of {:?} for {rows} tokens, the configuration has a vocabulary of {width}",
            &shape[..]
        );
        return Err(misfit(graph.file, reason));
    }
    let logits = Logits { width, values: values.to_vec() };
    let mut present = Vec::with_capacity(graph.ports.gives.len());
    for name in &graph.ports.gives {
        let port = format!("present.{name}");
        present.push((name.clone(), outputs.remove(&port).ok_or_else(|| missing(&port))?));
    }
    Ok((logits, present))
}
