//! Reading images by the host's `tesseract`, when the process that started us allows it. Pages are drawn by `hayro`.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use serde::{Deserialize, Serialize};

use crate::model::{BlockKind, ExtractError, ExtractErrorCode};
use crate::pdf_glyphs::Tag;
use crate::pdf_lines::{Piece, PieceKind, join};
use crate::writer::TextWriter;

/// What tesseract was trained for.
const DOTS_PER_INCH: f32 = 300.0;
/// Larger pages are drawn coarser.
const MOST_PIXELS: f32 = 5_000.0;
const MOST_LANGUAGES: usize = 4;
const MOST_PAGES: usize = 10_000;
/// Mean confidence from which a page is taken to be upright.
const SURE: f32 = 65.0;

/// Where the recogniser is. Set once a process: whether this one may start programs is decided with its sandbox.
static TESSERACT: OnceLock<Tesseract> = OnceLock::new();

/// The recogniser and its languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tesseract {
    pub program: PathBuf,
    /// As in `eng+deu`; without it, all that are installed, up to four.
    #[serde(default)]
    pub languages: Option<String>,
    /// Time for the pages of one document; what is left over stays listed as in need of OCR. The pool keeps it below
    /// its own limit.
    pub seconds: u64,
}

impl From<PathBuf> for Tesseract {
    fn from(program: PathBuf) -> Self {
        Self { program, languages: None, seconds: 45 }
    }
}

/// Allow this process to use the recogniser.
pub(crate) fn allow(mut tesseract: Tesseract) {
    if tesseract.languages.is_none() {
        tesseract.languages = installed(&tesseract);
    }
    let _ = TESSERACT.set(tesseract);
}

pub(crate) fn needs_ocr_message() -> &'static str {
    "This document shows only images of text; it needs OCR to be read."
}

fn installed(tesseract: &Tesseract) -> Option<String> {
    let output = Command::new(&tesseract.program).arg("--list-langs").output().ok()?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut languages: Vec<&str> = listed
        .lines()
        .skip(1)
        .map(str::trim)
        .filter(|name| !name.is_empty() && *name != "osd" && !name.contains(['/', ' ']))
        .collect();
    languages.sort_by_key(|name| *name != "eng");
    languages.truncate(MOST_LANGUAGES);
    (!languages.is_empty()).then(|| languages.join("+"))
}

/// The paragraphs of a page, or `None` when there is no recogniser, or no more time for this document.
pub(crate) fn read_page<'a>(page: &'a Page<'a>, document_begun: Instant) -> Option<Vec<Piece>> {
    let tesseract = TESSERACT.get()?;
    if document_begun.elapsed().as_secs() >= tesseract.seconds {
        return None;
    }
    let (width, height) = page.render_dimensions();
    let scale = (DOTS_PER_INCH / 72.0).min(MOST_PIXELS / width.max(height).max(1.0));
    let pixmap = hayro::render(
        page,
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE },
    );
    let piece = |(index, text): (usize, String)| Piece {
        kind: PieceKind::Prose,
        text,
        lines: 3,
        size: 10.0,
        bold: false,
        tag: Tag::Paragraph,
        // Evenly down the page, away from its margins.
        base: height * 0.2 + index as f32 * 0.01,
    };
    let read = upright(tesseract, &pixmap).unwrap_or_default();
    Some(read.pages.into_iter().flatten().enumerate().map(piece).collect())
}

/// Read a drawn page; a doubtful result is tried again with the page turned, and the surest one is kept.
fn upright(tesseract: &Tesseract, pixmap: &Pixmap) -> Option<Recognised> {
    let mut best: Option<Recognised> = None;
    for quarters in [0, 2, 1, 3] {
        // PNG is read from memory; for some other formats the recogniser wants a temporary file, which it may not have.
        let image = turned(pixmap, quarters).into_png().ok()?;
        let read = recognise(tesseract, &image).ok();
        if let Some(read) = read.filter(|read| best.as_ref().is_none_or(|best| read.sureness > best.sureness))
        {
            best = Some(read);
        }
        if best.as_ref().is_some_and(|best| best.sureness >= SURE) {
            break;
        }
    }
    best
}

/// A drawing turned clockwise by quarters.
fn turned(pixmap: &Pixmap, quarters: u8) -> Pixmap {
    let (width, height) = (usize::from(pixmap.width()), usize::from(pixmap.height()));
    let mut out = if quarters.is_multiple_of(2) {
        Pixmap::new(pixmap.width(), pixmap.height())
    } else {
        Pixmap::new(pixmap.height(), pixmap.width())
    };
    let wide = usize::from(out.width());
    for (at, pixel) in out.data_mut().iter_mut().enumerate() {
        let (x, y) = (at % wide, at / wide);
        let from = match quarters {
            0 => at,
            1 => (height - 1 - x) * width + y,
            2 => (height - 1 - y) * width + width - 1 - x,
            _ => x * width + width - 1 - y,
        };
        *pixel = pixmap.data()[from];
    }
    out
}

/// Read an image file, page by page; the answer is the number of its pages.
pub fn read_image(bytes: &[u8], out: &mut TextWriter) -> Result<u32, ExtractError> {
    let Some(tesseract) = TESSERACT.get() else {
        return Err(ExtractError {
            code: ExtractErrorCode::NeedsOcr,
            message: needs_ocr_message().to_owned(),
        });
    };
    let pages = recognise(tesseract, bytes)?.pages;
    for (index, page) in pages.iter().enumerate() {
        for paragraph in page {
            out.push_block(BlockKind::Paragraph, 0, paragraph, Some(index as u32 + 1), None)?;
        }
    }
    Ok(pages.len() as u32)
}

fn recognise(tesseract: &Tesseract, image: &[u8]) -> Result<Recognised, ExtractError> {
    // With orientation first; an image too poor to tell it is read as it stands.
    for mode in ["1", "3"] {
        let read = run(tesseract, image, mode).map(|table| Recognised::from_table(&table));
        if let Some(read) = read.filter(|read| read.pages.iter().any(|page| !page.is_empty())) {
            return Ok(read);
        }
    }
    let message = "No text was recognised in this image.".to_owned();
    Err(ExtractError { code: ExtractErrorCode::Empty, message })
}

fn run(tesseract: &Tesseract, image: &[u8], mode: &str) -> Option<String> {
    let mut command = Command::new(&tesseract.program);
    command.args(["stdin", "stdout", "--psm", mode]).env("OMP_THREAD_LIMIT", "1");
    if let Some(languages) = &tesseract.languages {
        command.args(["-l", languages]);
    }
    command.arg("tsv");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut input = child.stdin.take()?;
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(image));
        child.wait_with_output()
    });
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What was read, by page and paragraph.
#[derive(Debug, Default, PartialEq)]
struct Recognised {
    pages: Vec<Vec<String>>,
    /// Mean confidence over the words, 0 to 100.
    sureness: f32,
}

impl Recognised {
    /// From tesseract's table of words: level, page, block, paragraph, line, word, four sides, confidence, text.
    fn from_table(table: &str) -> Self {
        let mut read = Self::default();
        let (mut place, mut line) = ([0; 3], String::new());
        let (mut sum, mut words) = (0.0, 0.0);
        for row in table.lines().skip(1) {
            let cells: Vec<&str> = row.split('\t').collect();
            let [level, page, block, paragraph, at_line, _, _, _, _, _, confidence, text] = cells[..] else {
                continue;
            };
            let page = page.parse::<usize>().unwrap_or(1).clamp(1, MOST_PAGES);
            read.pages.resize(read.pages.len().max(page), Vec::new());
            if level != "5" || text.trim().is_empty() {
                continue;
            }
            let here = [page, block.parse().unwrap_or(0), paragraph.parse().unwrap_or(0)];
            let paragraphs = &mut read.pages[page - 1];
            if here != place {
                (place, line) = (here, at_line.to_owned());
                paragraphs.push(text.to_owned());
            } else if let Some(open) = paragraphs.last_mut() {
                if line == at_line {
                    open.push(' ');
                    open.push_str(text);
                } else {
                    at_line.clone_into(&mut line);
                    join(open, text);
                }
            }
            sum += confidence.parse::<f32>().unwrap_or(0.0);
            words += 1.0;
        }
        read.sureness = if words > 0.0 { sum / words } else { 0.0 };
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_words_becomes_pages_of_paragraphs() {
        let word = |page, paragraph, line, confidence, text| {
            format!("5\t{page}\t1\t{paragraph}\t{line}\t1\t0\t0\t9\t9\t{confidence}\t{text}\n")
        };
        let table = [
            "level\t…\n".to_owned(),
            word(1, 1, 1, 90, "one"),
            word(1, 1, 1, 80, "two-"),
            word(1, 1, 2, 70, "fold"),
        ]
        .into_iter()
        .chain([word(1, 2, 1, 100, "new"), word(3, 1, 1, 60, "last")])
        .collect::<String>();
        let read = Recognised::from_table(&table);
        assert_eq!(read.pages, [vec!["one twofold", "new"], vec![], vec!["last"]]);
        assert!((read.sureness - 80.0).abs() < 0.01);
    }

    #[test]
    fn pages_turn_by_quarters() {
        let mut pixmap = Pixmap::new(2, 1);
        pixmap.data_mut()[0].r = 7;
        let reds =
            |quarters| turned(&pixmap, quarters).data().iter().map(|pixel| pixel.r).collect::<Vec<_>>();
        assert_eq!([reds(0), reds(1), reds(2), reds(3)], [[7, 0], [7, 0], [0, 7], [0, 7]]);
        assert_eq!((turned(&pixmap, 1).width(), turned(&pixmap, 1).height()), (1, 2));
    }
}
