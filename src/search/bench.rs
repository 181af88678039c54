//! Speed beside the raw engine: the same text and the same words through this crate and through plain tantivy, in one
//! process. The text is made up, with word frequencies as in language (Zipf), so that nothing needs to be fetched.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{IndexRecordOption, STORED, Schema, TEXT};
use tantivy::{Index, IndexReader, IndexWriter, TantivyDocument, Term};

use crate::error::Result;
use crate::index::{Options, SearchIndex};
use crate::passage::{Passage, Shape, split};
use crate::record::DocumentMeta;
use crate::search::SearchRequest;

/// Distinct words of the made-up language.
const VOCABULARY: usize = 60_000;
const PASSAGES_PER_DOCUMENT: usize = 10;
const WORDS_PER_PASSAGE: usize = 190;

/// Milliseconds per query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Figures of [`run`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BenchReport {
    pub passages: u64,
    pub text_mb: f64,
    pub split_mb_per_s: f64,
    pub index_mb_per_s: f64,
    pub raw_index_mb_per_s: f64,
    /// Megabytes per second of processor time, all threads: what a busy machine does not blur (0 when unknown).
    pub index_mb_per_cpu_s: f64,
    pub raw_index_mb_per_cpu_s: f64,
    pub disk_mb: f64,
    /// Hits with snippets and the total.
    pub search: Latency,
    /// The same with facets.
    pub search_with_facets: Latency,
    /// Retrieval for a question, with ranking.
    pub retrieve: Latency,
    /// Plain tantivy: BM25, any of the words, top 10 with their stored text.
    pub raw: Latency,
    pub open_ms: f64,
}

/// Indexes about `passages` passages in `dir`, asks `queries` queries, and measures both ways.
pub fn run(dir: &Path, passages: usize, queries: usize) -> Result<BenchReport> {
    let mut words = Words { state: 0x2545_F491_4F6C_DD1D };
    let texts: Vec<String> =
        (0..passages.div_ceil(PASSAGES_PER_DOCUMENT)).map(|_| words.document()).collect();
    let megabytes = texts.iter().map(String::len).sum::<usize>() as f64 / 1e6;
    let (documents, split_time) =
        timed(|| texts.iter().map(|text| split(text, &[], Shape::default())).collect::<Vec<_>>());
    let ours = dir.join("ours");
    let before = processor_seconds();
    let (built, index_time) = timed(|| build(&ours, &documents));
    built?.close()?;
    let ours_spent = processor_seconds() - before;
    let (index, open_time) = timed(|| SearchIndex::open(&ours, Options::default()));
    let index = index?;
    let before = processor_seconds();
    let (raw, raw_time) = timed(|| Raw::build(&dir.join("raw"), &documents));
    let raw = raw?;
    let raw_spent = processor_seconds() - before;
    let queries: Vec<String> = (0..queries).map(|_| words.query()).collect();
    let request = |text: &String, facets| SearchRequest {
        text: text.clone(),
        limit: 10,
        facets,
        ..SearchRequest::default()
    };
    Ok(BenchReport {
        passages: index.count(),
        text_mb: megabytes,
        split_mb_per_s: megabytes / split_time.as_secs_f64(),
        index_mb_per_s: megabytes / index_time.as_secs_f64(),
        raw_index_mb_per_s: megabytes / raw_time.as_secs_f64(),
        index_mb_per_cpu_s: if ours_spent > 0.0 { megabytes / ours_spent } else { 0.0 },
        raw_index_mb_per_cpu_s: if raw_spent > 0.0 { megabytes / raw_spent } else { 0.0 },
        disk_mb: index.disk_bytes()? as f64 / 1e6,
        search: latency(&queries, |text| index.search(&request(text, false)).map(drop))?,
        search_with_facets: latency(&queries, |text| index.search(&request(text, true)).map(drop))?,
        retrieve: latency(&queries, |text| index.retrieve(text, &[], 10).map(drop))?,
        raw: latency(&queries, |text| raw.search(text))?,
        open_ms: open_time.as_secs_f64() * 1e3,
    })
}

fn build(dir: &Path, documents: &[Vec<Passage>]) -> Result<SearchIndex> {
    let index = SearchIndex::open(dir, Options::default())?;
    for (number, passages) in documents.iter().enumerate() {
        let meta = DocumentMeta {
            id: format!("doc_{number:06}"),
            title: format!("Report {number}"),
            collection: Some(format!("collection {}", number % 7)),
            tags: vec![format!("tag {}", number % 23)],
            format: ["pdf", "docx", "txt"][number % 3].to_owned(),
            language: Some("en".to_owned()),
            created: 1_700_000_000 + number as i64,
            readers: None,
        };
        index.add(&meta, passages)?;
    }
    index.commit()?;
    Ok(index)
}

/// The plain engine with its default analysis.
struct Raw {
    reader: IndexReader,
    body: tantivy::schema::Field,
}

impl Raw {
    fn build(dir: &Path, documents: &[Vec<Passage>]) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let mut schema = Schema::builder();
        let body = schema.add_text_field("body", TEXT | STORED);
        let index = Index::create_in_dir(dir, schema.build())?;
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 64 << 20)?;
        for passage in documents.iter().flatten() {
            let mut document = TantivyDocument::default();
            document.add_text(body, &passage.text);
            writer.add_document(document)?;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        let reader = index.reader()?;
        Ok(Self { reader, body })
    }

    fn search(&self, text: &str) -> Result<()> {
        let searcher = self.reader.searcher();
        let clauses = text.split(' ').map(|word| {
            let term = TermQuery::new(Term::from_field_text(self.body, word), IndexRecordOption::WithFreqs);
            let query: Box<dyn Query> = Box::new(term);
            (Occur::Should, query)
        });
        let query = BooleanQuery::new(clauses.collect());
        for (_, address) in searcher.search(&query, &TopDocs::with_limit(10).order_by_score())? {
            let _: TantivyDocument = searcher.doc(address)?;
        }
        Ok(())
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// User and system time of this process; Linux counts it in hundredths of a second.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
        / 100.0
}

fn latency(queries: &[String], mut ask: impl FnMut(&String) -> Result<()>) -> Result<Latency> {
    for query in queries.iter().take(queries.len() / 10) {
        ask(query)?;
    }
    let mut times = Vec::with_capacity(queries.len());
    for query in queries {
        let start = Instant::now();
        ask(query)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied()
    };
    Ok(Latency { p50_ms: at(0.5).unwrap_or(0.0), p99_ms: at(0.99).unwrap_or(0.0) })
}

/// A made-up language.
struct Words {
    state: u64,
}

impl Words {
    fn unit(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A word by Zipf's law: rank r with a likelihood of about 1/r.
    fn rank(&mut self) -> usize {
        (VOCABULARY as f64).powf(self.unit()) as usize
    }

    fn spell(rank: usize) -> String {
        const SYLLABLES: [&str; 20] = [
            "ba", "ce", "di", "fo", "gu", "ha", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu", "wa",
            "ze", "chi", "sto", "plu",
        ];
        let mut left = rank + 7;
        let mut word = String::new();
        while left > 0 {
            word.push_str(SYLLABLES[left % 20]);
            left /= 20;
        }
        word
    }

    fn document(&mut self) -> String {
        let mut text = String::new();
        for number in 1..=PASSAGES_PER_DOCUMENT * WORDS_PER_PASSAGE {
            text.push_str(&Self::spell(self.rank()));
            text.push_str(if number % WORDS_PER_PASSAGE == 0 {
                ".\n\n"
            } else if number % 19 == 0 {
                ". "
            } else {
                " "
            });
        }
        text
    }

    /// Two to four words, as frequent as they are in the text: some everywhere, most rare.
    fn query(&mut self) -> String {
        let count = 2 + (self.unit() * 3.0) as usize;
        (0..count).map(|_| Self::spell(self.rank())).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_measures_everything() {
        let dir = tempfile::tempdir().expect("a folder");
        let report = run(dir.path(), 60, 10).expect("runs");
        assert!(report.passages >= 60 && report.text_mb > 0.0 && report.disk_mb > 0.0);
    }
}
