//! All that is held about a person, as one ZIP.

use std::fs::File;
use std::io::{Seek, Write};

use lectern_kernel::{Code, Error, HeldContent, HeldFile, Result, Scope, UserId};
use lectern_store::audit::{self, Change};
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::Privacy;

const README: &str = "All that this site holds about one person, a folder for each area.\n\
    JSON is UTF-8; times are UTC, as RFC 3339 writes them. Secrets are never part of it.\n\
    What documents of the site say about a person is found by searching them.\n";

impl Privacy {
    /// Writes the ZIP to a file without a name; it and its length.
    pub async fn export(&self, scope: &Scope, person: &UserId) -> Result<(File, u64)> {
        let mut folders = Vec::new();
        for part in &self.inner.people {
            folders.push((part.name(), part.held(scope, person).await?));
        }
        let files: usize = folders.iter().map(|(_, files)| files.len()).sum();
        if files == 0 {
            return Err(Error::not_found("person"));
        }
        let store = self.tenant(scope)?;
        let folder = store.folder.clone();
        let packed = tokio::task::spawn_blocking(move || {
            let file = tempfile::tempfile_in(&folder).map_err(full)?;
            pack(file, &folders).map_err(full)
        });
        let packed = packed.await.map_err(Error::internal)??;
        let (own, id) = (scope.clone(), person.to_string());
        let after = json!({ "files": files, "bytes": packed.1 });
        let change = move |tx: &mut lectern_store::Tx<'_>| {
            audit::record(tx, &own, Change::new("person.exported", &id).after(&after))
        };
        store.db.write(change).await?;
        Ok(packed)
    }
}

fn pack(file: File, folders: &[(&str, Vec<HeldFile>)]) -> std::io::Result<(File, u64)> {
    let mut zip = ZipWriter::new(file);
    let small =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(false);
    // Originals are mostly compressed already.
    let large = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    zip.start_file("README.txt", small)?;
    zip.write_all(README.as_bytes())?;
    for (folder, files) in folders {
        for held in files {
            let path = format!("{folder}/{}", plain(&held.path));
            match &held.content {
                HeldContent::Json(rows) => {
                    zip.start_file(path, small)?;
                    serde_json::to_writer_pretty(&mut zip, rows)?;
                }
                HeldContent::Text(text) => {
                    zip.start_file(path, small)?;
                    zip.write_all(text.as_bytes())?;
                }
                HeldContent::File(from) => {
                    // One that was deleted meanwhile is not there any more.
                    let Ok(mut from) = File::open(from) else { continue };
                    zip.start_file(path, large)?;
                    std::io::copy(&mut from, &mut zip)?;
                }
            }
        }
    }
    let mut file = zip.finish()?;
    let length = file.stream_position()?;
    file.rewind()?;
    Ok((file, length))
}

/// Names of files come from people: nothing may lead out of the folder where the ZIP is unpacked.
fn plain(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    let safe = |c: char| {
        if c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') { '_' } else { c }
    };
    parts.map(|part| part.chars().map(safe).collect::<String>()).collect::<Vec<_>>().join("/")
}

fn full(error: impl Into<std::io::Error>) -> Error {
    let error = error.into();
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::new(Code::StorageFull, "The disk of the appliance is full; nothing was exported.")
            .hint("Free space on the disk that holds the data folder, then try again.");
    }
    Error::internal(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        assert_eq!(plain("originals/doc_1/../../etc/passwd"), "originals/doc_1/etc/passwd");
        assert_eq!(plain("/a//b\\..\\c:d"), "a/b_.._c_d");
        assert_eq!(plain("Prüfung 1.pdf"), "Prüfung 1.pdf");
    }

    #[test]
    fn a_file_that_went_meanwhile_is_left_out() {
        let gone = HeldFile { path: "x".into(), content: HeldContent::File("/nowhere/at/all".into()) };
        let here = HeldFile { path: "y.txt".into(), content: HeldContent::Text("here".into()) };
        let file = tempfile::tempfile().expect("a file");
        let (file, length) = pack(file, &[("area", vec![gone, here])]).expect("packs");
        assert_eq!(file.metadata().expect("is there").len(), length);
        let mut zip = zip::ZipArchive::new(file).expect("a ZIP");
        let names: Vec<String> = zip.file_names().map(|name| name.expect("UTF-8").into_owned()).collect();
        assert_eq!(names, ["README.txt", "area/y.txt"]);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut zip.by_name("area/y.txt").expect("is in it"), &mut text)
            .expect("reads");
        assert_eq!(text, "here");
    }
}
