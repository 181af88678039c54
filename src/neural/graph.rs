//! Takes an ONNX model apart and makes models of parts of it. Nodes and weights are copied as they stand, byte for byte;
//! only what is needed to follow values through the graph is read.

use std::collections::HashMap;

/// A model's graph over the bytes of its file.
pub struct OnnxGraph<'a> {
    pub nodes: Vec<OnnxNode<'a>>,
    /// Names of the graph's inputs and outputs, in their order.
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    /// Dimensions of the weights, by name.
    pub weights: HashMap<&'a str, Vec<i64>>,
    /// The fields of these, as they stand in the file.
    raw_weights: HashMap<&'a str, &'a [u8]>,
    raw_ports: HashMap<&'a str, &'a [u8]>,
    /// Versions, producer and the like.
    head: Vec<&'a [u8]>,
}

/// An operator of a graph. What an optional input without a value is called is empty.
pub struct OnnxNode<'a> {
    pub op: &'a str,
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    /// Attributes that are whole numbers or lists of them.
    pub ints: HashMap<&'a str, Vec<i64>>,
    pub texts: HashMap<&'a str, &'a [u8]>,
    raw: &'a [u8],
}

/// The numbers that the format gives to the fields that are read (onnx.proto of ONNX 1.16).
mod field {
    pub const MODEL_GRAPH: u64 = 7;
    pub const MODEL_FUNCTIONS: u64 = 25;
    pub const NODE: u64 = 1;
    pub const GRAPH_NAME: u64 = 2;
    pub const WEIGHT: u64 = 5;
    pub const INPUT: u64 = 11;
    pub const OUTPUT: u64 = 12;
    pub const SPARSE_WEIGHT: u64 = 15;
}

const FLOAT: u64 = 1;

impl<'a> OnnxGraph<'a> {
    /// None when the bytes are no model, or one that cannot be taken apart this way: with graphs inside nodes, functions
    /// of its own or weights in other files.
    pub fn read(model: &'a [u8]) -> Option<Self> {
        let mut head = Vec::new();
        let mut graph = None;
        for part in Fields(model) {
            let part = part?;
            match part.number {
                field::MODEL_GRAPH if graph.is_none() => graph = Some(part.bytes()?),
                field::MODEL_GRAPH | field::MODEL_FUNCTIONS => return None,
                _ => head.push(part.raw),
            }
        }
        let mut read = Self {
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            weights: HashMap::new(),
            raw_weights: HashMap::new(),
            raw_ports: HashMap::new(),
            head,
        };
        for part in Fields(graph?) {
            read.take(&part?)?;
        }
        Some(read)
    }

    fn take(&mut self, part: &Field<'a>) -> Option<()> {
        match part.number {
            field::NODE => self.nodes.push(node(part)?),
            field::WEIGHT => {
                let (name, dims) = weight(part.bytes()?)?;
                self.weights.insert(name, dims);
                self.raw_weights.insert(name, part.raw);
            }
            field::INPUT | field::OUTPUT => {
                let name = Fields(part.bytes()?).flatten().find(|inner| inner.number == 1)?.text()?;
                let list = if part.number == field::INPUT { &mut self.inputs } else { &mut self.outputs };
                list.push(name);
                self.raw_ports.insert(name, part.bytes()?);
            }
            field::SPARSE_WEIGHT => return None,
            _ => {}
        }
        Some(())
    }

    /// A model of these nodes, which must be in their order, with the weights that they use. Ports that the whole model
    /// does not have are rows of vectors, `[1, channels, length]` of f32.
    pub fn part(&self, nodes: &[usize], inputs: &[Port<'_>], outputs: &[Port<'_>]) -> Vec<u8> {
        let mut used: Vec<&str> = Vec::new();
        for index in nodes {
            used.extend(&self.nodes[*index].inputs);
        }
        used.sort_unstable();
        used.dedup();
        let nodes = nodes.iter().map(|index| self.nodes[*index].raw);
        let weights = used.iter().filter_map(|name| self.raw_weights.get(name).copied());
        let mut ends = Vec::new();
        bytes_field(field::GRAPH_NAME, b"part", &mut ends);
        for (number, ports) in [(field::INPUT, inputs), (field::OUTPUT, outputs)] {
            for port in ports {
                let known = self.raw_ports.get(port.name).map(|raw| raw.to_vec());
                bytes_field(number, &known.unwrap_or_else(|| port.value_info()), &mut ends);
            }
        }
        // Weights are large: they are copied once, to where they stay.
        let pieces: Vec<&[u8]> = nodes.chain(weights).chain([ends.as_slice()]).collect();
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut model =
            Vec::with_capacity(length + self.head.iter().map(|piece| piece.len()).sum::<usize>() + 16);
        for piece in &self.head {
            model.extend_from_slice(piece);
        }
        push_varint(field::MODEL_GRAPH << 3 | 2, &mut model);
        push_varint(length as u64, &mut model);
        for piece in pieces {
            model.extend_from_slice(piece);
        }
        model
    }
}

/// An input or output of a part.
#[derive(Debug, Clone, Copy)]
pub struct Port<'a> {
    pub name: &'a str,
    /// Of a value inside the whole model.
    pub channels: i64,
}

impl Port<'_> {
    /// The description of f32 values of the shape `[1, channels, length]`.
    fn value_info(&self) -> Vec<u8> {
        let mut shape = Vec::new();
        for size in [1, self.channels.unsigned_abs()] {
            let mut dimension = Vec::new();
            number_field(1, size, &mut dimension);
            bytes_field(1, &dimension, &mut shape);
        }
        let mut dimension = Vec::new();
        bytes_field(2, b"length", &mut dimension);
        bytes_field(1, &dimension, &mut shape);
        let (mut tensor, mut kind, mut info) = (Vec::new(), Vec::new(), Vec::new());
        number_field(1, FLOAT, &mut tensor);
        bytes_field(2, &shape, &mut tensor);
        bytes_field(1, &tensor, &mut kind);
        bytes_field(1, self.name.as_bytes(), &mut info);
        bytes_field(2, &kind, &mut info);
        info
    }
}

fn node<'a>(field: &Field<'a>) -> Option<OnnxNode<'a>> {
    let mut node = OnnxNode {
        op: "",
        inputs: Vec::new(),
        outputs: Vec::new(),
        ints: HashMap::new(),
        texts: HashMap::new(),
        raw: field.raw,
    };
    for part in Fields(field.bytes()?) {
        let part = part?;
        match part.number {
            1 => node.inputs.push(part.text()?),
            2 => node.outputs.push(part.text()?),
            4 => node.op = part.text()?,
            5 => attribute(part.bytes()?, &mut node)?,
            // Operators of other domains are not what their names say.
            7 if !part.bytes()?.is_empty() && part.bytes()? != b"ai.onnx" => return None,
            _ => {}
        }
    }
    Some(node)
}

fn attribute<'a>(bytes: &'a [u8], node: &mut OnnxNode<'a>) -> Option<()> {
    let mut name = "";
    let mut ints = Vec::new();
    let mut text = None;
    for part in Fields(bytes) {
        let part = part?;
        match (part.number, part.payload) {
            (1, _) => name = part.text()?,
            (3 | 8, Payload::Number(value)) => ints.push(value.cast_signed()),
            (8, Payload::Bytes(packed)) => ints.extend(varints(packed)?),
            (4, Payload::Bytes(value)) => text = Some(value),
            (6 | 11, _) => return None,
            _ => {}
        }
    }
    node.ints.insert(name, ints);
    node.texts.extend(text.map(|text| (name, text)));
    Some(())
}

fn weight(bytes: &[u8]) -> Option<(&str, Vec<i64>)> {
    let mut name = "";
    let mut dims = Vec::new();
    for part in Fields(bytes) {
        let part = part?;
        match (part.number, part.payload) {
            (1, Payload::Number(value)) => dims.push(value.cast_signed()),
            (1, Payload::Bytes(packed)) => dims.extend(varints(packed)?),
            (8, _) => name = part.text()?,
            // In a file of its own.
            (13, _) | (14, Payload::Number(1..)) => return None,
            _ => {}
        }
    }
    Some((name, dims))
}

#[derive(Clone, Copy)]
enum Payload<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

struct Field<'a> {
    number: u64,
    payload: Payload<'a>,
    /// With its tag and length.
    raw: &'a [u8],
}

impl<'a> Field<'a> {
    fn bytes(&self) -> Option<&'a [u8]> {
        match self.payload {
            Payload::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

/// The fields of a message; none for one that is broken, which is the last.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<Field<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = field_of(self.0);
        self.0 = field.as_ref().map_or(&[], |field| &self.0[field.raw.len()..]);
        Some(field)
    }
}

fn field_of(bytes: &[u8]) -> Option<Field<'_>> {
    let (tag, mut at) = varint(bytes)?;
    let payload = match tag & 7 {
        0 => {
            let (value, length) = varint(&bytes[at..])?;
            at += length;
            Payload::Number(value)
        }
        1 | 5 => {
            at += if tag & 7 == 1 { 8 } else { 4 };
            Payload::Fixed
        }
        2 => {
            let (length, prefix) = varint(&bytes[at..])?;
            let start = at + prefix;
            at = start.checked_add(usize::try_from(length).ok()?)?;
            Payload::Bytes(bytes.get(start..at)?)
        }
        _ => return None,
    };
    Some(Field { number: tag >> 3, payload, raw: bytes.get(..at)? })
}

fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

fn varints(mut bytes: &[u8]) -> Option<Vec<i64>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let (value, length) = varint(bytes)?;
        values.push(value.cast_signed());
        bytes = &bytes[length..];
    }
    Some(values)
}

fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number_field(number: u64, value: u64, out: &mut Vec<u8>) {
    push_varint(number << 3, out);
    push_varint(value, out);
}

fn bytes_field(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    push_varint(number << 3 | 2, out);
    push_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}
