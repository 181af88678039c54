//! Retrieval data in BEIR's layout (`corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv` or another `.tsv`) and its
//! measures: nDCG@10 and recall@100 (Thakur et al., 2021).

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Result, SearchError};
use crate::index::{Options, SearchIndex};
use crate::language::detect;
use crate::passage::{Shape, split};
use crate::record::DocumentMeta;

/// Passages looked at to find a hundred documents.
const PASSAGES: usize = 300;

/// Grades of the relevant documents of each query.
pub type Relevance = HashMap<String, Grades>;

/// Grades of documents; one that is absent is not relevant.
pub type Grades = HashMap<String, u32>;

/// Figures of [`retrieval_dir`], means over the queries with a relevant document.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RetrievalReport {
    pub queries: usize,
    pub ndcg_at_10: f64,
    pub recall_at_100: f64,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id", alias = "id")]
    id: serde_json::Value,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    text: String,
}

impl Line {
    fn id(&self) -> String {
        self.id.as_str().map_or_else(|| self.id.to_string(), str::to_owned)
    }
}

/// Indexes the corpus of a folder into an index of its own, which is removed afterwards, and runs its queries.
pub fn retrieval_dir(dir: &Path) -> Result<RetrievalReport> {
    let folder = tempfile::tempdir()?;
    let index = SearchIndex::open(folder.path(), Options::default())?;
    lines(&dir.join("corpus.jsonl"), |line| index_document(&index, &line))?;
    index.release_writer()?;
    let relevance = relevance(dir)?;
    let mut report = RetrievalReport::default();
    lines(&dir.join("queries.jsonl"), |line| {
        let Some(grades) = relevance.get(&line.id()).filter(|grades| grades.values().any(|grade| *grade > 0))
        else {
            return Ok(());
        };
        let ranked = ranked_documents(&index, &line.text)?;
        report.queries += 1;
        report.ndcg_at_10 += ndcg(&ranked, grades, 10);
        report.recall_at_100 += recall(&ranked, grades, 100);
        Ok(())
    })?;
    report.ndcg_at_10 /= report.queries.max(1) as f64;
    report.recall_at_100 /= report.queries.max(1) as f64;
    index.close()?;
    Ok(report)
}

fn index_document(index: &SearchIndex, line: &Line) -> Result<()> {
    let title = line.title.clone().unwrap_or_default();
    let text = if line.text.is_empty() { &title } else { &line.text };
    let language = detect(text).map(str::to_owned);
    let meta = DocumentMeta {
        id: line.id(),
        title: title.clone(),
        format: "txt".to_owned(),
        language,
        ..DocumentMeta::default()
    };
    index.add(&meta, &split(text, &[], Shape::default()))?;
    Ok(())
}

/// Documents by their best passage, best first.
fn ranked_documents(index: &SearchIndex, query: &str) -> Result<Vec<String>> {
    let mut ranked: Vec<String> = Vec::new();
    for found in index.retrieve(query, &[], PASSAGES)?.passages {
        if !ranked.contains(&found.meta.id) {
            ranked.push(found.meta.id);
        }
    }
    Ok(ranked)
}

fn lines(path: &Path, mut each: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let problem = |reason: String| SearchError::Evaluation { file: path.display().to_string(), reason };
    let file = File::open(path).map_err(|error| problem(error.to_string()))?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            each(
                serde_json::from_str(&line)
                    .map_err(|error| problem(format!("line {}: {error}", number + 1)))?,
            )?;
        }
    }
    Ok(())
}

/// Reads `qrels/test.tsv`, or the only other table in `qrels`, or `qrels.tsv`: query, document, grade.
fn relevance(dir: &Path) -> Result<Relevance> {
    let path = qrels(dir).ok_or_else(|| SearchError::Evaluation {
        file: dir.display().to_string(),
        reason: "there is no qrels/test.tsv".to_owned(),
    })?;
    let mut relevance = Relevance::new();
    for line in BufReader::new(File::open(&path)?).lines() {
        let line = line?;
        let cells: Vec<&str> = line.split_whitespace().collect();
        // TREC's form has an unused second column.
        let ([query, document, grade] | [query, _, document, grade]) = cells[..] else { continue };
        if let Ok(grade) = grade.parse::<f64>() {
            relevance.entry(query.to_owned()).or_default().insert(document.to_owned(), grade.max(0.0) as u32);
        }
    }
    Ok(relevance)
}

fn qrels(dir: &Path) -> Option<PathBuf> {
    let fixed = [dir.join("qrels/test.tsv"), dir.join("qrels.tsv")];
    fixed.into_iter().find(|path| path.is_file()).or_else(|| {
        let entries = std::fs::read_dir(dir.join("qrels")).ok()?;
        entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "tsv"))
            .min()
    })
}

/// Normalised discounted cumulative gain with linear gains, as trec_eval and BEIR have it.
pub fn ndcg(ranked: &[String], grades: &Grades, depth: usize) -> f64 {
    let gain = |(place, grade): (usize, u32)| f64::from(grade) / (place as f64 + 2.0).log2();
    let found: f64 = ranked
        .iter()
        .take(depth)
        .enumerate()
        .map(|(place, id)| gain((place, grades.get(id).copied().unwrap_or(0))))
        .sum();
    let mut ideal: Vec<u32> = grades.values().copied().collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    let best: f64 = ideal.into_iter().take(depth).enumerate().map(gain).sum();
    if best > 0.0 { found / best } else { 0.0 }
}

/// Share of the relevant documents among the first `depth`.
pub fn recall(ranked: &[String], grades: &Grades, depth: usize) -> f64 {
    let relevant = grades.values().filter(|grade| **grade > 0).count();
    let found =
        ranked.iter().take(depth).filter(|id| grades.get(*id).is_some_and(|grade| *grade > 0)).count();
    found as f64 / relevant.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &[&str]) -> Vec<String> {
        list.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn measures_as_defined() {
        let grades = HashMap::from([("a".to_owned(), 2), ("b".to_owned(), 1), ("c".to_owned(), 0)]);
        assert!((ndcg(&ids(&["a", "b"]), &grades, 10) - 1.0).abs() < 1e-9);
        let second = ndcg(&ids(&["x", "a"]), &grades, 10);
        assert!((second - (2.0 / 3f64.log2()) / (2.0 + 1.0 / 3f64.log2())).abs() < 1e-9);
        assert!((recall(&ids(&["c", "b"]), &grades, 100) - 0.5).abs() < 1e-9);
        assert!((recall(&ids(&["c", "b"]), &grades, 1)).abs() < 1e-9);
    }

    #[test]
    fn a_folder_is_measured() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        write(
            "corpus.jsonl",
            "{\"_id\":\"1\",\"title\":\"Oil\",\"text\":\"The embargo of 1973 raised prices.\"}\n{\"_id\":\"2\",\"text\":\"Bees make honey.\"}\n",
        );
        write(
            "queries.jsonl",
            "{\"_id\":\"q1\",\"text\":\"who makes honey\"}\n{\"_id\":\"q2\",\"text\":\"not judged\"}\n",
        );
        std::fs::create_dir(dir.path().join("qrels")).expect("a folder");
        write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\t2\t1\n");
        let report = retrieval_dir(dir.path()).expect("measured");
        assert_eq!(report, RetrievalReport { queries: 1, ndcg_at_10: 1.0, recall_at_100: 1.0 });
        assert!(retrieval_dir(&dir.path().join("absent")).is_err());
    }
}
