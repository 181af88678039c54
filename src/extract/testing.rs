//! Fixtures that the tests of several readers build.

use std::io::{Cursor, Write as _};

use crate::model::{ExtractError, Extracted, Format, Limits, Source};

/// A zip file of text parts.
pub(crate) fn office(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        let mut options = zip::write::SimpleFileOptions::default();
        if *name == "mimetype" {
            options = options.compression_method(zip::CompressionMethod::Stored);
        }
        zip.start_file(*name, options).expect("a fixture's name");
        zip.write_all(text.as_bytes()).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

pub(crate) fn read_as(
    bytes: &[u8],
    name: &str,
    limits: &Limits,
) -> Result<(Format, Extracted), ExtractError> {
    crate::extract(bytes, &Source { name: name.to_owned(), password: None }, limits, &mut |_| ())
}
