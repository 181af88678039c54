//! Exports against signed checkpoints: whole, tampered with, cut, rolled back, and of a log with two histories.

use crate::{
    Checkpoint, ExportVerifier, Frontier, Hash, MerkleError, Result, SigningKey, Trust, VerifierKey,
    verify_export,
};

const ORIGIN: &str = "example.org/log";

fn entries(size: u64) -> Vec<String> {
    (0..size).map(|n| format!("{{\"seq\":{n},\"what\":\"signed in\"}}")).collect()
}

struct Log {
    key: SigningKey,
}

impl Log {
    fn new() -> Self {
        Self { key: SigningKey::generate(ORIGIN).unwrap() }
    }

    fn trust(&self) -> Trust {
        self.key.verifier().clone().into()
    }

    fn signed(&self, entries: &[String]) -> Vec<u8> {
        let mut tree = Frontier::new();
        for entry in entries {
            tree.append(Hash::leaf(entry.as_bytes())).unwrap();
        }
        let checkpoint = Checkpoint::new(ORIGIN, tree.size(), tree.root()).unwrap();
        checkpoint.sign(&self.key).unwrap().to_string().into_bytes()
    }

    /// Verifies with checkpoints of the untouched entries of these sizes.
    fn verify(&self, export: &[String], size: usize, older: &[usize]) -> Result<Checkpoint> {
        let untouched = entries(20);
        let older: Vec<Vec<u8>> = older.iter().map(|n| self.signed(&untouched[..*n])).collect();
        let older: Vec<&[u8]> = older.iter().map(Vec::as_slice).collect();
        verify_export(export, &self.trust(), &self.signed(&untouched[..size]), &older)
    }
}

#[test]
fn a_whole_export_holds() {
    let log = Log::new();
    for size in 0..20 {
        let checkpoint = log.verify(&entries(size as u64), size, &[]).unwrap();
        assert_eq!((checkpoint.size(), checkpoint.origin()), (size as u64, ORIGIN));
        let older: Vec<usize> = (0..=size).rev().collect();
        assert_eq!(log.verify(&entries(size as u64), size, &older), Ok(checkpoint));
    }
    assert!(log.verify(&entries(10), 10, &[4, 4, 10, 10]).is_ok());
}

#[test]
fn what_was_changed_is_told_as_near_as_checkpoints_allow() {
    let log = Log::new();
    let mut changed = entries(10);
    changed[5] = changed[5].replace("in", "out");
    let wrong = |size, intact| Err(MerkleError::WrongRoot { size, intact });
    assert_eq!(log.verify(&changed, 10, &[]), wrong(10, 0));
    assert_eq!(log.verify(&changed, 10, &[8, 3]), wrong(8, 3));
    assert_eq!(log.verify(&changed, 10, &[5, 6]), wrong(6, 5));
    let mut exchanged = entries(10);
    exchanged.swap(8, 9);
    assert_eq!(log.verify(&exchanged, 10, &[8]), wrong(10, 8));
    let error = log.verify(&exchanged, 10, &[8]).unwrap_err();
    let message = "the first 10 entries of the export are not those that were signed; \
                   the first 8 are as they were signed";
    assert_eq!(error.to_string(), message);
    // The older checkpoint is right, but the newer one was signed over changed entries.
    let rewritten = verify_export(
        &changed,
        &log.trust(),
        &log.signed(&changed),
        &[&log.signed(&entries(3)), &log.signed(&entries(7))],
    );
    assert_eq!(rewritten, wrong(7, 3));
}

#[test]
fn entries_too_few_or_too_many_are_counted() {
    let log = Log::new();
    let mut export = entries(10);
    export.remove(6);
    let wrong = |found, intact| Err(MerkleError::WrongSize { wanted: 10, found, intact });
    assert_eq!(log.verify(&export, 10, &[]), wrong(9, 0));
    assert_eq!(log.verify(&export, 10, &[6, 8]), wrong(9, 6));
    export.insert(2, "{}".to_owned());
    export.insert(2, "{}".to_owned());
    assert_eq!(log.verify(&export, 10, &[2, 6]), wrong(11, 2));
    assert_eq!(log.verify(&entries(12), 10, &[]), wrong(12, 10));
    assert_eq!(log.verify(&[], 10, &[0]), wrong(0, 0));
    let error = log.verify(&entries(4), 10, &[1]).unwrap_err();
    let message =
        "the export has 4 entries and not the 10 that were signed; the first one is as it was signed";
    assert_eq!(error.to_string(), message);
}

#[test]
fn no_bit_of_an_export_can_change() {
    let log = Log::new();
    let export = entries(6);
    for at in 0..export.len() {
        for byte in 0..export[at].len() {
            let mut bytes: Vec<Vec<u8>> = export.iter().map(|e| e.clone().into_bytes()).collect();
            bytes[at][byte] ^= 1;
            let verified = verify_export(&bytes, &log.trust(), &log.signed(&export), &[]);
            assert_eq!(verified, Err(MerkleError::WrongRoot { size: 6, intact: 0 }));
        }
    }
}

#[test]
fn history_cannot_shrink_or_fork() {
    let log = Log::new();
    let shrunk = MerkleError::Shrunk { older: 12, size: 10 };
    let error = log.verify(&entries(10), 10, &[3, 12]).unwrap_err();
    assert_eq!(error, MerkleError::Older { number: 2, source: Box::new(shrunk.clone()) });
    assert_eq!(error.hint(), shrunk.hint());
    let mut other = entries(10);
    other[0].push(' ');
    for (newest, older) in [(&entries(10), &other), (&other, &entries(10))] {
        let verified = verify_export(newest, &log.trust(), &log.signed(newest), &[&log.signed(older)[..]]);
        assert_eq!(verified, Err(MerkleError::Forked { size: 10 }));
    }
    let (one, two) = (log.signed(&entries(4)), log.signed(&other[..4]));
    let verified = verify_export(entries(10), &log.trust(), &log.signed(&entries(10)), &[&one, &two]);
    assert_eq!(verified, Err(MerkleError::Forked { size: 4 }));
}

#[test]
fn checkpoints_of_others_do_not_count() {
    let (log, other) = (Log::new(), Log::new());
    let (export, own) = (entries(5), log.signed(&entries(5)));
    let check = |trust: &Trust, note: &[u8], older: &[&[u8]]| verify_export(&export, trust, note, older);
    assert_eq!(check(&other.trust(), &own, &[]), Err(MerkleError::UnknownSigner));
    let foreign = other.signed(&entries(2));
    let blamed = MerkleError::Older { number: 1, source: Box::new(MerkleError::UnknownSigner) };
    assert_eq!(check(&log.trust(), &own, &[&foreign]), Err(blamed));
    let changed = String::from_utf8(own.clone()).unwrap().replace("\n5\n", "\n4\n");
    let bad = MerkleError::BadSignature { name: ORIGIN.to_owned() };
    assert_eq!(check(&log.trust(), changed.as_bytes(), &[]), Err(bad));
    let keys: Vec<VerifierKey> = vec![log.key.verifier().clone(), other.key.verifier().clone()];
    assert!(matches!(check(&Trust::new("x", keys.clone()), &own, &[]), Err(MerkleError::WrongOrigin { .. })));
    // After a change of keys, older checkpoints count by the earlier key.
    assert!(check(&Trust::new(ORIGIN, keys), &own, &[&foreign]).is_ok());
}

#[test]
fn entry_by_entry_is_the_same() {
    let log = Log::new();
    let note = log.signed(&entries(3));
    let mut verifier = ExportVerifier::open(&log.trust(), &note, &[]).unwrap();
    for entry in entries(3) {
        verifier.entry(entry.as_bytes());
    }
    assert_eq!(verifier.finish().unwrap(), log.trust().open(&note).unwrap());
}

#[test]
fn every_error_says_what_to_do() {
    let errors = [
        MerkleError::Hash,
        MerkleError::Full,
        MerkleError::KeyName,
        MerkleError::UnknownSigner,
        MerkleError::Random("none".to_owned()),
        MerkleError::Frontier { size: 3, hashes: 1 },
        MerkleError::Key { kind: "verifier", reason: "it is short" },
        MerkleError::Note { line: Some(3), reason: "it is short" },
        MerkleError::ProofSize { wanted: 1, found: 2 },
        MerkleError::WrongSize { wanted: 1, found: 2, intact: 0 },
    ];
    for error in errors {
        let (message, hint) = (error.to_string(), error.hint());
        assert!(message.len() > 10 && !message.ends_with('.') && hint.ends_with('.'), "{message}");
    }
}
