//! Glyphs to chunks: stretches of one line that were drawn together. Spaces are found here; order and lines are not.

use crate::pdf_bidi;
use crate::pdf_glyphs::{Glyph, Tag};

/// A stretch of text on one baseline.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub text: String,
    pub x0: f32,
    pub x1: f32,
    pub base: f32,
    pub size: f32,
    pub bold: bool,
    pub tag: Tag,
}

impl Chunk {
    pub fn top(&self) -> f32 {
        self.base - 0.75 * self.size
    }

    pub fn bottom(&self) -> f32 {
        self.base + 0.2 * self.size
    }
}

/// All chunks of one direction of writing, in the order in which they were drawn.
pub(crate) fn chunks(glyphs: &[Glyph]) -> Vec<Chunk> {
    let mut out = Vec::new();
    let mut open: Vec<&Glyph> = Vec::new();
    for glyph in glyphs {
        if !continues(&open, glyph) {
            out.extend(close(&mut open));
        }
        if !open.is_empty() || glyph.text != " " {
            open.push(glyph);
        }
    }
    out.extend(close(&mut open));
    out
}

fn is_rtl(glyph: &Glyph) -> bool {
    glyph.text.chars().any(pdf_bidi::is_rtl)
}

fn same_line(a: &Glyph, b: &Glyph) -> bool {
    let size = a.size.max(b.size);
    let raised = a.size.min(b.size) < 0.85 * size;
    (a.base - b.base).abs() < if raised { 0.5 } else { 0.25 } * size
}

/// Whether a glyph goes on with the open chunk: right after it, or (Arabic, Hebrew) right before it.
fn continues(open: &[&Glyph], next: &Glyph) -> bool {
    let Some(last) = open.iter().rev().find(|g| g.text != " ").or_else(|| open.last()) else { return true };
    let tail = open.last().copied().unwrap_or(last);
    if !same_line(last, next) || mixes(last.tag, next.tag) {
        return false;
    }
    let em = last.size.max(next.size);
    // Space glyphs may be stretched by justification; without them a gap is wide sooner.
    let widest = if tail.text == " " { 1.6 } else { 1.0 };
    let ahead = next.x0 - last.x1;
    if ahead > -0.5 * em && (ahead < widest * em || next.text == " " && next.x0 - tail.x1 < 0.5 * em) {
        return true;
    }
    let behind = last.x0.min(tail.x0) - next.x1;
    is_rtl(last) && (is_rtl(next) || next.text == " ") && behind > -0.5 * em && behind < 1.0 * em
}

fn mixes(a: Tag, b: Tag) -> bool {
    a != b
        && matches!(
            (a, b),
            (Tag::Artifact | Tag::Heading(_) | Tag::Cell, _)
                | (_, Tag::Artifact | Tag::Heading(_) | Tag::Cell)
        )
}

fn close(open: &mut Vec<&Glyph>) -> Option<Chunk> {
    while open.last().is_some_and(|g| g.text == " ") {
        open.pop();
    }
    let mut glyphs = std::mem::take(open);
    let first = *glyphs.first()?;
    glyphs.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let letters = || glyphs.iter().filter(|g| g.text != " ");
    // The size and baseline of most of the text, not of a note mark.
    let main = letters().max_by(|a, b| a.size.total_cmp(&b.size)).copied().unwrap_or(first);
    let bold = letters().filter(|g| g.bold).count() * 2 > letters().count();
    let x0 = glyphs.iter().map(|g| g.x0).fold(f32::MAX, f32::min);
    let x1 = glyphs.iter().map(|g| g.x1).fold(f32::MIN, f32::max);
    let text = spell(&glyphs);
    (!text.is_empty()).then_some(Chunk {
        text,
        x0,
        x1,
        base: main.base,
        size: main.size,
        bold,
        tag: first.tag,
    })
}

/// The text of sorted glyphs in logical order, with the spaces that are only gaps.
fn spell(glyphs: &[&Glyph]) -> String {
    let gap = gap_of_a_space(glyphs);
    let mut parts: Vec<&str> = Vec::with_capacity(glyphs.len() + 8);
    let mut last: Option<&Glyph> = None;
    let mut spaced = false;
    for glyph in glyphs {
        if glyph.text == " " {
            spaced = true;
            continue;
        }
        if let Some(mark) = combining(glyph).filter(|_| overlaps(last, glyph)) {
            // An accent drawn over the letter before it.
            parts.push(mark);
            continue;
        }
        if let Some(before) = last {
            let em = before.size.min(glyph.size);
            let apart = glyph.x0 - before.x1;
            let joined = is_ideograph(&before.text) && is_ideograph(&glyph.text);
            if spaced && apart > -0.2 * em || !joined && apart > gap * em || is_note_mark(before, glyph) {
                parts.push(" ");
            }
        }
        let accent = last.filter(|before| overlaps(Some(glyph), before)).and_then(combining);
        if accent.is_some() {
            parts.pop();
        }
        parts.push(if accent.is_some() && glyph.text == "ı" { "i" } else { &glyph.text });
        parts.extend(accent);
        last = Some(glyph);
        spaced = false;
    }
    pdf_bidi::logical(&parts).trim().to_owned()
}

/// Old fonts draw an accented letter as an accent and a letter; here is the accent as Unicode combines it.
fn combining(glyph: &Glyph) -> Option<&'static str> {
    let marks = [
        ("¨", "\u{308}"),
        ("´", "\u{301}"),
        ("`", "\u{300}"),
        ("ˆ", "\u{302}"),
        ("˜", "\u{303}"),
        ("¸", "\u{327}"),
        ("ˇ", "\u{30c}"),
        ("˚", "\u{30a}"),
        ("¯", "\u{304}"),
        ("˘", "\u{306}"),
        ("˙", "\u{307}"),
        ("˝", "\u{30b}"),
    ];
    marks.iter().find(|(drawn, _)| *drawn == glyph.text).map(|(_, mark)| *mark)
}

/// Whether an accent stands over (or under) a letter, rather than beside it.
fn overlaps(letter: Option<&Glyph>, accent: &Glyph) -> bool {
    let Some(letter) = letter.filter(|letter| letter.text.chars().all(char::is_alphabetic)) else {
        return false;
    };
    let shared = letter.x1.min(accent.x1) - letter.x0.max(accent.x0);
    shared > 0.4 * (accent.x1 - accent.x0).min(letter.x1 - letter.x0)
}

/// A raised small figure behind a word is the mark of a note, not a part of the word.
fn is_note_mark(word: &Glyph, mark: &Glyph) -> bool {
    mark.size < 0.8 * word.size
        && mark.base < word.base - 0.15 * word.size
        && word.text.chars().all(char::is_alphabetic)
        && mark.text.chars().all(|c| c.is_ascii_digit())
}

/// Letter-spaced text has gaps everywhere: a space is what exceeds the usual gap.
fn gap_of_a_space(glyphs: &[&Glyph]) -> f32 {
    let explicit = glyphs.iter().any(|g| g.text == " ");
    let mut gaps: Vec<f32> = glyphs
        .windows(2)
        .filter(|w| w[0].text != " " && w[1].text != " ")
        .map(|w| (w[1].x0 - w[0].x1) / w[0].size.min(w[1].size))
        .collect();
    gaps.sort_by(f32::total_cmp);
    let usual = if gaps.len() < 4 { 0.0 } else { gaps[gaps.len() / 2].clamp(0.0, 0.5) };
    usual + if explicit { 0.2 } else { 0.17 }
}

pub(crate) fn is_ideograph(text: &str) -> bool {
    text.chars().next().is_some_and(|c| {
        matches!(u32::from(c), 0x2E80..=0x30FF | 0x3100..=0x312F | 0x31A0..=0x9FFF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF | 0x2_0000..=0x3_FFFF)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(text: &str, x0: f32, x1: f32) -> Glyph {
        Glyph { text: text.into(), x0, x1, base: 100.0, size: 10.0, angle: 0, bold: false, tag: Tag::None }
    }

    fn texts(glyphs: &[Glyph]) -> Vec<String> {
        chunks(glyphs).into_iter().map(|c| c.text).collect()
    }

    #[test]
    fn a_gap_is_a_space_and_a_wide_gap_ends_the_chunk() {
        let glyphs =
            [glyph("a", 0.0, 5.0), glyph("b", 5.0, 10.0), glyph("c", 13.0, 18.0), glyph("d", 40.0, 45.0)];
        assert_eq!(texts(&glyphs), ["ab c", "d"]);
    }

    #[test]
    fn letter_spacing_is_not_a_row_of_words() {
        let glyphs: Vec<_> = (0..6).map(|i| glyph("x", i as f32 * 8.0, i as f32 * 8.0 + 5.0)).collect();
        assert_eq!(texts(&glyphs), ["xxxxxx"]);
    }

    #[test]
    fn accents_join_their_letters() {
        let glyphs =
            [glyph("n", 0.0, 5.0), glyph("¨", 10.0, 14.0), glyph("ı", 10.5, 13.5), glyph("v", 14.0, 19.0)];
        assert_eq!(texts(&glyphs[1..]), ["i\u{308}v"]);
        let after = [glyph("e", 0.0, 5.0), glyph("´", 0.5, 4.5), glyph("t", 5.0, 9.0)];
        assert_eq!(texts(&after), ["e\u{301}t"]);
    }

    #[test]
    fn arabic_drawn_from_the_right_is_one_word() {
        let glyphs = [glyph("ا", 20.0, 25.0), glyph("ل", 15.0, 20.0), glyph("م", 10.0, 15.0)];
        assert_eq!(texts(&glyphs), ["الم"]);
    }
}
