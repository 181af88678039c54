//! Prints what embedding takes: `embed_bench FOLDER [TEXTS]`, with a folder as after an import and a file of lines.
use std::path::Path;
use std::time::Instant;

use lectern_inference::{Embedder, Kind};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("usage: embed_bench FOLDER [TEXTS]")?;
    let started = Instant::now();
    let embedder = Embedder::load(Path::new(folder))?;
    println!("load {:.0} ms, baseline {:.3}", started.elapsed().as_secs_f64() * 1e3, embedder.baseline());
    let lines = match arguments.get(1) {
        Some(file) => std::fs::read_to_string(file)?,
        None => "The turbine trips when the bearing temperature exceeds the limit that the maker has set.\n"
            .repeat(200),
    };
    let lines: Vec<&str> = lines.lines().take(1000).collect();
    let mut times: Vec<f64> = Vec::new();
    let before = processor_seconds();
    for line in lines.iter().take(200) {
        let started = Instant::now();
        embedder.embed(&[line], Kind::Query)?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    let spent = (processor_seconds() - before) * 1e3 / times.len() as f64;
    println!("query p50 {:.1} ms, p99 {:.1} ms, {spent:.1} ms of processor time", at(0.5), at(0.99));
    embedder.embed(&lines[..1], Kind::Passage)?;
    for size in [1, 4, 16, 64] {
        let (started, before) = (Instant::now(), processor_seconds());
        for part in lines.chunks(size) {
            embedder.embed(part, Kind::Passage)?;
        }
        let each = |seconds: f64| seconds * 1e3 / lines.len() as f64;
        let (wall, spent) = (each(started.elapsed().as_secs_f64()), each(processor_seconds() - before));
        println!(
            "passages, {size} together on one thread: {wall:.2} ms each, {spent:.2} ms of processor time"
        );
    }
    Ok(())
}

/// Processor time of all threads, which other work on the machine does not blur; 0 where it is not known.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
