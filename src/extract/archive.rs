//! ZIP archives: every member is read as a document of its own, under its path as label. Nothing is ever unpacked to
//! a disk, so a path that points elsewhere is only a label.

use std::io::Cursor;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::encoding;
use crate::model::{BlockKind, ExtractError, ExtractErrorCode, Source};
use crate::package::read_limited;
use crate::read::{is_readable, try_embed};
use crate::writer::{TextWriter, damaged, too_large};

pub(crate) fn extract(
    bytes: &[u8],
    source: &Source,
    progress: &mut dyn FnMut(u8),
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))
        .map_err(|_| damaged("The archive is damaged: its directory cannot be read."))?;
    if zip.len() > out.limits().members {
        return Err(too_large(format!("The archive has more than {} members.", out.limits().members)));
    }
    let raw: Vec<Vec<u8>> = zip.file_names_raw().map(<[u8]>::to_vec).collect();
    let names = decode_names(&raw);
    let mut first_error = None;
    let mark = out.mark();
    for index in 0..zip.len() {
        progress((index * 100 / zip.len().max(1)) as u8);
        let name = &names[index.min(names.len().saturating_sub(1))];
        let problem = match member(&mut zip, index, name, source, out)? {
            // A picture or an empty file is at least known by its name.
            Member::Read(bytes) if !is_readable(&bytes, name) => {
                out.push_block(BlockKind::ListItem, 1, name, None, Some(name))?;
                None
            }
            Member::Read(bytes) => try_embed(&bytes, name, source, out)?,
            Member::Passed => None,
            Member::Failed(error) => {
                out.warn(format!("“{name}” could not be read: {}", error.message));
                Some(error)
            }
        };
        first_error = first_error.or(problem);
    }
    // An archive of which nothing can be read fails with the reason of its first member.
    match first_error {
        Some(error) if out.is_empty_since(&mark) => Err(error),
        _ => Ok(()),
    }
}

enum Member {
    Read(Vec<u8>),
    Passed,
    Failed(ExtractError),
}

fn member(
    zip: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    name: &str,
    source: &Source,
    out: &mut TextWriter,
) -> Result<Member, ExtractError> {
    if is_litter(name) {
        return Ok(Member::Passed);
    }
    let opened = match &source.password {
        Some(password) => zip.by_index_decrypt(index, password.as_bytes()),
        None => zip.by_index(index),
    };
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => return Ok(Member::Failed(explain(&error))),
    };
    if file.is_dir() || file.is_symlink() || name.ends_with('/') {
        return Ok(Member::Passed);
    }
    let protected = file.encrypted();
    let (bytes, whole) = read_limited(&mut file, out)?;
    // With the old cipher a wrong password shows only in the data.
    if !whole && protected {
        return Ok(Member::Failed(wrong_password()));
    }
    if !whole && bytes.is_empty() {
        return Ok(Member::Failed(damaged("it is damaged.")));
    }
    if !whole {
        out.warn(format!("“{name}” is damaged; what could be unpacked was read."));
    }
    Ok(Member::Read(bytes))
}

fn is_litter(name: &str) -> bool {
    name.starts_with("__MACOSX/") || name.ends_with(".DS_Store") || name.ends_with("Thumbs.db")
}

fn wrong_password() -> ExtractError {
    ExtractError { code: ExtractErrorCode::WrongPassword, message: "The password is not right.".to_owned() }
}

fn explain(error: &ZipError) -> ExtractError {
    match error {
        ZipError::InvalidPassword => wrong_password(),
        ZipError::UnsupportedArchive(text) if text.to_lowercase().contains("password") => ExtractError {
            code: ExtractErrorCode::Encrypted,
            message: "The archive is protected by a password.".to_owned(),
        },
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => ExtractError {
            code: ExtractErrorCode::Unsupported,
            message: "It is compressed in a way that cannot be read.".to_owned(),
        },
        _ => damaged("The archive is damaged."),
    }
}

/// Names are UTF-8, or in the code page of whoever made the archive: that is guessed over all of them together.
fn decode_names(raw: &[Vec<u8>]) -> Vec<String> {
    if raw.iter().all(|name| std::str::from_utf8(name).is_ok()) {
        return raw.iter().map(|name| tidy(&String::from_utf8_lossy(name))).collect();
    }
    let sample: Vec<u8> = raw.iter().flat_map(|name| name.iter().copied().chain([b'\n'])).collect();
    let guess = encoding::guess(&sample);
    raw.iter()
        .map(|name| match std::str::from_utf8(name) {
            Ok(name) => tidy(name),
            Err(_) => tidy(&guess.decode_without_bom_handling(name).0),
        })
        .collect()
}

/// A label: forward slashes, no way up, no root.
fn tidy(name: &str) -> String {
    let is_folder = name.ends_with(['/', '\\']);
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let joined = parts.join("/");
    if is_folder { joined + "/" } else { joined }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::model::Limits;
    use crate::read;

    fn zip(members: &[(&str, &[u8])], password: Option<&str>) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            let mut options = SimpleFileOptions::default();
            if let Some(password) = password {
                options = options.with_aes_encryption(zip::AesMode::Aes256, password);
            }
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read_zip(
        bytes: &[u8],
        password: Option<&str>,
        limits: &Limits,
    ) -> Result<crate::model::Extracted, ExtractError> {
        let source = Source { name: "a.zip".into(), password: password.map(str::to_owned) };
        read::extract(bytes, &source, limits, &mut |_| ()).map(|(_, out)| out)
    }

    #[test]
    fn members_of_members() {
        let inner = zip(&[("deep/b.md", b"# Head\n\ntext")], None);
        let outer = zip(&[("a.txt", b"first"), ("in.zip", &inner), ("../../x.csv", b"1,2")], None);
        let out = read_zip(&outer, None, &Limits::default()).unwrap();
        let found: Vec<_> = out.blocks.iter().map(|b| b.label.clone().unwrap()).collect();
        assert!(found.contains(&"in.zip/deep/b.md".to_owned()), "{found:?}");
        assert!(found.contains(&"x.csv".to_owned()) && out.text.contains("first"));
    }

    #[test]
    fn limits_of_bombs() {
        let mut nested = zip(&[("x.txt", b"x")], None);
        for _ in 0..12 {
            nested = zip(&[("n.zip", &nested)], None);
        }
        assert_eq!(
            read_zip(&nested, None, &Limits::default()).unwrap_err().code,
            ExtractErrorCode::TooComplex
        );
        let big = zip(&[("a.txt", &vec![b'a'; 100_000])], None);
        let limits = Limits { unpacked_bytes: 50_000, ..Limits::default() };
        assert_eq!(read_zip(&big, None, &limits).unwrap_err().code, ExtractErrorCode::TooLarge);
    }

    #[test]
    fn passwords() {
        let locked = zip(&[("a.txt", b"secret text")], Some("right"));
        let read = |password| read_zip(&locked, password, &Limits::default());
        assert_eq!(read(None).unwrap_err().code, ExtractErrorCode::Encrypted);
        assert_eq!(read(Some("wrong")).unwrap_err().code, ExtractErrorCode::WrongPassword);
        assert!(read(Some("right")).unwrap().text.contains("secret text"));
    }
}
