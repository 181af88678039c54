//! Rows to lines with cells, and lines to paragraphs, list items and table rows of one region.

use crate::pdf_bidi;
use crate::pdf_chunks::{Chunk, is_ideograph};
use crate::pdf_glyphs::Tag;
use crate::pdf_order::Row;

/// What a piece is before the whole document has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    Prose,
    List,
    Row,
}

/// A paragraph, list item or table row with what is needed to tell headings and page margins later.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub kind: PieceKind,
    pub text: String,
    pub lines: usize,
    pub size: f32,
    pub bold: bool,
    pub tag: Tag,
    /// Baseline of the first line, in the frame of its direction.
    pub base: f32,
}

/// A line; for right-to-left text `x0` is where it starts, mirrored, so that the same rules hold.
#[derive(Debug, Clone)]
struct Line {
    cells: Vec<Cell>,
    x0: f32,
    x1: f32,
    base: f32,
    size: f32,
    bold: bool,
    tag: Tag,
}

#[derive(Debug, Clone)]
struct Cell {
    text: String,
    x0: f32,
}

impl Line {
    fn new(row: &Row) -> Option<Self> {
        let longest = row.iter().max_by_key(|chunk| chunk.text.len())?;
        let texts: Vec<&str> = row.iter().flat_map(|c| c.text.split("")).collect();
        let leftwards = pdf_bidi::reads_left(&texts);
        let cells = cells(row, leftwards);
        let (x0, x1) = (row.first()?.x0, row.iter().map(|c| c.x1).fold(f32::MIN, f32::max));
        let (x0, x1) = if leftwards { (-x1, -x0) } else { (x0, x1) };
        let letters = |bold: bool| row.iter().filter(|c| c.bold == bold).map(|c| c.text.len()).sum::<usize>();
        let bold = letters(true) > 4 * letters(false);
        Some(Self { cells, x0, x1, base: longest.base, size: longest.size, bold, tag: longest.tag })
    }

    fn text(&self) -> String {
        self.cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn first_char(&self) -> char {
        self.cells.first().and_then(|cell| cell.text.chars().next()).unwrap_or(' ')
    }

    fn last_char(&self) -> char {
        self.cells.last().and_then(|cell| cell.text.chars().next_back()).unwrap_or(' ')
    }

    /// Width of the first word, from the average width of a character.
    fn first_word(&self) -> f32 {
        let text = self.text();
        let all = text.chars().count().max(1) as f32;
        let word = text.split(' ').next().map_or(0, |word| word.chars().count()) as f32;
        (self.x1 - self.x0) * word / all
    }
}

fn cells(row: &Row, leftwards: bool) -> Vec<Cell> {
    let mut order: Vec<&Chunk> = row.iter().collect();
    if leftwards {
        order.reverse();
    }
    let mut cells: Vec<Cell> = Vec::new();
    let mut last: Option<&Chunk> = None;
    for chunk in order {
        let x0 = if leftwards { -chunk.x1 } else { chunk.x0 };
        let gap = last.map_or(f32::MAX, |before| (chunk.x0 - before.x1).max(before.x0 - chunk.x1));
        match cells.last_mut() {
            Some(cell) if gap < 1.5 * chunk.size => {
                let joined = is_ideograph(&chunk.text) || gap < 0.12 * chunk.size;
                if !joined || script_changes(&cell.text, &chunk.text) {
                    cell.text.push(' ');
                }
                cell.text.push_str(&chunk.text);
            }
            _ => cells.push(Cell { text: chunk.text.clone(), x0 }),
        }
        last = Some(chunk);
    }
    cells
}

/// Arabic or Hebrew beside Latin letters: two words, even when nothing stands between them.
fn script_changes(before: &str, after: &str) -> bool {
    let (Some(a), Some(b)) = (before.chars().next_back(), after.chars().next()) else { return false };
    a.is_alphabetic() && b.is_alphabetic() && pdf_bidi::is_rtl(a) != pdf_bidi::is_rtl(b)
}

/// The pieces of one region.
pub(crate) fn pieces(rows: &[Row]) -> Vec<Piece> {
    let lines: Vec<Line> = rows.iter().filter_map(Line::new).collect();
    let spacing = usual_spacing(&lines);
    let mut out = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let end = table_end(&lines, at);
        if end > at {
            table(&lines[at..end], &mut out);
            at = end;
        } else {
            at = paragraph(&lines, at, spacing, &mut out);
        }
    }
    out
}

fn usual_spacing(lines: &[Line]) -> f32 {
    let mut steps: Vec<f32> = lines
        .windows(2)
        .map(|w| (w[1].base - w[0].base) / w[0].size.max(w[1].size))
        .filter(|step| (0.8..2.5).contains(step))
        .collect();
    steps.sort_by(f32::total_cmp);
    steps.get(steps.len() / 3).copied().unwrap_or(1.2)
}

/// The end of the table that starts here, or `start`. At least two rows of several cells; between them, lines that only
/// go on with a cell.
fn table_end(lines: &[Line], start: usize) -> usize {
    let is_row = |line: &Line| {
        line.cells.len() > 1 && marker_len(&line.cells[0].text, true) != line.cells[0].text.len()
    };
    if !is_row(&lines[start]) {
        return start;
    }
    let mut end = start + 1;
    let mut rows = 1;
    let mut pending = 0;
    for line in &lines[start + 1..] {
        if is_row(line) {
            rows += 1;
            end += pending + 1;
            pending = 0;
        } else if pending < 2 && wraps(&lines[start..end], line) {
            pending += 1;
        } else {
            break;
        }
    }
    if rows < 2 { start } else { end + trailing_wraps(lines, start, end) }
}

fn trailing_wraps(lines: &[Line], start: usize, end: usize) -> usize {
    lines[end..]
        .iter()
        .take(2)
        .take_while(|line| wraps(&lines[start..end], line) && line.x0 > lines[start].x0 + line.size)
        .count()
}

/// Whether the cells of a line stand under cells of the rows above it, close by.
fn wraps(above: &[Line], line: &Line) -> bool {
    let Some(last) = above.last() else { return false };
    line.base - last.base < 3.0 * line.size
        && line.cells.iter().all(|cell| {
            above
                .iter()
                .rev()
                .take(8)
                .flat_map(|row| &row.cells)
                .any(|known| (known.x0 - cell.x0).abs() < 0.8 * line.size)
        })
}

fn table(lines: &[Line], out: &mut Vec<Piece>) {
    let mut open: Option<(Vec<Cell>, &Line)> = None;
    for line in lines {
        if let Some((cells, last)) = &mut open {
            let near = line.base - last.base < 1.35 * line.size;
            if near
                && line.cells.len() < cells.len()
                && line.x0 > cells[0].x0 + line.size
                && merge(cells, line)
            {
                *last = line;
                continue;
            }
        }
        out.extend(open.take().map(row_piece));
        open = Some((line.cells.clone(), line));
    }
    out.extend(open.map(row_piece));
}

/// Put every cell of a continuation line behind the cell it stands under; `false` when one has no place.
fn merge(cells: &mut [Cell], line: &Line) -> bool {
    let places: Option<Vec<usize>> = line
        .cells
        .iter()
        .map(|cell| cells.iter().position(|known| (known.x0 - cell.x0).abs() < 0.8 * line.size))
        .collect();
    let Some(places) = places else { return false };
    for (cell, place) in line.cells.iter().zip(places) {
        join(&mut cells[place].text, &cell.text);
    }
    true
}

fn row_piece((cells, line): (Vec<Cell>, &Line)) -> Piece {
    let text = cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("\t");
    Piece {
        kind: PieceKind::Row,
        text,
        lines: 1,
        size: line.size,
        bold: line.bold,
        tag: line.tag,
        base: line.base,
    }
}

fn paragraph(lines: &[Line], start: usize, spacing: f32, out: &mut Vec<Piece>) -> usize {
    let first = &lines[start];
    let mut text = first.text();
    let list = marker_len(&text, false) > 0 || first.tag == Tag::ListItem && marker_len(&text, true) > 0;
    let mut end = start + 1;
    while end < lines.len() && !breaks(lines, start, end, spacing, list) && table_end(lines, end) == end {
        join(&mut text, &lines[end].text());
        end += 1;
    }
    let kind = if list { PieceKind::List } else { PieceKind::Prose };
    let bold = lines[start..end].iter().all(|line| line.bold);
    out.push(Piece {
        kind,
        text,
        lines: end - start,
        size: first.size,
        bold,
        tag: first.tag,
        base: first.base,
    });
    end
}

/// Whether the line at `at` begins something new.
fn breaks(lines: &[Line], start: usize, at: usize, spacing: f32, list: bool) -> bool {
    let (before, next) = (&lines[at - 1], &lines[at]);
    let em = before.size.max(next.size);
    let step = (next.base - before.base) / em;
    if before.tag != next.tag || before.bold != next.bold || before.size.min(next.size) < 0.88 * em {
        return true;
    }
    if step < 0.0 || step > (1.35 * spacing).max(spacing + 0.25) {
        return true;
    }
    let marked = marker_len(&next.text(), false);
    if marked > 0 && (list || !next.first_char().is_alphanumeric() || ends_sentence(before.last_char())) {
        return true;
    }
    let centred = (f32::midpoint(before.x0, before.x1) - f32::midpoint(next.x0, next.x1)).abs() < 0.5 * em;
    let shift = next.x0 - before.x0;
    let indented = shift > 0.8 * em && !(list && at == start + 1);
    let outdented = shift < -0.8 * em && (at > start + 1 || list);
    if !centred && (indented || outdented) {
        return true;
    }
    word_would_have_fitted(lines, at)
}

/// A line ends early although the next word had room: the break was meant.
fn word_would_have_fitted(lines: &[Line], at: usize) -> bool {
    let (before, next) = (&lines[at - 1], &lines[at]);
    let near = &lines[at.saturating_sub(4)..(at + 4).min(lines.len())];
    let right = near.iter().map(|line| line.x1).fold(f32::MIN, f32::max);
    let room = right - before.x1 - next.first_word() - 0.3 * next.size;
    let opens = !next.first_char().is_lowercase();
    if ends_sentence(before.last_char()) {
        opens && room > 0.5 * next.size
    } else {
        opens && room > 3.0 * next.size
    }
}

fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | ':' | ';' | '。' | '！' | '？' | '؟' | '…' | '”' | '"' | ')')
}

/// Put a line behind a text: words broken at the end of the line become whole, ideographs take no space.
pub(crate) fn join(text: &mut String, next: &str) {
    let mut ends = text.chars().rev();
    let (last, before) = (ends.next().unwrap_or(' '), ends.next().unwrap_or(' '));
    let first = next.chars().next().unwrap_or(' ');
    if matches!(last, '-' | '\u{ad}' | '\u{2010}') && before.is_alphabetic() && first.is_alphabetic() {
        if first.is_lowercase() || last == '\u{ad}' {
            text.pop();
        }
    } else if !(text.is_empty() || is_ideograph(&last.to_string()) && is_ideograph(next)) {
        text.push(' ');
    }
    text.push_str(next);
}

/// Bytes of the bullet or number that opens a list item, 0 without one. `bare`: it may stand alone.
pub(crate) fn marker_len(text: &str, bare: bool) -> usize {
    let word = text.split(' ').next().unwrap_or("");
    if !bare && word.len() == text.len() {
        return 0;
    }
    let bullet = matches!(
        word,
        "•" | "‣"
            | "◦"
            | "▪"
            | "▫"
            | "●"
            | "○"
            | "■"
            | "□"
            | "–"
            | "-"
            | "—"
            | "*"
            | "·"
            | "➢"
            | "➤"
            | "✓"
            | "→"
            | "⁃"
            | "∙"
    );
    let inner = word.strip_prefix('(').unwrap_or(word);
    let numbered = inner.strip_suffix(['.', ')']).is_some_and(|mark| {
        let number = mark.len() <= 2 && !mark.is_empty() && mark.bytes().all(|b| b.is_ascii_digit());
        let letter = mark.len() == 1 && mark.bytes().all(|b| b.is_ascii_lowercase()) && word.ends_with(')');
        let roman = word.ends_with(')')
            && mark.len() <= 4
            && !mark.is_empty()
            && mark.bytes().all(|b| b"ivx".contains(&b));
        number || letter || roman
    });
    if bullet || numbered { word.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str, x0: f32, x1: f32, base: f32) -> Row {
        vec![Chunk { text: text.into(), x0, x1, base, size: 10.0, bold: false, tag: Tag::None }]
    }

    fn texts(rows: &[Row]) -> Vec<String> {
        pieces(rows).into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn lines_become_paragraphs_and_broken_words_whole() {
        let rows = [
            row("The first para-", 50.0, 300.0, 20.0),
            row("graph goes on to the end of", 50.0, 300.0, 32.0),
            row("the line.", 50.0, 90.0, 44.0),
            row("Another one starts here and it", 60.0, 300.0, 56.0),
            row("ends.", 50.0, 80.0, 68.0),
        ];
        let got = texts(&rows);
        assert_eq!(
            got,
            ["The first paragraph goes on to the end of the line.", "Another one starts here and it ends."]
        );
    }

    #[test]
    fn rows_of_cells_are_a_table_and_wrapped_cells_stay_together() {
        let mut rows = Vec::new();
        for (i, cells) in [["Name", "Use"], ["RAM", "keeps what"]].iter().enumerate() {
            let y = 20.0 + 14.0 * i as f32;
            let mut line = row(cells[0], 50.0, 80.0, y);
            line.extend(row(cells[1], 200.0, 260.0, y));
            rows.push(line);
        }
        rows.push(row("is in use", 200.0, 250.0, 45.0));
        assert_eq!(texts(&rows), ["Name\tUse", "RAM\tkeeps what is in use"]);
    }

    #[test]
    fn list_items_keep_their_own_lines() {
        let rows = [row("• one item", 50.0, 120.0, 20.0), row("• second item", 50.0, 130.0, 32.0)];
        let got = pieces(&rows);
        assert_eq!(got.len(), 2);
        assert!(got.iter().all(|piece| piece.kind == PieceKind::List));
    }
}
