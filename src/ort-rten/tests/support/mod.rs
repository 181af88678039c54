//! Writes small ONNX models, and worse ones.
#![allow(dead_code, reason = "each test file uses its part")]

pub const FLOAT: u64 = 1;
pub const INT32: u64 = 6;
pub const INT64: u64 = 7;
pub const STRING: u64 = 8;
pub const BOOL: u64 = 9;
pub const FLOAT16: u64 = 10;
pub const DOUBLE: u64 = 11;

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

pub fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

pub fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

pub fn text(field: u64, content: &str) -> Vec<u8> {
    bytes(field, content.as_bytes())
}

/// `None` in the shape: any size, with the name `n`.
pub fn port(name: &str, element: u64, shape: &[Option<u64>]) -> Vec<u8> {
    let dims: Vec<u8> = shape
        .iter()
        .flat_map(|size| bytes(1, &size.map_or_else(|| text(2, "n"), |size| number(1, size))))
        .collect();
    let tensor = [number(1, element), bytes(2, &dims)].concat();
    [text(1, name), bytes(2, &bytes(1, &tensor))].concat()
}

pub fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut out: Vec<u8> = inputs.iter().flat_map(|name| text(1, name)).collect();
    out.extend(outputs.iter().flat_map(|name| text(2, name)));
    out.extend(text(4, op));
    out.extend(attributes.iter().flat_map(|attribute| bytes(5, attribute)));
    out
}

pub fn int_attribute(name: &str, value: u64) -> Vec<u8> {
    [text(1, name), number(3, value), number(20, 2)].concat()
}

pub fn graph_attribute(name: &str, graph: &[u8]) -> Vec<u8> {
    [text(1, name), bytes(6, graph), number(20, 5)].concat()
}

pub fn tensor(name: &str, element: u64, dims: &[u64], raw: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = dims.iter().flat_map(|size| number(1, *size)).collect();
    out.extend(number(2, element));
    out.extend(text(8, name));
    out.extend(bytes(9, raw));
    out
}

pub fn int64s(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub struct Graph {
    pub nodes: Vec<Vec<u8>>,
    pub inputs: Vec<Vec<u8>>,
    pub outputs: Vec<Vec<u8>>,
    pub weights: Vec<Vec<u8>>,
}

impl Graph {
    pub fn bytes(&self) -> Vec<u8> {
        let mut out: Vec<u8> = self.nodes.iter().flat_map(|node| bytes(1, node)).collect();
        out.extend(text(2, "graph"));
        out.extend(self.weights.iter().flat_map(|tensor| bytes(5, tensor)));
        out.extend(self.inputs.iter().flat_map(|port| bytes(11, port)));
        out.extend(self.outputs.iter().flat_map(|port| bytes(12, port)));
        out
    }

    pub fn model(&self) -> Vec<u8> {
        model(&self.bytes())
    }
}

pub fn model(graph: &[u8]) -> Vec<u8> {
    let opset = [text(1, ""), number(2, 17)].concat();
    let note = [text(1, "site"), text(2, "plant 4")].concat();
    [number(1, 8), text(2, "tests"), number(5, 3), bytes(7, graph), bytes(8, &opset), bytes(14, &note)]
        .concat()
}

/// One operator from `x` to `y`.
pub fn unary(op: &str, from: u64, to: u64, attributes: &[Vec<u8>]) -> Vec<u8> {
    Graph {
        nodes: vec![node(op, &["x"], &["y"], attributes)],
        inputs: vec![port("x", from, &[None])],
        outputs: vec![port("y", to, &[None])],
        weights: vec![],
    }
    .model()
}

/// Repeatable numbers.
pub struct Dice(pub u64);

impl Dice {
    pub fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }
}
