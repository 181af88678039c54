//! Cells that cover several rows: each row then says the same, for it will be read without its neighbours.

/// How far a cell reaches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub columns: usize,
    pub rows: usize,
    /// The cell goes on with the one above it, as Word writes it. HTML leaves covered cells out.
    pub continued: bool,
}

impl Default for Span {
    fn default() -> Self {
        Self { columns: 1, rows: 1, continued: false }
    }
}

#[derive(Debug, Clone)]
struct Carried {
    column: usize,
    columns: usize,
    rows_left: usize,
    text: String,
}

/// What the rows above leave for the next one.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    carried: Vec<Carried>,
    previous: Vec<(usize, String)>,
}

impl Grid {
    pub fn is_empty(&self) -> bool {
        self.carried.is_empty() && self.previous.is_empty()
    }

    /// Fills the covered cells of a row. `text` reads a cell, `make` makes one.
    pub fn fill<C>(
        &mut self,
        row: Vec<C>,
        spans: &[Span],
        text: impl Fn(&C) -> String,
        make: impl Fn(&str) -> C,
    ) -> Vec<C> {
        let carried = std::mem::take(&mut self.carried);
        let previous = std::mem::take(&mut self.previous);
        let own = row.iter().any(|cell| !text(cell).is_empty());
        let mut filled = Vec::with_capacity(row.len());
        let mut column = 0;
        let mut cells = row.into_iter().enumerate();
        loop {
            if let Some(over) = carried.iter().find(|cell| cell.column == column) {
                filled.push(make(&over.text));
                if over.rows_left > 1 {
                    self.carried.push(Carried { rows_left: over.rows_left - 1, ..over.clone() });
                }
                column += over.columns;
                continue;
            }
            let Some((index, mut cell)) = cells.next() else { break };
            let span = spans.get(index).copied().unwrap_or_default();
            let mut shown = text(&cell);
            if span.continued
                && shown.is_empty()
                && let Some((_, above)) = previous.iter().find(|(at, _)| *at == column)
            {
                shown.clone_from(above);
                cell = make(&shown);
            }
            if span.rows > 1 {
                let (columns, rows_left) = (span.columns, span.rows - 1);
                self.carried.push(Carried { column, columns, rows_left, text: shown.clone() });
            }
            if !spans.is_empty() {
                self.previous.push((column, shown));
            }
            filled.push(cell);
            column += span.columns;
        }
        // A row with nothing of its own stays empty.
        if own { filled } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(grid: &mut Grid, row: &[&str], spans: &[Span]) -> String {
        let row = row.iter().map(ToString::to_string).collect();
        grid.fill(row, spans, Clone::clone, str::to_owned).join("|")
    }

    #[test]
    fn rows_under_a_span() {
        let mut grid = Grid::default();
        let tall = Span { rows: 3, columns: 2, continued: false };
        assert_eq!(fill(&mut grid, &["A", "b", "c"], &[Span::default(), tall]), "A|b|c");
        assert_eq!(fill(&mut grid, &["B", "d"], &[]), "B|b|d");
        assert_eq!(fill(&mut grid, &[""], &[]), "");
        assert_eq!(fill(&mut grid, &["C", "e"], &[]), "C|e");
    }

    #[test]
    fn cells_that_go_on() {
        let mut grid = Grid::default();
        let on = Span { continued: true, ..Span::default() };
        assert_eq!(fill(&mut grid, &["A", "1"], &[Span::default(), Span::default()]), "A|1");
        assert_eq!(fill(&mut grid, &["", "2"], &[on, Span::default()]), "A|2");
        assert_eq!(fill(&mut grid, &["", "3"], &[on, Span::default()]), "A|3");
        assert_eq!(fill(&mut grid, &["", "4"], &[Span::default(), Span::default()]), "|4");
    }
}
