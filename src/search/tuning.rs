//! Rows of features with their truth, from which `examples/fit.rs` learns the weights of ranking, choice and trust.

use crate::answer::{self, MAX_SENTENCES, SENTENCE_FEATURES, TRUST_FEATURES};
use crate::error::Result;
use crate::eval::{ANSWER_PASSAGES, covers};
use crate::index::SearchIndex;
use crate::meaning::Meaning;
use crate::rank::PASSAGE_FEATURES;
use crate::retrieve::Wanted;
use crate::squad::{GoldQuestion, is_hit};

/// Candidates of one question: features, and whether each is right.
pub type Rows<const N: usize> = Vec<([f32; N], bool)>;

fn wanted<'a>(question: &'a str, meaning: Option<&'a dyn Meaning>, limit: usize) -> Wanted<'a> {
    Wanted { question, limit, meaning, ..Wanted::default() }
}

/// The candidates that the ranking reads; right ones cover an accepted answer.
pub fn passage_rows(
    index: &SearchIndex,
    id: &str,
    gold: &GoldQuestion,
    meaning: Option<&dyn Meaning>,
) -> Result<Rows<PASSAGE_FEATURES>> {
    let retrieval = index.candidates(&wanted(&gold.question, meaning, 100))?;
    let features = retrieval.features();
    Ok(features
        .into_iter()
        .zip(&retrieval.passages)
        .map(|(row, found)| (row, covers(found, id, gold)))
        .collect())
}

/// The sentences that an answer is chosen from; right ones hold an accepted answer in its place.
pub fn sentence_rows(
    index: &SearchIndex,
    id: &str,
    gold: &GoldQuestion,
    meaning: Option<&dyn Meaning>,
) -> Result<Rows<SENTENCE_FEATURES>> {
    let retrieval = index.find(&wanted(&gold.question, meaning, ANSWER_PASSAGES))?;
    let right = |choice: &answer::Choice| {
        let sentence = choice.sentence(&retrieval);
        retrieval.passages[choice.passage].meta.id == id
            && gold.answers.iter().any(|answer| answer.start >= sentence.start && answer.end <= sentence.end)
    };
    Ok(answer::consider(&retrieval).iter().map(|choice| (choice.features, right(choice))).collect())
}

/// The signals of trust in the answer to a question, and whether an accepted answer stands in it.
pub fn trust_row(
    index: &SearchIndex,
    gold: &GoldQuestion,
    meaning: Option<&dyn Meaning>,
) -> Result<([f32; TRUST_FEATURES], bool)> {
    let retrieval = index.find(&wanted(&gold.question, meaning, ANSWER_PASSAGES))?;
    let chosen = answer::choose(&retrieval, MAX_SENTENCES);
    let text = chosen.iter().map(|choice| choice.sentence(&retrieval).text).collect::<Vec<_>>().join(" ");
    Ok((answer::trust_features(&retrieval, &chosen), is_hit(&gold.answers, &text)))
}
