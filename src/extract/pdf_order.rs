//! The order of reading: cuts a page into regions (columns, and what stands above, between and below them) and rows.

use crate::pdf_chunks::Chunk;
use crate::pdf_glyphs::Rule;

const DEEPEST: usize = 12;
const MOST_BANDS: usize = 400;

/// Chunks on one baseline, from left to right.
pub(crate) type Row = Vec<Chunk>;

/// Regions in the order of reading, each as rows from top to bottom.
pub(crate) fn regions(chunks: Vec<Chunk>, rules: &[Rule]) -> Vec<Vec<Row>> {
    let mut out = Vec::new();
    split(chunks, rules, 0, &mut out);
    out.into_iter().map(rows).collect()
}

fn split(chunks: Vec<Chunk>, rules: &[Rule], depth: usize, out: &mut Vec<Vec<Chunk>>) {
    if chunks.is_empty() {
        return;
    }
    let bands = bands(&chunks);
    let cut = (depth < DEEPEST && chunks.len() >= 6).then(|| best_cut(&chunks, &bands, rules)).flatten();
    let Some(cut) = cut else {
        out.push(chunks);
        return;
    };
    let mut parts: [Vec<Chunk>; 4] = Default::default();
    for chunk in chunks {
        let part = if chunk.base < cut.top {
            0
        } else if chunk.base > cut.bottom {
            3
        } else if f32::midpoint(chunk.x0, chunk.x1) < cut.x {
            1
        } else {
            2
        };
        parts[part].push(chunk);
    }
    for part in parts {
        split(part, rules, depth + 1, out);
    }
}

/// Chunks that share a horizontal strip of the page.
struct Band {
    top: f32,
    bottom: f32,
    /// Occupied stretches, sorted and apart.
    spans: Vec<(f32, f32)>,
    members: Vec<usize>,
}

fn bands(chunks: &[Chunk]) -> Vec<Band> {
    let mut order: Vec<usize> = (0..chunks.len()).collect();
    order.sort_by(|a, b| chunks[*a].top().total_cmp(&chunks[*b].top()));
    let mut bands: Vec<Band> = Vec::new();
    for index in order {
        let chunk = &chunks[index];
        match bands.last_mut() {
            Some(band) if chunk.top() < band.bottom - 0.15 * chunk.size => {
                band.bottom = band.bottom.max(chunk.bottom());
                band.members.push(index);
                add_span(&mut band.spans, (chunk.x0, chunk.x1));
            }
            _ => bands.push(Band {
                top: chunk.top(),
                bottom: chunk.bottom(),
                spans: vec![(chunk.x0, chunk.x1)],
                members: vec![index],
            }),
        }
    }
    bands
}

fn add_span(spans: &mut Vec<(f32, f32)>, mut new: (f32, f32)) {
    spans.retain(|old| {
        let apart = old.1 < new.0 || old.0 > new.1;
        if !apart {
            new = (new.0.min(old.0), new.1.max(old.1));
        }
        apart
    });
    let at = spans.partition_point(|old| old.0 < new.0);
    spans.insert(at, new);
}

/// A gutter at `x` between two baselines.
struct Cut {
    x: f32,
    top: f32,
    bottom: f32,
    lines: usize,
}

/// The gutter that parts the most lines of prose.
fn best_cut(chunks: &[Chunk], bands: &[Band], rules: &[Rule]) -> Option<Cut> {
    let em = median_size(chunks);
    let mut best: Option<Cut> = None;
    for start in 0..bands.len().min(MOST_BANDS) {
        // A run that starts inside an equally good one cannot be better.
        if best.as_ref().is_some_and(|cut| cut.top <= bands[start].top && bands[start].bottom <= cut.bottom) {
            continue;
        }
        let mut spans: Vec<(f32, f32)> = Vec::new();
        for end in start..bands.len().min(MOST_BANDS) {
            for span in &bands[end].spans {
                add_span(&mut spans, *span);
            }
            let gutters: Vec<f32> = spans
                .windows(2)
                .filter(|pair| pair[1].0 - pair[0].1 > 0.7 * em)
                .map(|pair| f32::midpoint(pair[0].1, pair[1].0))
                .collect();
            if gutters.is_empty() && spans.len() == 1 && wide(&spans, bands) {
                break;
            }
            let run = &bands[start..=end];
            let closes = bands.get(end + 1).is_none_or(|next| !passes(next, &gutters));
            if closes {
                for x in gutters {
                    let cut = judge(chunks, run, x, rules);
                    best = match (best, cut) {
                        (Some(a), Some(b)) if a.lines >= b.lines => Some(a),
                        (a, b) => b.or(a),
                    };
                }
            }
        }
    }
    best
}

/// Whether some gutter stays free in a band.
fn passes(band: &Band, gutters: &[f32]) -> bool {
    gutters.iter().any(|x| band.spans.iter().all(|span| *x < span.0 || *x > span.1))
}

fn wide(spans: &[(f32, f32)], bands: &[Band]) -> bool {
    let left = bands.iter().flat_map(|b| &b.spans).map(|s| s.0).fold(f32::MAX, f32::min);
    let right = bands.iter().flat_map(|b| &b.spans).map(|s| s.1).fold(f32::MIN, f32::max);
    spans.iter().any(|s| s.1 - s.0 > 0.6 * (right - left))
}

fn median_size(chunks: &[Chunk]) -> f32 {
    let mut sizes: Vec<f32> = chunks.iter().map(|c| c.size).collect();
    sizes.sort_by(f32::total_cmp);
    sizes[sizes.len() / 2]
}

fn judge(chunks: &[Chunk], run: &[Band], x: f32, rules: &[Rule]) -> Option<Cut> {
    let members = || run.iter().flat_map(|band| &band.members).map(|index| &chunks[*index]);
    let (left, right): (Vec<&Chunk>, Vec<&Chunk>) = members().partition(|c| f32::midpoint(c.x0, c.x1) < x);
    let lines = prose_lines(&left)?.min(prose_lines(&right)?);
    let top = members().map(|c| c.base).fold(f32::MAX, f32::min);
    let bottom = members().map(|c| c.base).fold(f32::MIN, f32::max);
    // Lines ruled across the gutter where both sides have text: a table.
    let (upper, lower) = (first_base(&left).max(first_base(&right)), last_base(&left).min(last_base(&right)));
    let crossings =
        rules.iter().filter(|r| r.x0 < x - 4.0 && r.x1 > x + 4.0 && r.y > upper && r.y < lower).count();
    (crossings < 2).then_some(Cut { x, top, bottom, lines })
}

fn first_base(chunks: &[&Chunk]) -> f32 {
    chunks.iter().map(|c| c.base).fold(f32::MAX, f32::min)
}

fn last_base(chunks: &[&Chunk]) -> f32 {
    chunks.iter().map(|c| c.base).fold(f32::MIN, f32::max)
}

/// How many lines a side has when it reads like running text: at least three lines, most of them several words.
fn prose_lines(side: &[&Chunk]) -> Option<usize> {
    let mut bases: Vec<f32> = side.iter().map(|c| c.base).collect();
    bases.sort_by(f32::total_cmp);
    let em = side.first()?.size;
    bases.dedup_by(|a, b| (*a - *b).abs() < 0.4 * em);
    let lines = bases.len();
    let letters: usize = side.iter().map(|c| weight(&c.text)).sum();
    let sentences =
        side.iter().filter(|c| weight(&c.text) >= 12 && c.text.trim().contains(' ') || weight(&c.text) >= 24);
    (lines >= 3 && letters >= 14 * lines && sentences.count() * 2 >= lines).then_some(lines)
}

/// Letters, where an ideograph counts for two.
fn weight(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= 0x2E80 { 2 } else { usize::from(!c.is_whitespace()) }).sum()
}

fn rows(mut chunks: Vec<Chunk>) -> Vec<Row> {
    chunks.sort_by(|a, b| a.base.total_cmp(&b.base));
    let mut rows: Vec<Row> = Vec::new();
    for chunk in chunks {
        match rows.iter_mut().rev().take(3).find(|row| fits(row, &chunk)) {
            Some(row) => row.push(chunk),
            None => rows.push(vec![chunk]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    }
    rows
}

/// Same baseline (or a raised or lowered small piece beside it), and not over what is there.
fn fits(row: &Row, chunk: &Chunk) -> bool {
    row.iter().any(|other| {
        let (small, large) = (chunk.size.min(other.size), chunk.size.max(other.size));
        let near = (chunk.base - other.base).abs();
        near < 0.25 * large || small < 0.85 * large && near < 0.5 * large && beside(other, chunk)
    }) && row.iter().all(|other| overlap(other, chunk) < 0.5 * chunk.size.max(other.size))
}

fn beside(a: &Chunk, b: &Chunk) -> bool {
    let gap = (b.x0 - a.x1).max(a.x0 - b.x1);
    gap < 0.6 * a.size.max(b.size)
}

fn overlap(a: &Chunk, b: &Chunk) -> f32 {
    a.x1.min(b.x1) - a.x0.max(b.x0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf_glyphs::Tag;

    fn chunk(text: &str, x0: f32, x1: f32, base: f32) -> Chunk {
        Chunk { text: text.into(), x0, x1, base, size: 10.0, bold: false, tag: Tag::None }
    }

    fn reading(chunks: Vec<Chunk>, rules: &[Rule]) -> Vec<String> {
        regions(chunks, rules).into_iter().flatten().flatten().map(|c| c.text).collect()
    }

    fn two_columns() -> Vec<Chunk> {
        let mut chunks = vec![chunk("A title over both of the columns", 50.0, 550.0, 40.0)];
        for line in 0..6 {
            let y = 80.0 + 12.0 * line as f32;
            chunks.push(chunk(&format!("left line {line} with some more words"), 50.0, 290.0, y));
            chunks.push(chunk(&format!("right line {line} with some more words"), 310.0, 550.0, y));
        }
        chunks
    }

    #[test]
    fn columns_are_read_one_after_the_other() {
        let order = reading(two_columns(), &[]);
        assert!(order[0].starts_with("A title"));
        assert!(order[6].starts_with("left line 5"), "{order:?}");
        assert!(order[7].starts_with("right line 0"));
    }

    #[test]
    fn a_ruled_table_is_read_row_by_row() {
        let rules: Vec<Rule> =
            (0..6).map(|i| Rule { x0: 40.0, x1: 560.0, y: 84.0 + 12.0 * i as f32 }).collect();
        let order = reading(two_columns(), &rules);
        assert!(order[2].starts_with("right line 0"), "{order:?}");
    }

    #[test]
    fn short_cells_are_no_columns() {
        let mut chunks = Vec::new();
        for line in 0..6 {
            let y = 80.0 + 12.0 * line as f32;
            chunks.push(chunk(&format!("item {line}"), 50.0, 90.0, y));
            chunks.push(chunk("12.50", 310.0, 340.0, y));
        }
        assert_eq!(reading(chunks, &[])[..2], ["item 0", "12.50"]);
    }
}
