//! What a PDF says beside its pages: filled form fields, notes, embedded files and the title.

use std::collections::HashSet;

use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::object::{Array, Dict, Name, Object, Stream, String as PdfString};
use hayro::hayro_syntax::page::Page;

use crate::pdf_unicode::text_string;

const DEEPEST: usize = 32;
const MOST_FIELDS: usize = 20_000;
const MOST_FILES: usize = 2_000;

/// A file inside the PDF.
pub(crate) struct Embedded {
    pub name: String,
    pub data: Vec<u8>,
}

fn text(dict: &Dict<'_>, key: &str) -> Option<String> {
    let value = match dict.get::<Object<'_>>(key.as_bytes())? {
        Object::String(string) => text_string(string.as_bytes()),
        Object::Name(name) => name.as_str().to_owned(),
        Object::Stream(stream) => text_string(&stream.decoded_data().ok()?),
        Object::Array(items) => {
            let parts: Vec<String> =
                items.iter::<PdfString<'_>>().map(|s| text_string(s.as_bytes())).collect();
            parts.join(", ")
        }
        _ => return None,
    };
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn catalog(pdf: &Pdf) -> Option<Dict<'_>> {
    pdf.xref().get::<Dict<'_>>(pdf.xref().root_id())
}

pub(crate) fn title(pdf: &Pdf) -> Option<String> {
    let title = text_string(pdf.metadata().title.as_deref()?);
    let title = title.trim();
    // Print drivers put the file name or the program there.
    let from_program = title.starts_with("Microsoft Word - ") || title.starts_with("Microsoft PowerPoint - ");
    let is_file = [".doc", ".docx", ".dvi", ".tex", ".indd", ".pdf", ".qxd", ".ps"]
        .iter()
        .any(|end| title.to_lowercase().ends_with(end));
    (!title.is_empty() && !from_program && !is_file).then(|| title.to_owned())
}

/// Values of form fields as `name: value`. Most are drawn on their page as well; the caller drops those.
pub(crate) fn form_fields(pdf: &Pdf) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let fields = catalog(pdf).and_then(|c| c.get::<Dict<'_>>(b"AcroForm".as_slice()));
    if let Some(fields) = fields.and_then(|form| form.get::<Array<'_>>(b"Fields".as_slice())) {
        walk_fields(&fields, "", 0, &mut out);
    }
    out
}

fn walk_fields(fields: &Array<'_>, parent: &str, depth: usize, out: &mut Vec<(String, String)>) {
    for field in fields.iter::<Dict<'_>>() {
        if depth > DEEPEST || out.len() >= MOST_FIELDS {
            return;
        }
        let name = text(&field, "TU").or_else(|| text(&field, "T")).unwrap_or_else(|| parent.to_owned());
        let kind = field.get::<Name<'_>>(b"FT".as_slice());
        let is_mark = kind.as_ref().is_some_and(|kind| matches!(kind.as_str(), "Btn" | "Sig"));
        if let Some(value) = text(&field, "V").filter(|value| !is_mark && value != "Off") {
            out.push((name.clone(), value));
        }
        if let Some(kids) = field.get::<Array<'_>>(b"Kids".as_slice()) {
            walk_fields(&kids, &name, depth + 1, out);
        }
    }
}

/// The words of the notes on a page.
pub(crate) fn notes(page: &Page<'_>) -> Vec<String> {
    let Some(annotations) = page.raw().get::<Array<'_>>(b"Annots".as_slice()) else { return Vec::new() };
    let is_note = |dict: &Dict<'_>| {
        dict.get::<Name<'_>>(b"Subtype".as_slice()).is_none_or(|kind| {
            !matches!(kind.as_str(), "Link" | "Widget" | "Popup" | "TrapNet" | "Screen" | "Movie")
        })
    };
    annotations
        .iter::<Dict<'_>>()
        .take(MOST_FIELDS)
        .filter(is_note)
        .filter_map(|dict| text(&dict, "Contents"))
        .collect()
}

/// All files inside the PDF: those of its name tree, and those that hang on pages as attachments.
pub(crate) fn embedded(pdf: &Pdf) -> Vec<Embedded> {
    let mut found = Finder { seen: HashSet::new(), out: Vec::new() };
    if let Some(catalog) = catalog(pdf) {
        let names = catalog.get::<Dict<'_>>(b"Names".as_slice());
        if let Some(tree) = names.and_then(|names| names.get::<Dict<'_>>(b"EmbeddedFiles".as_slice())) {
            found.tree(&tree, 0);
        }
        found.list(&catalog, "AF");
    }
    for page in pdf.pages().iter() {
        let annotations = page.raw().get::<Array<'_>>(b"Annots".as_slice());
        for annotation in annotations.iter().flat_map(Array::iter::<Dict<'_>>).take(MOST_FIELDS) {
            if let Some(spec) = annotation.get::<Dict<'_>>(b"FS".as_slice()) {
                found.file(&spec);
            }
        }
    }
    found.out
}

struct Finder {
    /// Object numbers of the streams that were taken; one file may hang in several places.
    seen: HashSet<(i32, i32)>,
    out: Vec<Embedded>,
}

impl Finder {
    fn tree(&mut self, node: &Dict<'_>, depth: usize) {
        if depth > DEEPEST || self.out.len() >= MOST_FILES {
            return;
        }
        if let Some(kids) = node.get::<Array<'_>>(b"Kids".as_slice()) {
            for kid in kids.iter::<Dict<'_>>().take(MOST_FILES) {
                self.tree(&kid, depth + 1);
            }
        }
        if let Some(names) = node.get::<Array<'_>>(b"Names".as_slice()) {
            for value in names.iter::<Object<'_>>() {
                if let Object::Dict(spec) = value {
                    self.file(&spec);
                }
            }
        }
    }

    fn list(&mut self, owner: &Dict<'_>, key: &str) {
        if let Some(files) = owner.get::<Array<'_>>(key.as_bytes()) {
            for spec in files.iter::<Dict<'_>>().take(MOST_FILES) {
                self.file(&spec);
            }
        }
    }

    fn file(&mut self, spec: &Dict<'_>) {
        let Some(streams) = spec.get::<Dict<'_>>(b"EF".as_slice()) else { return };
        let stream = ["UF", "F", "DOS", "Unix", "Mac"]
            .iter()
            .find_map(|key| streams.get::<Stream<'_>>(key.as_bytes()));
        let Some(stream) = stream else { return };
        let id = stream.obj_id();
        if self.out.len() >= MOST_FILES || !self.seen.insert((id.obj_number as i32, id.gen_number)) {
            return;
        }
        let name = text(spec, "UF").or_else(|| text(spec, "F")).unwrap_or_else(|| "attachment".to_owned());
        if let Ok(data) = stream.decoded_data() {
            self.out.push(Embedded { name, data: data.into_owned() });
        }
    }
}
