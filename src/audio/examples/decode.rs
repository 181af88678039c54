//! Decodes files and prints what they are: `cargo run -p lectern-audio --example decode FILE…`

use std::path::Path;

use lectern_audio::{Decoder, Limits};

fn main() {
    #[allow(clippy::disallowed_methods, reason = "arguments, not settings")]
    for name in std::env::args().skip(1) {
        match Decoder::open_file(Path::new(&name), 16_000, &Limits::default()) {
            Ok(mut decoder) => {
                let mut samples = 0;
                let end = loop {
                    match decoder.read_block() {
                        Ok(Some(block)) => samples += block.len(),
                        Ok(None) => break "whole".to_owned(),
                        Err(error) => break format!("{}: {error}", error.code()),
                    }
                };
                println!("{name}: {:?}, {:.3} s, {end}", decoder.info(), samples as f64 / 16_000.0);
            }
            Err(error) => println!("{name}: {}: {error}", error.code()),
        }
    }
}
