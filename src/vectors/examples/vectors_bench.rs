//! Speed and recall of the store: `vectors_bench COUNT [SENTENCES.f32 QUERIES.f32 DIMENSIONS]`. The files hold raw
//! little-endian vectors; passages are made of four neighbouring sentences with some noise, so that any number of
//! them lies as real ones do. Without files the vectors are made up in clusters.
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use lectern_vectors::{Query, VectorStore};

type Failure = Box<dyn std::error::Error>;
const PASSAGES: usize = 10;
const SPANS: usize = 4;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count: usize =
        arguments.first().ok_or("usage: vectors_bench COUNT [SENTENCES QUERIES DIMENSIONS]")?.parse()?;
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let (sentences, queries) = if let [sentences, queries, dimensions] = &arguments[1..] {
        let dimensions = dimensions.parse()?;
        (read(sentences, dimensions)?, read(queries, dimensions)?)
    } else {
        let centres: Vec<Vec<f32>> = (0..500).map(|_| random.vector(384)).collect();
        let near = |random: &mut Random, n: usize| random.blend(&centres[n % 500], 0.7);
        let sentences: Vec<_> = (0..12_000).map(|n| near(&mut random, n / 20)).collect();
        (sentences, (0..1000).map(|n| near(&mut random, n * 7)).collect())
    };
    let folder = std::env::temp_dir().join(format!("lectern-vectors-{}", std::process::id()));
    let store = VectorStore::open(&folder, sentences[0].len())?;
    let mut means: Vec<Vec<f32>> = Vec::with_capacity(count);
    let started = Instant::now();
    for document in 0..count / PASSAGES {
        let passages: Vec<Vec<Vec<f32>>> = (0..PASSAGES)
            .map(|_| {
                let first = random.below(sentences.len() - SPANS);
                (0..SPANS).map(|n| random.blend(&sentences[first + n], 0.25)).collect()
            })
            .collect();
        for spans in &passages {
            let sum = (0..spans[0].len()).map(|x| spans.iter().map(|span| span[x]).sum()).collect();
            means.push(unit(sum));
        }
        store.put(&format!("doc{document}"), (0, 0), &passages, true)?;
    }
    println!(
        "{} passages written in {:.1} s: {:?}",
        means.len(),
        started.elapsed().as_secs_f64(),
        store.stats()
    );
    let queries: Vec<&Vec<f32>> = queries.iter().step_by((queries.len() / 300).max(1)).collect();
    let truth: Vec<Vec<usize>> = queries.iter().map(|query| exact(&means, query, 10)).collect();
    report("exact", &store, &queries, &truth)?;
    let started = Instant::now();
    store.maintain(&AtomicBool::new(false))?;
    if store.stats().graph > 0 {
        println!("graph made in {:.1} s", started.elapsed().as_secs_f64());
        report("graph", &store, &queries, &truth)?;
        drop(store);
        let started = Instant::now();
        let store = VectorStore::open(&folder, sentences[0].len())?;
        println!("opened in {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
        report("graph, mapped", &store, &queries, &truth)?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn report(
    name: &str,
    store: &VectorStore,
    queries: &[&Vec<f32>],
    truth: &[Vec<usize>],
) -> Result<(), Failure> {
    let (mut hits, mut times) = (0, Vec::new());
    for (query, truth) in queries.iter().zip(truth) {
        let started = Instant::now();
        let mut found = store.nearest(&Query::new(query), 200, None)?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
        found.sort_by(|a, b| b.mean.total_cmp(&a.mean));
        let number = |id: &str| id.trim_start_matches("doc").parse::<usize>().unwrap_or(0);
        let ten: Vec<usize> = found
            .iter()
            .take(10)
            .map(|near| number(&near.document) * PASSAGES + near.ordinal as usize)
            .collect();
        hits += truth.iter().filter(|row| ten.contains(row)).count();
    }
    times.sort_by(f64::total_cmp);
    let recall = hits as f64 / (truth.len() * 10) as f64;
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    println!("{name}: recall@10 {recall:.4} against f32; p50 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.99));
    Ok(())
}

fn exact(means: &[Vec<f32>], query: &[f32], limit: usize) -> Vec<usize> {
    let mut scored: Vec<(f32, usize)> = means
        .iter()
        .enumerate()
        .map(|(at, mean)| (mean.iter().zip(query).map(|(a, b)| a * b).sum::<f32>(), at))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(limit).map(|found| found.1).collect()
}

fn read(path: &str, dimensions: usize) -> Result<Vec<Vec<f32>>, Failure> {
    let bytes = std::fs::read(path)?;
    let numbers: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Ok(numbers.chunks_exact(dimensions).map(<[f32]>::to_vec).collect())
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.into_iter().map(|x| x / length).collect()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn vector(&mut self, dimensions: usize) -> Vec<f32> {
        unit((0..dimensions).map(|_| (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0).collect())
    }

    fn blend(&mut self, vector: &[f32], noise: f32) -> Vec<f32> {
        let other = self.vector(vector.len());
        unit(vector.iter().zip(other).map(|(a, b)| a * (1.0 - noise) + b * noise).collect())
    }
}
