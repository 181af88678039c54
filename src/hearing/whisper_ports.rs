//! What the graphs of an export take and give, and whether that fits the configuration.

use lectern_neural::{Dimension, ModelShape, Port};

use crate::HearingError;
use crate::whisper_config::{Sizes, misfit};

pub(crate) const ENCODER: &str = "encoder_model.onnx";
pub(crate) const DECODER: &str = "decoder_model.onnx";
pub(crate) const NEXT: &str = "decoder_with_past_model.onnx";
pub(crate) const MERGED: &str = "decoder_model_merged.onnx";

const PAST: &str = "past_key_values.";
const PRESENT: &str = "present.";

/// The names of a graph's inputs and outputs that matter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    /// Features or tokens.
    pub main: String,
    /// Encoded sound or logits.
    pub result: String,
    /// Whether the encoded sound goes in.
    pub hears: bool,
    /// Whether the places of the tokens go in.
    pub places: bool,
    /// Parts of the cache that go in: `0.decoder.key`.
    pub wants: Vec<String>,
    /// Parts of the cache that come out.
    pub gives: Vec<String>,
}

/// What is known of a dimension.
#[derive(Clone, Copy)]
enum Wanted {
    Any,
    Size(usize),
}
use Wanted::{Any, Size};

impl Ports {
    pub(crate) fn read(file: &'static str, shape: &ModelShape, sizes: &Sizes) -> Result<Self, HearingError> {
        let look = Look { file, shape, sizes };
        let each = [Any, Size(sizes.heads), Any, Size(sizes.width / sizes.heads)];
        let ports = if file == ENCODER {
            look.input("input_features", "f32", &[Any, Size(sizes.mels), Size(sizes.frames())])?;
            let result = &look.first_output()?.name;
            look.output(result, &[Any, Size(sizes.sources), Size(sizes.width)])?;
            Self { main: "input_features".into(), result: result.clone(), ..look.cache(&each)? }
        } else {
            look.input("input_ids", "i64", &[Any, Any])?;
            look.output("logits", &[Any, Any, Size(sizes.vocabulary)])?;
            let ports = Self { main: "input_ids".into(), result: "logits".into(), ..look.cache(&each)? };
            if file != NEXT || ports.hears {
                look.input("encoder_hidden_states", "f32", &[Any, Any, Size(sizes.width)])?;
            }
            if file == MERGED {
                look.input("use_cache_branch", "bool", &[Any])?;
            }
            ports
        };
        look.complete(&ports)?;
        Ok(ports)
    }
}

struct Look<'a> {
    file: &'static str,
    shape: &'a ModelShape,
    sizes: &'a Sizes,
}

impl Look<'_> {
    fn input(&self, name: &str, element: &str, dims: &[Wanted]) -> Result<(), HearingError> {
        let port = self.shape.inputs.iter().find(|port| port.name == name);
        let port = port.ok_or_else(|| misfit(self.file, format!("it has no input {name}")))?;
        self.fits(port, element, dims)
    }

    fn output(&self, name: &str, dims: &[Wanted]) -> Result<(), HearingError> {
        let port = self.shape.outputs.iter().find(|port| port.name == name);
        let port = port.ok_or_else(|| misfit(self.file, format!("it has no output {name}")))?;
        self.fits(port, "f32", dims)
    }

    fn first_output(&self) -> Result<&Port, HearingError> {
        let named = self.shape.outputs.iter().find(|port| port.name == "last_hidden_state");
        named.or(self.shape.outputs.first()).ok_or_else(|| misfit(self.file, "it has no output"))
    }

    fn fits(&self, port: &Port, element: &str, dims: &[Wanted]) -> Result<(), HearingError> {
        let name = &port.name;
        if port.element != element {
            let hint =
                if port.element == "f16" { "; export it with inputs and outputs of 32 bits" } else { "" };
            return Err(misfit(self.file, format!("{name} is {}, {element} is wanted{hint}", port.element)));
        }
        let Some(shape) = &port.shape else { return Ok(()) };
        if shape.len() != dims.len() {
            let reason = format!("{name} has {} dimensions, {} are wanted", shape.len(), dims.len());
            return Err(misfit(self.file, reason));
        }
        for (found, wanted) in shape.iter().zip(dims) {
            if let (Dimension::Fixed(found), Size(wanted)) = (found, wanted)
                && *found != *wanted as u64
            {
                let reason = format!("{name} has a size of {found} where the configuration says {wanted}");
                return Err(misfit(self.file, reason));
            }
        }
        Ok(())
    }

    /// The parts of the cache, in an order that is the same for all graphs of an export.
    fn cache(&self, each: &[Wanted]) -> Result<Ports, HearingError> {
        let part = |prefix: &'static str| {
            move |port: &&Port| {
                port.name.strip_prefix(prefix).map(str::to_owned).is_some_and(|n| !n.is_empty())
            }
        };
        let mut wants = Vec::new();
        for port in self.shape.inputs.iter().filter(part(PAST)) {
            self.fits(port, "f32", each)?;
            wants.push(self.part(&port.name[PAST.len()..])?);
        }
        let mut gives = Vec::new();
        for port in self.shape.outputs.iter().filter(part(PRESENT)) {
            if port.element != "f32" {
                return Err(misfit(self.file, format!("{} is {}, f32 is wanted", port.name, port.element)));
            }
            gives.push(self.part(&port.name[PRESENT.len()..])?);
        }
        wants.sort();
        gives.sort();
        let has = |name: &str| self.shape.inputs.iter().any(|port| port.name == name);
        Ok(Ports {
            main: String::new(),
            result: String::new(),
            hears: has("encoder_hidden_states"),
            places: has("cache_position"),
            wants: wants.into_iter().map(|(_, name)| name).collect(),
            gives: gives.into_iter().map(|(_, name)| name).collect(),
        })
    }

    /// `3.decoder.key`, with the number in front for sorting.
    fn part(&self, name: &str) -> Result<(usize, String), HearingError> {
        let known = ["decoder.key", "decoder.value", "encoder.key", "encoder.value"];
        let layer =
            name.split_once('.').filter(|(_, rest)| known.contains(rest)).and_then(|(n, _)| n.parse().ok());
        match layer {
            Some(layer) if layer < self.sizes.layers => Ok((layer, name.to_owned())),
            _ => Err(misfit(
                self.file,
                format!("its cache has a part {name}, which the configuration does not know"),
            )),
        }
    }

    /// All layers, or none; and nothing else that would have to be given.
    fn complete(&self, ports: &Ports) -> Result<(), HearingError> {
        let full = self.sizes.layers * 4;
        let wants = match self.file {
            ENCODER | DECODER => 0,
            _ => full,
        };
        if ports.wants.len() != wants {
            let reason =
                format!("it wants {} parts of a cache, the configuration says {wants}", ports.wants.len());
            return Err(misfit(self.file, reason));
        }
        let gives = ports.gives.len();
        let fits = match self.file {
            ENCODER => gives == 0,
            DECODER => gives == 0 || gives == full,
            NEXT => gives == full || gives == full / 2,
            _ => gives == full,
        };
        if !fits {
            return Err(misfit(
                self.file,
                format!("it gives {gives} parts of a cache, the configuration says {full}"),
            ));
        }
        let known =
            ["input_features", "input_ids", "encoder_hidden_states", "use_cache_branch", "cache_position"];
        let odd =
            self.shape.inputs.iter().find(|p| !known.contains(&p.name.as_str()) && !p.name.starts_with(PAST));
        match odd {
            Some(port) => {
                Err(misfit(self.file, format!("it wants an input {} that Whisper does not have", port.name)))
            }
            None => Ok(()),
        }
    }
}
