//! A loaded model and one run through it.

use std::collections::HashMap;

use ort_sys::OrtErrorCode;
use rten::{Model, NodeId, RunOptions, Value, ValueOrView};

use crate::convert::{computes_with, from_rten, to_rten, unsupported};
use crate::cuts::Cut;
use crate::load::{LoadOptions, Loaded, Source, load};
use crate::options::{RunSettings, SessionSettings};
use crate::outline::{Dim, Outline, Signature};
use crate::status::Failure;
use crate::tensor::Tensor;
use crate::threads::Lease;

pub(crate) struct Session {
    pub inputs: Vec<Signature>,
    pub outputs: Vec<Signature>,
    pub outline: Outline,
    engine: Option<Engine>,
    threads: usize,
}

struct Engine {
    model: Model,
    ids: HashMap<String, NodeId>,
    /// Where a run with options looks whether it is to stop.
    cuts: Vec<Cut>,
}

impl Session {
    pub(crate) fn open(source: Source, settings: &SessionSettings) -> Result<Self, Failure> {
        let options = LoadOptions {
            optimize: settings.optimize(),
            prepack: settings.prepack(),
            deadline: settings.load_deadline(),
            cancel: settings.cancel(),
        };
        let Loaded { mut outline, checked, model, cuts } = load(source, &options)?;
        // Only metadata is asked for later; the nodes were for the check.
        if let Some(graph) = &mut outline.graph {
            graph.nodes = Vec::new();
            graph.constants = Vec::new();
        }
        let engine =
            model.map(|model| Engine::new(model, cuts, &checked.inputs, &checked.outputs)).transpose()?;
        Ok(Self {
            inputs: checked.inputs,
            outputs: checked.outputs,
            outline,
            engine,
            threads: settings.threads(),
        })
    }

    pub(crate) fn run(
        &self,
        settings: Option<&RunSettings>,
        inputs: &[(&str, &Tensor)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, Failure> {
        self.check_inputs(inputs)?;
        let wanted: Result<Vec<&Signature>, _> = outputs.iter().map(|name| self.output(name)).collect();
        let wanted = wanted?;
        stopped(settings)?;
        let Some(engine) = &self.engine else {
            let (_, input) = inputs.first().ok_or_else(|| Failure::argument("there is no input"))?;
            return wanted.iter().map(|_| input.deep_copy()).collect();
        };
        let results = engine.run(settings, inputs, outputs, self.threads)?;
        stopped(settings)?;
        wanted
            .iter()
            .zip(results)
            .map(|(signature, value)| from_rten(value, signature.element, &signature.name))
            .collect()
    }

    fn output(&self, name: &str) -> Result<&Signature, Failure> {
        let found = self.outputs.iter().find(|signature| signature.name == name);
        found.ok_or_else(|| Failure::argument(format!("the model has no output `{name}`")))
    }

    fn check_inputs(&self, inputs: &[(&str, &Tensor)]) -> Result<(), Failure> {
        for (name, tensor) in inputs {
            let signature = self.inputs.iter().find(|signature| signature.name == *name);
            let signature =
                signature.ok_or_else(|| Failure::argument(format!("the model has no input `{name}`")))?;
            if !fits(signature, tensor) {
                let message = format!(
                    "the input `{name}` is {}{:?}, the model wants {}",
                    tensor.element.name(),
                    tensor.shape,
                    describe(signature)
                );
                return Err(Failure::argument(message));
            }
        }
        let missing =
            self.inputs.iter().find(|signature| !inputs.iter().any(|(name, _)| *name == signature.name));
        match missing {
            Some(signature) => Err(Failure::argument(format!("the input `{}` is missing", signature.name))),
            None => Ok(()),
        }
    }
}

impl Engine {
    fn new(
        model: Model,
        cuts: Vec<Cut>,
        inputs: &[Signature],
        outputs: &[Signature],
    ) -> Result<Self, Failure> {
        let mut ids = HashMap::new();
        for signature in inputs.iter().chain(outputs) {
            if !computes_with(signature.element) {
                return Err(unsupported(signature.element, &signature.name));
            }
            let id = model.node_id(&signature.name).map_err(|error| Failure::graph(error.to_string()))?;
            ids.insert(signature.name.clone(), id);
        }
        Ok(Self { model, ids, cuts })
    }

    fn run(
        &self,
        settings: Option<&RunSettings>,
        inputs: &[(&str, &Tensor)],
        outputs: &[&str],
        threads: usize,
    ) -> Result<Vec<Value>, Failure> {
        let mut values: Vec<(NodeId, ValueOrView<'_>)> = Vec::with_capacity(inputs.len());
        for (name, tensor) in inputs {
            values.push((self.id(name)?, to_rten(tensor, name)?));
        }
        let wanted: Result<Vec<NodeId>, _> = outputs.iter().map(|name| self.id(name)).collect();
        let wanted = wanted?;
        let lease = Lease::take(threads);
        let options = RunOptions::default().with_thread_pool(lease.pool());
        let step = |values, wanted: &[NodeId]| {
            stopped(settings)?;
            let result = self.model.run(values, wanted, Some(options.clone()));
            result.map_err(|error| Failure::failed(error.to_string()))
        };
        // Without options nobody can stop the run, and one piece is a little faster.
        let cuts = if settings.is_some() { &self.cuts[..] } else { &[] };
        let mut alive: Vec<(NodeId, Value)> = Vec::new();
        for cut in cuts {
            let results = step(given(&values, alive), cut)?;
            alive = cut.iter().copied().zip(results).collect();
        }
        step(given(&values, alive), &wanted)
    }

    fn id(&self, name: &str) -> Result<NodeId, Failure> {
        self.ids.get(name).copied().ok_or_else(|| Failure::argument(format!("there is no value `{name}`")))
    }
}

/// The inputs as views, and what the last piece of a run left.
fn given<'a>(
    inputs: &'a [(NodeId, ValueOrView<'_>)],
    alive: Vec<(NodeId, Value)>,
) -> Vec<(NodeId, ValueOrView<'a>)> {
    let inputs = inputs.iter().map(|(id, value)| (*id, ValueOrView::View(value.as_view())));
    inputs.chain(alive.into_iter().map(|(id, value)| (id, ValueOrView::Value(value)))).collect()
}

/// The words are those of ONNX Runtime, which callers may look for.
fn stopped(settings: Option<&RunSettings>) -> Result<(), Failure> {
    if settings.is_some_and(RunSettings::terminated) {
        let message = "Exiting due to terminate flag being set to true.";
        return Err(Failure::new(OrtErrorCode::ORT_FAIL, message));
    }
    Ok(())
}

fn fits(signature: &Signature, tensor: &Tensor) -> bool {
    let same_size = |(dim, size): (&Dim, &usize)| match dim {
        Dim::Fixed(fixed) => usize::try_from(*fixed) == Ok(*size),
        Dim::Symbol(_) => true,
    };
    signature.element == tensor.element
        && (!signature.has_shape
            || signature.dims.len() == tensor.shape.len()
                && signature.dims.iter().zip(&tensor.shape).all(same_size))
}

fn describe(signature: &Signature) -> String {
    let dims: Vec<String> = signature
        .dims
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(size) => size.to_string(),
            Dim::Symbol(name) if name.is_empty() => "?".to_owned(),
            Dim::Symbol(name) => name.clone(),
        })
        .collect();
    format!("{}[{}]", signature.element.name(), dims.join(", "))
}
