//! The voice data: inside the binary, unpacked once into a folder of the caller's.
//! eSpeak reads its dictionaries from files, so they must exist on disk.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use crate::SpeechError;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/voices.gz"));
const HASH: &str = env!("LECTERN_VOICES_HASH");
/// eSpeak holds the path in a buffer of 1024 bytes and appends names of files.
const MAX_PATH_BYTES: usize = 900;

/// The folder with the voice data below `cache`, unpacked when it is not there yet.
///
/// The folder's name carries the hash of the data, and it appears whole by one rename: an update
/// never mixes versions, and two processes may do this at once.
pub(crate) fn unpacked(cache: &Path) -> Result<PathBuf, SpeechError> {
    let cache = std::path::absolute(cache).map_err(|source| unpack_error(cache, source))?;
    let folder = cache.join(format!("espeak-{HASH}"));
    if folder.to_str().is_none_or(|name| name.len() > MAX_PATH_BYTES || name.contains('\0')) {
        return Err(SpeechError::FolderName(folder));
    }
    if !is_whole(&folder) {
        unpack(&cache, &folder).map_err(|source| unpack_error(&folder, source))?;
    }
    Ok(folder)
}

/// True when the files without which no voice speaks are there. The rename makes the folder
/// whole; this only notices one that was emptied by hand.
pub(crate) fn is_whole(folder: &Path) -> bool {
    ["phondata", "phonindex", "phontab", "intonations", "en_dict"]
        .iter()
        .all(|name| folder.join(name).is_file())
}

fn unpack_error(path: &Path, source: io::Error) -> SpeechError {
    SpeechError::Unpack { path: path.to_owned(), source }
}

fn unpack(cache: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(cache)?;
    let scratch = tempfile::Builder::new().prefix(".espeak-").tempdir_in(cache)?;
    let fresh = scratch.path().join("data");
    let mut raw = Vec::new();
    flate2::read::GzDecoder::new(PACKED).read_to_end(&mut raw)?;
    for (name, content) in files(&raw) {
        let path = fresh.join(inside(name)?);
        fs::create_dir_all(path.parent().unwrap_or(&fresh))?;
        fs::write(path, content)?;
    }
    if fs::rename(&fresh, folder).is_err() {
        if is_whole(folder) {
            return Ok(()); // another process was first
        }
        // A damaged folder is in the way: move it aside, it goes with the scratch folder.
        fs::rename(folder, scratch.path().join("damaged"))?;
        fs::rename(&fresh, folder)?;
    }
    tracing::debug!(folder = %folder.display(), "voice data unpacked");
    Ok(())
}

/// A name of the archive as a path that cannot leave the folder.
fn inside(name: &str) -> io::Result<&Path> {
    let path = Path::new(name);
    if path.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "a file name leaves the folder"))
    }
}

/// The files of an archive, as the build script packs them; ends at the first damaged entry.
fn files(mut raw: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    std::iter::from_fn(move || {
        let (length, rest) = raw.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (content, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        raw = rest;
        Some((std::str::from_utf8(name).ok()?, content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_once_and_repairs_an_emptied_folder() {
        let cache = tempfile::tempdir().expect("temp");
        let first = unpacked(cache.path()).expect("unpack");
        assert!(is_whole(&first));
        assert!(first.join("voices/!v/f3").is_file());
        assert!(first.join("lang/gmw/en").is_file());
        let stamp = fs::metadata(first.join("phondata")).expect("file").modified().expect("time");
        assert_eq!(unpacked(cache.path()).expect("again"), first);
        assert_eq!(fs::metadata(first.join("phondata")).expect("file").modified().expect("time"), stamp);

        fs::remove_file(first.join("phontab")).expect("remove");
        assert_eq!(unpacked(cache.path()).expect("repair"), first);
        assert!(is_whole(&first));
        let left: Vec<_> = fs::read_dir(cache.path()).expect("list").collect();
        assert_eq!(left.len(), 1, "no scratch folder stays behind");
    }

    #[test]
    fn many_at_once_agree() {
        let cache = tempfile::tempdir().expect("temp");
        std::thread::scope(|scope| {
            let runs: Vec<_> =
                (0..4).map(|_| scope.spawn(|| unpacked(cache.path()).expect("unpack"))).collect();
            for run in runs {
                assert!(is_whole(&run.join().expect("thread")));
            }
        });
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let error = unpacked(Path::new("/proc/none")).expect_err("read-only");
        assert!(matches!(error, SpeechError::Unpack { .. }), "{error}");
        let long = format!("/tmp/{}", "x".repeat(1000));
        assert!(matches!(unpacked(Path::new(&long)), Err(SpeechError::FolderName(_))));
    }

    #[test]
    fn damaged_archives_end_quietly() {
        assert_eq!(files(&[5, 0, b'a']).count(), 0);
        assert_eq!(files(&[1, 0, b'a', 255, 255, 255, 255]).count(), 0);
        assert!(inside("../x").is_err());
        assert!(inside("/x").is_err());
    }
}
