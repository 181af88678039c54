//! The files below given paths: no hidden ones, no links out, in order.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use walkdir::{DirEntry, WalkDir};

/// A file and the name it keeps as source: its path from the folder that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub source: String,
}

pub fn files(paths: &[PathBuf]) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for root in paths {
        if !root.exists() {
            bail!("{} does not exist", root.display());
        }
        let walk = WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|e| e.depth() == 0 || !is_hidden(e)) {
            let entry = entry?;
            if entry.file_type().is_file() && entry.metadata().is_ok_and(|m| m.len() > 0) {
                found.push(Found { source: source(root, entry.path()), path: entry.into_path() });
            }
        }
    }
    Ok(found)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn source(root: &Path, path: &Path) -> String {
    let base = if root.is_dir() { root.parent() } else { root.parent().filter(|_| true) };
    base.and_then(|b| path.strip_prefix(b).ok()).unwrap_or(path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_and_empty_files_are_left_out() {
        let dir = tempfile::tempdir().expect("folder");
        let root = dir.path().join("docs");
        std::fs::create_dir_all(root.join(".git")).expect("folder");
        for (name, body) in [("b.txt", "b"), ("a.txt", "a"), (".hidden", "x"), (".git/c", "x"), ("empty", "")]
        {
            std::fs::write(root.join(name), body).expect("writes");
        }
        let sources: Vec<_> = files(&[root]).expect("walks").into_iter().map(|f| f.source).collect();
        assert_eq!(sources, ["docs/a.txt", "docs/b.txt"]);
        assert!(files(&[dir.path().join("none")]).is_err());
    }
}
