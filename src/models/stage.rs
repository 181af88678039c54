//! The place where a model is put together before it is one: written, hashed and counted; gone when it comes to nothing.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use lectern_kernel::{Code, Error, RequestId, Result};
use sha2::{Digest, Sha256};

use crate::bundle::{Unpacker, is_bundle};
use crate::manifest::{MANIFEST, Manifest, ModelFile, refused};

/// Under the models' folder; emptied at the start.
pub(crate) const STAGING: &str = ".staging";

/// Most files of an import; an export holds more than the model needs.
const MOST_STAGED: u32 = 128;

/// What an import may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StageLimits {
    /// All files together.
    pub most_bytes: u64,
    /// What must stay free on the disk.
    pub keep_free: u64,
}

/// A folder of files that are being written; removed when it is dropped.
pub(crate) struct Folder {
    path: PathBuf,
    limits: StageLimits,
    written: u64,
    files: u32,
    file: Option<File>,
}

impl Folder {
    pub fn new(models: &Path, limits: StageLimits) -> Result<Self> {
        let path = models.join(STAGING).join(RequestId::generate().as_str());
        std::fs::create_dir_all(&path).map_err(disk)?;
        Ok(Self { path, limits, written: 0, files: 0, file: None })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses what would fill the disk.
    pub fn expect(&self, bytes: u64) -> Result<()> {
        if bytes > self.limits.most_bytes {
            return Err(too_large(self.limits.most_bytes));
        }
        let Ok(disk) = rustix::fs::statvfs(&self.path) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < bytes.saturating_add(self.limits.keep_free) {
            return Err(Error::new(
                Code::StorageFull,
                format!("The model takes {} MB, and {} MB are free.", bytes / 1_000_000, free / 1_000_000),
            )
            .hint("Free space on the disk that holds the data folder, then import again."));
        }
        Ok(())
    }

    pub fn begin(&mut self, name: &str) -> Result<()> {
        self.files += 1;
        if self.files > MOST_STAGED {
            return Err(refused(format!("An import has at most {MOST_STAGED} files.")));
        }
        match File::create_new(self.path.join(name)) {
            Ok(file) => self.file = Some(file),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(refused(format!("Two of the files have the name '{name}'.")));
            }
            Err(error) => return Err(disk(error)),
        }
        Ok(())
    }

    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        self.written += data.len() as u64;
        if self.written > self.limits.most_bytes {
            return Err(too_large(self.limits.most_bytes));
        }
        let file = self.file.as_mut().ok_or_else(|| Error::internal("a write outside of a file"))?;
        file.write_all(data).map_err(disk)
    }

    pub fn end(&mut self) -> Result<()> {
        match self.file.take() {
            Some(file) => file.sync_all().map_err(disk),
            None => Ok(()),
        }
    }

    /// Writes the manifest beside the files.
    pub fn describe(&self, manifest: &Manifest) -> Result<()> {
        let text = serde_json::to_vec_pretty(manifest).map_err(Error::internal)?;
        let mut file = File::create(self.path.join(MANIFEST)).map_err(disk)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(disk)
    }

    /// Gives the folder its place: from here on it is a model.
    pub fn install(&self, manifest: &Manifest, place: &Path) -> Result<()> {
        self.describe(manifest)?;
        sync_folder(&self.path)?;
        std::fs::rename(&self.path, place).map_err(disk)?;
        sync_folder(place.parent().unwrap_or(place))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It has another name when it became a model.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(disk)
}

/// What a crash left behind.
pub(crate) fn sweep(models: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(models.join(STAGING)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

enum Part {
    /// Until it is known what begins here.
    Start {
        name: String,
        bytes: Vec<u8>,
    },
    Plain {
        name: String,
        hash: Sha256,
        bytes: u64,
    },
    Bundle(Box<Unpacker>),
    /// What no model needs, such as a README: read past.
    Other,
}

/// Files as they arrive, one after the other.
pub(crate) struct Receiving {
    pub folder: Folder,
    part: Option<Part>,
    files: Vec<ModelFile>,
    manifest: Option<Manifest>,
    root: Option<String>,
    others: bool,
}

/// Files that have arrived, and the manifest when they came as a bundle.
pub(crate) struct Received {
    pub folder: Folder,
    pub files: Vec<ModelFile>,
    pub manifest: Option<Manifest>,
    /// The folder they lay in at their sender's.
    pub root: Option<String>,
}

impl Receiving {
    pub fn new(folder: Folder) -> Self {
        Self { folder, part: None, files: Vec::new(), manifest: None, root: None, others: false }
    }

    /// A file begins; `name` is what its sender calls it.
    pub fn begin(&mut self, name: &str) -> Result<()> {
        if self.manifest.is_some() {
            return Err(refused("A bundle comes alone."));
        }
        if let Some((root, _)) = name.split_once('/').filter(|_| self.root.is_none()) {
            self.root = Some(root.to_owned());
        }
        self.part = Some(Part::Start { name: plain_name(name), bytes: Vec::new() });
        Ok(())
    }

    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        let Some(part) = &mut self.part else { return Err(Error::internal("a write outside of a file")) };
        match part {
            Part::Start { bytes, .. } => {
                bytes.extend_from_slice(data);
                if bytes.len() >= 512 { self.start() } else { Ok(()) }
            }
            Part::Plain { hash, bytes, .. } => {
                hash.update(data);
                *bytes += data.len() as u64;
                self.folder.write(data)
            }
            Part::Bundle(unpacker) => unpacker.push(data, &mut self.folder),
            Part::Other => Ok(()),
        }
    }

    /// Enough has come to see whether it is a bundle.
    fn start(&mut self) -> Result<()> {
        let Some(Part::Start { name, bytes }) = self.part.take() else { return Ok(()) };
        if is_bundle(&bytes) {
            if !self.files.is_empty() {
                return Err(refused("A bundle comes alone."));
            }
            self.part = Some(Part::Bundle(Box::new(Unpacker::new(self.folder.limits.most_bytes))));
        } else {
            if name.ends_with(crate::BUNDLE_EXTENSION) {
                return Err(refused(format!("'{name}' is no bundle: it does not begin with a manifest."))
                    .hint("Copy the bundle again from where it was made."));
            }
            self.part = Some(self.plain(name)?);
        }
        self.write(&bytes)
    }

    fn plain(&mut self, name: String) -> Result<Part> {
        if !crate::pick::may_belong(&name) {
            self.others = true;
            return Ok(Part::Other);
        }
        crate::manifest::check_file_name(&name)?;
        self.folder.begin(&name)?;
        Ok(Part::Plain { name, hash: Sha256::new(), bytes: 0 })
    }

    pub fn end(&mut self) -> Result<()> {
        if matches!(self.part, Some(Part::Start { .. })) {
            self.start()?;
        }
        match self.part.take() {
            Some(Part::Plain { name, hash, bytes }) => {
                self.folder.end()?;
                self.files.push(ModelFile { name, sha256: hex::encode(hash.finalize()), bytes });
                Ok(())
            }
            Some(Part::Bundle(unpacker)) => {
                let manifest = unpacker.finish()?;
                self.files.clone_from(&manifest.files);
                self.manifest = Some(manifest);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub fn finish(self) -> Result<Received> {
        if self.files.is_empty() && !self.others {
            return Err(Error::new(Code::InvalidRequest, "No file was sent.")
                .hint("Send the files of one model as parts named 'file', each with its file name."));
        }
        Ok(Received { folder: self.folder, files: self.files, manifest: self.manifest, root: self.root })
    }
}

/// The last part of a path. Where exports put two files of one name, the folder tells them apart.
fn plain_name(given: &str) -> String {
    let mut parts = given.rsplit(['/', '\\']);
    let last = parts.next().unwrap_or_default();
    let folder = parts.next().unwrap_or_default();
    // Copies that a browser made have blanks and brackets.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c } else { '-' };
    let last: String = last.chars().map(plain).collect();
    let last = last.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if folder.ends_with("Pooling") && last == "config.json" {
        "pooling.json".to_owned()
    } else {
        last.to_owned()
    }
}

pub(crate) fn too_large(most: u64) -> Error {
    Error::new(Code::TooLarge, format!("The model is larger than the limit of {} MB.", most / 1_000_000))
        .hint("An administrator can raise models.max_size in the configuration.")
}

pub(crate) fn disk(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::new(Code::StorageFull, "The disk of the appliance is full; the model was not kept.")
            .hint("Free space on the disk that holds the data folder, then import again.");
    }
    Error::internal(error)
}
