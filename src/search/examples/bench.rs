//! Prints speed beside the raw engine: `bench [PASSAGES] [QUERIES]`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let passages = arguments.next().transpose()?.unwrap_or(100_000);
    let queries = arguments.next().transpose()?.unwrap_or(1000);
    let folder = std::env::temp_dir().join(format!("lectern-bench-{}", std::process::id()));
    let report = lectern_search::bench::run(&folder, passages, queries)?;
    std::fs::remove_dir_all(&folder)?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
