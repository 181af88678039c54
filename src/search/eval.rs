//! Measures the quality of retrieval and answers on data with known answers: SQuAD's format for questions, BEIR's
//! layout for retrieval. The same code answers here and in the server.

use std::path::Path;

use serde::Serialize;

use crate::answer::{Answer, MAX_SENTENCES, answer};
use crate::error::Result;
use crate::filter::Filter;
use crate::index::{Options, SearchIndex};
use crate::language::detect;
use crate::meaning::Meaning;
use crate::passage::{Shape, split};
use crate::record::DocumentMeta;
use crate::retrieve::{Retrieved, Wanted};
use crate::squad::{Article, GoldQuestion, is_hit};

/// Largest unpacked evaluation file.
const MAX_UNPACKED: u64 = 4 << 30;

/// Passages an answer is made from.
pub const ANSWER_PASSAGES: usize = crate::answer::ANSWER_PASSAGES;

/// Compares a question by meaning.
pub type Understand<'a> = dyn Fn(&str) -> Result<Box<dyn Meaning + 'a>> + 'a;

/// Figures of [`qa`]: shares of the questions that have an answer, 0–1.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct QaReport {
    pub questions: usize,
    pub passage_at_1: f64,
    pub passage_at_5: f64,
    pub answer_hit: f64,
    pub refused: f64,
    /// Questions without an answer in the data (SQuAD 2.0), and the share of them refused.
    pub unanswerable: usize,
    pub unanswerable_refused: f64,
}

/// Writes the articles into an index, one document each, and commits.
pub fn index_articles(index: &SearchIndex, articles: &[Article], shape: Shape) -> Result<()> {
    for (number, article) in articles.iter().enumerate() {
        index.add(&article_meta(number, article), &split(&article.text, &[], shape))?;
    }
    index.commit()?;
    Ok(())
}

/// An article as a document.
pub fn article_meta(number: usize, article: &Article) -> DocumentMeta {
    DocumentMeta {
        id: article_id(number),
        title: article.title.clone(),
        format: "txt".to_owned(),
        language: detect(&article.text).map(str::to_owned),
        ..DocumentMeta::default()
    }
}

pub fn article_id(number: usize) -> String {
    format!("article-{number}")
}

/// Counts over questions.
#[derive(Debug, Default)]
struct Tally {
    questions: usize,
    at_1: usize,
    at_5: usize,
    hits: usize,
    refused: usize,
    unanswerable: usize,
    unanswerable_refused: usize,
}

/// Asks every question of the articles, which must be in the index as by [`index_articles`]; by words alone, or with
/// what knows their meaning too.
pub fn qa(
    index: &SearchIndex,
    articles: &[Article],
    filters: &[Filter],
    understand: Option<&Understand<'_>>,
) -> Result<QaReport> {
    let mut tally = Tally::default();
    for (number, article) in articles.iter().enumerate() {
        let id = article_id(number);
        for gold in &article.questions {
            ask(index, &id, gold, (filters, understand), &mut tally)?;
        }
    }
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    Ok(QaReport {
        questions: tally.questions,
        passage_at_1: share(tally.at_1, tally.questions),
        passage_at_5: share(tally.at_5, tally.questions),
        answer_hit: share(tally.hits, tally.questions),
        refused: share(tally.refused, tally.questions),
        unanswerable: tally.unanswerable,
        unanswerable_refused: share(tally.unanswerable_refused, tally.unanswerable),
    })
}

fn ask(
    index: &SearchIndex,
    id: &str,
    gold: &GoldQuestion,
    (filters, understand): (&[Filter], Option<&Understand<'_>>),
    tally: &mut Tally,
) -> Result<()> {
    let meaning = understand.map(|understand| understand(&gold.question)).transpose()?;
    let retrieval = index.find(&Wanted {
        question: &gold.question,
        filters,
        limit: ANSWER_PASSAGES,
        meaning: meaning.as_deref(),
        ..Wanted::default()
    })?;
    let given = answer(&retrieval, MAX_SENTENCES);
    let refused = matches!(given, Answer::Refused { .. });
    if gold.answers.is_empty() {
        tally.unanswerable += 1;
        tally.unanswerable_refused += usize::from(refused);
        return Ok(());
    }
    tally.questions += 1;
    tally.refused += usize::from(refused);
    let place = retrieval.passages.iter().position(|found| covers(found, id, gold));
    tally.at_1 += usize::from(place == Some(0));
    tally.at_5 += usize::from(place.is_some_and(|place| place < 5));
    if let Answer::Found { sentences, .. } = given {
        let text = sentences.iter().map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join(" ");
        tally.hits += usize::from(is_hit(&gold.answers, &text));
    }
    Ok(())
}

/// Whether a passage holds the place of an accepted answer.
pub fn covers(found: &Retrieved, document: &str, gold: &GoldQuestion) -> bool {
    found.meta.id == document
        && gold
            .answers
            .iter()
            .any(|answer| answer.start >= found.passage.start && answer.end <= found.passage.end)
}

/// The bytes of a file, unpacked when it is gzip.
fn read_maybe_gzip(file: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let bytes = std::fs::read(file)?;
    if !bytes.starts_with(&[0x1F, 0x8B]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).take(MAX_UNPACKED).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// Reads a SQuAD file, plain or gzip.
pub fn read_articles(file: &Path) -> Result<Vec<Article>> {
    crate::squad::parse(&read_maybe_gzip(file)?, &file.display().to_string())
}

/// Indexes a SQuAD file into a folder of its own, which is removed afterwards, and asks all its questions.
pub fn qa_file(file: &Path) -> Result<QaReport> {
    let articles = read_articles(file)?;
    let folder = tempfile::tempdir()?;
    let index = SearchIndex::open(folder.path(), Options::default())?;
    index_articles(&index, &articles, Shape::default())?;
    let report = qa(&index, &articles, &[], None)?;
    index.close()?;
    Ok(report)
}
