//! Sense in what a model declares: known types, nodes in order, no constant that asks for all the memory.

use std::collections::{HashMap, HashSet};

use crate::element::Element;
use crate::outline::{Constant, Graph, Node, Outline, Port, Signature};
use crate::status::Failure;

const MAX_NODES: usize = 500_000;
/// RTen plans by recursion, once a node on the longest path; this stays inside half of a 2 MiB stack.
const MAX_DEPTH: u32 = 6_000;
/// Elements that a constant may make an operator produce while the model is loaded.
const MAX_CONSTANT: i64 = 1 << 28;

pub(crate) struct Checked {
    pub inputs: Vec<Signature>,
    pub outputs: Vec<Signature>,
    /// The files beside the model that hold weights.
    pub external: Vec<String>,
    /// The graph is one `Identity` (`ort` copies tensors with such a model): the bytes go through as they are.
    pub identity: bool,
}

pub(crate) fn check(outline: &Outline) -> Result<Checked, Failure> {
    if outline.ir_version.is_none() {
        return Err(Failure::protobuf("this is not an ONNX model: it does not say which version it has"));
    }
    let graph = outline.graph.as_ref().ok_or_else(|| Failure::graph("the model has no graph"))?;
    let mut walk = Walk::default();
    walk.graph(graph, None)?;
    let constants: HashSet<&str> = graph.constants.iter().map(|constant| constant.name.as_str()).collect();
    let inputs = graph.inputs.iter().filter(|port| !constants.contains(port.name.as_str()));
    let inputs = inputs.map(|port| signature(port, "input")).collect::<Result<Vec<_>, _>>()?;
    let outputs: Result<Vec<_>, _> = graph.outputs.iter().map(|port| signature(port, "output")).collect();
    let outputs = outputs?;
    if outputs.is_empty() {
        return Err(Failure::graph("the model has no output"));
    }
    unique(&inputs, "input")?;
    unique(&outputs, "output")?;
    walk.external.sort();
    walk.external.dedup();
    Ok(Checked { identity: is_identity(graph), inputs, outputs, external: walk.external })
}

fn signature(port: &Port, kind: &str) -> Result<Signature, Failure> {
    if port.name.is_empty() {
        return Err(Failure::graph(format!("an {kind} of the model has no name")));
    }
    let what = format!("the {kind} `{}`", port.name);
    let code =
        port.code.ok_or_else(|| Failure::unsupported(&format!("the type of {what}: it is no tensor")))?;
    let element = Element::from_code(code, &what)?;
    let dims = port.dims.clone();
    Ok(Signature {
        name: port.name.clone(),
        element,
        has_shape: dims.is_some(),
        dims: dims.unwrap_or_default(),
    })
}

fn unique(ports: &[Signature], kind: &str) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    match ports.iter().find(|port| !seen.insert(port.name.as_str())) {
        Some(twice) => Err(Failure::graph(format!("the model has two {kind}s `{}`", twice.name))),
        None => Ok(()),
    }
}

fn is_identity(graph: &Graph) -> bool {
    let ([node], [input], [output]) = (&graph.nodes[..], &graph.inputs[..], &graph.outputs[..]) else {
        return false;
    };
    node.op == "Identity"
        && node.domain.is_empty()
        && node.inputs == [input.name.clone()]
        && node.outputs == [output.name.clone()]
        && input.code == output.code
        && graph.constants.is_empty()
}

/// The values of a graph, and around it those of the graphs outside.
#[derive(Default)]
struct Scope<'a> {
    outer: Option<&'a Scope<'a>>,
    /// Every value with the length of the longest path to it.
    depth: HashMap<&'a str, u32>,
    /// Short integer constants.
    small: HashMap<&'a str, &'a [i64]>,
    /// The values that nodes of this graph make.
    made: HashSet<&'a str>,
}

impl Scope<'_> {
    fn depth(&self, name: &str) -> Option<u32> {
        self.depth.get(name).copied().or_else(|| self.outer?.depth(name))
    }
}

#[derive(Default)]
struct Walk {
    nodes: usize,
    external: Vec<String>,
}

impl Walk {
    fn graph(&mut self, graph: &Graph, outer: Option<&Scope<'_>>) -> Result<(), Failure> {
        let mut scope = Scope { outer, ..Scope::default() };
        for constant in &graph.constants {
            self.constant(constant)?;
            scope.depth.insert(&constant.name, 0);
            scope.small.extend(constant.small.as_deref().map(|values| (constant.name.as_str(), values)));
        }
        scope.depth.extend(graph.inputs.iter().map(|port| (port.name.as_str(), 0)));
        for node in &graph.nodes {
            self.node(node, &mut scope)?;
            for inner in &node.graphs {
                self.graph(inner, Some(&scope))?;
            }
        }
        match graph.outputs.iter().find(|port| scope.depth(&port.name).is_none()) {
            Some(port) => Err(Failure::graph(format!("nothing makes the output `{}`", port.name))),
            None => Ok(()),
        }
    }

    fn node<'a>(&mut self, node: &'a Node, scope: &mut Scope<'a>) -> Result<(), Failure> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Failure::graph(format!("the model has more than {MAX_NODES} nodes")));
        }
        let mut longest = 0;
        for input in node.inputs.iter().filter(|name| !name.is_empty()) {
            let path = scope.depth(input).ok_or_else(|| {
                Failure::graph(format!("{} uses the value `{input}` before anything makes it", name_of(node)))
            })?;
            longest = longest.max(path + 1);
        }
        if longest > MAX_DEPTH {
            return Err(Failure::graph(format!("the model is more than {MAX_DEPTH} nodes deep")));
        }
        for output in node.outputs.iter().filter(|name| !name.is_empty()) {
            if !scope.made.insert(output) {
                return Err(Failure::graph(format!("two nodes make the value `{output}`")));
            }
            scope.depth.insert(output, longest);
        }
        if node.op == "Constant" {
            if let Some(constant) = &node.value {
                self.constant(constant)?;
            }
            let values = node.value.as_ref().and_then(|constant| constant.small.as_deref());
            let values = values.unwrap_or(&node.ints);
            scope.small.extend(node.outputs.first().map(|name| (name.as_str(), values)));
        }
        bombs(node, &scope.small)
    }

    fn constant(&mut self, constant: &Constant) -> Result<(), Failure> {
        let Constant { name, dims, .. } = constant;
        let count = product(dims)
            .ok_or_else(|| Failure::graph(format!("the weights `{name}` cannot have the shape {dims:?}")))?;
        if let Some(file) = &constant.external {
            let plain = !file.is_empty() && file != ".." && file != "." && !file.contains(['/', '\\']);
            if !plain {
                return Err(Failure::graph(format!(
                    "the weights `{name}` lie outside of the model's folder"
                )));
            }
            self.external.push(file.clone());
        } else if let (Some(raw), Ok(element)) = (constant.raw, Element::from_code(constant.code, name)) {
            let needed = count.checked_mul(element.size() as i64);
            if needed != i64::try_from(raw).ok() {
                let message = format!("the weights `{name}` have {raw} bytes, which do not fit {dims:?}");
                return Err(Failure::graph(message));
            }
        }
        Ok(())
    }
}

fn product(dims: &[i64]) -> Option<i64> {
    dims.iter().try_fold(1i64, |product, size| if *size < 0 { None } else { product.checked_mul(*size) })
}

/// Operators that make large tensors out of small constants, which happens while the model is loaded.
fn bombs(node: &Node, small: &HashMap<&str, &[i64]>) -> Result<(), Failure> {
    let constant = |index: usize| node.inputs.get(index).and_then(|name| small.get(name.as_str()).copied());
    let shape = match node.op.as_str() {
        "ConstantOfShape" => constant(0),
        "Expand" | "Tile" | "OneHot" => constant(1),
        "RandomNormal" | "RandomUniform" => Some(&node.ints[..]),
        "Range" => return range(node, constant(0), constant(1), constant(2)),
        _ => None,
    };
    let Some(shape) = shape else { return Ok(()) };
    // Expand may say 1 or -1 for a size that is kept.
    let count = shape.iter().try_fold(1i64, |product, size| product.checked_mul((*size).max(1)));
    if count.is_some_and(|count| count <= MAX_CONSTANT) {
        return Ok(());
    }
    Err(Failure::graph(format!(
        "{} makes a tensor of the shape {shape:?}, which is too large",
        name_of(node)
    )))
}

fn range(node: &Node, from: Option<&[i64]>, to: Option<&[i64]>, step: Option<&[i64]>) -> Result<(), Failure> {
    let (Some([from]), Some([to]), Some([step])) = (from, to, step) else { return Ok(()) };
    let count = i128::from(to.abs_diff(*from)) / i128::from(step.unsigned_abs().max(1));
    if count <= i128::from(MAX_CONSTANT) {
        return Ok(());
    }
    Err(Failure::graph(format!("{} counts from {from} to {to}, which is too far", name_of(node))))
}

fn name_of(node: &Node) -> String {
    if node.name.is_empty() { format!("a node {}", node.op) } else { format!("the node `{}`", node.name) }
}
