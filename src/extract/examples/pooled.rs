//! Read files and folders through the pool, and say a line for each: outcome, milliseconds, letters, message.
//! `pooled [--tesseract PROGRAM] [--text] [--password P] PATH…`; the child is the example `child` beside it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use lectern_extract::{Extractor, PoolConfig, Source, Tesseract};

struct Options {
    tesseract: Option<PathBuf>,
    text: bool,
    password: Option<String>,
    paths: Vec<PathBuf>,
}

fn options() -> Options {
    let mut options = Options { tesseract: None, text: false, password: None, paths: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--tesseract" => options.tesseract = arguments.next().map(PathBuf::from),
            "--text" => options.text = true,
            "--password" => options.password = arguments.next(),
            path => collect(Path::new(path), &mut options.paths),
        }
    }
    options
}

fn collect(path: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = path.read_dir() else {
        out.push(path.to_owned());
        return;
    };
    let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    inside.sort();
    for path in inside {
        collect(&path, out);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let options = options();
    let child = std::env::current_exe()?.with_file_name("child");
    let mut config = PoolConfig::new(child, std::env::temp_dir().join("lectern-pooled"));
    config.tesseract = options.tesseract.clone().map(Tesseract::from);
    let extractor = Extractor::new(config);
    for path in &options.paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = Source { name: name.clone(), password: options.password.clone() };
        let start = Instant::now();
        let result = extractor.run(path, &source, |_| ()).await;
        let ms = start.elapsed().as_millis();
        match result {
            Ok((format, read)) if options.text => {
                eprintln!("OK {ms} {format:?} {} pages, needs OCR {:?}", read.pages, read.needs_ocr);
                println!("{}", read.text);
            }
            Ok((format, read)) => {
                let letters = read.text.chars().count();
                println!("ok\t{ms}\t{letters}\t{name}\t{format:?}, {} warnings", read.warnings.len());
            }
            Err(error) => println!("failed\t{ms}\t0\t{name}\t{:?}: {error}", error.code),
        }
    }
    Ok(())
}
