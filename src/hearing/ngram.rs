//! A trigram model of text, written in ARPA form.
//!
//! Interpolated Witten-Bell smoothing (Witten and Bell, 1991), with the back-off weights that keep every
//! distribution a distribution after rare trigrams were left out.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

type Id = u32;
const BEGIN: Id = 0;
const END: Id = 1;
/// What ARPA files write for "never".
const NEVER: f64 = -99.0;

/// Counts rows of one, two and three words.
pub(crate) struct Counts {
    ids: FxHashMap<String, Id>,
    names: Vec<String>,
    one: Vec<u32>,
    two: FxHashMap<[Id; 2], u32>,
    three: FxHashMap<[Id; 3], u32>,
}

impl Counts {
    pub(crate) fn new() -> Self {
        let mut counts = Self {
            ids: FxHashMap::default(),
            names: Vec::new(),
            one: Vec::new(),
            two: FxHashMap::default(),
            three: FxHashMap::default(),
        };
        counts.id("<s>");
        counts.id("</s>");
        counts
    }

    fn id(&mut self, word: &str) -> Id {
        if let Some(id) = self.ids.get(word) {
            return *id;
        }
        let id = self.names.len() as Id;
        self.ids.insert(word.to_owned(), id);
        self.names.push(word.to_owned());
        self.one.push(0);
        id
    }

    /// `None` is a word that the model does not know: rows do not go across it.
    pub(crate) fn add<'a>(&mut self, sentence: impl Iterator<Item = Option<&'a str>>) {
        let mut before: [Option<Id>; 2] = [None, Some(BEGIN)];
        self.one[BEGIN as usize] += 1;
        for word in sentence {
            let id = word.map(|word| self.id(word));
            self.see(before, id);
            before = [before[1], id];
        }
        self.see(before, Some(END));
    }

    fn see(&mut self, before: [Option<Id>; 2], id: Option<Id>) {
        let Some(id) = id else { return };
        self.one[id as usize] += 1;
        let Some(second) = before[1] else { return };
        *self.two.entry([second, id]).or_default() += 1;
        if let Some(first) = before[0] {
            *self.three.entry([first, second, id]).or_default() += 1;
        }
    }

    /// Drops the rarest until at most `limit` rows of two and three are left. Rows of two that begin or end a kept
    /// row of three are at least as frequent, so they stay.
    pub(crate) fn prune(&mut self, limit: usize) {
        let mut least = 1;
        while self.two.len() + self.three.len() > limit && least < 1_000 {
            least += 1;
            self.three.retain(|_, count| *count >= least);
            if self.two.len() + self.three.len() > limit {
                self.two.retain(|_, count| *count >= least);
            }
        }
    }

    /// The model as a file.
    pub(crate) fn arpa(&self) -> String {
        let one = self.unigrams();
        let (two, two_weights) = self.bigrams(&one);
        let (three, three_weights) = self.trigrams(&two, &one, &two_weights);
        let mut out = format!(
            "\\data\\\nngram 1={}\nngram 2={}\nngram 3={}\n\n\\1-grams:\n",
            self.names.len(),
            two.len(),
            three.len()
        );
        for (id, name) in self.names.iter().enumerate() {
            let weight = two_weights.get(&(id as Id)).copied().unwrap_or(1.0);
            let p = if id as Id == BEGIN { NEVER } else { one[id].log10() };
            let _ = writeln!(out, "{p:.4}\t{name}\t{:.4}", log(weight));
        }
        out.push_str("\n\\2-grams:\n");
        for (row, p) in sorted(&two) {
            let weight = three_weights.get(&row).copied().unwrap_or(1.0);
            let _ = writeln!(
                out,
                "{:.4}\t{} {}\t{:.4}",
                p.log10(),
                self.name(row[0]),
                self.name(row[1]),
                log(weight)
            );
        }
        out.push_str("\n\\3-grams:\n");
        for (row, p) in sorted(&three) {
            let names = row.map(|id| self.name(id));
            let _ = writeln!(out, "{:.4}\t{}", p.log10(), names.join(" "));
        }
        out.push_str("\n\\end\\\n");
        out
    }

    fn name(&self, id: Id) -> &str {
        &self.names[id as usize]
    }

    /// Mixed with "all words are alike".
    fn unigrams(&self) -> Vec<f64> {
        let kinds = (self.names.len() - 1) as f64;
        let total: f64 = self.one.iter().skip(1).map(|count| f64::from(*count)).sum();
        self.one.iter().map(|count| (f64::from(*count) + 1.0) / (total + kinds)).collect()
    }

    fn bigrams(&self, one: &[f64]) -> (FxHashMap<[Id; 2], f64>, FxHashMap<Id, f64>) {
        let mut totals: FxHashMap<Id, (f64, f64)> = FxHashMap::default();
        for (row, count) in &self.two {
            let entry = totals.entry(row[0]).or_default();
            entry.0 += f64::from(*count);
            entry.1 += 1.0;
        }
        let mut seen: FxHashMap<Id, (f64, f64)> = FxHashMap::default();
        let mut out = FxHashMap::default();
        for (row, count) in sorted(&self.two) {
            let (total, kinds) = totals[&row[0]];
            let lower = one[row[1] as usize];
            let p = (f64::from(count) + kinds * lower) / (total + kinds);
            let entry = seen.entry(row[0]).or_default();
            *entry = (entry.0 + p, entry.1 + lower);
            out.insert(row, p);
        }
        (out, seen.into_iter().map(|(id, sums)| (id, weight(sums))).collect())
    }

    fn trigrams(
        &self,
        two: &FxHashMap<[Id; 2], f64>,
        one: &[f64],
        weights: &FxHashMap<Id, f64>,
    ) -> (FxHashMap<[Id; 3], f64>, FxHashMap<[Id; 2], f64>) {
        let mut totals: FxHashMap<[Id; 2], (f64, f64)> = FxHashMap::default();
        for (row, count) in &self.three {
            let entry = totals.entry([row[0], row[1]]).or_default();
            entry.0 += f64::from(*count);
            entry.1 += 1.0;
        }
        let mut seen: FxHashMap<[Id; 2], (f64, f64)> = FxHashMap::default();
        let mut out = FxHashMap::default();
        for (row, count) in sorted(&self.three) {
            let history = [row[0], row[1]];
            if !two.contains_key(&history) {
                continue;
            }
            let (total, kinds) = totals[&history];
            let lower = two
                .get(&[row[1], row[2]])
                .copied()
                .unwrap_or_else(|| weights.get(&row[1]).copied().unwrap_or(1.0) * one[row[2] as usize]);
            let p = (f64::from(count) + kinds * lower) / (total + kinds);
            let entry = seen.entry(history).or_default();
            *entry = (entry.0 + p, entry.1 + lower);
            out.insert(row, p);
        }
        (out, seen.into_iter().map(|(id, sums)| (id, weight(sums))).collect())
    }
}

/// What is left for the unseen, spread as the shorter history has it.
fn weight((seen, lower): (f64, f64)) -> f64 {
    ((1.0 - seen).max(1e-6) / (1.0 - lower).max(1e-6)).min(1.0)
}

fn log(weight: f64) -> f64 {
    weight.max(1e-9).log10()
}

fn sorted<K: Copy + Ord, V: Copy>(map: &FxHashMap<K, V>) -> Vec<(K, V)> {
    let mut all: Vec<(K, V)> = map.iter().map(|(key, value)| (*key, *value)).collect();
    all.sort_unstable_by_key(|entry| entry.0);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        let mut counts = Counts::new();
        for sentence in ["a b c", "a b d", "a b c", "b b a", "c"] {
            counts.add(sentence.split(' ').map(Some));
        }
        counts
    }

    /// Probability by the file's own rules.
    fn lookup(arpa: &str, words: &[&str]) -> f64 {
        let find = |row: &str| {
            arpa.lines().find_map(|line| {
                let mut parts = line.split('\t');
                let p: f64 = parts.next()?.parse().ok()?;
                (parts.next()? == row).then(|| (p, parts.next().map_or(0.0, |w| w.parse().expect("weight"))))
            })
        };
        if let Some((p, _)) = find(&words.join(" ")) {
            return p;
        }
        find(&words[..words.len() - 1].join(" ")).map_or(0.0, |(_, weight)| weight)
            + lookup(arpa, &words[1..])
    }

    #[test]
    fn every_distribution_sums_to_one() {
        let mut pruned = counts();
        pruned.prune(12);
        for arpa in [counts().arpa(), pruned.arpa()] {
            for history in [vec![], vec!["a"], vec!["a", "b"], vec!["<s>", "a"], vec!["d", "c"]] {
                let sum: f64 = ["a", "b", "c", "d", "</s>"]
                    .into_iter()
                    .map(|word| {
                        let row: Vec<&str> = history.iter().copied().chain([word]).collect();
                        10_f64.powf(lookup(&arpa, &row))
                    })
                    .sum();
                assert!((sum - 1.0).abs() < 0.01, "{history:?}: {sum}\n{arpa}");
            }
        }
    }

    #[test]
    fn what_was_seen_is_likelier() {
        let arpa = counts().arpa();
        assert!(lookup(&arpa, &["a", "b", "c"]) > lookup(&arpa, &["a", "b", "a"]));
        assert_eq!(arpa, counts().arpa());
    }

    #[test]
    fn unknown_words_part_rows() {
        let mut counts = Counts::new();
        counts.add([Some("a"), None, Some("b")].into_iter());
        assert!(!counts.arpa().contains("a b"));
    }
}
