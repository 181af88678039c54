//! The built-in model: inside the binary, unpacked once into a folder of the caller's. PocketSphinx reads files only.

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::HearingError;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/en-us.gz"));
const HASH: &str = env!("LECTERN_EN_US_HASH");
/// The names of all files with their sizes, the last file of the folder: what is whole has it.
const LIST: &str = "files";

/// Where the files of the model are.
#[derive(Debug, Clone)]
pub(crate) struct ModelFiles {
    folder: PathBuf,
}

impl ModelFiles {
    /// Below `cache`, unpacked when they are not there yet.
    ///
    /// The folder's name carries the hash of the data, and it appears whole by one rename: an update never mixes
    /// versions, and two processes may do this at once.
    pub(crate) fn unpacked(cache: &Path) -> Result<Self, HearingError> {
        let cache = std::path::absolute(cache).map_err(|source| unpack_error(cache, source))?;
        let folder = cache.join(format!("pocketsphinx-{HASH}"));
        if folder.to_str().is_none_or(|name| name.contains('\0')) {
            return Err(HearingError::FolderName(folder));
        }
        if !is_whole(&folder) {
            unpack(&cache, &folder).map_err(|source| unpack_error(&folder, source))?;
        }
        Ok(Self { folder })
    }

    pub(crate) fn acoustic(&self) -> PathBuf {
        self.folder.join("en-us")
    }

    pub(crate) fn dictionary(&self) -> PathBuf {
        self.folder.join("cmudict-en-us.dict")
    }

    pub(crate) fn language(&self) -> PathBuf {
        self.folder.join("en-us.lm.bin")
    }
}

/// The library ends the process on a damaged model, so the content is compared before it reads it.
fn is_whole(folder: &Path) -> bool {
    let Ok(list) = fs::read_to_string(folder.join(LIST)) else { return false };
    list.lines().count() > 0
        && list.lines().all(|line| {
            let Some((hash, name)) = line.split_once(' ') else { return false };
            let Ok(name) = inside(name) else { return false };
            digest(&folder.join(name)).is_ok_and(|found| found == hash)
        })
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    Ok(hex::encode(hasher.finalize()))
}

fn unpack_error(path: &Path, source: io::Error) -> HearingError {
    HearingError::Unpack { path: path.to_owned(), source }
}

fn unpack(cache: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(cache)?;
    let scratch = tempfile::Builder::new().prefix(".pocketsphinx-").tempdir_in(cache)?;
    let fresh = scratch.path().join("data");
    let mut packed = BufReader::new(flate2::read::GzDecoder::new(PACKED));
    let mut list = String::new();
    while let Some((name, length)) = entry(&mut packed)? {
        let path = fresh.join(inside(&name)?);
        fs::create_dir_all(path.parent().unwrap_or(&fresh))?;
        let copied = io::copy(&mut packed.by_ref().take(length), &mut fs::File::create(&path)?)?;
        if copied != length {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the packed model is cut off"));
        }
        list.extend([digest(&path)?.as_str(), " ", &name, "\n"]);
    }
    fs::write(fresh.join(LIST), list)?;
    if fs::rename(&fresh, folder).is_err() {
        if is_whole(folder) {
            return Ok(()); // another process was first
        }
        // A damaged folder is in the way: move it aside, it goes with the scratch folder.
        fs::rename(folder, scratch.path().join("damaged"))?;
        fs::rename(&fresh, folder)?;
    }
    tracing::debug!(folder = %folder.display(), "recogniser unpacked");
    Ok(())
}

/// Name and length of the next file; `None` at the end.
fn entry(packed: &mut impl Read) -> io::Result<Option<(String, u64)>> {
    let mut first = [0; 1];
    if packed.read(&mut first)? == 0 {
        return Ok(None);
    }
    let mut second = [0; 1];
    packed.read_exact(&mut second)?;
    let mut name = vec![0; usize::from(u16::from_le_bytes([first[0], second[0]]))];
    packed.read_exact(&mut name)?;
    let mut length = [0; 4];
    packed.read_exact(&mut length)?;
    let name = String::from_utf8(name).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Some((name, u64::from(u32::from_le_bytes(length)))))
}

/// A name of the archive as a path that cannot leave the folder.
fn inside(name: &str) -> io::Result<&Path> {
    let path = Path::new(name);
    if !name.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "a file name leaves the folder"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_once_and_repairs_damage() {
        let cache = tempfile::tempdir().expect("temp");
        let first = ModelFiles::unpacked(cache.path()).expect("unpack");
        assert!(is_whole(&first.folder));
        let stamp =
            |files: &ModelFiles| fs::metadata(files.dictionary()).expect("file").modified().expect("time");
        let before = stamp(&first);
        assert_eq!(stamp(&ModelFiles::unpacked(cache.path()).expect("again")), before);

        let means = first.acoustic().join("means");
        let mut content = fs::read(&means).expect("read");
        content[5_000] ^= 1;
        fs::write(&means, content).expect("damage");
        assert!(!is_whole(&first.folder));
        ModelFiles::unpacked(cache.path()).expect("repair");
        assert!(is_whole(&first.folder));
        assert_eq!(fs::read_dir(cache.path()).expect("list").count(), 1, "no scratch folder stays behind");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let error = ModelFiles::unpacked(Path::new("/proc/none")).expect_err("read-only");
        assert!(matches!(error, HearingError::Unpack { .. }), "{error}");
        assert!(inside("../x").is_err());
        assert!(inside("/x").is_err());
    }
}
