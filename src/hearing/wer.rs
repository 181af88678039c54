//! Word error rate: substitutions, deletions and insertions for each word that was said.

/// Edits that turn one row into the other.
pub fn distance<T: PartialEq>(left: &[T], right: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, item) in left.iter().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (place, other) in right.iter().enumerate() {
            let kept = before + usize::from(item != other);
            before = row[place + 1];
            row[place + 1] = kept.min(before + 1).min(row[place] + 1);
        }
    }
    row[right.len()]
}

/// The words of a text as they are compared: lower case, numbers in words, without punctuation.
pub fn normalised(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    crate::words::sentences(text, &mut |sentence| {
        words.extend(sentence.iter().map(|spoken| spoken.word.clone()));
    });
    words
}

/// Errors over several recordings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WordErrors {
    pub errors: usize,
    pub words: usize,
}

impl WordErrors {
    pub fn add(&mut self, said: &str, heard: &str) {
        let said = normalised(said);
        self.errors += distance(&said, &normalised(heard));
        self.words += said.len();
    }

    /// 0 is perfect; more than 1 is possible.
    pub fn rate(&self) -> f64 {
        self.errors as f64 / self.words.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted() {
        let mut errors = WordErrors::default();
        errors.add("The cat sat on the mat.", "the cat sat at mat");
        assert_eq!(errors, WordErrors { errors: 2, words: 6 });
        errors.add("Ask 42!", "ask forty two");
        assert_eq!(errors, WordErrors { errors: 2, words: 9 });
        assert_eq!(distance::<u8>(&[], &[1, 2]), 2);
    }
}
