//! The piece of a passage shown with a hit, and where in it the query's words stand.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis;
use crate::language::{Initials, Stems, code_of};

/// Longest snippet in code points.
pub const MAX_SNIPPET: usize = 200;
/// Code points shown before the first match when there is more.
const LEAD: usize = 40;

/// Knows which words of a text answer to the query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Highlighter {
    exact: FxHashSet<String>,
    stems: FxHashSet<String>,
    prefixes: Vec<String>,
    fuzzy: Vec<(Vec<char>, u8)>,
    initials: Initials,
}

impl Highlighter {
    pub(crate) fn word(&mut self, exact: &str, stems: &[String]) {
        self.exact.insert(exact.to_owned());
        for stem in stems {
            self.initials.add(stem);
        }
        self.initials.add(exact);
        self.stems.extend(stems.iter().cloned());
    }

    pub(crate) fn phrase(&mut self, forms: &[String]) {
        for form in forms {
            self.initials.add(form);
        }
        self.exact.extend(forms.iter().cloned());
    }

    pub(crate) fn prefix(&mut self, prefix: &str) {
        self.initials.add(prefix);
        self.prefixes.push(prefix.to_owned());
    }

    pub(crate) fn fuzzy(&mut self, form: &str, distance: u8) {
        self.fuzzy.push((form.chars().collect(), distance));
    }

    /// Whether a token is worth a closer look; a fuzzy word may begin with any letter.
    fn may_match(&self, token: &str, language: [u8; 2]) -> bool {
        !self.fuzzy.is_empty() || self.initials.may_begin(token, language)
    }

    fn matches(&self, exact: &str, stem: &str) -> bool {
        self.exact.contains(exact)
            || self.stems.contains(stem)
            || self.prefixes.iter().any(|prefix| exact.starts_with(prefix.as_str()))
            || self.fuzzy.iter().any(|(form, distance)| within(form, exact, *distance))
    }
}

/// Whether two words differ by at most `distance` edits (a swap of neighbours is one).
fn within(form: &[char], word: &str, distance: u8) -> bool {
    let word: Vec<char> = word.chars().collect();
    if form.len().abs_diff(word.len()) > usize::from(distance) {
        return false;
    }
    let mut rows = [vec![0usize; word.len() + 1], (0..=word.len()).collect(), vec![0; word.len() + 1]];
    for (i, left) in form.iter().enumerate() {
        rows.rotate_left(1);
        // After the turn: rows[0] is the row before, rows[2] becomes this one, and the row two before is overwritten last.
        let two_before = rows[2].clone();
        rows[2][0] = i + 1;
        for (j, right) in word.iter().enumerate() {
            let mut cost =
                (rows[0][j] + usize::from(left != right)).min(rows[0][j + 1] + 1).min(rows[2][j] + 1);
            if i > 0 && j > 0 && form[i - 1] == *right && *left == word[j - 1] {
                cost = cost.min(two_before[j - 1] + 1);
            }
            rows[2][j + 1] = cost;
        }
        rows.swap(1, 2);
    }
    rows[1][word.len()] <= usize::from(distance)
}

/// A snippet: its place in the passage and the matches in it, all in code points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snippet {
    pub text: String,
    pub range: Range<usize>,
    pub highlights: Vec<[u32; 2]>,
}

/// Makes the snippets of one result page.
pub(crate) struct Snippets<'h> {
    highlighter: &'h Highlighter,
    languages: FxHashMap<[u8; 2], Stems>,
    lowered: String,
    folded: String,
}

impl<'h> Snippets<'h> {
    pub(crate) fn new(highlighter: &'h Highlighter) -> Self {
        Self { highlighter, languages: FxHashMap::default(), lowered: String::new(), folded: String::new() }
    }

    pub(crate) fn make(&mut self, text: &str, language: Option<&str>) -> Snippet {
        let matches = self.find(text, code_of(language));
        let points: Vec<char> = text.chars().collect();
        let range = cut(&points, place(&matches, points.len()));
        let highlights = matches
            .iter()
            .filter(|found| found.place.start >= range.start && found.place.end <= range.end)
            .map(|found| [(found.place.start - range.start) as u32, (found.place.end - range.start) as u32])
            .collect();
        // One character for one character, so that places stay true.
        let text = points[range.clone()]
            .iter()
            .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { *c })
            .collect();
        Snippet { text, range, highlights: joined(highlights) }
    }

    fn find(&mut self, text: &str, code: [u8; 2]) -> Vec<Match> {
        let stems = self.languages.entry(code).or_insert_with(|| Stems::new(code));
        let (mut found, mut byte, mut point) = (Vec::new(), 0, 0);
        for span in analysis::spans(text) {
            let token = &text[span.range.clone()];
            if !self.highlighter.may_match(token, code) {
                continue;
            }
            analysis::lower(token, &mut self.lowered);
            analysis::fold(&self.lowered, &mut self.folded);
            let stem = stems.stem(token);
            if self.highlighter.matches(&self.folded, stem) {
                point += analysis::code_points(&text[byte..span.range.start]);
                byte = span.range.start;
                let end = point + analysis::code_points(token);
                found.push(Match { place: point..end, word: stem.to_owned() });
            }
        }
        found
    }
}

struct Match {
    place: Range<usize>,
    word: String,
}

/// Where the window with the most different matches (then the most matches) begins and ends.
fn place(matches: &[Match], length: usize) -> Range<usize> {
    let (mut best, mut best_worth, mut first) = (0..length.min(MAX_SNIPPET), (0, 0), 0);
    let mut different: FxHashMap<&str, usize> = FxHashMap::default();
    for (last, found) in matches.iter().enumerate() {
        *different.entry(&found.word).or_default() += 1;
        while found.place.end - matches[first].place.start > MAX_SNIPPET - LEAD && first < last {
            let gone = matches[first].word.as_str();
            first += 1;
            if let Some(count) = different.get_mut(gone) {
                *count -= 1;
                if *count == 0 {
                    different.remove(gone);
                }
            }
        }
        let worth = (different.len(), last + 1 - first);
        if worth > best_worth {
            (best, best_worth) = (matches[first].place.start..found.place.end, worth);
        }
    }
    best
}

/// Widens a place to a snippet's length and moves its ends to word borders.
fn cut(points: &[char], place: Range<usize>) -> Range<usize> {
    let end_limit = points.len();
    let mut start = place.start.saturating_sub(LEAD);
    let mut end = (start + MAX_SNIPPET).min(end_limit);
    start = start.min(end.saturating_sub(MAX_SNIPPET.min(end_limit)));
    let border = |at: usize| {
        at == 0 || at == end_limit || !points[at - 1].is_alphanumeric() || !points[at].is_alphanumeric()
    };
    while start < place.start && !border(start) {
        start += 1;
    }
    let floor = place.end.min(end);
    let full = end;
    while end > floor && !border(end) {
        end -= 1;
    }
    // A text without word borders is cut where it must.
    if end == floor && full - start > 2 * (end - start) {
        end = full;
    }
    while start < end && points[start].is_whitespace() {
        start += 1;
    }
    while end > start && points[end - 1].is_whitespace() {
        end -= 1;
    }
    start..end.min(start + MAX_SNIPPET)
}

/// Overlapping neighbours (pairs of characters) become one highlight.
fn joined(highlights: Vec<[u32; 2]>) -> Vec<[u32; 2]> {
    let mut out: Vec<[u32; 2]> = Vec::with_capacity(highlights.len());
    for next in highlights {
        match out.last_mut() {
            Some(last) if next[0] < last[1] => last[1] = last[1].max(next[1]),
            _ => out.push(next),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highlighter(words: &[&str]) -> Highlighter {
        let mut highlighter = Highlighter::default();
        for word in words {
            highlighter.word(word, &crate::language::stem_variants(word, &[*b"en"]));
        }
        highlighter
    }

    fn marked(snippet: &Snippet) -> Vec<String> {
        let points: Vec<char> = snippet.text.chars().collect();
        snippet
            .highlights
            .iter()
            .map(|[start, end]| points[*start as usize..*end as usize].iter().collect())
            .collect()
    }

    #[test]
    fn shows_the_best_place_with_its_words() {
        let filler = "Éverything else is said at length before anything happens. ".repeat(8);
        let text = format!("{filler}The embargoes raised oil\nprices. {filler}");
        let highlighter = highlighter(&["embargo", "price", "oil"]);
        let snippet = Snippets::new(&highlighter).make(&text, Some("en"));
        assert_eq!(marked(&snippet), ["embargoes", "oil", "prices"]);
        assert!(snippet.text.chars().count() <= MAX_SNIPPET && !snippet.text.contains('\n'));
        let there: String = text.chars().skip(snippet.range.start).take(snippet.range.len()).collect();
        assert_eq!(there.replace('\n', " "), snippet.text);
    }

    #[test]
    fn pairs_of_characters_join() {
        let mut highlighter = Highlighter::default();
        highlighter.phrase(&["東京".into(), "京都".into()]);
        let snippet = Snippets::new(&highlighter).make("私は東京都に行く。", Some("ja"));
        assert_eq!(marked(&snippet), ["東京都"]);
    }

    #[test]
    fn fuzzy_distance_counts_swaps_once() {
        let form: Vec<char> = "embargo".chars().collect();
        assert!(within(&form, "embrago", 1) && within(&form, "embarg", 1) && within(&form, "embargos", 1));
        assert!(!within(&form, "embrgao", 1) && !within(&form, "ember", 1) && within(&form, "embrgao", 2));
    }

    #[test]
    fn any_text_gives_a_snippet_within_bounds() {
        let highlighter = highlighter(&["word", "and", "1000"]);
        let mut random = crate::testing::Random::new(31);
        for _ in 0..2000 {
            let text = random.text(120);
            let snippet = Snippets::new(&highlighter).make(&text, None);
            let length = snippet.text.chars().count();
            assert!(length <= MAX_SNIPPET && length == snippet.range.len(), "{text:?}");
            assert!(snippet.highlights.iter().all(|[start, end]| start < end && *end as usize <= length));
        }
    }
}
