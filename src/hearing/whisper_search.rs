//! Finding the words of a window: the likeliest token each time, by chance, or several ways beside each other.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::HearingError;
use crate::whisper_rules::{Rules, best, log_sum, normalise};

/// A decoder, a step at a time. A step leaves the state it began from as it was.
pub(crate) trait Steps {
    type State: Clone;
    fn step(&mut self, state: &Self::State, token: u32) -> Result<(Vec<f32>, Self::State), HearingError>;
}

/// Where a search begins: after what is given to the decoder.
pub(crate) struct Begin<S> {
    pub state: S,
    pub logits: Vec<f32>,
}

/// What a search may do.
pub(crate) struct Bounds<'a> {
    pub rules: &'a Rules<'a>,
    pub end: u32,
    /// Most tokens.
    pub most: usize,
    pub stop: &'a AtomicBool,
}

/// The words of a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// Without the token that ends them.
    pub tokens: Vec<u32>,
    /// Mean log probability of a token.
    pub mean: f32,
}

impl Bounds<'_> {
    fn go_on(&self) -> Result<(), HearingError> {
        if self.stop.load(Ordering::Relaxed) { Err(HearingError::Stopped) } else { Ok(()) }
    }
}

/// The likeliest token each time; with a temperature above 0, by chance.
pub(crate) fn follow<D: Steps>(
    decoder: &mut D,
    begin: &Begin<D::State>,
    bounds: &Bounds<'_>,
    temperature: f32,
    chance: &mut Chance,
) -> Result<Found, HearingError> {
    let mut tokens = Vec::new();
    let mut sum = 0.0;
    let mut state = begin.state.clone();
    let mut scores = begin.logits.clone();
    loop {
        bounds.go_on()?;
        bounds.rules.apply(&tokens, &mut scores);
        let token = if temperature > 0.0 { chance.pick(&scores, temperature) } else { best(&scores) };
        if token as u32 == bounds.end || scores[token] == f32::NEG_INFINITY {
            break;
        }
        sum += scores[token] - log_sum(&scores);
        tokens.push(token as u32);
        if tokens.len() >= bounds.most {
            break;
        }
        (scores, state) = decoder.step(&state, token as u32)?;
    }
    let mean = sum / (tokens.len() + 1) as f32;
    Ok(Found { tokens, mean })
}

/// One of the ways that are followed beside each other.
struct Beam<S> {
    tokens: Vec<u32>,
    sum: f32,
    state: S,
    scores: Vec<f32>,
}

/// A way that has come to its end.
struct Ended {
    tokens: Vec<u32>,
    score: f32,
}

/// Beam search: the `width` best ways, twice as many candidates at each step, ended ways ranked by their sum over
/// length to the power of `penalty`; it stops when no open way can beat the worst of `width` ended ones.
pub(crate) fn beams<D: Steps>(
    decoder: &mut D,
    begin: &Begin<D::State>,
    bounds: &Bounds<'_>,
    width: usize,
    penalty: f32,
) -> Result<Found, HearingError> {
    let first =
        Beam { tokens: Vec::new(), sum: 0.0, state: begin.state.clone(), scores: begin.logits.clone() };
    let mut open = vec![first];
    let mut ended: Vec<Ended> = Vec::new();
    loop {
        bounds.go_on()?;
        let length = open[0].tokens.len() + 1;
        let value = |sum: f32| sum / (length as f32).powf(penalty);
        let candidates = candidates(&mut open, bounds, width * 2);
        let top = candidates.first().map_or(f32::NEG_INFINITY, |c| c.sum);
        let mut chosen = Vec::with_capacity(width);
        for (rank, candidate) in candidates.into_iter().enumerate() {
            if candidate.token != bounds.end {
                chosen.push(candidate);
            } else if rank < width {
                let tokens = open[candidate.beam].tokens.clone();
                keep(&mut ended, Ended { tokens, score: value(candidate.sum) }, width);
            }
            if chosen.len() == width {
                break;
            }
        }
        let worst = ended.iter().map(|e| e.score).fold(f32::INFINITY, f32::min);
        let done = ended.len() >= width && worst >= value(top);
        if chosen.is_empty() || done {
            break;
        }
        if length >= bounds.most {
            // Nothing more may be said: the open ways count as they are.
            for candidate in chosen {
                let mut tokens = open[candidate.beam].tokens.clone();
                tokens.push(candidate.token);
                keep(&mut ended, Ended { tokens, score: value(candidate.sum) }, width);
            }
            break;
        }
        open = advance(decoder, &open, &chosen, bounds)?;
    }
    let found = ended.into_iter().reduce(|a, b| if b.score >= a.score { b } else { a });
    Ok(found.map_or(Found { tokens: Vec::new(), mean: f32::NEG_INFINITY }, |e| Found {
        tokens: e.tokens,
        mean: e.score,
    }))
}

#[derive(Clone, Copy)]
struct Candidate {
    beam: usize,
    token: u32,
    sum: f32,
}

/// The best next tokens over all open ways, the best first.
fn candidates<S>(open: &mut [Beam<S>], bounds: &Bounds<'_>, most: usize) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    for (at, beam) in open.iter_mut().enumerate() {
        normalise(&mut beam.scores);
        bounds.rules.apply(&beam.tokens, &mut beam.scores);
        let mut own: Vec<Candidate> = beam
            .scores
            .iter()
            .enumerate()
            .filter(|(_, score)| **score > f32::NEG_INFINITY)
            .map(|(token, score)| Candidate { beam: at, token: token as u32, sum: beam.sum + score })
            .collect();
        let better = |a: &Candidate, b: &Candidate| b.sum.total_cmp(&a.sum);
        if own.len() > most {
            own.select_nth_unstable_by(most, better);
            own.truncate(most);
        }
        out.append(&mut own);
    }
    out.sort_by(|a, b| b.sum.total_cmp(&a.sum).then(a.beam.cmp(&b.beam)).then(a.token.cmp(&b.token)));
    out.truncate(most);
    out
}

/// Keeps the best `width` of those that ended.
fn keep(ended: &mut Vec<Ended>, new: Ended, width: usize) {
    ended.push(new);
    if ended.len() > width {
        let worst = (0..ended.len()).reduce(|a, b| if ended[b].score < ended[a].score { b } else { a });
        ended.remove(worst.unwrap_or(0));
    }
}

fn advance<D: Steps>(
    decoder: &mut D,
    open: &[Beam<D::State>],
    chosen: &[Candidate],
    bounds: &Bounds<'_>,
) -> Result<Vec<Beam<D::State>>, HearingError> {
    let mut next = Vec::with_capacity(chosen.len());
    for candidate in chosen {
        bounds.go_on()?;
        let from = &open[candidate.beam];
        let (scores, state) = decoder.step(&from.state, candidate.token)?;
        let mut tokens = from.tokens.clone();
        tokens.push(candidate.token);
        next.push(Beam { tokens, sum: candidate.sum, state, scores });
    }
    Ok(next)
}

/// Chance that gives the same for the same sound (xorshift, Marsaglia 2003).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// From 0 up to 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A token, the likelier the more often; the temperature evens them out.
    fn pick(&mut self, scores: &[f32], temperature: f32) -> usize {
        let top = best(scores);
        let weight = |score: &f32| f64::from(((score - scores[top]) / temperature).exp());
        let mut left = self.next() * scores.iter().map(weight).sum::<f64>();
        for (token, score) in scores.iter().enumerate() {
            left -= weight(score);
            if left < 0.0 {
                return token;
            }
        }
        top
    }
}
