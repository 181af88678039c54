//! What a model writes, read while it comes: text without marks for the eye, whole sentences with their marks, and
//! the word by which it says that the passages do not tell.

/// What the model is told to write when the passages do not tell.
pub(crate) const NOT_THERE: &str = "NOT_IN_DOCUMENTS";
/// Longest text between brackets that can be a mark.
const MAX_MARK: usize = 40;

/// A whole sentence as the model wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub text: String,
    /// Passage numbers, from 1, as written.
    pub marks: Vec<usize>,
    /// What stands between it and the next: a space or line breaks.
    pub gap: &'static str,
}

/// What became certain with the last piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ready {
    pub text: String,
    pub lines: Vec<Line>,
}

/// Reads an answer piece by piece.
#[derive(Default)]
pub(crate) struct Script {
    /// The beginning, as long as it may become [`NOT_THERE`].
    opening: Option<String>,
    opened: bool,
    refused: bool,
    /// From an opening bracket on.
    bracket: String,
    /// Spaces that are not written yet, and whether a mark came after them.
    space: String,
    marked: bool,
    /// Text of sentences that are not whole yet, and where marks stood in it.
    plain: String,
    marks: Vec<(usize, Vec<usize>)>,
    /// Bytes of `plain` that were given as text.
    shown: usize,
}

impl Script {
    /// Whether the model said that the passages do not tell.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }

    pub(crate) fn push(&mut self, piece: &str) -> Ready {
        if self.opened {
            self.read(piece);
        } else {
            let mut opening = self.opening.take().unwrap_or_default();
            opening.push_str(piece);
            let word = opening.trim_start_matches(|c: char| !c.is_alphanumeric());
            if word.starts_with(NOT_THERE) {
                (self.refused, self.opened) = (true, true);
            } else if NOT_THERE.starts_with(word) {
                self.opening = Some(opening);
            } else {
                self.opened = true;
                self.read(&opening);
            }
        }
        self.ready(false)
    }

    /// The rest.
    pub(crate) fn finish(&mut self) -> Ready {
        if let Some(opening) = self.opening.take() {
            self.opened = true;
            self.read(&opening);
        }
        let bracket = std::mem::take(&mut self.bracket);
        self.write(&bracket);
        self.ready(true)
    }

    fn read(&mut self, piece: &str) {
        if self.refused {
            return;
        }
        for c in piece.chars() {
            let opens = matches!(c, '[' | '【');
            if !self.bracket.is_empty() && (opens || c == '\n' || self.bracket.len() > MAX_MARK) {
                let bracket = std::mem::take(&mut self.bracket);
                self.write(&bracket);
            }
            if opens || !self.bracket.is_empty() {
                self.bracket.push(c);
                if matches!(c, ']' | '】') {
                    self.close();
                }
            } else {
                self.write(c.encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn close(&mut self) {
        let bracket = std::mem::take(&mut self.bracket);
        match numbers(bracket.trim_matches(['[', ']', '【', '】'])) {
            Some(numbers) => {
                self.marks.push((self.plain.len(), numbers));
                self.marked = true;
            }
            None => self.write(&bracket),
        }
    }

    fn write(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() {
                // The spaces on both sides of a mark are one.
                if self.marked && c == '\n' && !self.space.contains('\n') {
                    self.space.clear();
                }
                if !self.marked || self.space.is_empty() || c == '\n' {
                    self.space.push(c);
                }
                continue;
            }
            let closes = self.marked && matches!(c, '.' | ',' | ';' | ':' | '!' | '?');
            if closes || self.plain.is_empty() {
                self.space.clear();
            }
            self.plain.push_str(&self.space);
            self.space.clear();
            self.marked = false;
            self.plain.push(c);
        }
    }

    fn ready(&mut self, all: bool) -> Ready {
        let mut ready = Ready { text: self.plain[self.shown..].to_owned(), lines: Vec::new() };
        self.shown = self.plain.len();
        let ranges = lectern_search::sentences(&self.plain);
        let mut taken = 0;
        for (at, range) in ranges.iter().enumerate() {
            let next = ranges.get(at + 1).map(|next| next.start);
            if next.is_none() && !all {
                break;
            }
            let end = next.unwrap_or(self.plain.len());
            let between = &self.plain[range.end..end];
            let gap = match between.matches('\n').count() {
                0 => " ",
                1 => "\n",
                _ => "\n\n",
            };
            // Without spaces between sentences a mark stands where the next one begins.
            let before = |mark: &&(usize, Vec<usize>)| (taken == 0 || mark.0 > taken) && mark.0 <= end;
            let mut marks: Vec<usize> =
                self.marks.iter().filter(before).flat_map(|mark| mark.1.clone()).collect();
            dedup(&mut marks);
            let text = self.plain[range.clone()].to_owned();
            taken = end;
            if text.contains(NOT_THERE) {
                self.refused = true;
            } else {
                ready.lines.push(Line { text, marks, gap });
            }
        }
        self.plain.drain(..taken);
        self.shown -= taken;
        self.marks.retain(|mark| (taken == 0 || mark.0 > taken) && !all);
        self.marks.iter_mut().for_each(|mark| mark.0 -= taken);
        ready
    }
}

fn dedup(marks: &mut Vec<usize>) {
    let mut seen = std::collections::HashSet::new();
    marks.retain(|mark| seen.insert(*mark));
}

/// `1`, `1, 2`, `^3`, `Passage 4`, `1-3`; none for anything else between brackets.
fn numbers(inside: &str) -> Option<Vec<usize>> {
    let text = inside.trim().trim_start_matches('^').to_lowercase();
    let rest = ["passages", "passage", "sources", "source"].iter().find_map(|word| text.strip_prefix(word));
    let mut numbers = Vec::new();
    for part in rest.unwrap_or(&text).split([',', ';', '&']) {
        let part = part.trim().trim_start_matches('^');
        if let Some((from, to)) = part.split_once(['-', '–']) {
            let (from, to): (usize, usize) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
            if from > to || to - from > 9 {
                return None;
            }
            numbers.extend(from..=to);
        } else {
            numbers.push(part.parse().ok().filter(|number| *number < 1000)?);
        }
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, step: usize) -> (String, Vec<Line>, bool) {
        let mut script = Script::default();
        let (mut shown, mut lines) = (String::new(), Vec::new());
        let chars: Vec<char> = text.chars().collect();
        let mut take = |ready: Ready| {
            shown.push_str(&ready.text);
            lines.extend(ready.lines);
        };
        for piece in chars.chunks(step) {
            take(script.push(&piece.iter().collect::<String>()));
        }
        take(script.finish());
        (shown, lines, script.refused())
    }

    fn line(text: &str, marks: &[usize], gap: &'static str) -> Line {
        Line { text: text.into(), marks: marks.to_vec(), gap }
    }

    #[test]
    fn the_same_however_it_comes() {
        let text = "Curie won [1]. She was born in Warsaw. [2][3] See [the map] and 【1, 2】, too.\n\n- One [9]\n- Two";
        let lines = [
            line("Curie won.", &[1], " "),
            line("She was born in Warsaw.", &[2, 3], " "),
            line("See [the map] and, too.", &[1, 2], "\n\n"),
            line("- One", &[9], "\n"),
            line("- Two", &[], " "),
        ];
        for step in [1, 2, 3, 5, 100] {
            let (shown, found, refused) = read(text, step);
            assert_eq!(found, lines, "in steps of {step}");
            assert_eq!(shown, "Curie won. She was born in Warsaw. See [the map] and, too.\n\n- One\n- Two");
            assert!(!refused);
        }
    }

    #[test]
    fn says_that_it_is_not_there() {
        for text in
            ["NOT_IN_DOCUMENTS", " **NOT_IN_DOCUMENTS** because", "The passages end. NOT_IN_DOCUMENTS."]
        {
            for step in [1, 4, 100] {
                assert!(read(text, step).2, "{text} in steps of {step}");
            }
        }
        let (shown, lines, refused) = read("NOT_IN", 1);
        assert_eq!((shown.as_str(), lines.len(), refused), ("NOT_IN", 1, false));
        assert!(read("Nothing is told.", 1).1.len() == 1);
    }

    #[test]
    fn brackets_that_are_no_marks_stay() {
        for text in [
            "a [b",
            "[",
            "[[1",
            "x [12345] y",
            "see [note 1] here",
            "[1-99]",
            &format!("[{}]", "9".repeat(60)),
        ] {
            let (shown, ..) = read(text, 1);
            assert_eq!(shown, *text, "{text}");
        }
        assert_eq!(numbers("Passage 4"), Some(vec![4]));
        assert_eq!(numbers("1-3, ^5"), Some(vec![1, 2, 3, 5]));
    }

    #[test]
    fn anything_goes_through() {
        for text in ["", " ", "\n", "[]", "[1]", "[1][", ". [1] .", "【", "\u{0}[1]\u{301}", "。[1]。"] {
            for step in [1, 2, 50] {
                let _ = read(&text.repeat(20), step);
            }
        }
    }
}
