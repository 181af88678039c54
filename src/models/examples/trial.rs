//! Runs the trial of a model's folder as an import does, in a child under limits: `trial FOLDER KIND…`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use lectern_models::{Kind, Trial, TrialConfig};

const CHILD: &str = "__model";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, _)) if first == CHILD => lectern_models::child_main(),
        Some((folder, kinds)) => run(Path::new(folder), kinds),
        None => {
            eprintln!("trial FOLDER KIND…");
            ExitCode::from(2)
        }
    }
}

fn run(folder: &Path, kinds: &[String]) -> ExitCode {
    let kinds: Vec<Kind> = kinds.iter().filter_map(|kind| Kind::parse(kind)).collect();
    let (Ok(program), Ok(folder)) = (std::env::current_exe(), folder.canonicalize()) else {
        return ExitCode::FAILURE;
    };
    let time = Duration::from_secs(60);
    let trial = TrialConfig {
        program,
        argument: CHILD.to_owned(),
        memory_bytes: 1536 << 20,
        time,
        onnxruntime: None,
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    match runtime.block_on(trial.run(&folder, &kinds, 0)) {
        Ok((kind, facts)) => {
            println!("{kind}: {facts:?}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("refused: {error}\n  hint: {}", error.hint.as_deref().unwrap_or("-"));
            ExitCode::FAILURE
        }
    }
}
