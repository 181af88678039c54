//! Passwords that are guessed first are refused, others are not.

use crate::fold::{fold, words};
use crate::{Reason, known};

const ANNA: [&str; 4] = ["Anna Müller", "anna.mueller@stadtwerke.example", "Lectern", "Stadtwerke Süd"];

fn reason(password: &str) -> Option<Reason> {
    known(password, &ANNA).map(|weakness| weakness.reason)
}

#[test]
fn the_list_and_its_variants() {
    for password in [
        "password",
        "PASSWORD",
        "P@ssw0rd",
        "p4$$w0rd",
        "drowssap",
        "iloveyou",
        "football1",
        "Sunshine2024",
        "!dragon1999!",
        "Passw0rd123!",
        "letmein!!",
        "trustno1",
        "2023baseball",
        "Monkey12345",
        "princess01!",
    ] {
        assert_eq!(reason(password), Some(Reason::Common), "{password}");
    }
}

#[test]
fn patterns() {
    let cases = [
        ("aaaaaaaaaaaa", Reason::Repeated),
        ("abcabcabcabc", Reason::Repeated),
        ("hunter2hunter2", Reason::Repeated),
        ("abcdefghijkl", Reason::Sequence),
        ("ijklmnopqrstuv", Reason::Sequence),
        ("13.05.1987", Reason::Date),
    ];
    for (password, expected) in cases {
        assert_eq!(reason(password), Some(expected), "{password}");
    }
    for password in
        ["qwertyuiop", "1234567890", "0987654321", "1qaz2wsx3edc", "qwertz123456", "ababababab", ""]
    {
        assert!(reason(password).is_some(), "{password}");
    }
}

#[test]
fn what_belongs_to_the_person_or_the_site() {
    for password in [
        "AnnaMüller2024",
        "anna.mueller!",
        "4nn4-Mu3ller",
        "mullerx7!qz",
        "Lectern-2024",
        "l3ct3rn!!xy",
        "stadtwerke#1",
        "anna.mueller@stadtwerke.example",
        "StadtwerkeSüd",
        "Annaannaanna",
    ] {
        assert_eq!(reason(password), Some(Reason::Personal), "{password}");
    }
    // Backwards.
    assert_eq!(reason("ekrewtdats99"), Some(Reason::Personal));
    assert_eq!(known("ekrewtdats99", &[]), None);
    assert!(known("Lectern-2024-xq", &[]).is_none_or(|w| w.reason != Reason::Personal));
}

#[test]
fn a_name_inside_a_long_password_is_no_harm() {
    assert_eq!(reason("savanna umbrella gravel tuesday"), None);
    assert_eq!(reason("anna umbrella gravel tuesday"), None);
}

#[test]
fn good_passwords_pass() {
    for password in [
        "correct horse battery staple",
        "k3#vPq9zLm",
        "xkqzvbnwtr",
        "vier Pferde trinken Limo",
        "Tr!k0t-gelber-Zaun",
        "密码学很有意思真的不错",
        "ωραία μέρα για βόλτα",
        "gVx7-Lm2p-Qz9w",
        "jetzt geht es los 99",
    ] {
        assert_eq!(reason(password), None, "{password}");
    }
}

#[test]
fn long_input_is_looked_at_in_bounds() {
    let signs = "@4@8({[<369|!10$5+7%2".repeat(10);
    let _ = known(&signs, &ANNA);
    let _ = known(&signs.repeat(1000), &[signs.as_str(); 100]);
    assert_eq!(reason(&"a".repeat(200)), Some(Reason::Repeated));
    assert_eq!(reason(&"password".repeat(25)), Some(Reason::Repeated));
    // A weak beginning does not spoil a good end.
    assert_eq!(reason(&format!("{}k3#vPq9zLm-xkqzvbnwtr-umbrella-zaun", "a".repeat(40))), None);
    let zeros = "\0\u{7f}\u{200d}\u{301}\u{1f600}".repeat(40);
    let _ = known(&zeros, &[&zeros]);
}

#[test]
fn nothing_of_the_password_is_told() {
    let weakness = known("Sunshine2024", &[]).expect("weak");
    assert!(!format!("{weakness:?} {}", weakness.reason).to_lowercase().contains("sunshine"));
    assert_eq!(serde_json::to_value(&weakness).expect("writes")["reason"], "common");
}

#[test]
fn words_are_found_and_folded() {
    assert_eq!(fold("Älex-M4ier!"), "aiexmaieri");
    let found = words(&["Jörg Weiß", "j.weiss@example.org"]);
    for word in ["joerg", "jorg", "weiss", "jweiss", "joergweiss", "exampie"] {
        assert!(found.iter().any(|w| w == word), "{word} in {found:?}");
    }
    assert!(found.iter().all(|word| word.len() >= 4));
    assert!(words(&["", "a b c", "@", "..."]).is_empty());
}
