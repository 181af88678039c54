//! Which token may come next.
//!
//! Times come in pairs around each segment and never run backwards; the first token of a window is a time; and where
//! all times together are likelier than any word, a time it is (Radford et al. 2022, section 4.5).

use crate::whisper_config::Config;

const NEVER: f32 = f32::NEG_INFINITY;

/// The rules for a window.
pub(crate) struct Rules<'a> {
    config: &'a Config,
    /// The first token for a time, when times are wanted.
    first_time: Option<usize>,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(config: &'a Config, timestamps: bool) -> Self {
        let first_time = config.marks.first_time.filter(|_| timestamps).map(|id| id as usize);
        Self { config, first_time }
    }

    /// Takes away what may not follow `said`. Scores are logits or log probabilities.
    pub(crate) fn apply(&self, said: &[u32], scores: &mut [f32]) {
        forbid(scores, &self.config.suppressed);
        if said.is_empty() {
            forbid(scores, &self.config.suppressed_at_begin);
        }
        if let Some(first) = self.first_time.filter(|first| *first < scores.len()) {
            self.times(said, scores, first);
        }
    }

    fn times(&self, said: &[u32], scores: &mut [f32], first: usize) {
        let marks = &self.config.marks;
        forbid(scores, marks.no_timestamps.as_slice());
        let is_time = |token: &u32| *token as usize >= first;
        let last = said.last().is_some_and(is_time);
        let before = said.len() < 2 || is_time(&said[said.len() - 2]);
        if last && before {
            // A segment has begun: words.
            scores[first..].fill(NEVER);
        } else if last {
            // A segment has ended: the next one, or the end.
            scores[..marks.end as usize].fill(NEVER);
        }
        if let Some(latest) = said.iter().rev().find(|token| is_time(token)) {
            // The next segment may begin where the last one ended; no segment is empty.
            let from = *latest as usize + usize::from(!last || before);
            scores[first..from.min(self.config.sizes.vocabulary)].fill(NEVER);
        }
        if said.is_empty() {
            scores[..first].fill(NEVER);
            if let Some(latest) = self.config.latest_begin {
                let beyond = first.saturating_add(latest as usize).saturating_add(1);
                for score in scores.iter_mut().skip(beyond) {
                    *score = NEVER;
                }
            }
        }
        let likeliest = scores[..first].iter().copied().fold(NEVER, f32::max);
        if log_sum(&scores[first..]) > likeliest {
            scores[..first].fill(NEVER);
        }
    }
}

fn forbid(scores: &mut [f32], tokens: &[u32]) {
    for token in tokens {
        if let Some(score) = scores.get_mut(*token as usize) {
            *score = NEVER;
        }
    }
}

/// Logarithm of the sum of exponentials.
pub(crate) fn log_sum(scores: &[f32]) -> f32 {
    let top = scores.iter().copied().fold(NEVER, f32::max);
    if top == NEVER {
        return NEVER;
    }
    // Summed in double: vocabularies are large.
    let sum: f64 = scores.iter().map(|score| f64::from((score - top).exp())).sum();
    top + sum.ln() as f32
}

/// Scores to log probabilities.
pub(crate) fn normalise(scores: &mut [f32]) {
    let sum = log_sum(scores);
    if sum.is_finite() {
        for score in scores {
            *score -= sum;
        }
    }
}

/// The likeliest token; of equals the first.
pub(crate) fn best(scores: &[f32]) -> usize {
    let mut best = 0;
    for (at, score) in scores.iter().enumerate() {
        if *score > scores[best] || scores[best].is_nan() {
            best = at;
        }
    }
    best
}
