//! Archives that are whole, cut off, shuffled or longer than they were, and that they need little memory.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::archive_head::Head;
use crate::archive_stream::{PART, PartReader, TAG};
use crate::tests::numbers;
use crate::{ArchiveReader, ArchiveWriter, Limits, MAX_HEADER, Result, SealError, Summary, TenantKey};

pub(crate) const ROOMY: Limits = Limits { bytes: 1 << 30, files: 1000 };

pub(crate) fn key() -> TenantKey {
    TenantKey::from_bytes(&[5; 32])
}

pub(crate) fn header() -> Value {
    json!({ "created_at": 1_700_000_000_000_u64, "key": "ltk1.…", "tenant": "ten_one" })
}

pub(crate) fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut next = numbers(seed);
    (0..size).map(|_| next() as u8).collect()
}

pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new(), &header(), &key()).unwrap();
    for (path, content) in files {
        writer.add_reader(path, content.len() as u64, *content).unwrap();
    }
    writer.finish().unwrap()
}

pub(crate) fn read_all(archive: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut entries = ArchiveReader::new(archive)?.entries(&key())?;
    let mut files = Vec::new();
    while let Some(mut entry) = entries.next_entry()? {
        let (path, mut content) = (entry.path().to_owned(), vec![0; entry.size() as usize]);
        let mut filled = 0;
        while filled < content.len() {
            filled += entry.read_some(&mut content[filled..])?;
        }
        files.push((path, content));
    }
    Ok(files)
}

fn head_length() -> usize {
    14 + header().to_string().len() + 64
}

/// Where parts end, beginning with the end of the head.
fn borders(archive: &[u8]) -> Vec<usize> {
    (head_length()..archive.len()).step_by(PART + TAG).chain([archive.len()]).collect()
}

#[test]
fn files_of_all_sizes_come_back() {
    // Around the borders of parts, where the last part is full, and so that the manifest crosses a border.
    for size in [0, 1, 2, 1000, PART - 90, PART - 60, PART - 50, PART - 1, PART, PART + 1, 3 * PART + 17] {
        let content = noise(size, 1);
        let files = [("data.db", content.as_slice()), ("blobs/a", b""), ("blobs/b/c", b"small")];
        let sealed = archive(&files);
        let back = read_all(&sealed).unwrap();
        let back: Vec<(&str, &[u8])> = back.iter().map(|(path, c)| (path.as_str(), c.as_slice())).collect();
        assert_eq!(back, files, "{size}");
    }
    // Every place of the end relative to a border, in steps of one byte.
    for size in PART - 120..PART + 10 {
        let sealed = archive(&[("d", &noise(size, 2))]);
        let summary = ArchiveReader::new(sealed.as_slice()).unwrap().entries(&key()).unwrap().verify();
        assert_eq!(summary.unwrap(), Summary { files: 1, bytes: size as u64 });
    }
}

#[test]
fn the_header_is_there_before_the_key() {
    let sealed = archive(&[("a", b"1")]);
    let reader = ArchiveReader::new(sealed.as_slice()).unwrap();
    assert_eq!(reader.header(), &header());
    let error = reader.entries(&TenantKey::from_bytes(&[6; 32])).err().unwrap();
    assert!(matches!(error, SealError::OtherTenantKey { .. }));
    assert_ne!(sealed, archive(&[("a", b"1")]), "another salt each time");
    let long = json!({ "long": "x".repeat(MAX_HEADER) });
    let error = ArchiveWriter::new(Vec::new(), &long, &key()).err().unwrap();
    assert!(matches!(error, SealError::LongHeader { .. }));
}

#[test]
fn entries_can_be_skipped_or_read_in_part() {
    let (one, two) = (noise(3 * PART, 3), noise(PART / 2, 4));
    let sealed = archive(&[("one", &one), ("two", &two), ("three", b""), ("four", b"end")]);
    let mut entries = ArchiveReader::new(sealed.as_slice()).unwrap().entries(&key()).unwrap();
    let mut some = [0; 1000];
    entries.next_entry().unwrap().unwrap().read_exact(&mut some).unwrap();
    assert_eq!(some, one[..1000]);
    let mut paths = Vec::new();
    while let Some(mut entry) = entries.next_entry().unwrap() {
        paths.push((entry.path().to_owned(), entry.mode(), entry.size()));
        if entry.path() == "four" {
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            assert_eq!(content, "end");
        }
    }
    let wanted = [("two", two.len() as u64), ("three", 0), ("four", 3)];
    assert_eq!(paths, wanted.map(|(path, size)| (path.to_owned(), 0o600, size)));
    assert!(entries.next_entry().unwrap().is_none(), "the end stays the end");
    assert_eq!(entries.summary().files, 4);
}

#[test]
fn cut_off_anywhere_it_is_no_archive() {
    let sealed = archive(&[("one", &noise(2 * PART, 5)), ("two", &noise(PART, 6))]);
    let mut random = numbers(7);
    let mut cuts: Vec<usize> = (0..head_length() + 40).collect();
    cuts.extend((0..200).map(|_| random() as usize % sealed.len()));
    for border in borders(&sealed) {
        cuts.extend((border - 20..border + 20).filter(|cut| *cut < sealed.len()));
    }
    for cut in cuts {
        assert!(read_all(&sealed[..cut]).is_err(), "{cut}");
    }
    for border in &borders(&sealed)[..borders(&sealed).len() - 1] {
        let error = read_all(&sealed[..*border]).unwrap_err();
        assert!(matches!(error, SealError::Truncated { at } if at == *border as u64), "{error}");
    }
}

#[test]
fn parts_cannot_be_moved_doubled_left_out_or_appended() {
    let sealed = archive(&[("one", &noise(5 * PART, 8))]);
    let borders = borders(&sealed);
    let parts: Vec<&[u8]> = borders.windows(2).map(|b| &sealed[b[0]..b[1]]).collect();
    let rebuilt = |parts: &[&[u8]]| [&sealed[..borders[0]], &parts.concat()].concat();
    assert_eq!(rebuilt(&parts), sealed);
    for one in 0..parts.len() {
        for other in 0..parts.len() {
            let (mut swapped, mut doubled) = (parts.clone(), parts.clone());
            swapped.swap(one, other);
            let read = read_all(&rebuilt(&swapped));
            // The parts themselves do not open: it does not take the checksums of files to notice.
            assert!(if one == other { read.is_ok() } else { matches!(read, Err(SealError::Damaged { .. })) });
            doubled.insert(other, parts[one]);
            let read = read_all(&rebuilt(&doubled));
            assert!(matches!(read, Err(SealError::Damaged { .. } | SealError::Appended { .. })));
        }
        let mut missing = parts.clone();
        missing.remove(one);
        assert!(read_all(&rebuilt(&missing)).is_err());
    }
    // Parts of another archive under the same tenant's key, in the same place.
    let other = archive(&[("one", &noise(5 * PART, 8))]);
    let mut mixed = parts.clone();
    mixed[2] = &other[borders[2]..borders[3]];
    assert!(read_all(&rebuilt(&mixed)).is_err());
    for more in [1, 16, 17, 1000, PART, PART + TAG, 2 * PART] {
        assert!(read_all(&[sealed.as_slice(), &noise(more, 9)].concat()).is_err(), "{more}");
        assert!(read_all(&[sealed.as_slice(), &vec![0; more]].concat()).is_err(), "{more}");
    }
    // A last part that is full, and something after it.
    let full = (0..100).map(|less| archive(&[("d", &vec![1; PART - less])]));
    let full = full.into_iter().find(|a| a.len() == head_length() + PART + TAG).unwrap();
    assert!(read_all(&full).is_ok());
    let error = read_all(&[full.as_slice(), b"x"].concat()).unwrap_err();
    assert!(matches!(error, SealError::Appended { at } if at == full.len() as u64), "{error}");
}

#[test]
fn no_byte_of_an_archive_can_change() {
    let sealed = archive(&[("one", b"content"), ("two", b"more")]);
    for at in 0..sealed.len() {
        for change in [1, 0x20, 0x80, 0xFF] {
            let mut changed = sealed.clone();
            changed[at] ^= change;
            assert!(read_all(&changed).is_err(), "{at}");
        }
    }
    // The key in the header exchanged: readable before the key is checked, and refused with it.
    let mut changed = sealed.clone();
    let at = changed.windows(7).position(|w| w == b"ten_one").unwrap();
    changed[at..at + 7].copy_from_slice(b"ten_two");
    let reader = ArchiveReader::new(changed.as_slice()).unwrap();
    assert_eq!(reader.header()["tenant"], "ten_two");
    let error = reader.entries(&key()).unwrap().next_entry().err().unwrap();
    assert!(matches!(error, SealError::Damaged { part: 1, .. }), "{error}");
}

#[test]
fn a_folder_goes_in_and_comes_out() {
    let work = tempfile::tempdir().unwrap();
    let (source, out) = (work.path().join("source"), work.path().join("out"));
    fs::create_dir(&source).unwrap();
    for (name, content, mode) in
        [("a", &noise(PART + 5, 10)[..], 0o644), ("b", b"run", 0o755), ("c", b"", 0o400)]
    {
        fs::write(source.join(name), content).unwrap();
        fs::set_permissions(source.join(name), Permissions::from_mode(mode)).unwrap();
    }
    let mut writer = ArchiveWriter::new(Vec::new(), &header(), &key()).unwrap();
    for (path, name) in [("data.db", "a"), ("bin/deep/run", "b"), ("index/empty", "c")] {
        writer.add_file(path, &source.join(name)).unwrap();
    }
    let sealed = writer.finish().unwrap();
    let extract = |limits| ArchiveReader::new(sealed.as_slice()).unwrap().extract_to(&key(), &out, limits);
    let size = (PART + 8) as u64;
    for (bytes, files) in [(size - 1, 3), (size, 2), (0, 3), (size, 0)] {
        let error = extract(Limits { bytes, files }).unwrap_err();
        assert!(matches!(error, SealError::Limit { .. }), "{error}");
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1, "what was begun is removed");
    }
    assert_eq!(extract(Limits { bytes: size, files: 3 }).unwrap(), Summary { files: 3, bytes: size });
    let mode = |path: &str| out.join(path).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(fs::read(out.join("data.db")).unwrap(), noise(PART + 5, 10));
    assert_eq!(fs::read(out.join("bin/deep/run")).unwrap(), b"run");
    assert_eq!(["data.db", "bin/deep/run", "index/empty"].map(mode), [0o600, 0o700, 0o600]);
    assert_eq!(["", "bin", "bin/deep", "index"].map(mode), [0o700; 4]);
    assert!(matches!(extract(ROOMY), Err(SealError::Occupied(_))));
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 2);
}

#[test]
fn only_plain_files_of_a_steady_size_go_in() {
    let work = tempfile::tempdir().unwrap();
    let (file, link, pipe) = (work.path().join("file"), work.path().join("link"), work.path().join("pipe"));
    fs::write(&file, "content").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let mut writer = ArchiveWriter::new(Vec::new(), &header(), &key()).unwrap();
    for bad in [link.as_path(), pipe.as_path(), work.path(), Path::new("/dev/null")] {
        assert!(matches!(writer.add_file("a", bad), Err(SealError::NotAFile(_))), "{}", bad.display());
    }
    assert!(matches!(writer.add_file("a", &work.path().join("none")), Err(SealError::Io { .. })));
    for bad in ["", "/a", "../a", "a/../b", "a//b", "a/", "./a", "a\0b", "a\\b", "a\nb", ".", ".."] {
        assert!(matches!(writer.add_file(bad, &file), Err(SealError::Path { .. })), "{bad:?}");
    }
    let (long, deep) = ("x".repeat(256), vec!["d"; 33].join("/"));
    for bad in [long, deep, vec!["y".repeat(250); 5].join("/")] {
        assert!(matches!(writer.add_reader(&bad, 0, io::empty()), Err(SealError::Path { .. })));
    }
    // None of these spoiled the archive.
    writer.add_file("..a/b..", &file).unwrap();
    assert!(matches!(writer.add_file("..a/b..", &file), Err(SealError::Path { .. })), "the same path twice");
    for (size, given) in [(8, 7), (6, 7), (0, 1), (1, 0)] {
        let mut writer = ArchiveWriter::new(Vec::new(), &header(), &key()).unwrap();
        let error = writer.add_reader("a", size, &noise(given, 11)[..]).unwrap_err();
        assert!(matches!(error, SealError::Changed { .. }), "{error}");
        assert!(matches!(writer.add_reader("b", 0, io::empty()), Err(SealError::Broken)));
        assert!(matches!(writer.finish(), Err(SealError::Broken)));
    }
    assert_eq!(read_all(&writer.finish().unwrap()).unwrap(), [("..a/b..".to_owned(), b"content".to_vec())]);
}

/// Fails after so many bytes, in either direction.
struct Failing {
    left: usize,
    data: Vec<u8>,
}

impl Failing {
    fn take(&mut self, wanted: usize) -> io::Result<usize> {
        let count = wanted.min(self.left).min(977);
        self.left -= count;
        if count == 0 && wanted > 0 { Err(io::Error::other("the cable is out")) } else { Ok(count) }
    }
}

impl Write for Failing {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.take(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Failing {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.take(out.len().min(self.data.len()))?;
        out[..count].copy_from_slice(&self.data[..count]);
        self.data.drain(..count);
        Ok(count)
    }
}

#[test]
fn failing_disks_are_errors_and_leave_nothing() {
    let content = noise(2 * PART, 12);
    let sealed = archive(&[("one", &content)]);
    let work = tempfile::tempdir().unwrap();
    for left in (0..sealed.len()).step_by(4999) {
        let write = || {
            let mut writer = ArchiveWriter::new(Failing { left, data: Vec::new() }, &header(), &key())?;
            writer.add_reader("one", content.len() as u64, content.as_slice())?;
            writer.finish()
        };
        assert!(matches!(write(), Err(SealError::Io { .. })), "{left}");
        let input = Failing { left, data: sealed.clone() };
        let read =
            ArchiveReader::new(input).and_then(|r| r.extract_to(&key(), &work.path().join("out"), ROOMY));
        assert!(matches!(read, Err(SealError::Io { .. })), "{left}");
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);
        let input = Failing { left, data: sealed.clone() };
        let Ok(mut entries) = ArchiveReader::new(input).and_then(|r| r.entries(&key())) else { continue };
        while entries.next_entry().is_ok_and(|entry| entry.is_some()) {}
        assert!(entries.next_entry().is_err(), "after a failure there is no end");
    }
    let source = Failing { left: 1000, data: content };
    let mut writer = ArchiveWriter::new(Vec::new(), &header(), &key()).unwrap();
    assert!(matches!(writer.add_reader("one", 2000, source), Err(SealError::Io { .. })));
    assert!(matches!(writer.finish(), Err(SealError::Broken)));
}

#[test]
fn after_a_failure_a_stream_never_ends_well() {
    let sealed = archive(&[("one", &noise(3 * PART, 13))]);
    let mut damaged = sealed.clone();
    damaged[head_length() + PART + TAG + 100] ^= 1;
    for (left, data) in [(head_length() + 2 * PART, sealed), (usize::MAX, damaged)] {
        let mut input = Failing { left, data };
        let cipher = Head::read(&mut input).unwrap().open(&key()).unwrap();
        let mut parts = PartReader::new(input, cipher).unwrap();
        let mut out = vec![0; 1000];
        while parts.read(&mut out).is_ok_and(|count| count > 0) {}
        for _ in 0..3 {
            assert!(matches!(parts.read(&mut out), Err(SealError::Damaged { .. })));
        }
    }
}

/// The most memory that this process had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// So many bytes of a pattern, without having them.
fn generated(size: u64) -> impl Read {
    struct Pattern(u8);
    impl Read for Pattern {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.wrapping_add(1);
            out.fill(self.0);
            Ok(out.len())
        }
    }
    Pattern(0).take(size)
}

#[test]
fn large_archives_need_little_memory() {
    const SIZE: u64 = 256 << 20;
    let (input, output) = io::pipe().unwrap();
    let summary = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = ArchiveWriter::new(output, &header(), &key()).unwrap();
            writer.add_reader("large", SIZE, generated(SIZE)).unwrap();
            writer.add_reader("small", 3, &b"end"[..]).unwrap();
            writer.finish().unwrap();
        });
        ArchiveReader::new(input).unwrap().entries(&key()).unwrap().verify().unwrap()
    });
    assert_eq!(summary, Summary { files: 2, bytes: SIZE + 3 });
    // Half of what went through, though other tests may run in this process.
    assert!(peak() < SIZE / 1024 / 2, "{} KiB", peak());
}
