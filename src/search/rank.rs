//! Orders the passages that BM25 found, by what a question-and-answer reader looks at: how much of the question one
//! sentence or its surroundings hold, whether its words stand together, and how much the document is about it.
//! The weights come from `examples/fit.rs`.

use rustc_hash::FxHashMap;

use crate::meaning::Closeness;
use crate::question::{Grade, Question};
use crate::scan::{Hit, Scan, Sentence};

/// Number of features of a passage; the last six are of meaning and zero without a model.
pub const PASSAGE_FEATURES: usize = 18;

/// Linear weights in the order of [`passage_features`].
pub(crate) const PASSAGE_WEIGHTS: [f32; PASSAGE_FEATURES] = [
    1.875, 1.681, 2.189, 2.194, 1.134, 0.537, 1.795, 1.750, 2.569, 0.747, 1.821, 1.237, 0.0, 0.0, 0.0, 0.0,
    0.0, 0.0,
];

/// The same when there is a model.
pub(crate) const MEANING_PASSAGE_WEIGHTS: [f32; PASSAGE_FEATURES] = [
    0.863, 1.621, 1.481, 1.777, 0.904, -0.325, 0.549, 1.603, 2.012, 0.338, 1.837, 0.980, 2.408, 1.785, 2.407,
    1.784, 1.304, 1.054,
];

/// How fast a passage's part in its document's share falls with its distance from the nearest.
const SHARPNESS: f32 = 12.0;

/// Share of the question's weight that the hits cover.
pub(crate) fn coverage(question: &Question, hits: &[Hit]) -> f32 {
    covered(question, hits, Grade::share) / question.total
}

fn covered(question: &Question, hits: &[Hit], share: impl Fn(Grade) -> f32) -> f32 {
    let mut best = [0.0f32; 64];
    for hit in hits {
        let slot = &mut best[usize::from(hit.word.min(63))];
        *slot = slot.max(share(hit.grade));
    }
    question.words.iter().zip(best).map(|(word, share)| word.weight * share).sum()
}

/// Share of the question's weight whose words stand as written.
pub(crate) fn exact_coverage(question: &Question, hits: &[Hit]) -> f32 {
    covered(question, hits, |grade| f32::from(u8::from(grade == Grade::Exact))) / question.total
}

/// Share of the question's neighbours that are near one another among the hits.
pub(crate) fn together(question: &Question, hits: &[Hit]) -> f32 {
    if question.pairs.is_empty() {
        return 0.0;
    }
    let near = |left: u8, right: u8| {
        hits.iter().enumerate().any(|(index, hit)| {
            hit.word == left
                && hits[index + 1..]
                    .iter()
                    .take_while(|other| other.at <= hit.at + 4)
                    .any(|other| other.word == right)
                || hit.word == right
                    && hits[index + 1..]
                        .iter()
                        .take_while(|other| other.at <= hit.at + 3)
                        .any(|other| other.word == left)
        })
    };
    let weight = |pair: &(u8, u8)| {
        question.words[usize::from(pair.0)].weight + question.words[usize::from(pair.1)].weight
    };
    let total: f32 = question.pairs.iter().map(weight).sum();
    let found: f32 = question.pairs.iter().filter(|pair| near(pair.0, pair.1)).map(weight).sum();
    found / total.max(f32::EPSILON)
}

/// Share of the question's weight covered by the hits and by title and headings.
pub(crate) fn with_context(question: &Question, hits: &[Hit], context: u64) -> f32 {
    let mut bits = context;
    for hit in hits.iter().filter(|hit| hit.grade > Grade::Related) {
        bits |= 1 << hit.word.min(63);
    }
    context_share(question, bits)
}

pub(crate) fn context_share(question: &Question, bits: u64) -> f32 {
    let words = question.words.iter().enumerate();
    words.filter(|(index, _)| bits & (1 << index.min(&63)) != 0).map(|(_, word)| word.weight).sum::<f32>()
        / question.total
}

/// A passage as BM25 found it.
pub(crate) struct Candidate<'a> {
    pub document: &'a str,
    pub bm25: f32,
    pub near: Option<Closeness>,
    pub scan: &'a Scan,
}

/// Features of all candidates, in their order (BM25's, best first).
pub(crate) fn passage_features(
    question: &Question,
    candidates: &[Candidate<'_>],
) -> Vec<[f32; PASSAGE_FEATURES]> {
    let top = candidates.first().map_or(1.0, |candidate| candidate.bm25.max(f32::EPSILON));
    let mut mass: FxHashMap<&str, f32> = FxHashMap::default();
    let mut whole = 0.0;
    for candidate in candidates {
        let share = (candidate.bm25 / top).powi(4);
        *mass.entry(candidate.document).or_default() += share;
        whole += share;
    }
    let meant = meaning_features(candidates);
    let features = |(rank, candidate): (usize, &Candidate<'_>)| {
        let [near, mean, behind, mean_behind, place, share] = meant[rank];
        let scan = candidate.scan;
        let best = best_sentences(question, scan);
        [
            candidate.bm25 / top,
            coverage(question, &scan.hits),
            best.single,
            best.window,
            together(question, &scan.hits),
            context_share(question, scan.context),
            mass[candidate.document] / whole.max(f32::EPSILON),
            best.fitting,
            exact_coverage(question, &scan.hits),
            1.0 / (1.0 + rank as f32),
            with_context(question, &scan.hits, scan.context),
            best.together,
            near,
            mean,
            behind,
            mean_behind,
            place,
            share,
        ]
    };
    candidates.iter().enumerate().map(features).collect()
}

/// Nearness, distance from the nearest, place in the order of nearness, and the document's share of what is near.
/// A passage whose vectors are not made yet gets what the others have on average, so that it is not put back for it.
fn meaning_features(candidates: &[Candidate<'_>]) -> Vec<[f32; 6]> {
    let known: Vec<Closeness> = candidates.iter().filter_map(|candidate| candidate.near).collect();
    if known.is_empty() {
        return vec![[0.0; 6]; candidates.len()];
    }
    let count = known.len() as f32;
    let average = Closeness {
        best: known.iter().map(|near| near.best).sum::<f32>() / count,
        mean: known.iter().map(|near| near.mean).sum::<f32>() / count,
    };
    let near: Vec<Closeness> = candidates.iter().map(|candidate| candidate.near.unwrap_or(average)).collect();
    let top = near.iter().fold(Closeness { best: f32::MIN, mean: f32::MIN }, |top, near| Closeness {
        best: top.best.max(near.best),
        mean: top.mean.max(near.mean),
    });
    let mut mass: FxHashMap<&str, f32> = FxHashMap::default();
    let mut whole = 0.0;
    for (candidate, near) in candidates.iter().zip(&near) {
        let share = ((near.best - top.best) * SHARPNESS).exp();
        *mass.entry(candidate.document).or_default() += share;
        whole += share;
    }
    let mut order: Vec<usize> = (0..near.len()).collect();
    order.sort_by(|a, b| near[*b].best.total_cmp(&near[*a].best));
    let mut features = vec![[0.0; 6]; near.len()];
    for (place, at) in order.into_iter().enumerate() {
        let (own, document) = (near[at], candidates[at].document);
        features[at] = [
            own.best,
            own.mean,
            own.best - top.best,
            own.mean - top.mean,
            1.0 / (1.0 + place as f32),
            mass[document] / whole,
        ];
    }
    features
}

struct Best {
    single: f32,
    window: f32,
    fitting: f32,
    together: f32,
}

fn best_sentences(question: &Question, scan: &Scan) -> Best {
    let mut best = Best { single: 0.0, window: 0.0, fitting: 0.0, together: 0.0 };
    for (index, sentence) in scan.sentences.iter().enumerate() {
        let hits = &scan.hits[sentence.hits.clone()];
        let single = coverage(question, hits);
        best.single = best.single.max(single);
        best.fitting = best.fitting.max(single * sentence.fits);
        best.window = best.window.max(coverage(question, window(scan, index, 0, 1)));
        best.together = best.together.max(together(question, hits) * single);
    }
    best
}

/// Hits of a sentence with those of `before` sentences before and `after` after it.
pub(crate) fn window(scan: &Scan, index: usize, before: usize, after: usize) -> &[Hit] {
    let first = &scan.sentences[index.saturating_sub(before)];
    let last: &Sentence = &scan.sentences[(index + after).min(scan.sentences.len() - 1)];
    &scan.hits[first.hits.start..last.hits.end]
}

pub(crate) fn dot<const N: usize>(features: &[f32; N], weights: &[f32; N]) -> f32 {
    features.iter().zip(weights).map(|(feature, weight)| feature * weight).sum()
}
