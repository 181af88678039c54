//! Files in `multipart/form-data`, streamed to disk and hashed on the way; never whole in memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use actix_multipart::{Field, Multipart};
use futures_util::StreamExt;
use lectern_kernel::{Code, Error, RequestId, Result};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncWriteExt, BufWriter};

const MAX_FIELD: usize = 64 << 10;
const MAX_FIELDS: usize = 32;
const BUFFER: usize = 1 << 20;

/// What an upload may take.
#[derive(Debug, Clone, Copy)]
pub struct UploadLimits {
    pub max_bytes: u64,
}

/// A file that has arrived, with the fields sent before it. Dropping it removes the file.
#[derive(Debug)]
pub struct Incoming {
    pub path: PathBuf,
    pub file_name: String,
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    pub fields: HashMap<String, String>,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // It was moved to its place when the upload was taken.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Reads fields up to and including the part named `file`, into a new file in `folder`.
pub async fn receive(mut form: Multipart, folder: &Path, limits: UploadLimits) -> Result<Incoming> {
    let mut fields = HashMap::new();
    while let Some(part) = form.next().await {
        let part = part.map_err(broken)?;
        let name = part.name().unwrap_or_default().to_owned();
        if name == "file" {
            return store(part, fields, folder, limits).await;
        }
        if fields.len() >= MAX_FIELDS {
            return Err(Error::new(Code::InvalidRequest, "The form has too many fields."));
        }
        fields.insert(name, text(part).await?);
    }
    Err(Error::new(Code::InvalidRequest, "The form has no part named 'file'.")
        .hint("Send the file as the last part, named 'file', with a file name."))
}

async fn text(mut part: Field) -> Result<String> {
    let mut value = Vec::new();
    while let Some(chunk) = part.next().await {
        value.extend_from_slice(&chunk.map_err(broken)?);
        if value.len() > MAX_FIELD {
            return Err(Error::new(Code::TooLarge, "A field of the form is larger than 64 KiB."));
        }
    }
    String::from_utf8(value)
        .map_err(|_| Error::new(Code::InvalidRequest, "A field of the form is not UTF-8."))
}

async fn store(
    mut part: Field,
    fields: HashMap<String, String>,
    folder: &Path,
    limits: UploadLimits,
) -> Result<Incoming> {
    let given = part.content_disposition().and_then(|d| d.get_filename()).unwrap_or("document").to_owned();
    let file_name = base_name(&given);
    let path = folder.join(RequestId::generate().as_str());
    let file = tokio::fs::File::create_new(&path).await.map_err(disk)?;
    let mut incoming = Incoming { path, file_name, bytes: 0, sha256: String::new(), fields };
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    let mut hash = Sha256::new();
    while let Some(chunk) = part.next().await {
        let chunk = chunk.map_err(broken)?;
        incoming.bytes += chunk.len() as u64;
        if incoming.bytes > limits.max_bytes {
            return Err(too_large(limits.max_bytes));
        }
        hash.update(&chunk);
        writer.write_all(&chunk).await.map_err(disk)?;
    }
    writer.flush().await.map_err(disk)?;
    writer.get_ref().sync_data().await.map_err(disk)?;
    incoming.sha256 = hex::encode(hash.finalize());
    Ok(incoming)
}

/// The last part of a path that a client gave as name, without control characters.
fn base_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(255).collect();
    if clean.trim().is_empty() { "document".to_owned() } else { clean }
}

fn too_large(limit: u64) -> Error {
    Error::new(Code::TooLarge, format!("The file is larger than the limit of {} MB.", limit / 1_000_000))
        .hint("An administrator can raise upload.max_size in the configuration.")
}

fn broken(error: actix_multipart::MultipartError) -> Error {
    Error::new(Code::InvalidRequest, format!("The upload broke off: {error}.")).hint("Send it again.")
}

fn disk(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::new(Code::StorageFull, "The disk of the appliance is full; the file was not kept.")
            .hint("Free space on the disk that holds the data folder, then send the file again.");
    }
    Error::internal(error)
}

#[cfg(test)]
mod tests {
    use super::base_name;

    #[test]
    fn a_name_never_is_a_path() {
        assert_eq!(base_name("../../etc/passwd"), "passwd");
        assert_eq!(base_name("C:\\docs\\a.pdf"), "a.pdf");
        assert_eq!(base_name("a\n\0b"), "ab");
        assert_eq!(base_name("/"), "document");
    }
}
