//! Parts a VITS graph at the latent that its waveform decoder reads. The decoder (HiFi-GAN; Kim et al., "Conditional
//! Variational Autoencoder with Adversarial Learning for End-to-End Text-to-Speech", 2021, section 2.5) is made of
//! convolutions, so a piece of its sound depends on a piece of the latent and a few frames around it: the first sound of
//! a clause is there before the rest was computed, and is the same as if it had been made at once.

use std::collections::HashMap;

use lectern_neural::{OnnxGraph, OnnxPort};

/// More operators than any voice has.
const MAX_NODES: usize = 20_000;
/// The input that chooses the speaker; what depends on it alone is the same at all times.
pub(crate) const SPEAKER: &str = "sid";

/// A voice's graph in two models.
pub(crate) struct Parts {
    /// From the inputs of the voice to the latent, `[1, channels, frames]`.
    pub front: Vec<u8>,
    /// From the latent, and the speaker when there are several, to sound.
    pub decoder: Vec<u8>,
    pub plan: Plan,
}

/// How the decoder is run in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub latent: String,
    pub channels: usize,
    /// Samples of a frame.
    pub hop: usize,
    /// Frames before and after a piece that its sound depends on.
    pub before: usize,
    pub after: usize,
    /// The decoder wants the speaker.
    pub speaker: bool,
}

/// None when the graph has no such decoder: then it is run as a whole.
pub(crate) fn part(model: &[u8]) -> Option<Parts> {
    let graph = OnnxGraph::read(model)?;
    if graph.nodes.len() > MAX_NODES || graph.outputs.len() != 1 {
        return None;
    }
    let walk = Walk::new(&graph);
    let convolutions = graph.nodes.iter().filter(|node| node.op == "Conv");
    // The earliest place from which on everything is local.
    let (latent, reach) = convolutions.filter_map(|node| node.inputs.first()).find_map(|latent| {
        let reach = walk.reach(latent)?;
        (reach.rate > 1).then_some((*latent, reach))
    })?;
    let channels = walk.channels(latent)?;
    let port = OnnxPort { name: latent, channels };
    let [output] = graph.outputs[..] else { return None };
    let whole = |name| OnnxPort { name, channels: 1 };
    let front = walk.needed(latent, None);
    let decoder = walk.needed(output, Some(latent));
    let speaker = decoder.iter().any(|index| graph.nodes[*index].inputs.contains(&SPEAKER));
    let mut inputs = vec![port];
    inputs.extend(speaker.then_some(whole(SPEAKER)));
    let all: Vec<OnnxPort<'_>> = graph.inputs.iter().map(|name| whole(name)).collect();
    Some(Parts {
        front: graph.part(&front, &all, &[port]),
        decoder: graph.part(&decoder, &inputs, &[whole(output)]),
        plan: Plan {
            latent: latent.to_owned(),
            channels: usize::try_from(channels).ok()?,
            hop: usize::try_from(reach.rate).ok()?,
            // One more for the rounding of the positions between frames.
            before: reach.before.ceil() as usize + 1,
            after: reach.after.ceil() as usize + 1,
            speaker,
        },
    })
}

/// What a value depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Weights only.
    Constant,
    /// The speaker, but not the time.
    Speaker,
    /// The latent near the same time.
    Local(Reach),
    Other,
}

/// How far a value sees.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reach {
    /// Values of one frame.
    rate: i64,
    /// In frames.
    before: f64,
    after: f64,
}

impl Reach {
    fn with(self, other: Self) -> Option<Self> {
        let before = self.before.max(other.before);
        (self.rate == other.rate).then(|| Self { before, after: self.after.max(other.after), ..self })
    }
}

struct Walk<'a> {
    graph: &'a OnnxGraph<'a>,
    numbers: HashMap<&'a str, usize>,
    makers: HashMap<&'a str, usize>,
    /// Inputs and outputs of the nodes, by number.
    inputs: Vec<Vec<usize>>,
    outputs: Vec<Vec<usize>>,
    /// What the values depend on when there is no latent.
    kinds: Vec<Kind>,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a OnnxGraph<'a>) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut makers = HashMap::new();
        let mut number = |name: &'a str| {
            let next = numbers.len();
            *numbers.entry(name).or_insert(next)
        };
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for (index, node) in graph.nodes.iter().enumerate() {
            inputs.push(node.inputs.iter().map(|name| number(name)).collect());
            outputs.push(node.outputs.iter().map(|name| number(name)).collect());
            makers.extend(node.outputs.iter().map(|name| (*name, index)));
        }
        let mut kinds = vec![Kind::Other; numbers.len()];
        let weights = graph.weights.keys().chain(std::iter::once(&"")).map(|name| (*name, Kind::Constant));
        for (name, kind) in weights.chain([(SPEAKER, Kind::Speaker)]) {
            if let Some(number) = numbers.get(name) {
                kinds[*number] = kind;
            }
        }
        let mut walk = Self { graph, numbers, makers, inputs, outputs, kinds };
        let mut kinds = std::mem::take(&mut walk.kinds);
        walk.follow(0, &mut kinds);
        walk.kinds = kinds;
        walk
    }

    /// What values depend on, from a node on.
    fn follow(&self, first: usize, kinds: &mut [Kind]) {
        let mut inputs = Vec::new();
        for index in first..self.graph.nodes.len() {
            inputs.clear();
            inputs.extend(self.inputs[index].iter().map(|number| kinds[*number]));
            let kind = self.kind(index, &inputs);
            for output in &self.outputs[index] {
                kinds[*output] = kind;
            }
        }
    }

    /// How far the model's output sees of the latent; none when it depends on anything else.
    fn reach(&self, latent: &str) -> Option<Reach> {
        let maker = *self.makers.get(latent)?;
        let mut kinds = self.kinds.clone();
        kinds[*self.numbers.get(latent)?] = Kind::Local(Reach { rate: 1, before: 0.0, after: 0.0 });
        self.follow(maker + 1, &mut kinds);
        match kinds[*self.numbers.get(self.graph.outputs.first()?)?] {
            Kind::Local(reach) => Some(reach),
            _ => None,
        }
    }

    fn kind(&self, index: usize, inputs: &[Kind]) -> Kind {
        let node = &self.graph.nodes[index];
        if node.op.starts_with("Random")
            || inputs.contains(&Kind::Other)
            || (inputs.is_empty() && node.op != "Constant")
        {
            return Kind::Other;
        }
        let mut local = inputs.iter().filter_map(|kind| match kind {
            Kind::Local(reach) => Some(*reach),
            _ => None,
        });
        let Some(first) = local.next() else {
            return if inputs.contains(&Kind::Speaker) { Kind::Speaker } else { Kind::Constant };
        };
        let reach = match node.op {
            "Conv" | "ConvTranspose" => match inputs {
                [Kind::Local(_), Kind::Constant] | [Kind::Local(_), Kind::Constant, Kind::Constant] => {
                    self.convolved(index, first)
                }
                _ => None,
            },
            "Add" | "Sub" | "Mul" | "Div" => local.try_fold(first, Reach::with),
            "LeakyRelu" | "Relu" | "Tanh" | "Sigmoid" | "Identity" | "Squeeze" | "Unsqueeze" => Some(first),
            _ => None,
        };
        reach.map_or(Kind::Other, Kind::Local)
    }

    /// Through a convolution over time that keeps the length, or a transposed one that makes it a whole number of times
    /// as long.
    fn convolved(&self, index: usize, from: Reach) -> Option<Reach> {
        let node = &self.graph.nodes[index];
        let one = |name: &str, default: i64| match node.ints.get(name).map(Vec::as_slice) {
            None => Some(default),
            Some([value]) => Some(*value),
            Some(_) => None,
        };
        let weight = self.graph.weights.get(*node.inputs.get(1)?)?;
        let [_, _, kernel] = weight[..] else { return None };
        let pads = node.ints.get("pads").map_or(&[0, 0][..], Vec::as_slice);
        let [left, right] = pads[..] else { return None };
        let (stride, dilation) = (one("strides", 1)?, one("dilations", 1)?);
        let more = one("output_padding", 0)?;
        let auto = node.texts.get("auto_pad").is_some_and(|kind| *kind != b"NOTSET");
        let sane = [
            kernel.checked_sub(1)?,
            left,
            right,
            stride.checked_sub(1)?,
            dilation.checked_sub(1)?,
            more,
            from.rate,
        ];
        if auto || node.ints.contains_key("output_shape") || !sane.iter().all(|n| (0..1 << 20).contains(n)) {
            return None;
        }
        let span = (kernel - 1) * dilation;
        let rate = from.rate as f64;
        let wide = |samples: i64, rate: f64| (samples as f64 / rate).max(0.0);
        if node.op == "Conv" {
            let fits = stride == 1 && left + right == span;
            return fits.then(|| Reach {
                rate: from.rate,
                before: from.before + wide(left, rate),
                after: from.after + wide(span - left, rate),
            });
        }
        // Length out: (n - 1) · stride - pads + span + 1 + output_padding; it must be n · stride.
        let fits = span + 1 + more - left - right == stride;
        let out = from.rate * stride;
        fits.then(|| Reach {
            rate: out,
            before: from.before + wide(span - left, out as f64),
            after: from.after + wide(left, out as f64),
        })
    }

    /// Channels of the latent, from the weights of the convolution that reads it.
    fn channels(&self, latent: &str) -> Option<i64> {
        let node =
            self.graph.nodes.iter().find(|node| node.op == "Conv" && node.inputs.first() == Some(&latent))?;
        let group = node.ints.get("group").and_then(|group| group.first()).copied().unwrap_or(1);
        self.graph.weights.get(*node.inputs.get(1)?)?.get(1)?.checked_mul(group)
    }

    /// The nodes that a value needs, in their order; what makes `given` is not followed.
    fn needed(&self, value: &str, given: Option<&str>) -> Vec<usize> {
        let mut needed = vec![false; self.graph.nodes.len()];
        let mut open = vec![value];
        while let Some(name) = open.pop() {
            let Some(index) = self.makers.get(name).filter(|_| Some(name) != given) else { continue };
            if !std::mem::replace(&mut needed[*index], true) {
                open.extend(&self.graph.nodes[*index].inputs);
            }
        }
        (0..needed.len()).filter(|index| needed[*index]).collect()
    }
}
