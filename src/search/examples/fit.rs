//! Learns the weights of `rank` and `answer` from questions with known answers:
//! `fit FILE.json[.gz] passages|sentences|trust [untitled] [embedding=FOLDER [vectors=FOLDER]]`.
//! Learns on the articles of even number and reports both halves. Listwise softmax for orders, logistic for trust.
use std::io::Read;

use lectern_documents::measure::Understanding;
use lectern_search::squad::{self, Article, GoldQuestion};
use lectern_search::{Meaning, Options, SearchIndex, Shape, eval, tuning};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, what, rest @ ..] = &arguments[..] else {
        return Err("usage: fit FILE passages|sentences|trust [untitled] [embedding=FOLDER]".into());
    };
    let mut articles = squad::parse(&read(file)?, file)?;
    let model = rest.iter().find_map(|option| option.strip_prefix("embedding="));
    if rest.iter().any(|option| option == "untitled") {
        // Many documents have no telling title: what is learned must hold without.
        articles
            .iter_mut()
            .enumerate()
            .for_each(|(number, article)| article.title = format!("scan {number}"));
    }
    let folder = std::env::temp_dir().join(format!("lectern-fit-{}", std::process::id()));
    let index = SearchIndex::open(&folder, Options::default())?;
    eval::index_articles(&index, &articles, Shape::default())?;
    // Named vectors stay, for the next run.
    let kept = rest.iter().find_map(|option| option.strip_prefix("vectors=")).map(std::path::PathBuf::from);
    let vectors = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("lectern-fit-vectors-{}", std::process::id())));
    let understanding = match model {
        Some(model) => Some(understanding(model.as_ref(), &vectors, &index, articles.len())?),
        None => None,
    };
    let understood = Understood { index: &index, understanding: understanding.as_ref() };
    match what.as_str() {
        "passages" => order(
            &articles,
            |id, gold| Ok(tuning::passage_rows(&index, id, gold, understood.ask(gold, None)?.as_deref())?),
            5,
        )?,
        "sentences" => order(
            &articles,
            |id, gold| Ok(tuning::sentence_rows(&index, id, gold, understood.ask(gold, None)?.as_deref())?),
            3,
        )?,
        _ => trust(&understood, &articles)?,
    }
    drop(understanding);
    if kept.is_none() {
        let _ = std::fs::remove_dir_all(&vectors);
    }
    index.close()?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The index, and what knows the meaning of its passages.
struct Understood<'a> {
    index: &'a SearchIndex,
    understanding: Option<&'a Understanding>,
}

impl Understood<'_> {
    fn ask(&self, gold: &GoldQuestion, hidden: Option<&str>) -> Result<Option<Box<dyn Meaning>>, Failure> {
        let asked = self.understanding.map(|understanding| understanding.ask(&gold.question, hidden));
        Ok(asked.transpose()?)
    }
}

fn understanding(
    model: &std::path::Path,
    vectors: &std::path::Path,
    index: &SearchIndex,
    articles: usize,
) -> Result<Understanding, Failure> {
    let understanding = Understanding::new(model, vectors)?;
    for number in 0..articles {
        understanding.add(index, &eval::article_id(number))?;
    }
    Ok(understanding)
}

fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(file)?;
    if !bytes.starts_with(&[0x1F, 0x8B]) {
        return Ok(bytes);
    }
    let mut json = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut json)?;
    Ok(json)
}

/// Learns an order of candidates, even articles for learning, odd ones for checking.
fn order<const N: usize>(
    articles: &[Article],
    rows: impl Fn(&str, &GoldQuestion) -> Result<tuning::Rows<N>, Failure>,
    depth: usize,
) -> Result<(), Failure> {
    let mut halves: [Vec<tuning::Rows<N>>; 2] = [Vec::new(), Vec::new()];
    for (number, article) in articles.iter().enumerate() {
        for gold in &article.questions {
            halves[number % 2].push(rows(&eval::article_id(number), gold)?);
        }
    }
    let mut weights = [0.0f32; N];
    let mut adam = Adam::<N>::new();
    for _ in 0..400 {
        let mut slope = weights.map(|weight| weight * 1e-4);
        for list in halves[0].iter().filter(|list| list.iter().any(|row| row.1)) {
            listwise(list, &weights, &mut slope);
        }
        let count = halves[0].len() as f32;
        adam.step(&mut weights, &slope.map(|value| value / count));
    }
    println!("weights {weights:.3?}");
    for half in &halves {
        let share = |depth| {
            half.iter().filter(|list| rank(list, &weights).is_some_and(|place| place < depth)).count() as f64
                / half.len() as f64
        };
        println!("first {:.4} within {depth} {:.4} of {}", share(1), share(depth), half.len());
    }
    Ok(())
}

fn score<const N: usize>(row: &[f32; N], weights: &[f32; N]) -> f32 {
    row.iter().zip(weights).map(|(a, b)| a * b).sum()
}

/// Adds the slope of −log(share of the right candidates under softmax).
fn listwise<const N: usize>(list: &tuning::Rows<N>, weights: &[f32; N], slope: &mut [f32; N]) {
    let scores: Vec<f32> = list.iter().map(|(row, _)| score(row, weights)).collect();
    let top = scores.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = scores.iter().map(|score| (score - top).exp()).collect();
    let all: f32 = powers.iter().sum();
    let right: f32 =
        powers.iter().zip(list).filter(|(_, row)| row.1).map(|(power, _)| power).sum::<f32>().max(1e-20);
    for ((row, is_right), power) in list.iter().zip(powers) {
        let pull = power / all - if *is_right { power / right } else { 0.0 };
        slope.iter_mut().zip(row).for_each(|(slope, value)| *slope += pull * value);
    }
}

fn rank<const N: usize>(list: &tuning::Rows<N>, weights: &[f32; N]) -> Option<usize> {
    let right = list.iter().filter(|row| row.1).map(|(row, _)| score(row, weights)).fold(f32::MIN, f32::max);
    list.iter()
        .any(|row| row.1)
        .then(|| list.iter().filter(|(row, is)| !is && score(row, weights) > right).count())
}

/// Learns when to refuse: each article's questions with the article in the index and without it.
fn trust(understood: &Understood<'_>, articles: &[Article]) -> Result<(), Failure> {
    const N: usize = lectern_search::TRUST_FEATURES;
    let index = understood.index;
    let row_of = |gold: &GoldQuestion, hidden: Option<&str>| -> Result<_, Failure> {
        Ok(tuning::trust_row(index, gold, understood.ask(gold, hidden)?.as_deref())?)
    };
    let mut halves: [Vec<([f32; N], bool)>; 2] = [Vec::new(), Vec::new()];
    let mut hits: [Vec<bool>; 2] = [Vec::new(), Vec::new()];
    for (number, article) in articles.iter().enumerate() {
        for gold in &article.questions {
            let (row, hit) = row_of(gold, None)?;
            halves[number % 2].push((row, true));
            hits[number % 2].push(hit);
        }
        index.delete(&eval::article_id(number))?;
        index.commit()?;
        for gold in &article.questions {
            halves[number % 2].push((row_of(gold, Some(&eval::article_id(number)))?.0, false));
            hits[number % 2].push(false);
        }
        index.add(
            &eval::article_meta(number, article),
            &lectern_search::split_passages(&article.text, &[], Shape::default()),
        )?;
        index.commit()?;
    }
    let mut weights = [0.0f32; N];
    let mut bias = 0.0f32;
    let (mut adam, mut adam_bias) = (Adam::<N>::new(), Adam::<1>::new());
    for _ in 0..600 {
        let (mut slope, mut slope_bias) = (weights.map(|weight| weight * 1e-4), 0.0);
        for (row, is) in &halves[0] {
            let pull = 1.0 / (1.0 + (-(score(row, &weights) + bias)).exp()) - f32::from(u8::from(*is));
            slope.iter_mut().zip(row).for_each(|(slope, value)| *slope += pull * value);
            slope_bias += pull;
        }
        let count = halves[0].len() as f32;
        adam.step(&mut weights, &slope.map(|value| value / count));
        let mut one = [bias];
        adam_bias.step(&mut one, &[slope_bias / count]);
        bias = one[0];
    }
    println!("weights {weights:.3?}");
    let mut known: Vec<f32> =
        halves[0].iter().filter(|row| row.1).map(|(row, _)| score(row, &weights)).collect();
    known.sort_by(f32::total_cmp);
    for share in [0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05] {
        let limit = known[(known.len() as f64 * share) as usize];
        print!("limit {limit:.3}");
        for (half, hits) in halves.iter().zip(&hits) {
            let part = |is: bool| {
                let rows: Vec<_> = half.iter().filter(|row| row.1 == is).collect();
                rows.iter().filter(|(row, _)| score(row, &weights) < limit).count() as f64 / rows.len() as f64
            };
            let lost =
                half.iter().zip(hits).filter(|((row, _), hit)| **hit && score(row, &weights) < limit).count();
            print!(
                " | answerable refused {:.4} (hits lost {:.4}) unanswerable refused {:.4}",
                part(true),
                lost as f64 * 2.0 / half.len() as f64,
                part(false)
            );
        }
        println!();
    }
    Ok(())
}

/// Adam (Kingma and Ba, 2015) on the whole batch.
struct Adam<const N: usize> {
    mean: [f32; N],
    square: [f32; N],
    step: i32,
}

impl<const N: usize> Adam<N> {
    fn new() -> Self {
        Self { mean: [0.0; N], square: [0.0; N], step: 0 }
    }

    fn step(&mut self, weights: &mut [f32; N], slope: &[f32; N]) {
        self.step += 1;
        for index in 0..N {
            self.mean[index] = 0.9 * self.mean[index] + 0.1 * slope[index];
            self.square[index] = 0.999 * self.square[index] + 0.001 * slope[index] * slope[index];
            let mean = self.mean[index] / (1.0 - 0.9f32.powi(self.step));
            let square = self.square[index] / (1.0 - 0.999f32.powi(self.step));
            weights[index] -= 0.05 * mean / (square.sqrt() + 1e-8);
        }
    }
}
