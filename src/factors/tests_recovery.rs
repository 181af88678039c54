//! Recovery codes: typed in any way, used once.

use std::collections::HashSet;

use crate::{FactorError, RecoveryCodes, RecoveryHashes};

#[test]
fn ten_clear_codes() {
    let codes = RecoveryCodes::generate().expect("random");
    let texts: HashSet<&str> = codes.iter().collect();
    assert_eq!(texts.len(), 10);
    for code in texts {
        let (left, right) = code.split_once('-').expect("a hyphen");
        assert!(left.len() == 5 && right.len() == 5, "{code}");
        assert!(!code.contains(['0', 'O', '1', 'I']) && !code.contains(char::is_lowercase), "{code}");
    }
}

#[test]
fn every_letter_occurs() {
    let letters: HashSet<char> = (0..60)
        .flat_map(|_| {
            let codes = RecoveryCodes::generate().expect("random");
            codes.iter().flat_map(str::chars).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(letters.len(), 33);
}

#[test]
fn each_is_good_once_however_typed() {
    let codes = RecoveryCodes::generate().expect("random");
    let hashes = codes.hashes().expect("hashes");
    let text = serde_json::to_string(&hashes).expect("writes");
    assert!(codes.iter().all(|code| !text.contains(code)));
    let mut hashes: RecoveryHashes = serde_json::from_str(&text).expect("reads");
    let third = codes.iter().nth(2).expect("ten");
    let spaced = format!(" {} ", third.to_lowercase().replace('-', " \u{2013} "));
    for typed in [third, &spaced, &third.replace('-', "")] {
        assert_eq!(hashes.verify(typed), Ok(2));
    }
    hashes.spend(2);
    assert_eq!((hashes.verify(third), hashes.left()), (Err(FactorError::WrongCode), 9));
    assert_eq!(codes.iter().nth(9).map(|last| hashes.verify(last)), Some(Ok(9)));
    hashes.spend(99);
    assert_eq!(hashes.left(), 9);
}

#[test]
fn what_cannot_be_a_code() {
    let hashes = RecoveryCodes::generate().expect("random").hashes().expect("hashes");
    for typed in ["", "ABCDE-FGHJ", "ABCDE-FGHJKL", "ABCDE-FGHJ0", "ABCDE-FGHJÄ", &"A".repeat(1 << 20)] {
        assert_eq!(hashes.verify(typed), Err(FactorError::WrongCode));
    }
    assert_eq!(hashes.verify("22222-22222"), Err(FactorError::WrongCode));
}
