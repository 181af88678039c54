//! What a model file declares, for those who choose models: nothing is loaded and no memory spent on weights.

use std::path::Path;

use crate::load;
use crate::outline::{Dim, Signature};

/// An input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    /// `f32`, `i64`, `bool` …
    pub element: &'static str,
    /// None when the model leaves the number of dimensions open.
    pub shape: Option<Vec<Dimension>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dimension {
    Fixed(u64),
    /// Any size; the name that the model gives it may be empty.
    Any(String),
}

/// The outside of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub producer: String,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    pub metadata: Vec<(String, String)>,
    pub nodes: usize,
    /// The kinds of operators, in order of the alphabet.
    pub operators: Vec<String>,
    /// Files beside the model that hold weights.
    pub external: Vec<String>,
    /// Bytes of the model with those files; about what it needs in memory.
    pub bytes: u64,
}

/// Why a model was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Reads what the file declares and checks its structure, as loading does before anything else.
pub fn inspect(path: &Path) -> Result<Description, Refused> {
    let (outline, checked) = load::inspect(path).map_err(|failure| Refused(failure.message))?;
    let size = |path: &Path| path.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    let beside: u64 = checked.external.iter().map(|name| size(&path.with_file_name(name))).sum();
    let graph = outline.graph.unwrap_or_default();
    let mut operators: Vec<String> = graph.nodes.iter().map(|node| node.op.clone()).collect();
    operators.sort();
    operators.dedup();
    Ok(Description {
        producer: outline.producer,
        inputs: checked.inputs.iter().map(port).collect(),
        outputs: checked.outputs.iter().map(port).collect(),
        metadata: outline.metadata,
        nodes: graph.nodes.len(),
        operators,
        external: checked.external,
        bytes: size(path) + beside,
    })
}

fn port(signature: &Signature) -> Port {
    let dimension = |dim: &Dim| match dim {
        Dim::Fixed(size) => Dimension::Fixed(size.unsigned_abs()),
        Dim::Symbol(name) => Dimension::Any(name.clone()),
    };
    let shape = signature.dims.iter().map(dimension).collect();
    Port {
        name: signature.name.clone(),
        element: signature.element.name(),
        shape: signature.has_shape.then_some(shape),
    }
}
