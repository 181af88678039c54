//! Archives made with the right key by someone with bad intent, and random changes of good ones: nothing panics,
//! nothing is written outside the folder, nothing stays after a failure.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::archive_entry::EntryHead;
use crate::archive_head::Head;
use crate::archive_stream::{PART, PartWriter};
use crate::tests::numbers;
use crate::tests_archive::{ROOMY, archive, header, key, noise, read_all};
use crate::{ArchiveReader, Limits, MAX_PATH, SealError, Summary};

/// An archive with whatever inside, properly sealed.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut parts = PartWriter::new(Vec::new(), Head::create(&header(), &key(), [1; 32]).unwrap()).unwrap();
    parts.write(content).unwrap();
    parts.finish().unwrap()
}

fn entry(path: &str, content: &[u8]) -> Vec<u8> {
    let head = EntryHead { path: path.to_owned(), executable: false, size: content.len() as u64 };
    [&head.encode(), content, Sha256::digest(content).as_slice()].concat()
}

fn manifest(files: u64, bytes: u64) -> Vec<u8> {
    Summary { files, bytes }.encode()
}

fn whole(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut all: Vec<u8> = entries.iter().flat_map(|(path, content)| entry(path, content)).collect();
    let bytes = entries.iter().map(|(_, content)| content.len() as u64).sum();
    all.extend(manifest(entries.len() as u64, bytes));
    all
}

/// Unpacks into `folder/out`; whatever happens, nothing else may be in the folder.
fn unpack(archive: &[u8], folder: &Path, limits: Limits) -> Result<Summary, SealError> {
    let out = folder.join("out");
    let result = ArchiveReader::new(archive).and_then(|r| r.extract_to(&key(), &out, limits));
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, if result.is_ok() { vec!["out"] } else { vec![] });
    if result.is_ok() {
        fs::remove_dir_all(out).unwrap();
    }
    result
}

#[test]
fn paths_that_lead_out_are_refused() {
    let work = tempfile::tempdir().unwrap();
    let (long, deep) = ("x".repeat(MAX_PATH + 1), vec!["d"; 40].join("/"));
    let absolute = work.path().join("evil").display().to_string();
    for path in [
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        &absolute,
        "../evil",
        "../../evil",
        "a/../../evil",
        "a/..",
        "a/./b",
        "a//b",
        "a/",
        "./a",
        "..\\evil",
        "C:\\evil",
        "a\0b",
        "a\u{1b}[2J",
        "a\u{85}b",
        &long,
        &deep,
    ] {
        let hostile = sealed(&whole(&[("good", b"1"), (path, b"evil"), ("after", b"2")]));
        let error = unpack(&hostile, work.path(), ROOMY).unwrap_err();
        assert!(matches!(error, SealError::Path { .. } | SealError::Content(_)), "{path:?}: {error}");
        assert!(read_all(&hostile).is_err());
    }
    let mut bytes = whole(&[("ab", b"1")]);
    bytes[3] = 0xFF;
    let error = unpack(&sealed(&bytes), work.path(), ROOMY).unwrap_err();
    assert_eq!(error.to_string(), "the archive's content is not as it has to be: a path is not UTF-8");
}

#[test]
fn entries_that_clash_are_refused() {
    let work = tempfile::tempdir().unwrap();
    for paths in [["a", "a"], ["a", "a/b"], ["a/b", "a"], ["a/b/c", "a/b"], ["a/b", "a/b/c/d"]] {
        let hostile = sealed(&whole(&paths.map(|path| (path, &b"content"[..]))));
        let error = unpack(&hostile, work.path(), ROOMY).unwrap_err();
        assert!(matches!(error, SealError::Path { .. }), "{paths:?}: {error}");
    }
    let fine = sealed(&whole(&[("a/b", b"1"), ("a/c", b"2"), ("ab", b"3")]));
    assert_eq!(unpack(&fine, work.path(), ROOMY).unwrap(), Summary { files: 3, bytes: 3 });
}

#[test]
fn contents_that_do_not_add_up_are_refused() {
    let work = tempfile::tempdir().unwrap();
    let one = entry("a", b"content");
    let mut wrong_hash = one.clone();
    *wrong_hash.last_mut().unwrap() ^= 1;
    let mut other_mode = one.clone();
    other_mode[4] = 2;
    let empty_wrong =
        [&EntryHead { path: "e".to_owned(), executable: false, size: 0 }.encode()[..], &[7; 32]];
    let huge = EntryHead { path: "h".to_owned(), executable: false, size: u64::MAX }.encode();
    for (what, content) in [
        ("too many in the manifest", [&one[..], &manifest(2, 7)].concat()),
        ("too few in the manifest", [&one[..], &manifest(0, 0)].concat()),
        ("other bytes in the manifest", [&one[..], &manifest(1, 8)].concat()),
        ("no manifest", one.clone()),
        ("half a manifest", [&one[..], &manifest(1, 7)[..9]].concat()),
        ("two manifests", [&one[..], &manifest(1, 7), &manifest(1, 7)].concat()),
        ("an entry after it", [&manifest(0, 0)[..], &one].concat()),
        ("a zero after it", [&one[..], &manifest(1, 7), &[0]].concat()),
        ("a wrong checksum", [&wrong_hash[..], &manifest(1, 7)].concat()),
        ("a wrong checksum of nothing", [&empty_wrong.concat()[..], &manifest(1, 0)].concat()),
        ("an unknown mode", [&other_mode[..], &manifest(1, 7)].concat()),
        ("an unknown record", vec![3]),
        ("nothing", Vec::new()),
        ("more bytes than there are numbers", [&one[..], &huge].concat()),
    ] {
        let error = unpack(&sealed(&content), work.path(), ROOMY).unwrap_err();
        assert!(
            matches!(error, SealError::Content(_) | SealError::Checksum { .. } | SealError::Truncated { .. }),
            "{what}: {error}"
        );
    }
    // A size that no disk has costs nothing: it is refused before a byte is written.
    let error = unpack(&sealed(&huge), work.path(), ROOMY).unwrap_err();
    assert!(matches!(error, SealError::Limit { what: "bytes", .. }), "{error}");
    let unlimited = Limits { bytes: u64::MAX, files: u64::MAX };
    let error = unpack(&sealed(&huge), work.path(), unlimited).unwrap_err();
    assert!(matches!(error, SealError::Content(_)), "{error}");
    let many: Vec<String> = (0..1001).map(|n| format!("f/{n}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|path| (path.as_str(), &b""[..])).collect();
    let error = unpack(&sealed(&whole(&many)), work.path(), ROOMY).unwrap_err();
    assert!(matches!(error, SealError::Limit { what: "files", .. }), "{error}");
}

#[test]
fn after_a_wrong_entry_comes_no_other() {
    let mut content = whole(&[("a", b"content"), ("b", b"more")]);
    content[entry("a", b"content").len() - 1] ^= 1;
    let hostile = sealed(&content);
    let mut entries = ArchiveReader::new(hostile.as_slice()).unwrap().entries(&key()).unwrap();
    let mut some = [0; 100];
    let mut first = entries.next_entry().unwrap().unwrap();
    assert_eq!(first.read_some(&mut some[..3]).unwrap(), 3);
    assert!(matches!(first.read_some(&mut some), Err(SealError::Checksum { .. })));
    assert!(matches!(first.read_some(&mut some), Err(SealError::Broken)));
    assert!(matches!(entries.next_entry(), Err(SealError::Broken)));
    assert!(matches!(entries.verify(), Err(SealError::Broken)));
}

/// One of several kinds of random change.
fn mutated(good: &[u8], random: &mut impl FnMut() -> u64) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=random() % 3 {
        let at = random() as usize % bytes.len().max(1);
        let to = (at + random() as usize % 64).min(bytes.len());
        match random() % 7 {
            0 if at < bytes.len() => bytes[at] ^= 1 << (random() % 8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 2, 0x7F, 0xFF, b'/', b'.'][random() as usize % 7],
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..to)),
            4 => {
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => bytes.extend(noise(random() as usize % 100, random())),
            _ => bytes[at..to].fill(random() as u8),
        }
    }
    bytes
}

#[test]
fn random_changes_of_an_archive_are_always_noticed() {
    let good = archive(&[("one", &noise(PART + 1000, 20)), ("two/three", b"small"), ("four", b"")]);
    let small = archive(&[("one", b"1"), ("two/three", b"small"), ("four", b"")]);
    let work = tempfile::tempdir().unwrap();
    let mut random = numbers(21);
    for round in 0..4000 {
        let good = if round % 8 == 0 { &good } else { &small };
        let changed = mutated(good, &mut random);
        let opened = unpack(&changed, work.path(), ROOMY);
        assert_eq!(opened.is_ok(), changed == *good, "round {round}");
    }
}

#[test]
fn random_contents_under_the_right_key_never_leave_the_folder() {
    let work = tempfile::tempdir().unwrap();
    let good = whole(&[("a", b"1"), ("../b", b"two"), ("c/d", b""), ("e/f/g", b"content of it")]);
    let fine = whole(&[("a", b"1"), ("b..", b"two"), ("c/d", b""), ("e/f/g", b"content of it")]);
    let mut random = numbers(22);
    let limits = Limits { bytes: 1000, files: 10 };
    let mut opened = 0;
    for round in 0..1500 {
        let content = mutated(if round % 2 == 0 { &good } else { &fine }, &mut random);
        // `unpack` looks at what is in the folder after each.
        opened += usize::from(unpack(&sealed(&content), work.path(), limits).is_ok());
    }
    assert!(opened > 0, "some changes, of a path's letters for example, are harmless");
}

#[test]
fn a_last_part_without_content_is_none() {
    for end in [&[][..], &[0; 16], &[0; 15]] {
        let head = sealed(b"");
        let head = &head[..head.len() - 16];
        let error = read_all(&[head, end].concat()).unwrap_err();
        assert!(matches!(error, SealError::Truncated { .. } | SealError::Damaged { .. }), "{error}");
    }
    assert!(matches!(read_all(&sealed(b"")), Err(SealError::Content(_))));
}
