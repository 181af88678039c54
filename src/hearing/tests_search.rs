//! The search for words on decoders made of a table.

use std::sync::atomic::AtomicBool;

use crate::HearingError;
use crate::whisper_config::{Config, Marks, Sizes};
use crate::whisper_rules::{Rules, best, log_sum};
use crate::whisper_search::{Begin, Bounds, Chance, Found, Steps, beams, follow};

const END: u32 = 3;
const FIRST_TIME: u32 = 6;
const VOCABULARY: usize = 12;

fn config() -> Config {
    Config {
        sizes: Sizes {
            vocabulary: VOCABULARY,
            mels: 80,
            width: 4,
            layers: 1,
            heads: 1,
            sources: 10,
            targets: 20,
        },
        marks: Marks {
            end: END,
            start: 4,
            transcribe: None,
            no_timestamps: Some(5),
            previous: None,
            no_speech: None,
            first_time: Some(FIRST_TIME),
        },
        languages: Vec::new(),
        suppressed: vec![4],
        suppressed_at_begin: vec![END],
        latest_begin: Some(2),
        length_penalty: 1.0,
        name: None,
    }
}

/// The next scores depend on the last token alone; the state counts steps.
struct Table(Vec<[f32; VOCABULARY]>);

impl Steps for Table {
    type State = usize;
    fn step(&mut self, state: &usize, token: u32) -> Result<(Vec<f32>, usize), HearingError> {
        Ok((self.0[token as usize].to_vec(), state + 1))
    }
}

/// Log probabilities of tokens 0 to 3; all others never come.
fn row(probabilities: [f32; 4]) -> [f32; VOCABULARY] {
    let mut out = [f32::NEG_INFINITY; VOCABULARY];
    for (out, probability) in out.iter_mut().zip(probabilities) {
        *out = probability.ln();
    }
    out
}

/// Token 0 looks best at first, but what follows it is unsure.
fn trap() -> Table {
    let mut rows = vec![row([0.0, 0.0, 0.0, 1.0]); VOCABULARY];
    rows[0] = row([0.3, 0.3, 0.2, 0.2]);
    rows[1] = row([0.02, 0.04, 0.9, 0.04]);
    rows[2] = row([0.02, 0.02, 0.02, 0.94]);
    Table(rows)
}

fn run(width: usize, most: usize, stop: bool) -> Result<Found, HearingError> {
    let config = config();
    let rules = Rules::new(&config, false);
    let stop = AtomicBool::new(stop);
    let bounds = Bounds { rules: &rules, end: END, most, stop: &stop };
    let begin = Begin { state: 0, logits: row([0.55, 0.45, 0.0, 0.0]).to_vec() };
    match width {
        1 => follow(&mut trap(), &begin, &bounds, 0.0, &mut Chance::new(1)),
        _ => beams(&mut trap(), &begin, &bounds, width, 1.0),
    }
}

#[test]
fn beams_see_what_the_nearest_step_does_not() {
    assert_eq!(run(1, 2, false).expect("words").tokens, [0, 0]);
    let found = run(3, 8, false).expect("words");
    assert_eq!(found.tokens, [1, 2]);
    let wanted = (0.45f32.ln() + 0.9f32.ln() + 0.94f32.ln()) / 3.0;
    assert!((found.mean - wanted).abs() < 1e-5, "{found:?} {wanted}");
}

#[test]
fn no_search_says_more_than_it_may() {
    for width in [1, 2, 5, 10] {
        for most in 1..6 {
            assert!(run(width, most, false).expect("words").tokens.len() <= most);
        }
        assert!(matches!(run(width, 8, true), Err(HearingError::Stopped)));
    }
}

#[test]
fn scores_that_are_no_numbers_do_no_harm() {
    let config = config();
    let stop = AtomicBool::new(false);
    for timestamps in [false, true] {
        let rules = Rules::new(&config, timestamps);
        let bounds = Bounds { rules: &rules, end: END, most: 5, stop: &stop };
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
            let begin = Begin { state: 0, logits: vec![odd; VOCABULARY] };
            let mut table = Table(vec![[odd; VOCABULARY]; VOCABULARY]);
            for temperature in [0.0, 1.0] {
                let found =
                    follow(&mut table, &begin, &bounds, temperature, &mut Chance::new(7)).expect("words");
                assert!(found.tokens.len() <= 5);
            }
            assert!(beams(&mut table, &begin, &bounds, 3, 1.0).expect("words").tokens.len() <= 5);
        }
    }
}

#[test]
fn chance_follows_the_likelihoods() {
    let config = config();
    let rules = Rules::new(&config, false);
    let stop = AtomicBool::new(false);
    let bounds = Bounds { rules: &rules, end: END, most: 1, stop: &stop };
    let begin = Begin { state: 0, logits: row([0.7, 0.3, 0.0, 0.0]).to_vec() };
    let mut chance = Chance::new(5);
    let first = (0..4_000)
        .filter(|_| follow(&mut trap(), &begin, &bounds, 1.0, &mut chance).expect("a word").tokens == [0])
        .count();
    assert!((2_650..2_950).contains(&first), "{first}");
}

fn allowed(said: &[u32], scores: [f32; VOCABULARY]) -> Vec<u32> {
    let config = config();
    let mut scores = scores.to_vec();
    Rules::new(&config, true).apply(said, &mut scores);
    (0..VOCABULARY as u32).filter(|token| scores[*token as usize] > f32::NEG_INFINITY).collect()
}

#[test]
fn times_come_in_pairs_and_never_run_back() {
    let mut words = [0.0; VOCABULARY];
    words[..4].fill(9.0);
    // A window begins with a time that is not too late.
    assert_eq!(allowed(&[], words), [6, 7, 8]);
    // Then words, or the end.
    assert_eq!(allowed(&[7], words), [0, 1, 2, 3]);
    // A later time may end the segment.
    assert_eq!(allowed(&[7, 1], words), [0, 1, 2, 3, 8, 9, 10, 11]);
    // After that one as late or later, or the end; no word.
    assert_eq!(allowed(&[7, 1, 9], words), [3, 9, 10, 11]);
    // And words again.
    assert_eq!(allowed(&[7, 1, 9, 9], words), [0, 1, 2, 3]);
    // All times together are likelier than any word: a time.
    assert_eq!(allowed(&[7, 1], [0.0; VOCABULARY]), [8, 9, 10, 11]);
}

#[test]
fn sums_of_logarithms() {
    assert!((log_sum(&[0.5f32.ln(), 0.25f32.ln(), 0.25f32.ln()])).abs() < 1e-6);
    assert!(log_sum(&[f32::NEG_INFINITY; 3]) < f32::MIN);
    assert_eq!((best(&[1.0, 3.0, 3.0]), best(&[]), best(&[f32::NAN, 1.0])), (1, 0, 1));
}
