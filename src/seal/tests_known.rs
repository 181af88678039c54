//! Known answers, made by other implementations of the same algorithms from the documented formats: what is on disks
//! must stay readable, so the formats cannot change unseen.

use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::passphrase::{Cost, Stretch};
use crate::{ApplianceKey, ArchiveReader, ArchiveWriter, SealError, Summary, TenantKey, text};

const KEY_FILE: &str = "lectern-appliance-key-1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8.5a39ae9b";
const WRAPPED: &str = "ltk1.1af8d88e9486.QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXB9vZWo9tFEvCfSHAvUA_j2WktDSIcNI6r24KLJtq5bo3\
                       Ek9s3qHNro6RfJM82viE.e6d85823";
const VALUE: &str = "lsv1.QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXoHZmnIUOmitYJ4nzGsQu7sKTyz1f5HlhS2KAk0M";
const APPLIANCE_VALUE: &str = "lsv1.QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX2cLY4etBGU24PAlA4U90CLpzoSHtEA";
const PASSPHRASE_FILE: &str = "lectern-passphrase-1.65536.3.4.AAECAwQFBgcICQoLDA0ODw.\
                               mVoJKPCQvGM_oOhGj8iC-VfMFHZIW9ULSrWvI479gZM.b0f503cd";
const WRAPPED_BY_PASSPHRASE: &str = "ltp1.65536.3.4.AAECAwQFBgcICQoLDA0ODw.\
    mVoJKPCQvGM_oOhGj8iC-VfMFHZIW9ULSrWvI479gZM.QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXpP0UsiQFrO9hSyV-twudfGCfHWblPDFnIML_\
    PbPGpMfV7CsuViWw5QLrWnTHd6Z3.02266e30";
const EMPTY_ARCHIVE: &str = "\
    4c43544e5345414c0001000000147b2274656e616e74223a2274656e5f6f6e65227d606162636465666768696a6b\
    6c6d6e6f707172737475767778797a7b7c7d7e7fca76300d666918f3e8cc91317a30cd6c30cb5b9b2cfbb65ba918b382b6404b726236a8c18c68\
    51b9e3a51ec0d045babc8f32ce8e79d241600770e0dd4f7f0589a5";
const ARCHIVE: &str = "d9baa5348f3b9f3e977786745b89ca7eb14fb29ae87a8b1e0da785a798d2fafb";

fn array<const N: usize>(from: u8) -> [u8; N] {
    std::array::from_fn(|at| from + at as u8)
}

fn appliance() -> ApplianceKey {
    ApplianceKey::from_bytes(&array(0))
}

fn tenant() -> TenantKey {
    TenantKey::from_bytes(&array(32))
}

fn private_file(folder: &tempfile::TempDir, line: &str) -> std::path::PathBuf {
    let path = folder.path().join("known");
    write(&path, line).unwrap();
    set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

#[test]
fn key_files_and_ids() {
    let folder = tempfile::tempdir().unwrap();
    let path = private_file(&folder, KEY_FILE);
    assert_eq!(ApplianceKey::load(&path).unwrap().secret().bytes(), &array(0));
    assert_eq!(*text::join("lectern-appliance-key-1", &[&text::encode(&array::<32>(0))]), KEY_FILE);
    assert_eq!((appliance().id(), tenant().id()), ("1af8d88e9486".to_owned(), "376a9ea6d189".to_owned()));
}

#[test]
fn wrapped_keys_and_values() {
    let nonce = array(64);
    let opened = TenantKey::unwrap(&appliance(), "ten_one", WRAPPED).unwrap();
    assert_eq!(opened.secret().bytes(), &array(32));
    let key = array::<32>(32);
    let sealed = appliance().secret().seal_with("lectern tenant key wrap 1", &["ten_one"], &key, nonce);
    assert_eq!(*text::join("ltk1", &[&appliance().id(), &text::encode(&sealed)]), WRAPPED);

    let field = "settings/ollama.api_key";
    let plaintext = "Schl\u{fc}ssel 42".as_bytes();
    assert_eq!(tenant().open("ten_one", field, VALUE).unwrap().as_slice(), plaintext);
    let place = ["ten_one", field];
    let sealed = tenant().secret().seal_with("lectern tenant value 1", &place, plaintext, nonce);
    assert_eq!(format!("lsv1.{}", text::encode(&sealed)), VALUE);
    let opened = appliance().open("settings/ldap.password", APPLIANCE_VALUE).unwrap();
    assert_eq!(opened.as_slice(), b"secret");
}

#[test]
fn passphrases_at_their_real_cost() {
    let folder = tempfile::tempdir().unwrap();
    let path = private_file(&folder, PASSPHRASE_FILE);
    let passphrase = "correct cafe\u{301} battery";
    assert_eq!(ApplianceKey::load_passphrase(passphrase, &path).unwrap().id(), "72be92d38ca0");
    let opened = TenantKey::unwrap_with_passphrase(passphrase, "ten_one", WRAPPED_BY_PASSPHRASE).unwrap();
    assert_eq!(opened.secret().bytes(), &array(32));
    let (stretch, key) = Stretch::create_with(passphrase, Cost::DEFAULT, array(0)).unwrap();
    let fields = stretch.fields();
    let line = text::join("lectern-passphrase-1", &fields.each_ref().map(String::as_str));
    assert_eq!((line.as_str(), key.id().as_str()), (PASSPHRASE_FILE, "72be92d38ca0"));
    // What is made without saying a cost has this one.
    let path = folder.path().join("new");
    let made = ApplianceKey::create_passphrase(passphrase, &path).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().contains("\nlectern-passphrase-1.65536.3.4."));
    assert_eq!(ApplianceKey::from_passphrase(passphrase, &path).unwrap().id(), made.id());
}

#[test]
fn archives() {
    let header = json!({ "tenant": "ten_one" });
    let begin = || ArchiveWriter::with_salt(Vec::new(), &header, &tenant(), array(96)).unwrap();
    let empty = begin().finish().unwrap();
    assert_eq!(hex::encode(&empty), EMPTY_ARCHIVE);

    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    write(&script, "#!/bin/sh\n").unwrap();
    set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let big: Vec<u8> = (0..200_000_u32).map(|i| (i * 7 + i / 251) as u8).collect();
    let mut writer = begin();
    writer.add_reader("data.db", big.len() as u64, big.as_slice()).unwrap();
    writer.add_file("bin/run", &script).unwrap();
    writer.add_reader("blobs/\u{fc}", 0, std::io::empty()).unwrap();
    assert_eq!(writer.summary(), Summary { files: 3, bytes: 200_010 });
    let archive = writer.finish().unwrap();
    assert_eq!(hex::encode(Sha256::digest(&archive)), ARCHIVE);
    let entries = ArchiveReader::new(archive.as_slice()).unwrap().entries(&tenant()).unwrap();
    assert_eq!(entries.verify().unwrap(), Summary { files: 3, bytes: 200_010 });
}

#[test]
fn an_archive_of_a_later_version_is_told_as_such() {
    let mut archive = hex::decode(EMPTY_ARCHIVE).unwrap();
    archive[9] = 2;
    let error = ArchiveReader::new(archive.as_slice()).err().unwrap();
    assert!(matches!(error, SealError::ArchiveVersion(2)));
}
