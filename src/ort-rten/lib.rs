//! A backend for `ort` on RTen: what is written for ONNX Runtime runs in pure Rust, in one static program.
//!
//! Owns: the table of functions behind `ort` (feature `alternative-backend`), the checks that every model
//! passes before RTen reads it, and the threads of runs. Not for: choosing models, or what they mean.
//!
//! ```no_run
//! lectern_ort_rten::install();
//! let session = ort::session::Session::builder()?.commit_from_file("model.onnx")?;
//! # Ok::<(), ort::Error>(())
//! ```
//!
//! Tensors hold any type of ONNX but texts. RTen computes with f32, i32, i8 and u8: i64 and bool go in as i32, f16
//! and f64 as f32, and come out as the model declares them. An i64 that does not fit into 32 bits is refused.

mod binding;
mod check;
mod convert;
mod cuts;
mod element;
mod entry;
mod identity;
mod info;
mod inspect;
mod load;
mod memory;
mod metadata;
mod options;
mod outline;
mod scan;
mod session;
mod status;
mod table;
mod tensor;
mod threads;
mod value;
mod wire;

pub use inspect::{Description, Dimension, Port, Refused, inspect};
pub use options::{LOAD_DEADLINE, PREPACK};
pub use table::api;
pub use threads::release_threads;

/// The version of RTen inside.
pub const RTEN_VERSION: &str = "0.27.0";

/// Makes RTen the backend of `ort` in this process. False when another one is in place already.
pub fn install() -> bool {
    ort::set_api(api())
}
