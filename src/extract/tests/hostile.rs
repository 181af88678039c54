//! Every hostile file ends with an answer, and the pool goes on.

use std::path::{Path, PathBuf};

use lectern_extract::{ExtractErrorCode, Extractor, PoolConfig, Source};

fn folder() -> Option<PathBuf> {
    let usual = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    #[expect(clippy::disallowed_methods, reason = "tests find their data by it")]
    let root = std::env::var_os("LECTERN_SHARED").map_or(usual, PathBuf::from);
    Some(root.join("data/hostile")).filter(|folder| folder.is_dir())
}

fn collect(path: &Path, out: &mut Vec<PathBuf>) {
    match path.read_dir() {
        Ok(entries) => entries.flatten().for_each(|entry| collect(&entry.path(), out)),
        Err(_) => out.push(path.to_owned()),
    }
}

#[tokio::test]
async fn hostile_files_cost_only_their_own_job() {
    let Some(folder) = folder() else {
        println!("skipped: the shared data is not here");
        return;
    };
    let exe = std::env::current_exe().expect("a test knows where it is");
    let child = exe.ancestors().nth(2).expect("tests lie in target/<profile>/deps").join("examples/child");
    let scratch = tempfile::TempDir::new().expect("a temporary folder");
    let extractor = Extractor::new(PoolConfig::new(child, scratch.path().to_owned()));
    let mut files = Vec::new();
    collect(&folder, &mut files);
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = Source { name: name.clone(), password: None };
        if let Err(error) = extractor.run(file, &source, |_| ()).await {
            let ours = matches!(error.code, ExtractErrorCode::Internal | ExtractErrorCode::Timeout);
            assert!(!ours, "{name}: {error}");
            assert!(error.message.ends_with('.') && !error.message.contains('\n'), "{name}: {error}");
        }
    }
}
