//! The one inference engine: everything neural is an ONNX model that runs through `ort`.
//!
//! Owns: which runtime stands behind `ort` in this process (RTen, built in; with the feature `onnxruntime` the
//! real library by its path), and loading models under limits. Not for: what a model means, or which one is used.

#[cfg(feature = "onnxruntime")]
mod dynamic;
mod error;
mod graph;
mod memory;
mod runtime;
mod session;
mod shape;
mod shared;
#[cfg(test)]
mod tests;

pub use error::NeuralError;
pub use graph::{OnnxGraph, OnnxNode, Port as OnnxPort};
pub use memory::{collect_if_unloaded, give_back};
/// The sessions, tensors and run options that this crate's sessions are used with.
pub use ort;
pub use runtime::{RuntimeChoice, RuntimeInfo, init, runtime};
pub use session::{SessionOptions, session, session_of};
pub use shape::{Dimension, ModelShape, Port, inspect};
pub use shared::SharedSession;
