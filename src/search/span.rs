//! The pieces of a passage that get a vector of their own: its sentences, short ones joined with their neighbours.
//! Made when a passage is embedded and again when it is found, so the rule must not change without all vectors being
//! made anew ([`SPAN_RULE`]).

use std::ops::Range;

use crate::passage::{Passage, block_sentences};
use crate::scan::blocks;

/// Number of the rule below.
pub const SPAN_RULE: u32 = 1;
/// A span of fewer words takes the next sentence in.
const MIN_WORDS: usize = 5;
/// Characters of a script without spaces that count as one word.
const DENSE: usize = 12;

/// Byte ranges of the spans of a passage, in order.
pub fn spans(passage: &Passage) -> Vec<Range<usize>> {
    let sentences = blocks(passage).into_iter().flat_map(|(block, kind)| {
        let found = block_sentences(&passage.text[block.clone()], kind);
        found.into_iter().map(move |range| block.start + range.start..block.start + range.end)
    });
    let sentences: Vec<Range<usize>> = sentences.collect();
    let of = group(&passage.text, sentences.iter().cloned());
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (sentence, span) in sentences.into_iter().zip(of) {
        match spans.get_mut(span) {
            Some(known) => known.end = sentence.end,
            None => spans.push(sentence),
        }
    }
    spans
}

/// For each sentence the number of its span.
pub(crate) fn group(text: &str, sentences: impl Iterator<Item = Range<usize>>) -> Vec<usize> {
    let mut of = Vec::new();
    let (mut span, mut words) = (0, 0);
    for sentence in sentences {
        of.push(span);
        words += count(&text[sentence]);
        if words >= MIN_WORDS {
            (span, words) = (span + 1, 0);
        }
    }
    // What is left at the end and too short belongs to the span before.
    if words > 0 && span > 0 {
        of.iter_mut().filter(|of| **of == span).for_each(|of| *of -= 1);
    }
    of
}

fn count(text: &str) -> usize {
    text.split_whitespace().map(|word| 1 + word.len() / (DENSE * 3)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passage::{Shape, split};

    #[test]
    fn short_sentences_join_and_every_sentence_has_its_span() {
        let text = "Yes. It is so. The pump holds forty litres of oil. Check it every week or so. Done.";
        let passage = &split(text, &[], Shape::default())[0];
        let found: Vec<&str> = spans(passage).into_iter().map(|range| &passage.text[range]).collect();
        assert_eq!(
            found,
            ["Yes. It is so. The pump holds forty litres of oil.", "Check it every week or so. Done."]
        );
        assert_eq!(group("a. b.", [0..2, 3..5].into_iter()), [0, 0]);
        assert!(group("", std::iter::empty()).is_empty());
    }

    #[test]
    fn any_text_holds() {
        let mut random = crate::testing::Random::new(11);
        for _ in 0..300 {
            let text = random.text(200);
            for passage in split(&text, &[], Shape { target: 30, max: 40, overlap: 5 }) {
                let found = spans(&passage);
                assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
                assert!(found.iter().all(|range| !passage.text[range.clone()].trim().is_empty()));
            }
        }
    }
}
