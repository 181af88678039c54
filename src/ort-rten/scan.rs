//! Walks through an ONNX file before RTen reads it: every length in bounds, nothing nested or repeated without
//! end. Weights are stepped over, not read.

use std::io::{BufRead, Seek};

use crate::outline::{Constant, Dim, Graph, Node, Outline, Port};
use crate::status::Failure;
use crate::wire::{Field, Payload, Wire};

/// Graphs inside nodes inside graphs: `If` and `Loop` in real models reach three or four.
const MAX_NESTING: usize = 8;
const MAX_TEXT: u64 = 64 << 10;
const MAX_DESCRIPTION: u64 = 16 << 20;
/// Elements of a tensor whose values are looked at.
const MAX_SMALL: u64 = 16;

pub(crate) struct Scanner<R> {
    wire: Wire<R>,
}

impl<R: BufRead + Seek> Scanner<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { wire: Wire::new(inner) }
    }

    /// `len`: of the whole file.
    pub(crate) fn model(mut self, len: u64) -> Result<Outline, Failure> {
        let mut model = Outline::default();
        while let Some(field) = self.wire.field(len)? {
            match (field.number, field.payload) {
                (1, Payload::Varint(value)) => model.ir_version = Some(value.cast_signed()),
                (2, Payload::Len(len)) => model.producer = self.wire.text(len, MAX_TEXT)?,
                (3 | 4, Payload::Len(len)) => {
                    let text = self.wire.text(len, MAX_TEXT)?;
                    if field.number == 4 {
                        model.domain = text;
                    }
                }
                (5, Payload::Varint(value)) => model.version = value.cast_signed(),
                (6, Payload::Len(len)) => model.description = self.wire.text(len, MAX_DESCRIPTION)?,
                (7, Payload::Len(len)) => {
                    if model.graph.is_some() {
                        return Err(self.wire.broken("begins a second graph"));
                    }
                    model.graph = Some(self.graph(len, 0)?);
                }
                (8, Payload::Len(len)) => self.opset(len)?,
                (14, Payload::Len(len)) => model.metadata.push(self.entry(len)?),
                (1..=8 | 14, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(model)
    }

    fn graph(&mut self, len: u64, nesting: usize) -> Result<Graph, Failure> {
        if nesting > MAX_NESTING {
            return Err(self.wire.broken("nests graphs too deeply"));
        }
        let end = self.wire.pos() + len;
        let mut graph = Graph::default();
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Len(len)) => graph.nodes.push(self.node(len, nesting)?),
                (2, Payload::Len(len)) => graph.name = self.wire.text(len, MAX_TEXT)?,
                (5, Payload::Len(len)) => graph.constants.push(self.tensor(len)?),
                (10, Payload::Len(len)) => graph.description = self.wire.text(len, MAX_DESCRIPTION)?,
                (11, Payload::Len(len)) => graph.inputs.push(self.port(len)?),
                (12, Payload::Len(len)) => graph.outputs.push(self.port(len)?),
                (13, Payload::Len(len)) => drop(self.port(len)?),
                (15, Payload::Len(_)) => return Err(Failure::unsupported("sparse weights")),
                (1 | 2 | 5 | 10..=13 | 15, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(graph)
    }

    fn node(&mut self, len: u64, nesting: usize) -> Result<Node, Failure> {
        let end = self.wire.pos() + len;
        let mut node = Node::default();
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Len(len)) => node.inputs.push(self.wire.text(len, MAX_TEXT)?),
                (2, Payload::Len(len)) => node.outputs.push(self.wire.text(len, MAX_TEXT)?),
                (3, Payload::Len(len)) => node.name = self.wire.text(len, MAX_TEXT)?,
                (4, Payload::Len(len)) => node.op = self.wire.text(len, MAX_TEXT)?,
                (5, Payload::Len(len)) => self.attribute(len, nesting, &mut node)?,
                (7, Payload::Len(len)) => node.domain = self.wire.text(len, MAX_TEXT)?,
                (1..=5 | 7, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(node)
    }

    fn attribute(&mut self, len: u64, nesting: usize, node: &mut Node) -> Result<(), Failure> {
        let end = self.wire.pos() + len;
        let (mut name, mut ints) = (String::new(), Vec::new());
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Len(len)) => name = self.wire.text(len, MAX_TEXT)?,
                (5, Payload::Len(len)) => {
                    let tensor = self.tensor(len)?;
                    node.value.get_or_insert(tensor);
                }
                (6 | 11, Payload::Len(len)) => node.graphs.push(self.graph(len, nesting + 1)?),
                (8, Payload::Varint(value)) => ints.push(value.cast_signed()),
                (1 | 5 | 6 | 11, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        if name == "shape" || name == "value_ints" {
            node.ints = ints;
        }
        Ok(())
    }

    fn tensor(&mut self, len: u64) -> Result<Constant, Failure> {
        let end = self.wire.pos() + len;
        let mut tensor = Constant::default();
        let mut small = Vec::new();
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Varint(size)) => tensor.dims.push(size.cast_signed()),
                (2, Payload::Varint(code)) => tensor.code = code.cast_signed(),
                (4, Payload::Len(len)) => self.packed(len, 4)?,
                (5 | 7 | 11, Payload::Len(len)) => self.varints(len, &mut small)?,
                (5 | 7 | 11, Payload::Varint(value)) => small.push(value.cast_signed()),
                (8, Payload::Len(len)) => tensor.name = self.wire.text(len, MAX_TEXT)?,
                (9, Payload::Len(len)) => {
                    tensor.raw = Some(len);
                    self.raw(len, tensor.code, &mut small)?;
                }
                (10, Payload::Len(len)) => self.packed(len, 8)?,
                (13, Payload::Len(len)) => {
                    let (key, value) = self.entry(len)?;
                    if key == "location" {
                        tensor.external = Some(value);
                    }
                }
                (1 | 2 | 8 | 9 | 13, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        tensor.small = (small.len() as u64 <= MAX_SMALL).then_some(small);
        Ok(tensor)
    }

    fn port(&mut self, len: u64) -> Result<Port, Failure> {
        let end = self.wire.pos() + len;
        let mut port = Port { name: String::new(), code: None, dims: None };
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Len(len)) => port.name = self.wire.text(len, MAX_TEXT)?,
                (2, Payload::Len(len)) => self.value_type(len, &mut port, 0)?,
                (1 | 2, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(port)
    }

    fn value_type(&mut self, len: u64, port: &mut Port, nesting: usize) -> Result<(), Failure> {
        if nesting > MAX_NESTING {
            return Err(self.wire.broken("nests types too deeply"));
        }
        let end = self.wire.pos() + len;
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Len(len)) => self.tensor_type(len, port)?,
                // A sequence or an optional: a type inside.
                (4 | 9, Payload::Len(len)) => {
                    let end = self.wire.pos() + len;
                    while let Some(field) = self.wire.field(end)? {
                        match (field.number, field.payload) {
                            (1, Payload::Len(len)) => {
                                let mut inner = port.clone();
                                self.value_type(len, &mut inner, nesting + 1)?;
                            }
                            _ => self.pass(field)?,
                        }
                    }
                }
                (1 | 4 | 9, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(())
    }

    fn tensor_type(&mut self, len: u64, port: &mut Port) -> Result<(), Failure> {
        let end = self.wire.pos() + len;
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Varint(code)) => port.code = Some(code.cast_signed()),
                (2, Payload::Len(len)) => port.dims = Some(self.shape(len)?),
                (1 | 2, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(())
    }

    fn shape(&mut self, len: u64) -> Result<Vec<Dim>, Failure> {
        let end = self.wire.pos() + len;
        let mut dims = Vec::new();
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Len(len)) => dims.push(self.dim(len)?),
                (1, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
            if dims.len() > 64 {
                return Err(self.wire.broken("declares more than 64 dimensions"));
            }
        }
        Ok(dims)
    }

    fn dim(&mut self, len: u64) -> Result<Dim, Failure> {
        let end = self.wire.pos() + len;
        let mut dim = Dim::Symbol(String::new());
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Varint(size)) if size.cast_signed() >= 0 => {
                    dim = Dim::Fixed(size.cast_signed());
                }
                (1, Payload::Varint(_)) => {}
                (2, Payload::Len(len)) => dim = Dim::Symbol(self.wire.text(len, MAX_TEXT)?),
                (1 | 2, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(dim)
    }

    fn opset(&mut self, len: u64) -> Result<(), Failure> {
        let end = self.wire.pos() + len;
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Len(len)) => drop(self.wire.text(len, MAX_TEXT)?),
                (2, Payload::Varint(_)) => {}
                (1 | 2, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, len: u64) -> Result<(String, String), Failure> {
        let end = self.wire.pos() + len;
        let mut entry = (String::new(), String::new());
        while let Some(field) = self.wire.field(end)? {
            match (field.number, field.payload) {
                (1, Payload::Len(len)) => entry.0 = self.wire.text(len, MAX_TEXT)?,
                (2, Payload::Len(len)) => entry.1 = self.wire.text(len, MAX_DESCRIPTION)?,
                (1 | 2, _) => return Err(self.wrong(field)),
                _ => self.pass(field)?,
            }
        }
        Ok(entry)
    }

    /// Packed numbers of a fixed size fill their field exactly.
    fn packed(&mut self, len: u64, size: u64) -> Result<(), Failure> {
        if !len.is_multiple_of(size) {
            return Err(self.wire.broken("has packed numbers that do not fill their field"));
        }
        self.wire.skip(len)
    }

    fn varints(&mut self, len: u64, small: &mut Vec<i64>) -> Result<(), Failure> {
        if len > MAX_SMALL * 10 {
            // Not small; one value too many says so.
            small.resize(MAX_SMALL as usize + 1, 0);
            return self.wire.check_varints(len);
        }
        let end = self.wire.pos() + len;
        while self.wire.pos() < end {
            small.push(self.wire.varint(end)?.cast_signed());
        }
        Ok(())
    }

    /// Content as bytes; integers of short tensors are read.
    fn raw(&mut self, len: u64, code: i64, small: &mut Vec<i64>) -> Result<(), Failure> {
        let size = match code {
            6 => 4,
            7 => 8,
            _ => 0,
        };
        if size == 0 || len > MAX_SMALL * size || !len.is_multiple_of(size) {
            small.resize(MAX_SMALL as usize + 1, 0);
            return self.wire.skip(len);
        }
        let bytes = self.wire.bytes(len)?;
        for chunk in bytes.chunks_exact(size as usize) {
            let mut wide = [if chunk.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 }; 8];
            wide[..chunk.len()].copy_from_slice(chunk);
            small.push(i64::from_le_bytes(wide));
        }
        Ok(())
    }

    /// A field that is not looked at.
    fn pass(&mut self, field: Field) -> Result<(), Failure> {
        if let Payload::Len(len) = field.payload { self.wire.skip(len) } else { Ok(()) }
    }

    fn wrong(&self, field: Field) -> Failure {
        self.wire.broken(&format!("ends a field {} of the wrong kind", field.number))
    }
}
