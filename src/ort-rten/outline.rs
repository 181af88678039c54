//! What an ONNX file declares, without its weights: names, types, shapes, metadata, order of the nodes.

use crate::element::Element;

#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub ir_version: Option<i64>,
    pub producer: String,
    pub domain: String,
    pub version: i64,
    pub description: String,
    pub metadata: Vec<(String, String)>,
    pub graph: Option<Graph>,
}

#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub name: String,
    pub description: String,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    pub nodes: Vec<Node>,
    pub constants: Vec<Constant>,
}

/// An input or output.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub name: String,
    /// The code of the element type as the file has it; none for sequences, maps and undeclared values.
    pub code: Option<i64>,
    pub dims: Option<Vec<Dim>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dim {
    Fixed(i64),
    /// Empty when the file gives no name.
    Symbol(String),
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    pub name: String,
    pub op: String,
    pub domain: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub graphs: Vec<Graph>,
    /// The tensor of a `Constant`.
    pub value: Option<Constant>,
    /// The attribute `shape` of the random generators, `value_ints` of a `Constant`.
    pub ints: Vec<i64>,
}

#[derive(Debug, Default)]
pub(crate) struct Constant {
    pub name: String,
    pub code: i64,
    pub dims: Vec<i64>,
    /// Length of the raw data, if the content is held that way.
    pub raw: Option<u64>,
    /// The content of short integer tensors: shapes, counts.
    pub small: Option<Vec<i64>>,
    /// The name of the file that has the content.
    pub external: Option<String>,
}

/// A port whose type this backend knows.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub name: String,
    pub element: Element,
    pub dims: Vec<Dim>,
    /// False when the file leaves the number of dimensions open.
    pub has_shape: bool,
}
