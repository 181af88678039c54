//! PDF: pages to text in the order of reading, forms, notes and files inside. Drawing and parsing are `hayro`'s.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use hayro::hayro_interpret::{Context, InterpreterCache, InterpreterSettings, TransformExt, interpret_page};
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Point, Rect};

use crate::model::{BlockKind, ExtractError, ExtractErrorCode, Limits, Source};
use crate::pdf_blocks::{self, PagePieces};
use crate::pdf_glyphs::{Collector, Glyph, Rule, to_frame};
use crate::pdf_lines::{self, Piece};
use crate::pdf_unicode::Decoder;
use crate::writer::{TextWriter, too_large};
use crate::{ocr, pdf_chunks, pdf_extras, pdf_open, pdf_order};

/// What is known of a PDF beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PdfInfo {
    pub pages: u32,
    /// Pages that show only an image.
    pub needs_ocr: Vec<u32>,
    pub title: Option<String>,
}

/// Share of a page that an image must cover to count as a scan.
const SCAN_SHARE: f32 = 0.05;
/// A page without text but with this many strokes has its letters drawn as shapes.
const DRAWN_LETTERS: usize = 400;

/// Read a PDF. `progress` hears percent of the pages.
pub fn extract(
    bytes: &[u8],
    source: &Source,
    limits: &Limits,
    progress: &mut dyn FnMut(u8),
    out: &mut TextWriter,
) -> Result<PdfInfo, ExtractError> {
    let pdf = pdf_open::open(bytes, source.password.as_deref())?;
    let count = pdf.pages().len();
    if count > limits.pages {
        return Err(too_large(format!("This PDF has {count} pages; at most {} are read.", limits.pages)));
    }
    let read = read_pages(&pdf, limits, progress, out)?;
    pdf_blocks::write(&read.pages, out)?;
    write_extras(&pdf, &read, source, out)?;
    if read.pages.iter().all(|page| page.pieces.is_empty())
        && !read.needs_ocr.is_empty()
        && out.depth() == 0
        && out.is_empty()
    {
        return Err(ExtractError {
            code: ExtractErrorCode::NeedsOcr,
            message: ocr::needs_ocr_message().to_owned(),
        });
    }
    Ok(PdfInfo { pages: count as u32, needs_ocr: read.needs_ocr, title: pdf_extras::title(&pdf) })
}

/// All pages, before headings are told from text.
struct Read {
    pages: Vec<PagePieces>,
    needs_ocr: Vec<u32>,
    notes: Vec<(u32, String)>,
}

fn read_pages(
    pdf: &Pdf,
    limits: &Limits,
    progress: &mut dyn FnMut(u8),
    out: &mut TextWriter,
) -> Result<Read, ExtractError> {
    let count = pdf.pages().len().max(1);
    let mut decoder = Decoder::default();
    let cache = InterpreterCache::new();
    let mut read = Read { pages: Vec::new(), needs_ocr: Vec::new(), notes: Vec::new() };
    let mut written = 0;
    let begun = Instant::now();
    for (index, page) in pdf.pages().iter().enumerate() {
        let number = index as u32 + 1;
        let drawn = catch_unwind(AssertUnwindSafe(|| draw(page, &cache, &mut decoder)));
        let Ok(mut drawn) = drawn else {
            out.warn(format!("Page {number} is damaged and could not be read."));
            continue;
        };
        if drawn.needs_ocr {
            match ocr::read_page(page, begun) {
                Some(pieces) => drawn.pieces.pieces = pieces,
                None => read.needs_ocr.push(number),
            }
        }
        drawn.pieces.page = number;
        written += drawn.pieces.pieces.iter().map(|piece| piece.text.len()).sum::<usize>();
        if written > limits.text_bytes {
            return Err(too_large(format!(
                "The text of this PDF is larger than {} MB.",
                limits.text_bytes / 1_000_000
            )));
        }
        read.notes.extend(pdf_extras::notes(page).into_iter().map(|note| (number, note)));
        read.pages.push(drawn.pieces);
        progress((index * 95 / count) as u8);
    }
    Ok(read)
}

struct Drawn {
    pieces: PagePieces,
    needs_ocr: bool,
}

fn draw<'a>(page: &'a Page<'a>, cache: &InterpreterCache<'a>, decoder: &mut Decoder) -> Drawn {
    decoder.learn(&page.resources().fonts);
    let (width, height) = page.render_dimensions();
    let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let transform = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(transform, bounds, cache, page.xref(), InterpreterSettings::default());
    let mut device = Collector::new(bounds, decoder);
    interpret_page(page, &mut context, &mut device);
    let letters = device.glyphs.iter().filter(|glyph| glyph.text != " ").count();
    let shows = device.image_share > SCAN_SHARE || device.paths > DRAWN_LETTERS;
    // Glyphs that mean nothing are as good as an image.
    let needs_ocr = letters < 4 && shows || device.unknown > 8 * letters.max(5);
    let pieces = arrange(&device.glyphs, &device.rules, bounds);
    Drawn { pieces, needs_ocr }
}

/// Pieces of a page: the main direction of writing first, then the others.
fn arrange(glyphs: &[Glyph], rules: &[Rule], bounds: Rect) -> PagePieces {
    let mut angles: Vec<(i16, Vec<Glyph>)> = Vec::new();
    for glyph in glyphs {
        match angles.iter_mut().find(|(angle, _)| *angle == glyph.angle) {
            Some((_, group)) => group.push(glyph.clone()),
            None => angles.push((glyph.angle, vec![glyph.clone()])),
        }
    }
    angles.sort_by_key(|(_, group)| std::cmp::Reverse(group.len()));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut height = bounds.height();
    for (index, (angle, group)) in angles.iter().enumerate() {
        let corners =
            [(bounds.x0, bounds.y0), (bounds.x1, bounds.y0), (bounds.x0, bounds.y1), (bounds.x1, bounds.y1)];
        let sides = corners.map(|(x, y)| to_frame(Point::new(x, y), *angle).1);
        let (top, bottom) =
            (sides.iter().copied().fold(f64::MAX, f64::min), sides.iter().copied().fold(f64::MIN, f64::max));
        let rules = if *angle == 0 { rules } else { &[] };
        let chunks = pdf_chunks::chunks(group);
        for region in pdf_order::regions(chunks, rules) {
            pieces.extend(pdf_lines::pieces(&region).into_iter().map(|mut piece| {
                // Only the main direction has margins; anything else stands in the middle.
                piece.base = if index == 0 { piece.base - top as f32 } else { ((bottom - top) / 2.0) as f32 };
                piece
            }));
        }
        if index == 0 {
            height = bottom - top;
        }
    }
    PagePieces { page: 0, height: height as f32, pieces }
}

/// Notes, field values and embedded files; what the pages already show is not said twice.
fn write_extras(pdf: &Pdf, read: &Read, source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let squeeze = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let fields = pdf_extras::form_fields(pdf);
    let files = pdf_extras::embedded(pdf);
    if !fields.is_empty() || !read.notes.is_empty() {
        let shown: String =
            read.pages.iter().flat_map(|page| &page.pieces).map(|piece| squeeze(&piece.text)).collect();
        for (page, note) in &read.notes {
            if !shown.contains(&squeeze(note)) {
                out.push_block(BlockKind::Note, 0, note, Some(*page), None)?;
            }
        }
        for (name, value) in &fields {
            if !shown.contains(&squeeze(value)) {
                out.push_block(BlockKind::Note, 0, &format!("{name}: {value}"), None, None)?;
            }
        }
    }
    for file in files {
        crate::embed(&file.data, &file.name, source, out)?;
    }
    Ok(())
}
