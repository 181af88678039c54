//! The pool against children that misbehave: each costs its own job only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lectern_extract::{ExtractError, ExtractErrorCode, Extracted, Extractor, Format, PoolConfig, Source};
use tempfile::TempDir;

struct Bench {
    extractor: Extractor,
    folder: TempDir,
}

/// Examples are built beside the tests.
fn child() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows where it is");
    let target = exe.ancestors().nth(2).expect("tests lie in target/<profile>/deps");
    target.join("examples/child")
}

fn bench(change: impl FnOnce(&mut PoolConfig)) -> Bench {
    let folder = TempDir::new().expect("a temporary folder");
    let mut config = PoolConfig::new(child(), folder.path().join("scratch"));
    change(&mut config);
    Bench { extractor: Extractor::new(config), folder }
}

impl Bench {
    fn file(&self, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join("file");
        std::fs::write(&path, content).expect("the folder is ours");
        path
    }

    async fn read(&self, name: &str) -> Result<(Format, Extracted), ExtractError> {
        self.read_file(&self.file(b"A line of text."), name).await
    }

    async fn read_file(&self, file: &Path, name: &str) -> Result<(Format, Extracted), ExtractError> {
        let source = Source { name: name.to_owned(), password: None };
        self.extractor.run(file, &source, |_| ()).await
    }

    async fn text(&self, name: &str) -> String {
        self.read(name).await.expect("this one answers").1.text
    }

    async fn code(&self, name: &str) -> ExtractErrorCode {
        self.read(name).await.expect_err("this one fails").code
    }
}

#[tokio::test]
async fn a_text_is_read_and_the_child_is_kept() {
    let bench = bench(|_| ());
    let (format, extracted) = bench.read("note.txt").await.expect("plain text");
    assert_eq!((format, extracted.text.as_str()), (Format::Txt, "A line of text."));
    assert_eq!(bench.extractor.idle(), 1);
    bench.read("note.txt").await.expect("the same child again");
    assert_eq!(bench.extractor.idle(), 1);
}

#[tokio::test]
async fn a_child_with_nothing_to_do_ends() {
    let bench = bench(|config| config.idle_seconds = 1);
    bench.read("note.txt").await.expect("plain text");
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(bench.extractor.idle(), 0);
}

#[tokio::test]
async fn wall_time_is_limited_and_the_next_job_is_fine() {
    let bench = bench(|config| config.seconds = 1);
    let error = bench.read("sleep").await.expect_err("sleeps");
    assert_eq!(error.code, ExtractErrorCode::Timeout);
    assert_eq!(error.message, "Reading this file took longer than 1 s.");
    assert_eq!(bench.text("progress").await, "done");
}

#[tokio::test]
async fn computing_time_is_limited() {
    let bench = bench(|config| config.cpu_seconds = 1);
    assert_eq!(bench.code("spin").await, ExtractErrorCode::Timeout);
}

#[tokio::test]
async fn memory_is_limited() {
    let bench = bench(|config| config.memory_bytes = 512 << 20);
    let error = bench.read("memory").await.expect_err("hoards");
    assert_eq!(error.code, ExtractErrorCode::Memory);
    assert_eq!(bench.text("progress").await, "done");
}

#[tokio::test]
async fn a_file_larger_than_the_memory_is_refused() {
    let bench = bench(|config| config.memory_bytes = 300 << 20);
    let path = bench.folder.path().join("huge");
    std::fs::File::create(&path).and_then(|file| file.set_len(400 << 20)).expect("a sparse file");
    let error = bench.read_file(&path, "huge.txt").await.expect_err("no room");
    assert_eq!(error.code, ExtractErrorCode::Memory);
}

#[tokio::test]
async fn a_crash_costs_one_job() {
    let bench = bench(|_| ());
    assert_eq!(bench.code("abort").await, ExtractErrorCode::Damaged);
    assert_eq!(bench.code("panic").await, ExtractErrorCode::Damaged);
    assert_eq!(bench.code("stack").await, ExtractErrorCode::TooComplex);
    assert_eq!(bench.text("progress").await, "done");
}

#[tokio::test]
async fn output_is_limited() {
    let bench = bench(|config| config.output_bytes = 1 << 20);
    assert_eq!(bench.code("large").await, ExtractErrorCode::TooLarge);
}

#[tokio::test]
async fn what_a_library_prints_does_no_harm() {
    let bench = bench(|_| ());
    assert_eq!(bench.text("chatter").await, "done");
}

#[tokio::test]
async fn progress_arrives_in_order() {
    let bench = bench(|_| ());
    let file = bench.file(b"x");
    let source = Source { name: "progress".to_owned(), password: None };
    let mut heard = Vec::new();
    bench.extractor.run(&file, &source, |percent| heard.push(percent)).await.expect("done");
    assert_eq!(heard, (1..=100).collect::<Vec<u8>>());
}

#[tokio::test]
async fn the_child_is_locked_in() {
    let bench = bench(|_| ());
    assert_eq!(bench.text("passwd").await, "Err(PermissionDenied)");
    assert_eq!(bench.text("write").await, "Err(PermissionDenied)");
    assert_eq!(bench.text("scratch").await, "Ok(())");
    assert_eq!(bench.text("udp").await, "Err(PermissionDenied)");
    assert_eq!(bench.text("tcp").await, "false");
    assert_eq!(bench.text("program").await, "Err(PermissionDenied)");
    assert!(!bench.text("environment").await.contains("HOME"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_jobs_share_two_children() {
    let bench = Arc::new(bench(|_| ()));
    let file = bench.file(b"A line of text.");
    let jobs: Vec<_> = (0..20)
        .map(|index| {
            let (bench, file) = (Arc::clone(&bench), file.clone());
            // Every fifth one kills its child.
            let name = if index % 5 == 4 { "abort" } else { "note.txt" };
            tokio::spawn(async move { bench.read_file(&file, name).await.is_ok() })
        })
        .collect();
    let mut read = 0;
    for job in jobs {
        read += usize::from(job.await.expect("no panic"));
    }
    assert_eq!(read, 16);
    assert!(bench.extractor.idle() <= 2);
}

#[tokio::test]
async fn a_dropped_job_ends_its_child() {
    let bench = bench(|_| ());
    let file = bench.file(b"x");
    let source = Source { name: "sleep".to_owned(), password: None };
    let job = bench.extractor.run(&file, &source, |_| ());
    let stopped = tokio::time::timeout(std::time::Duration::from_millis(500), job).await;
    assert!(stopped.is_err());
    assert_eq!(bench.extractor.idle(), 0);
    assert_eq!(bench.text("progress").await, "done");
}
