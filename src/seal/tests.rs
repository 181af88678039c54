//! Keys: their files, passphrases, and how they wrap each other.

use std::fs::{Permissions, read_dir, read_to_string, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::passphrase::Cost;
use crate::{ApplianceKey, SealError, TenantKey};

/// Cheap to guess: tests are no attackers.
pub(crate) const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
const PASSPHRASE: &str = "seven mild otters sing";

/// Pseudo-random numbers: the same seed gives the same ones.
pub(crate) fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

fn in_folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn flipped(text: &str, at: usize, bit: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] ^= 1 << bit;
    String::from_utf8(bytes).ok()
}

#[test]
fn a_key_file_is_made_once_and_private() {
    let (folder, path) = in_folder("appliance.key");
    assert!(matches!(ApplianceKey::load(&path), Err(SealError::Missing(p)) if p == path));
    let made = ApplianceKey::load_or_create(&path).unwrap();
    assert_eq!((mode(&path), names(folder.path())), (0o600, vec!["appliance.key".to_owned()]));
    let text = read_to_string(&path).unwrap();
    for again in [ApplianceKey::load(&path), ApplianceKey::load_or_create(&path)] {
        assert_eq!(again.unwrap().secret().bytes(), made.secret().bytes());
    }
    assert!(matches!(ApplianceKey::create(&path), Err(SealError::Exists(_))));
    assert_eq!(read_to_string(&path).unwrap(), text);
    assert_eq!(names(folder.path()).len(), 1, "no temporary file stays");
    let (_other, path) = in_folder("appliance.key");
    assert_ne!(ApplianceKey::create(&path).unwrap().id(), made.id());
}

#[test]
fn many_that_start_at_once_agree_on_one_key() {
    let (folder, path) = in_folder("appliance.key");
    let ids: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..16).map(|_| scope.spawn(|| ApplianceKey::load_or_create(&path).unwrap().id())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(names(folder.path()).len(), 1);
}

#[test]
fn a_damaged_key_file_is_an_error_and_stays_as_it_is() {
    let (_folder, path) = in_folder("appliance.key");
    let key = ApplianceKey::create(&path).unwrap();
    let whole = read_to_string(&path).unwrap();
    let from = whole.find("lectern-appliance").unwrap();
    let mut damaged: Vec<String> = vec![
        String::new(),
        "\n# only a comment\n".to_owned(),
        format!("{whole}{}", &whole[from..]),
        whole.replace("key-1.", "key-2."),
        "x".repeat(5000),
    ];
    damaged.extend((from..whole.len() - 1).map(|cut| whole[..cut].to_owned()));
    damaged.extend((from..whole.len() - 1).filter_map(|at| flipped(&whole, at, 0)));
    for text in damaged {
        write(&path, &text).unwrap();
        let error = ApplianceKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, SealError::KeyFile { .. }), "{text}: {error}");
        assert!(error.hint().contains("No new key is made"));
        assert!(!error.to_string().contains(&whole[from + 30..from + 50]), "no part of the key in messages");
        assert_eq!(read_to_string(&path).unwrap(), text);
    }
    write(&path, b"\xFF\xFE\0").unwrap();
    assert!(matches!(ApplianceKey::load_or_create(&path), Err(SealError::KeyFile { .. })));
    // Comments, blank lines and other line ends are no damage.
    write(&path, format!("\r\n# kept in safe 3\r\n  {}\r\n", whole[from..].trim())).unwrap();
    assert_eq!(ApplianceKey::load(&path).unwrap().id(), key.id());
}

#[test]
fn a_key_file_that_others_can_open_is_refused() {
    let (folder, path) = in_folder("appliance.key");
    ApplianceKey::create(&path).unwrap();
    for bad in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o660, 0o666, 0o777] {
        set_permissions(&path, Permissions::from_mode(bad)).unwrap();
        let error = ApplianceKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, SealError::Exposed { mode, .. } if mode == bad));
        assert!(error.hint().contains("chmod 600"));
    }
    for good in [0o600, 0o400] {
        set_permissions(&path, Permissions::from_mode(good)).unwrap();
        ApplianceKey::load(&path).unwrap();
    }
    // A link to a key is one; a link to nothing makes none; a folder or a pipe is none.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    ApplianceKey::load(&link).unwrap();
    let nowhere = folder.path().join("nowhere");
    std::os::unix::fs::symlink(folder.path().join("gone"), &nowhere).unwrap();
    assert!(matches!(ApplianceKey::load_or_create(&nowhere), Err(SealError::Missing(_))));
    assert!(!folder.path().join("gone").exists());
    assert!(matches!(ApplianceKey::load(folder.path()), Err(SealError::KeyFile { .. })));
    let pipe = folder.path().join("pipe");
    let node = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, node, 0o600.into(), 0).unwrap();
    assert!(matches!(ApplianceKey::load(&pipe), Err(SealError::KeyFile { .. })));
    let error = ApplianceKey::create(&folder.path().join("no/such/appliance.key")).unwrap_err();
    assert!(matches!(error, SealError::Io { .. }), "{error}");
}

#[test]
fn a_passphrase_makes_the_same_key_again_and_a_wrong_one_none() {
    let (folder, path) = in_folder("passphrase");
    assert!(matches!(ApplianceKey::load_passphrase(PASSPHRASE, &path), Err(SealError::Missing(_))));
    let key = ApplianceKey::create_passphrase_at(PASSPHRASE, &path, CHEAP).unwrap();
    assert_eq!((mode(&path), names(folder.path()).len()), (0o600, 1));
    assert!(!read_to_string(&path).unwrap().contains("otters"));
    let again = ApplianceKey::from_passphrase(PASSPHRASE, &path).unwrap();
    assert_eq!(again.secret().bytes(), key.secret().bytes());
    for wrong in ["", "seven mild otters sin", "Seven mild otters sing", "seven mild otters sing ", "\0"] {
        let error = ApplianceKey::from_passphrase(wrong, &path).unwrap_err();
        assert!(matches!(error, SealError::WrongPassphrase), "{error}");
    }
    let another = ApplianceKey::create_passphrase_at(PASSPHRASE, &path, CHEAP);
    assert!(matches!(another, Err(SealError::Exists(_))));
    let (_other, elsewhere) = in_folder("passphrase");
    let other = ApplianceKey::create_passphrase_at(PASSPHRASE, &elsewhere, CHEAP).unwrap();
    assert_ne!(other.id(), key.id(), "each file has its own salt");
}

#[test]
fn passphrases_have_a_length_and_one_spelling() {
    let (_folder, path) = in_folder("passphrase");
    for (short, least) in [("", 12), ("elevensigns", 12), ("äöüäöüäöüäö", 12)] {
        let error = ApplianceKey::from_passphrase(short, &path).unwrap_err();
        assert!(matches!(error, SealError::ShortPassphrase { least: l } if l == least), "{error}");
    }
    let error = ApplianceKey::from_passphrase(&"long".repeat(300), &path).unwrap_err();
    assert!(matches!(error, SealError::LongPassphrase { .. }));
    assert!(!path.exists());
    let key = ApplianceKey::create_passphrase_at("zw\u{f6}lf Zeichen", &path, CHEAP).unwrap();
    let decomposed = ApplianceKey::load_passphrase("zwo\u{308}lf Zeichen", &path).unwrap();
    assert_eq!(decomposed.id(), key.id());
}

#[test]
fn a_damaged_passphrase_file_is_no_wrong_passphrase() {
    let (_folder, path) = in_folder("passphrase");
    ApplianceKey::create_passphrase_at(PASSPHRASE, &path, CHEAP).unwrap();
    let whole = read_to_string(&path).unwrap();
    let from = whole.find("lectern-passphrase").unwrap();
    for at in from..whole.len() - 1 {
        let damaged = [flipped(&whole, at, 0), Some(whole[..at].to_owned())];
        for text in damaged.into_iter().flatten() {
            write(&path, &text).unwrap();
            let error = ApplianceKey::from_passphrase(PASSPHRASE, &path).unwrap_err();
            assert!(matches!(error, SealError::KeyFile { .. }), "{text}: {error}");
        }
    }
    // A key file in its place, and the other way round.
    let (_other, key) = in_folder("appliance.key");
    ApplianceKey::create(&key).unwrap();
    assert!(matches!(ApplianceKey::from_passphrase(PASSPHRASE, &key), Err(SealError::KeyFile { .. })));
    write(&path, &whole).unwrap();
    assert!(matches!(ApplianceKey::load_or_create(&path), Err(SealError::KeyFile { .. })));
}

#[test]
fn a_tenant_key_opens_for_its_tenant_and_its_appliance_only() {
    let (_folder, path) = in_folder("appliance.key");
    let (old, new) = (ApplianceKey::load_or_create(&path).unwrap(), ApplianceKey::from_bytes(&[7; 32]));
    let key = TenantKey::generate().unwrap();
    let wrapped = key.wrap(&old, "ten_one").unwrap();
    assert_ne!(key.wrap(&old, "ten_one").unwrap(), wrapped, "another nonce each time");
    let opened = TenantKey::unwrap(&old, "ten_one", &format!("{wrapped}\n")).unwrap();
    assert_eq!(opened.secret().bytes(), key.secret().bytes());
    for tenant in ["ten_two", "", "ten_one ", "TEN_ONE", "ten_on"] {
        let error = TenantKey::unwrap(&old, tenant, &wrapped).unwrap_err();
        assert!(matches!(error, SealError::Refused { .. }), "{error}");
    }
    let error = TenantKey::unwrap(&new, "ten_one", &wrapped).unwrap_err();
    let named = format!("appliance key {}, and this is {}", old.id(), new.id());
    assert!(error.to_string().contains(&named), "{error}");
    // A change of the appliance's key.
    let wrapped = opened.wrap(&new, "ten_one").unwrap();
    assert_eq!(TenantKey::unwrap(&new, "ten_one", &wrapped).unwrap().id(), key.id());
    assert!(TenantKey::unwrap(&old, "ten_one", &wrapped).is_err());
}

#[test]
fn a_tenant_key_travels_by_passphrase() {
    let key = TenantKey::generate().unwrap();
    let wrapped = key.wrap_with_passphrase_at(PASSPHRASE, "ten_one", CHEAP).unwrap();
    let unwrap =
        |passphrase: &str, tenant: &str| TenantKey::unwrap_with_passphrase(passphrase, tenant, &wrapped);
    assert_eq!(unwrap(PASSPHRASE, "ten_one").unwrap().secret().bytes(), key.secret().bytes());
    assert!(matches!(unwrap("seven mild otters", "ten_one"), Err(SealError::WrongPassphrase)));
    assert!(matches!(unwrap(PASSPHRASE, "ten_two"), Err(SealError::Refused { .. })));
    assert!(matches!(key.wrap_with_passphrase("short", "t"), Err(SealError::ShortPassphrase { .. })));
    // The two kinds of wrapping are told apart.
    let appliance = ApplianceKey::from_bytes(&[7; 32]);
    assert!(matches!(TenantKey::unwrap(&appliance, "ten_one", &wrapped), Err(SealError::Text { .. })));
    let other = key.wrap(&appliance, "ten_one").unwrap();
    let error = TenantKey::unwrap_with_passphrase(PASSPHRASE, "ten_one", &other).unwrap_err();
    assert!(matches!(error, SealError::Text { .. }));
}

#[test]
fn no_byte_of_a_wrapped_key_can_change() {
    let (appliance, key) = (ApplianceKey::from_bytes(&[7; 32]), TenantKey::generate().unwrap());
    let (by_key, by_passphrase) = (
        key.wrap(&appliance, "ten_one").unwrap(),
        key.wrap_with_passphrase_at(PASSPHRASE, "ten_one", CHEAP).unwrap(),
    );
    for (at, bit) in (0..by_key.len()).flat_map(|at| (0..7).map(move |bit| (at, bit))) {
        let text = flipped(&by_key, at, bit).unwrap();
        assert!(TenantKey::unwrap(&appliance, "ten_one", &text).is_err(), "{text}");
        // Also with the right checksum, which an attacker can make.
        let body = text.rsplit_once('.').map_or("", |(body, _)| body);
        let (tag, fields) = body.split_once('.').unwrap_or_default();
        let mended = crate::text::join(tag, &fields.split('.').collect::<Vec<_>>());
        assert!(*mended == by_key || TenantKey::unwrap(&appliance, "ten_one", &mended).is_err(), "{text}");
    }
    for at in 0..by_passphrase.len() {
        for text in [flipped(&by_passphrase, at, 0).unwrap(), by_passphrase[..at].to_owned()] {
            let opened = TenantKey::unwrap_with_passphrase(PASSPHRASE, "ten_one", &text);
            assert!(matches!(opened, Err(SealError::Text { .. })), "{text}");
        }
    }
}

#[test]
fn a_wrapped_key_cannot_ask_for_all_memory() {
    let good = TenantKey::generate().unwrap().wrap_with_passphrase_at(PASSPHRASE, "t", CHEAP).unwrap();
    let fields: Vec<&str> = good.split('.').collect();
    let with = |memory: &str, passes: &str, lanes: &str| {
        let text = crate::text::join("ltp1", &[memory, passes, lanes, fields[4], fields[5], fields[6]]);
        TenantKey::unwrap_with_passphrase(PASSPHRASE, "t", &text)
    };
    assert!(with("64", "1", "1").is_ok());
    for [memory, passes, lanes] in [
        ["4294967295", "1", "1"],
        ["262145", "1", "1"],
        ["64", "17", "1"],
        ["64", "0", "1"],
        ["1024", "1", "17"],
        ["64", "1", "0"],
        ["7", "1", "1"],
        ["064", "1", "1"],
        ["+64", "1", "1"],
        ["", "1", "1"],
        ["4294967296", "1", "1"],
    ] {
        let opened = with(memory, passes, lanes);
        assert!(matches!(opened, Err(SealError::Text { .. })), "{memory} {passes} {lanes}");
    }
    assert!(matches!(with("64", "2", "1"), Err(SealError::WrongPassphrase)));
}

#[test]
fn debug_shows_no_key() {
    let (appliance, tenant) = (ApplianceKey::from_bytes(&[7; 32]), TenantKey::from_bytes(&[8; 32]));
    let shown = format!("{appliance:?} {tenant:?}");
    assert_eq!(shown, format!("ApplianceKey({}) TenantKey({})", appliance.id(), tenant.id()));
    assert_eq!(appliance.id().len(), 12);
    assert!(!shown.contains("0707") && !shown.contains("7, 7"));
}
