//! Keys, notes and checkpoints: those of other implementations, round trips, and what has to be refused.

use crate::tests::leaves;
use crate::{
    Checkpoint, ConsistencyProof, Hash, InclusionProof, MAX_NOTE, MAX_SIGNATURES, MerkleError, SignedNote,
    SigningKey, Trust, VerifierKey, root_of,
};

/// Keys and note of the documentation of golang.org/x/mod/sumdb/note.
const GO_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
/// A checkpoint of the log of Go's modules.
const SUM_KEY: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
const SUM_NOTE: &str = "go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n\
    — sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n";
/// Of the seed 00 01 … 1f over the tree of eight entries of certificate transparency, by another implementation.
const SEEDED_KEY: &str = "example.org/log+98af023b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const SEEDED_NOTE: &str = "example.org/log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n\
    — example.org/log mK8CO9kejJsKx8e73LyvE6171fQyZdBb3jS18WPAAFMZiU0G3Ev5GmvB99O4i6y5SuOMmImUe7Zq0TIGUAu0fSUnRg4=\n";

fn seed() -> [u8; 32] {
    std::array::from_fn(|n| n as u8)
}

fn key(name: &str) -> SigningKey {
    SigningKey::generate(name).unwrap()
}

fn trust(key: &SigningKey) -> Trust {
    key.verifier().clone().into()
}

#[test]
fn keys_and_notes_of_other_implementations_are_the_same_here() {
    let go = SigningKey::from_secret_text(GO_SECRET).unwrap();
    assert_eq!((go.verifier().to_string(), go.to_secret_text().as_str()), (GO_KEY.to_owned(), GO_SECRET));
    let note = SignedNote::parse(GO_NOTE.as_bytes()).unwrap();
    assert_eq!(note.verify(&[GO_KEY.parse().unwrap()]).unwrap(), [go.verifier()]);
    assert_eq!(SignedNote::sign(note.text().to_owned(), &go).unwrap().to_string(), GO_NOTE);

    let trust = Trust::new("go.sum database tree", vec![SUM_KEY.parse().unwrap()]);
    assert_eq!(trust.open(SUM_NOTE.as_bytes()).unwrap().size(), 6_476_701);

    let seeded = SigningKey::from_seed("example.org/log", &seed()).unwrap();
    assert_eq!(seeded.verifier().to_string(), SEEDED_KEY);
    let checkpoint = self::trust(&seeded).open(SEEDED_NOTE.as_bytes()).unwrap();
    assert_eq!(checkpoint.sign(&seeded).unwrap().to_string(), SEEDED_NOTE);
}

#[test]
fn keys_go_to_text_and_back_and_hide_the_secret() {
    let made = key("example.org/log");
    let text = made.to_secret_text();
    let read = SigningKey::from_secret_text(&text).unwrap();
    assert_eq!(read.verifier(), made.verifier());
    assert_ne!(made.verifier(), key("example.org/log").verifier());
    assert_eq!(format!("{made:?}"), "SigningKey(example.org/log)");
    let public = serde_json::to_string(made.verifier()).unwrap();
    assert_eq!(public, format!("\"{}\"", made.verifier()));
    assert_eq!(serde_json::from_str::<VerifierKey>(&public).unwrap(), *made.verifier());
}

#[test]
fn a_key_that_is_not_exactly_right_is_refused() {
    let weak = format!("a+00000000+{}", "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let bad = [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        &GO_KEY.replace("c7", "C7"),
        &GO_KEY.replace("c7", "c8"),
        &GO_KEY.replace("c7", "+c7"),
        &GO_KEY.replace("Neu", "neu"),
        &GO_KEY.replace("Neu", " "),
        &GO_KEY.replace("+ARpc", "+BRpc"),
        &GO_KEY.replace("+ARpc", "+ARpd"),
        &GO_KEY[..GO_KEY.len() - 4],
        &format!("{GO_KEY}AAAA"),
        &format!("{GO_KEY}\n"),
        &weak,
        GO_SECRET,
    ];
    for text in bad {
        assert!(text.parse::<VerifierKey>().is_err(), "{text}");
        assert!(SigningKey::from_secret_text(&format!("PRIVATE+KEY+{text}")).is_err(), "{text}");
    }
    assert!(weak.parse::<VerifierKey>().unwrap_err().to_string().contains("no one made"));
    assert!(SigningKey::from_secret_text(GO_KEY).is_err());
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{0}", &"x".repeat(256)] {
        assert_eq!(SigningKey::generate(name).unwrap_err(), MerkleError::KeyName, "{name:?}");
    }
}

#[test]
fn no_bit_of_a_note_can_change() {
    let trust = Trust::new("go.sum database tree", vec![SUM_KEY.parse().unwrap()]);
    for at in 0..SUM_NOTE.len() {
        for bit in 0..8 {
            let mut bytes = SUM_NOTE.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            assert!(trust.open(&bytes).is_err(), "bit {bit} of byte {at}");
        }
        assert!(trust.open(&SUM_NOTE.as_bytes()[..at]).is_err(), "cut at {at}");
    }
    assert!(trust.open(format!("{SUM_NOTE}\n").as_bytes()).is_err());
}

#[test]
fn a_note_is_read_strictly() {
    let (text, line) = GO_NOTE.split_once("\n\n").unwrap();
    let encoded = line.trim_end().rsplit_once(' ').unwrap().1;
    for (bad, why) in [
        (String::new(), "blank line"),
        ("text\n".to_owned(), "blank line"),
        (format!("{text}\n\n"), "whole signature line"),
        (format!("{text}\n\n{}", line.trim_end()), "whole signature line"),
        (GO_NOTE.replace('\n', "\r\n"), "control character"),
        (GO_NOTE.replace("know", "kn\tow"), "control character (line 2)"),
        (GO_NOTE.replace("— ", "- "), "dash and a space (line 4)"),
        (format!("{GO_NOTE}{}", line.replace("PeterNeumann ", "")), "no name or no signature (line 5)"),
        (GO_NOTE.replace("PeterNeumann ", "Peter+Neumann "), "proper key name"),
        (GO_NOTE.replace("PeterNeumann ", " "), "proper key name"),
        (GO_NOTE.replace("AM=", "AN="), "base 64"),
        (GO_NOTE.replace("AM=", "AM"), "base 64"),
        (GO_NOTE.replace(encoded, "x08gow=="), "too short"),
        (format!("{text}\n\n{}", line.repeat(MAX_SIGNATURES + 1)), "too many signatures (line 20)"),
        (format!("{}{GO_NOTE}", "x".repeat(MAX_NOTE)), "too long"),
    ] {
        let error = SignedNote::parse(bad.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(why), "{error}: {why}");
    }
    assert!(SignedNote::parse(b"\xff\n\n").unwrap_err().to_string().contains("UTF-8"));
    let most = format!("{text}\n\n{}", line.repeat(MAX_SIGNATURES));
    let note = SignedNote::parse(most.as_bytes()).unwrap();
    assert_eq!(note.to_string(), most);
    assert_eq!(note.verify(&[GO_KEY.parse().unwrap()]).unwrap().len(), 1);
}

#[test]
fn whoever_signed_is_known_by_name_and_id() {
    let (first, second, third) = (key("a"), key("b"), key("a"));
    let mut note = SignedNote::sign("one\n\ntwo\n".to_owned(), &first).unwrap();
    note.add_signature(&second).unwrap();
    note.add_signature(&second).unwrap();
    assert_eq!(note.signatures().len(), 2);
    assert_eq!(SignedNote::parse(note.to_string().as_bytes()).unwrap(), note);
    let keys = [second.verifier().clone(), first.verifier().clone(), third.verifier().clone()];
    assert_eq!(note.verify(&keys).unwrap(), [first.verifier(), second.verifier()]);
    assert_eq!(note.verify(&keys[2..]), Err(MerkleError::UnknownSigner));
    assert_eq!(note.verify(&[]), Err(MerkleError::UnknownSigner));
    assert_eq!(note.signatures()[1].name(), "b");
    assert_eq!(note.signatures()[1].key_id(), second.verifier().id());

    // One bad signature of a trusted key spoils a note that another one has signed well.
    let moved = note.to_string().replace("two", "three");
    let mut mixed = SignedNote::parse(moved.as_bytes()).unwrap();
    mixed.add_signature(&third).unwrap();
    assert_eq!(mixed.verify(&keys[2..]).unwrap().len(), 1);
    assert_eq!(mixed.verify(&keys), Err(MerkleError::BadSignature { name: "a".to_owned() }));
}

#[test]
fn nothing_is_signed_that_could_not_be_read_again() {
    let key = key("log");
    let long = format!("{}\n", "x".repeat(MAX_NOTE - 50));
    for text in ["", "one", "one\ntwo", "a\tb\n", &long] {
        assert!(matches!(SignedNote::sign(text.to_owned(), &key), Err(MerkleError::Note { .. })));
    }
    let mut note = SignedNote::sign("one\n".to_owned(), &key).unwrap();
    for n in 1..MAX_SIGNATURES {
        note.add_signature(&self::key(&format!("witness{n}"))).unwrap();
    }
    assert!(note.add_signature(&self::key("one-more")).is_err());
    assert_eq!(SignedNote::parse(note.to_string().as_bytes()).unwrap(), note);
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let root = root_of(&leaves(3));
    let plain = Checkpoint::new("example.org/log", 3, root).unwrap();
    let extended = plain.clone().with_extension("one").unwrap().with_extension("— two").unwrap();
    for checkpoint in [&plain, &extended] {
        assert_eq!(Checkpoint::from_text(&checkpoint.to_text()).unwrap(), *checkpoint);
    }
    assert_eq!((extended.extensions().len(), extended.root()), (2, root));
    let text = plain.to_text();
    for bad in [
        "",
        "\n",
        &text[..text.len() - 1],
        &format!("{text}\n"),
        &format!("{text}\none\n"),
        &format!("\n{text}"),
        &text.replace("\n3\n", "\n03\n"),
        &text.replace("\n3\n", "\n+3\n"),
        &text.replace("\n3\n", "\n-3\n"),
        &text.replace("\n3\n", "\n3 \n"),
        &text.replace("\n3\n", "\n\n"),
        &text.replace("\n3\n", "\n18446744073709551616\n"),
        &text.replace("\n3\n", "\n0\n"),
        &text.replace('=', ""),
        &text.replace("=\n", "==\n"),
    ] {
        assert!(matches!(Checkpoint::from_text(bad), Err(MerkleError::Checkpoint(_))), "{bad:?}");
    }
    assert!(Checkpoint::from_text(&text.replace("\n3\n", "\n18446744073709551615\n")).is_ok());
    assert!(Checkpoint::new("log", 0, Hash::empty()).is_ok());
    assert!(Checkpoint::new("", 3, root).is_err() && Checkpoint::new("a\nb", 3, root).is_err());
    assert!(plain.clone().with_extension("").is_err() && plain.with_extension("a\n").is_err());
}

#[test]
fn trust_is_in_a_name_and_keys() {
    let (old, new) = (key("example.org/log"), key("example.org/log"));
    let checkpoint = Checkpoint::new("example.org/log", 3, root_of(&leaves(3))).unwrap();
    let note = checkpoint.sign(&old).unwrap().to_string();
    assert_eq!(trust(&old).open(note.as_bytes()).unwrap(), checkpoint);
    assert_eq!(trust(&new).open(note.as_bytes()), Err(MerkleError::UnknownSigner));
    let both = vec![new.verifier().clone(), old.verifier().clone()];
    assert_eq!(Trust::new("example.org/log", both.clone()).open(note.as_bytes()).unwrap(), checkpoint);
    let error = Trust::new("example.org/other", both).open(note.as_bytes()).unwrap_err();
    let message = "the checkpoint is of the log \"example.org/log\" and not of \"example.org/other\"";
    assert_eq!(error.to_string(), message);
    // A signed note that is no checkpoint, and text that no trusted key has signed.
    let other = SignedNote::sign("hello\n".to_owned(), &old).unwrap().to_string();
    assert!(matches!(trust(&old).open(other.as_bytes()), Err(MerkleError::Checkpoint(_))));
    assert_eq!(trust(&new).open(other.as_bytes()), Err(MerkleError::UnknownSigner));
}

#[test]
fn checkpoints_are_held_against_proofs_of_their_size() {
    let leaves = leaves(7);
    let at = |size: usize| Checkpoint::new("log", size as u64, root_of(&leaves[..size])).unwrap();
    let proof = InclusionProof::of(&leaves, 2).unwrap();
    assert_eq!(at(7).includes(&leaves[2], &proof), Ok(()));
    assert!(matches!(
        at(7).includes(&leaves[3], &proof),
        Err(MerkleError::NotIncluded { index: 2, size: 7 })
    ));
    assert_eq!(at(6).includes(&leaves[2], &proof), Err(MerkleError::ProofSize { wanted: 6, found: 7 }));
    // The root alone does not tell the size: the same path fits a tree of eight.
    let claimed = InclusionProof { size: 8, ..proof };
    assert_eq!(claimed.verify(&leaves[2], &at(7).root()), Ok(()));
    assert_eq!(at(7).includes(&leaves[2], &claimed), Err(MerkleError::ProofSize { wanted: 7, found: 8 }));

    let proof = ConsistencyProof::of(&leaves, 3).unwrap();
    assert_eq!(at(7).continues(&at(3), &proof), Ok(()));
    assert_eq!(at(7).continues(&at(4), &proof), Err(MerkleError::ProofSize { wanted: 4, found: 3 }));
    assert_eq!(at(6).continues(&at(3), &proof), Err(MerkleError::ProofSize { wanted: 6, found: 7 }));
    let forged = Checkpoint::new("log", 3, root_of(&leaves[1..4])).unwrap();
    assert_eq!(at(7).continues(&forged, &proof), Err(MerkleError::NotContinued { older: 3, size: 7 }));
    let other = Checkpoint::new("other", 3, root_of(&leaves[..3])).unwrap();
    assert!(matches!(at(7).continues(&other, &proof), Err(MerkleError::WrongOrigin { .. })));
}
