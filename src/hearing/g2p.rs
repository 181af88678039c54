//! How an unknown word is probably said: a model of letter-and-sound pairs, learned from the dictionary when it is
//! needed (about a second) and dropped afterwards.
//!
//! Joint-sequence modelling after Bisani and Ney, "Joint-sequence models for grapheme-to-phoneme conversion" (2008):
//! words are aligned by expectation maximisation, each letter with none, one or two sounds; an n-gram model of these
//! pairs with Witten-Bell back-off is searched with a beam.

use rustc_hash::FxHashMap;

use crate::phones::{Dictionary, Phone};

/// Letters a to z and the apostrophe.
const LETTERS: usize = 27;
const ORDER: usize = 6;
const BEAM: usize = 12;
const ROUNDS: usize = 4;
const LONGEST: usize = 32;
/// Pairs that were seen less often than this are errors of alignment.
const RAREST_PAIR: u32 = 12;
const NONE: Phone = u8::MAX;
/// Cost of a pair that was never seen.
const UNSEEN: f32 = 16.0;

/// A letter with up to two sounds.
type Pair = (u8, [Phone; 2]);

pub(crate) struct G2p {
    pairs: Vec<Pair>,
    /// Pairs of each letter.
    by_letter: Vec<Vec<u16>>,
    /// How often a row of pairs was seen, by hash of its order, history and pair.
    counts: FxHashMap<u64, u32>,
    /// History: times seen, different followers.
    histories: FxHashMap<u64, (u32, u32)>,
}

fn letters(word: &str) -> Option<Vec<u8>> {
    let bytes = word.as_bytes();
    if bytes.is_empty() || bytes.len() > LONGEST {
        return None;
    }
    bytes
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' => Some(byte - b'a'),
            b'\'' => Some(26),
            _ => None,
        })
        .collect()
}

impl G2p {
    /// Learns from every word of the dictionary that has letters only.
    pub(crate) fn train(dictionary: &Dictionary) -> Self {
        Self::learn(&dictionary.sorted())
    }

    fn learn(words: &[(&str, &[Phone])]) -> Self {
        let words: Vec<(Vec<u8>, &[Phone])> = words
            .iter()
            .filter_map(|(word, phones)| letters(word).map(|letters| (letters, *phones)))
            .filter(|(letters, phones)| phones.len() <= letters.len() * 2)
            .collect();
        let mut costs = Costs::flat(&words);
        for _ in 0..ROUNDS {
            let mut seen: FxHashMap<Pair, u32> = FxHashMap::default();
            for (letters, phones) in &words {
                for pair in align(letters, phones, &costs) {
                    *seen.entry(pair).or_default() += 1;
                }
            }
            costs = Costs::of(&seen);
        }
        let mut model = Self {
            pairs: Vec::new(),
            by_letter: vec![Vec::new(); LETTERS],
            counts: FxHashMap::default(),
            histories: FxHashMap::default(),
        };
        model.count(&words, &costs);
        model
    }

    fn count(&mut self, words: &[(Vec<u8>, &[Phone])], costs: &Costs) {
        let rows: Vec<Vec<Pair>> =
            words.iter().map(|(letters, phones)| align(letters, phones, costs)).collect();
        let mut seen: FxHashMap<Pair, u32> = FxHashMap::default();
        for pair in rows.iter().flatten() {
            *seen.entry(*pair).or_default() += 1;
        }
        let mut kept: Vec<Pair> =
            seen.into_iter().filter(|(_, count)| *count >= RAREST_PAIR).map(|(pair, _)| pair).collect();
        kept.sort_unstable();
        let ids: FxHashMap<Pair, u16> =
            kept.iter().enumerate().map(|(at, pair)| (*pair, at as u16 + 1)).collect();
        for (pair, id) in kept.iter().zip(1_u16..) {
            self.by_letter[usize::from(pair.0)].push(id);
        }
        self.pairs = kept;
        for row in rows {
            let Some(row) = row.iter().map(|pair| ids.get(pair).copied()).collect::<Option<Vec<u16>>>()
            else {
                continue;
            };
            self.add(&row);
        }
    }

    fn add(&mut self, row: &[u16]) {
        let mut padded = vec![0; ORDER - 1];
        padded.extend_from_slice(row);
        padded.push(0); // the end is a pair of its own
        for at in ORDER - 1..padded.len() {
            for order in 0..ORDER {
                let history = history_key(&padded[at - order..at]);
                let count = self.counts.entry(event_key(history, padded[at])).or_default();
                *count += 1;
                let known = self.histories.entry(history).or_default();
                known.0 += 1;
                known.1 += u32::from(*count == 1);
            }
        }
    }

    /// Probability of a pair after a row of pairs.
    fn probability(&self, before: &[u16], pair: u16) -> f32 {
        let mut probability = 1.0 / (self.pairs.len() + 1) as f32;
        for order in 0..ORDER.min(before.len() + 1) {
            let history = history_key(&before[before.len() - order..]);
            let Some(&(total, kinds)) = self.histories.get(&history) else { break };
            let count = self.counts.get(&event_key(history, pair)).copied().unwrap_or(0);
            probability = (count as f32 + kinds as f32 * probability) / (total as f32 + kinds as f32);
        }
        probability
    }

    /// The likeliest sounds; `None` for what has no letters.
    pub(crate) fn say(&self, word: &str) -> Option<Vec<Phone>> {
        let letters = letters(word)?;
        let mut beam: Vec<(f32, Vec<u16>)> = vec![(0.0, vec![0; ORDER - 1])];
        for letter in letters {
            let mut next: Vec<(f32, Vec<u16>)> = Vec::new();
            for (score, row) in &beam {
                for pair in &self.by_letter[usize::from(letter)] {
                    let score = score + self.probability(row, *pair).ln();
                    let mut row = row.clone();
                    row.push(*pair);
                    next.push((score, row));
                }
            }
            next.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            next.truncate(BEAM);
            beam = next;
        }
        let best = beam
            .into_iter()
            .map(|(score, row)| (score + self.probability(&row, 0).ln(), row))
            .max_by(|a, b| a.0.total_cmp(&b.0))?;
        let phones: Vec<Phone> = best.1[ORDER - 1..]
            .iter()
            .filter_map(|id| self.pairs.get(usize::from(*id).checked_sub(1)?))
            .flat_map(|pair| pair.1)
            .filter(|phone| *phone != NONE)
            .collect();
        (!phones.is_empty()).then_some(phones)
    }
}

fn history_key(pairs: &[u16]) -> u64 {
    pairs.iter().fold(pairs.len() as u64 + 1, |key, pair| mixed(key ^ u64::from(*pair)))
}

fn event_key(history: u64, pair: u16) -> u64 {
    mixed(history ^ 0x5bd1_e995_0000_0000 ^ u64::from(pair))
}

/// SplitMix64's last steps: two rows of the same hash are as good as impossible.
fn mixed(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What a pair costs: minus the logarithm of its probability, given the letter.
struct Costs {
    pairs: FxHashMap<Pair, f32>,
}

impl Costs {
    /// The start: a letter goes with the sounds that stand at its place in the word.
    fn flat(words: &[(Vec<u8>, &[Phone])]) -> Self {
        let mut seen: FxHashMap<Pair, u32> = FxHashMap::default();
        for (letters, phones) in words {
            for (at, letter) in letters.iter().enumerate() {
                let place = at * phones.len() / letters.len();
                for near in place.saturating_sub(1)..(place + 2).min(phones.len()) {
                    *seen.entry((*letter, [phones[near], NONE])).or_default() += 4;
                    if near + 1 < phones.len() {
                        *seen.entry((*letter, [phones[near], phones[near + 1]])).or_default() += 1;
                    }
                }
                *seen.entry((*letter, [NONE, NONE])).or_default() += 2;
            }
        }
        Self::of(&seen)
    }

    fn of(seen: &FxHashMap<Pair, u32>) -> Self {
        let mut totals = [0_u64; LETTERS];
        for (pair, count) in seen {
            totals[usize::from(pair.0)] += u64::from(*count);
        }
        let cost = |(pair, count): (&Pair, &u32)| {
            (*pair, -(*count as f32 / totals[usize::from(pair.0)].max(1) as f32).ln())
        };
        Self { pairs: seen.iter().map(cost).collect() }
    }

    fn get(&self, pair: Pair) -> f32 {
        self.pairs.get(&pair).copied().unwrap_or(UNSEEN)
    }
}

/// The cheapest way to give every sound to a letter. Words come with at most twice as many sounds as letters.
fn align(letters: &[u8], phones: &[Phone], costs: &Costs) -> Vec<Pair> {
    let width = phones.len() + 1;
    let mut best = vec![(f32::INFINITY, 0_u8); (letters.len() + 1) * width];
    best[0].0 = 0.0;
    for (at, letter) in letters.iter().enumerate() {
        for heard in 0..width {
            let before = best[at * width + heard].0;
            if before.is_infinite() {
                continue;
            }
            for taken in 0..=2_usize.min(phones.len() - heard) {
                let cost = before + costs.get(pair(*letter, &phones[heard..heard + taken]));
                let cell = &mut best[(at + 1) * width + heard + taken];
                if cost < cell.0 {
                    *cell = (cost, taken as u8);
                }
            }
        }
    }
    let mut heard = phones.len();
    let mut row = Vec::with_capacity(letters.len());
    for at in (0..letters.len()).rev() {
        let taken = usize::from(best[(at + 1) * width + heard].1);
        heard -= taken;
        row.push(pair(letters[at], &phones[heard..heard + taken]));
    }
    row.reverse();
    row
}

fn pair(letter: u8, phones: &[Phone]) -> Pair {
    (letter, [phones.first().copied().unwrap_or(NONE), phones.get(1).copied().unwrap_or(NONE)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ModelFiles;
    use crate::phones::written;

    /// Edits between two rows of sounds.
    fn edits(left: &[Phone], right: &[Phone]) -> usize {
        crate::wer::distance(left, right)
    }

    #[test]
    fn words_that_it_never_saw_are_mostly_right() {
        let cache = tempfile::tempdir().expect("temp");
        let files = ModelFiles::unpacked(cache.path()).expect("unpack");
        let dictionary = Dictionary::load(&files.dictionary()).expect("dictionary");
        let all: Vec<_> =
            dictionary.sorted().into_iter().filter(|(word, _)| letters(word).is_some()).collect();
        let (mut known, mut held) = (Vec::new(), Vec::new());
        for (at, entry) in all.into_iter().enumerate() {
            if at % 20 == 7 { held.push(entry) } else { known.push(entry) }
        }
        let model = G2p::learn(&known);
        let (mut wrong, mut sounds, mut right, mut words) = (0, 0, 0, 0);
        for (word, phones) in held.iter().step_by(4) {
            let said = model.say(word).unwrap_or_default();
            let errors = edits(&said, phones);
            wrong += errors;
            sounds += phones.len();
            right += usize::from(errors == 0);
            words += 1;
        }
        println!("{words} words: {right} right, {wrong} of {sounds} sounds wrong");
        assert!(wrong * 100 < sounds * 12, "{wrong} of {sounds} sounds");
        assert!(right * 100 > words * 60, "{right} of {words} words");
        println!("lectern: {}", written(&model.say("lectern").expect("letters")));
        assert_eq!(model.say("42"), None);
        assert_eq!(model.say(""), None);
    }

    #[test]
    fn it_is_always_the_same() {
        let text = "cat K AE T\ncats K AE T S\nbat B AE T\nfox F AA K S\nsix S IH K S\n";
        let dictionary = Dictionary::parse(text);
        assert_eq!(G2p::train(&dictionary).say("fat"), G2p::train(&dictionary).say("fat"));
    }
}
