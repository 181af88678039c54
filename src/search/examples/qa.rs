//! Prints the figures of a SQuAD file: `qa FILE.json[.gz] [TARGET MAX OVERLAP]`.
use std::io::Read;
use std::time::Instant;

use lectern_search::{Options, SearchIndex, Shape, eval, squad};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let bytes = std::fs::read(&arguments[0])?;
    let mut json = Vec::new();
    if bytes.starts_with(&[0x1F, 0x8B]) {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut json)?;
    } else {
        json = bytes;
    }
    let mut shape = Shape::default();
    if let [_, target, max, overlap] = &arguments[..] {
        shape = Shape { target: target.parse()?, max: max.parse()?, overlap: overlap.parse()? };
    }
    let articles = squad::parse(&json, &arguments[0])?;
    let folder = std::env::temp_dir().join(format!("lectern-qa-{}", std::process::id()));
    let index = SearchIndex::open(&folder, Options::default())?;
    eval::index_articles(&index, &articles, shape)?;
    // Halves by article, over one index: weights are fitted on the even ones.
    let mut halves = [articles.clone(), articles];
    for (parity, half) in halves.iter_mut().enumerate() {
        for (number, article) in half.iter_mut().enumerate() {
            if number % 2 != parity {
                article.questions.clear();
            }
        }
        let start = Instant::now();
        let report = eval::qa(&index, half, &[], None)?;
        let each = start.elapsed().as_secs_f64() * 1000.0 / report.questions.max(1) as f64;
        println!("{} {each:.2} ms/question {}", ["even", "odd"][parity], serde_json::to_string(&report)?);
    }
    println!("passages {}", index.count());
    index.close()?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
