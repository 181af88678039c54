//! Compares the index with what the database knows and with the files on disk, and removes what belongs to nothing.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::error::Result;
use crate::index::SearchIndex;
use crate::schema::DOCUMENT;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct AuditReport {
    pub documents: u64,
    pub passages: u64,
    pub segments: usize,
    /// Bytes of all files in the folder.
    pub bytes: u64,
    /// Expected, but absent or with another number of passages.
    pub missing_documents: Vec<String>,
    /// In the index, but not expected.
    pub extra_documents: Vec<String>,
    /// Files that no segment in use owns, and their bytes.
    pub orphan_files: Vec<String>,
    pub orphan_bytes: u64,
}

impl AuditReport {
    pub fn is_clean(&self) -> bool {
        self.missing_documents.is_empty() && self.extra_documents.is_empty() && self.orphan_files.is_empty()
    }
}

impl SearchIndex {
    /// Checks against the documents that should be there with their number of passages. Ends running merges first, so
    /// that files in the making are not taken for orphans.
    pub fn check(&self, expected: &mut dyn Iterator<Item = (String, u64)>) -> Result<AuditReport> {
        self.release_writer()?;
        let mut found = self.documents()?;
        let mut report = AuditReport {
            documents: found.len() as u64,
            passages: found.values().sum(),
            segments: self.searcher().segment_readers().len(),
            ..AuditReport::default()
        };
        for (document, passages) in expected {
            if found.remove(&document).unwrap_or(0) != passages {
                report.missing_documents.push(document);
            }
        }
        report.extra_documents = found.into_keys().collect();
        report.extra_documents.sort();
        report.bytes = self.files()?.iter().map(|(_, bytes)| bytes).sum();
        for (path, bytes) in self.orphans()? {
            report.orphan_bytes += bytes;
            report.orphan_files.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        Ok(report)
    }

    /// Passages of each indexed document.
    pub fn documents(&self) -> Result<HashMap<String, u64>> {
        let mut found: HashMap<String, u64> = HashMap::new();
        for segment in self.searcher().segment_readers() {
            let Some(column) = segment.fast_fields().str(DOCUMENT)? else { continue };
            let mut counts = vec![0u64; column.num_terms()];
            for doc in segment.doc_ids_alive() {
                if let Some(ordinal) = column.term_ords(doc).next() {
                    counts[ordinal as usize] += 1;
                }
            }
            for (ordinal, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                let mut document = String::new();
                column.ord_to_str(ordinal as u64, &mut document)?;
                *found.entry(document).or_default() += count;
            }
        }
        Ok(found)
    }

    /// Bytes of all files in the folder.
    pub fn disk_bytes(&self) -> Result<u64> {
        Ok(self.files()?.iter().map(|(_, bytes)| bytes).sum())
    }

    /// Removes files that no segment in use owns. Returns how many, and their bytes.
    pub fn remove_orphans(&self) -> Result<(usize, u64)> {
        self.release_writer()?;
        // Under the writer's lock nobody else makes files; the engine first forgets those it knows of.
        self.with_writer(|writer| {
            writer.garbage_collect_files().wait()?;
            Ok(())
        })?;
        let (mut files, mut bytes) = (0, 0);
        for (path, size) in self.orphans()? {
            std::fs::remove_file(&path)?;
            tracing::info!(file = %path.display(), size, "removed an orphan file of the index");
            files += 1;
            bytes += size;
        }
        self.release_writer()?;
        Ok((files, bytes))
    }

    fn files(&self) -> Result<Vec<(PathBuf, u64)>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.dir())? {
            let entry = entry?;
            // A file may go while we look: merged segments are removed at any time.
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                files.push((entry.path(), metadata.len()));
            }
        }
        Ok(files)
    }

    fn orphans(&self) -> Result<Vec<(PathBuf, u64)>> {
        let living = self.index.load_metas()?.list_segment_files();
        let mut files = self.files()?;
        files.retain(|(path, _)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_of_engine = name.starts_with('.') || name == "meta.json";
            !is_of_engine && !living.contains(&PathBuf::from(name.as_ref()))
        });
        files.sort();
        Ok(files)
    }
}
