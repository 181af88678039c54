//! From bytes to the reader of their format, for a whole document and for documents inside of documents.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::detect::detect;
use crate::model::{BlockKind, ExtractError, ExtractErrorCode, Extracted, Format, Limits, Source};
use crate::writer::{TextWriter, damaged};
use crate::{
    adoc, archive, crypt, csv, doc, docx, epub, html, json, mail, markdown, msg, ocr, odf, ole, pdf, plain,
    ppt, pptx, rtf, xls, xlsx,
};

/// Reads a document and everything inside it. `progress` gets percent.
pub fn extract(
    bytes: &[u8],
    source: &Source,
    limits: &Limits,
    progress: &mut dyn FnMut(u8),
) -> Result<(Format, Extracted), ExtractError> {
    let mut out = TextWriter::new(limits);
    let format = read(bytes, source, limits, progress, &mut out)?;
    if out.is_empty() {
        return Err(empty(&out.finish()));
    }
    Ok((format, out.finish()))
}

fn empty(out: &Extracted) -> ExtractError {
    if out.needs_ocr.is_empty() {
        let reason = out.warnings.first().map_or("This document has no text.", String::as_str);
        return ExtractError { code: ExtractErrorCode::Empty, message: reason.to_owned() };
    }
    ExtractError {
        code: ExtractErrorCode::NeedsOcr,
        message: "The pages of this document are images without text.".to_owned(),
    }
}

/// Reads a document found inside another one, under `name`. What is wrong with it becomes a warning; only limits of
/// the whole document are an error. Parts that are no documents (pictures, fonts, programs) are passed over.
pub fn embed(bytes: &[u8], name: &str, source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    try_embed(bytes, name, source, out).map(|_| ())
}

/// As [`embed`], for a document whose content stands in the text of the outer one: without a heading of its own.
pub(crate) fn include(
    bytes: &[u8],
    name: &str,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    member(bytes, name, source, false, out).map(|_| ())
}

/// As [`embed`]; tells what kept the member from being read.
pub(crate) fn try_embed(
    bytes: &[u8],
    name: &str,
    source: &Source,
    out: &mut TextWriter,
) -> Result<Option<ExtractError>, ExtractError> {
    member(bytes, name, source, true, out)
}

fn member(
    bytes: &[u8],
    name: &str,
    source: &Source,
    headed: bool,
    out: &mut TextWriter,
) -> Result<Option<ExtractError>, ExtractError> {
    if !is_readable(bytes, name) {
        return Ok(None);
    }
    out.enter(name)?;
    let mark = out.mark();
    let member = Source { name: name.to_owned(), password: source.password.clone() };
    let limits = out.limits().clone();
    let heading = if headed { out.push_block(BlockKind::Heading, 1, name, None, None) } else { Ok(()) };
    let result = heading.and_then(|()| read(bytes, &member, &limits, &mut |_| (), out));
    if headed && out.only_heading_since(&mark) {
        out.rollback(mark);
    }
    out.leave();
    match result {
        Ok(_) => Ok(None),
        Err(error) if error.code == ExtractErrorCode::TooLarge => Err(error),
        Err(error) => {
            out.warn(format!("“{name}” could not be read: {}", error.message));
            Ok(Some(error))
        }
    }
}

/// Whether a member is a document at all.
pub(crate) fn is_readable(bytes: &[u8], name: &str) -> bool {
    !bytes.is_empty() && !matches!(detect(bytes, name), None | Some(Format::Image))
}

/// Picks the reader. A reader that panics has met damage nobody thought of; that costs this document only.
fn read(
    bytes: &[u8],
    source: &Source,
    limits: &Limits,
    progress: &mut dyn FnMut(u8),
    out: &mut TextWriter,
) -> Result<Format, ExtractError> {
    let format = detect(bytes, &source.name).ok_or_else(|| ExtractError {
        code: ExtractErrorCode::Unsupported,
        message: "Files of this type cannot be read.".to_owned(),
    })?;
    let job = AssertUnwindSafe(|| dispatch(format, bytes, source, limits, progress, out));
    catch_unwind(job).unwrap_or_else(|_| Err(damaged("The file is damaged and cannot be read.")))
}

fn dispatch(
    format: Format,
    bytes: &[u8],
    source: &Source,
    limits: &Limits,
    progress: &mut dyn FnMut(u8),
    out: &mut TextWriter,
) -> Result<Format, ExtractError> {
    match format {
        Format::Docx | Format::Pptx | Format::Xlsx if ole::is_ole(bytes) => {
            let plain = crypt::unlock(bytes, source.password.as_deref())?;
            out.spend(plain.len() as u64)?;
            let format = detect(&plain, &source.name).filter(|_| !ole::is_ole(&plain));
            let format = format.ok_or_else(|| damaged("The file is damaged and cannot be read."))?;
            return dispatch(format, &plain, source, limits, progress, out);
        }
        Format::Pdf => {
            let info = pdf::extract(bytes, source, limits, progress, out)?;
            out.set_pages(info.pages);
            out.set_needs_ocr(info.needs_ocr);
            out.set_title(info.title.as_deref().unwrap_or_default());
        }
        Format::Image => {
            let pages = ocr::read_image(bytes, out)?;
            out.set_pages(pages);
        }
        Format::Docx => docx::extract(bytes, source, out)?,
        Format::Pptx => pptx::extract(bytes, source, progress, out)?,
        Format::Xlsx => xlsx::extract(bytes, source, progress, out)?,
        Format::Odt | Format::Ods | Format::Odp => odf::extract(bytes, format, source, out)?,
        Format::Rtf => rtf::extract(bytes, source, out)?,
        Format::Html => html::extract(bytes, out)?,
        Format::Md => markdown::extract(bytes, out)?,
        Format::Adoc => adoc::extract(bytes, out)?,
        Format::Txt => plain::extract(bytes, out)?,
        Format::Csv => csv::extract(bytes, out)?,
        Format::Json => json::extract(bytes, out)?,
        Format::Epub => epub::extract(bytes, source, out)?,
        Format::Zip => archive::extract(bytes, source, progress, out)?,
        Format::Doc => doc::extract(bytes, source, out)?,
        Format::Xls => xls::extract(bytes, source, out)?,
        Format::Ppt => ppt::extract(bytes, source, out)?,
        Format::Eml => mail::extract(bytes, source, out)?,
        Format::Mbox => mail::extract_mbox(bytes, source, out)?,
        Format::Msg => msg::extract(bytes, source, out)?,
    }
    Ok(format)
}
