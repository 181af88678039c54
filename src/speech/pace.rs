//! Parts a sentence for a voice that needs time: the first clause short, so that sound comes soon; the next not so long
//! that the voice would fall behind what is heard.

use crate::clause::{Clause, ClauseSplitter};

/// Characters of a clause, by how many were spoken before it: two seconds, five, and then what is left of a sentence.
const LONGEST: &[(usize, usize)] = &[(0, 24), (40, 60), (90, 110)];
/// The first clause may be so much longer before it is parted; it decides when the first sound is heard.
const FIRST_MORE: usize = 4;
/// A piece below this sounds torn off.
const SHORTEST: usize = 12;

/// Small words that a speaker may rest before.
const LINKS: &str = " and or but that which who when where while because if in on at by of with for from to into during after before until between \
und oder aber dass der die das wenn weil während in auf an bei von mit für aus zu nach vor bis zwischen über unter \
et ou mais que qui quand où dans sur à par de avec pour après avant \
y o pero que cuando donde en por con para desde hasta \
e ma che quando dove in su da di con per dopo prima \
ou mas quando em por com para desde até \
en of maar dat die als omdat op aan bij van met voor uit naar na tot ";

/// The clauses of one sentence. `spoken`: characters of the answer that were spoken before. With `eager` long clauses are
/// parted between words too; a voice that speaks at once does not need it.
pub fn paced_clauses(sentence: &str, mut spoken: usize, eager: bool) -> Vec<Clause> {
    let mut splitter = if spoken == 0 { ClauseSplitter::new() } else { ClauseSplitter::going_on() };
    let mut whole = splitter.push(sentence);
    whole.extend(splitter.finish());
    let mut out = Vec::new();
    for clause in whole {
        let mut rest = clause.text.as_str();
        while let Some(cut) = eager.then(|| cut(rest, longest(spoken), spoken == 0)).flatten() {
            spoken += rest[..cut].chars().count();
            out.push(Clause { text: rest[..cut].to_owned(), ends_sentence: false });
            rest = &rest[cut..];
        }
        spoken += rest.chars().count();
        out.push(Clause { text: rest.to_owned(), ends_sentence: clause.ends_sentence });
    }
    out
}

fn longest(spoken: usize) -> Option<usize> {
    LONGEST.iter().find(|(before, _)| spoken <= *before).map(|(_, longest)| *longest)
}

/// Where a clause that is too long is cut, in bytes: after a sign, else before a small word, else at the last space.
fn cut(text: &str, longest: Option<usize>, first: bool) -> Option<usize> {
    let longest = longest?;
    let length = text.trim_end().chars().count();
    let (more, shortest) = if first { (FIRST_MORE, SHORTEST / 2) } else { (SHORTEST, SHORTEST) };
    if length <= longest + more {
        return None;
    }
    let (mut sign, mut link, mut space) = (None, None, None);
    let mut previous = ' ';
    for (count, (at, c)) in text.char_indices().enumerate().take(longest + 1) {
        if previous.is_whitespace() && !c.is_whitespace() && (shortest..=length - shortest).contains(&count) {
            let word = text[at..].split_whitespace().next().unwrap_or_default().to_lowercase();
            let before = text[..at].trim_end().chars().next_back().unwrap_or(' ');
            if matches!(before, ',' | ';' | ':' | '–' | '—') {
                sign = Some(at);
            }
            if LINKS.contains(&format!(" {word} ")) {
                link = Some(at);
            }
            space = Some(at);
        }
        previous = c;
    }
    sign.or(link).or(space)
}

#[cfg(test)]
mod tests {
    use super::paced_clauses;

    fn texts(sentence: &str, spoken: usize, eager: bool) -> Vec<String> {
        paced_clauses(sentence, spoken, eager).into_iter().map(|clause| clause.text).collect()
    }

    const LONG: &str = "The shaft seal of the feed pump is replaced by the maintenance crew every four thousand operating hours or at the latest after three years.";

    #[test]
    fn the_first_clause_is_short_and_nothing_is_lost() {
        let clauses = texts(LONG, 0, true);
        assert_eq!(clauses.concat(), LONG);
        assert_eq!(clauses[0], "The shaft seal ");
        assert!(clauses[1].chars().count() <= 72 && clauses.len() >= 3, "{clauses:?}");
        assert_eq!(texts(LONG, 0, false), [LONG]);
        assert_eq!(texts(LONG, 500, true), [LONG]);
    }

    #[test]
    fn short_sentences_stay_whole() {
        for (sentence, spoken) in [
            ("It was built in March 1887.", 0),
            ("The canteen opens at 11:30 and closes at 14:00.", 30),
            ("", 0),
            ("x", 0),
        ] {
            assert_eq!(texts(sentence, spoken, true).concat(), sentence);
            assert!(texts(sentence, spoken, true).len() <= 1, "{sentence}");
        }
    }

    #[test]
    fn words_without_spaces_are_not_cut_and_only_the_last_ends_the_sentence() {
        let text = "é".repeat(200);
        assert_eq!(texts(&text, 0, true).concat(), text);
        let clauses = paced_clauses(LONG, 0, true);
        let ends: Vec<bool> = clauses.iter().map(|clause| clause.ends_sentence).collect();
        assert_eq!(ends.iter().filter(|end| **end).count(), 1);
        assert_eq!(ends.last(), Some(&true));
    }
}
