//! The built-in recogniser while somebody speaks: most of the work is done when they end.
//!
//! The library takes the mean of all of an utterance away, which is not known before its end. So the features are made here,
//! the mean of the first second is taken away, then that of all so far, and the mean that the library expects is put in its
//! place; what is heard is as good (see adr/0007).

use std::path::Path;

use crate::sphinx::{Borrowed, NAME, parted};
use crate::sphinx_decoder::{Cepstrum, FrontEnd, WIDTH};
use crate::{HearOptions, HearingError, Live, Transcript};

/// Features of the first second, 10 ms each, before anything is searched.
const FIRST: usize = 100;
/// Features that are searched together.
const TOGETHER: usize = 10;
const SAMPLES_A_MS: u64 = crate::RATE as u64 / 1_000;

/// The mean that the library takes away from features that come piece by piece.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected(Cepstrum);

impl Expected {
    /// From the parameters of the acoustic model.
    pub(crate) fn read(acoustic: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(acoustic.join("feat.params")).ok()?)
    }

    fn parse(parameters: &str) -> Option<Self> {
        let mut words = parameters.split_whitespace().skip_while(|word| *word != "-cmninit").skip(1);
        let mut mean = [0.0; WIDTH];
        let mut numbers = words.next()?.split(',');
        for place in &mut mean {
            *place = numbers.next()?.parse().ok()?;
        }
        Some(Self(mean))
    }
}

pub(crate) struct LiveSphinx {
    decoder: Borrowed,
    front: FrontEnd,
    expected: Expected,
    options: HearOptions,
    features: Vec<Cepstrum>,
    sum: Mean,
    /// Features that were searched; none before the utterance has begun, or after its end.
    searched: Option<usize>,
    samples: u64,
}

impl LiveSphinx {
    pub(crate) fn new(
        decoder: Borrowed,
        expected: Expected,
        options: &HearOptions,
    ) -> Result<Self, HearingError> {
        let front = decoder.decoder()?.front_end()?;
        Ok(Self {
            decoder,
            front,
            expected,
            options: options.clone(),
            features: Vec::new(),
            sum: Mean::default(),
            searched: None,
            samples: 0,
        })
    }

    /// Searches what can be; with `all` also what is less than a piece.
    fn search(&mut self, all: bool) -> Result<(), HearingError> {
        if self.features.len() < FIRST && !all {
            return Ok(());
        }
        let decoder = self.decoder.decoder_mut()?;
        let mut done = if let Some(done) = self.searched {
            done
        } else {
            decoder.begin()?;
            self.sum = Mean::default();
            self.sum.add(&self.features[..FIRST.min(self.features.len())]);
            0
        };
        self.searched = Some(done);
        while self.features.len() - done >= TOGETHER || (all && done < self.features.len()) {
            let end = (done + TOGETHER).min(self.features.len());
            self.sum.add(&self.features[done.max(FIRST).min(end)..end]);
            let mean = self.sum.mean();
            let mut piece = self.features[done..end].to_vec();
            for (at, number) in piece.iter_mut().flat_map(|row| row.iter_mut().enumerate()) {
                *number += self.expected.0[at] - mean[at];
            }
            decoder.feed(&mut piece)?;
            done = end;
            self.searched = Some(done);
        }
        Ok(())
    }
}

impl Live for LiveSphinx {
    fn push(&mut self, samples: &[f32]) -> Result<(), HearingError> {
        self.samples += samples.len() as u64;
        self.front.push(&lectern_audio::to_i16(samples), &mut self.features)?;
        self.search(false)
    }

    fn finish(&mut self) -> Result<Transcript, HearingError> {
        self.search(true)?;
        self.searched = None;
        let words = self.decoder.decoder_mut()?.end()?;
        let segments = parted(words, self.options.site.as_deref());
        let language = Some("en".to_owned());
        Ok(Transcript::of(segments, language, NAME.to_owned(), self.samples / SAMPLES_A_MS))
    }
}

impl Drop for LiveSphinx {
    fn drop(&mut self) {
        if self.searched.is_some()
            && let Ok(decoder) = self.decoder.decoder_mut()
        {
            // A decoder that is given back must be idle.
            let _ = decoder.end();
        }
    }
}

/// The mean of features, those without any sound left out, as the library does it.
#[derive(Default)]
struct Mean {
    sum: [f64; WIDTH],
    count: u32,
}

impl Mean {
    fn add(&mut self, features: &[Cepstrum]) {
        for row in features.iter().filter(|row| row[0] >= 0.0) {
            self.sum.iter_mut().zip(row).for_each(|(sum, number)| *sum += f64::from(*number));
            self.count += 1;
        }
    }

    fn mean(&self) -> Cepstrum {
        self.sum.map(|sum| (sum / f64::from(self.count.max(1))) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_mean_is_read() {
        let text = "-lowerf 130\n-cmninit 41.00,-5.29,-0.12,5.09,2.48,-4.07,-1.37,-1.78,-5.08,-2.05,-6.45,-1.42,1.17\n";
        let expected = Expected::parse(text).expect("is there").0;
        assert!((expected[0] - 41.0).abs() < 1e-6 && (expected[12] - 1.17).abs() < 1e-6);
        assert!(Expected::parse("-cmninit 40,3").is_none() && Expected::parse("").is_none());
    }

    #[test]
    fn means_leave_silence_out() {
        let mut mean = Mean::default();
        assert!(mean.mean().iter().all(|number| *number == 0.0));
        mean.add(&[[2.0; WIDTH], [-1.0; WIDTH], [4.0; WIDTH]]);
        assert!(mean.mean().iter().all(|number| (number - 3.0).abs() < 1e-6));
    }
}
