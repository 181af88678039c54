//! Sealed values: they open in their place and nowhere else.

use crate::{ApplianceKey, MAX_VALUE, SealError, TenantKey};

const FIELD: &str = "settings/ollama.api_key";

fn key() -> TenantKey {
    TenantKey::from_bytes(&[3; 32])
}

#[test]
fn what_is_sealed_opens_again() {
    for plaintext in [&b""[..], b"x", "Schl\u{fc}ssel".as_bytes(), &[0; 1000], &vec![9; MAX_VALUE]] {
        let sealed = key().seal("ten_one", FIELD, plaintext).unwrap();
        assert!(sealed.starts_with("lsv1.") && sealed.is_ascii());
        assert_eq!(key().open("ten_one", FIELD, &sealed).unwrap().as_slice(), plaintext);
        assert_ne!(key().seal("ten_one", FIELD, plaintext).unwrap(), sealed, "another nonce each time");
    }
    let error = key().seal("t", "f", &vec![0; MAX_VALUE + 1]).unwrap_err();
    assert!(matches!(error, SealError::LongValue { .. }));
    let error = key().open("t", "f", &format!("lsv1.{}", "A".repeat(2 * MAX_VALUE))).unwrap_err();
    assert_eq!(error.to_string(), "this is not a sealed value: it is too long");
}

#[test]
fn a_sealed_value_cannot_be_moved() {
    let sealed = key().seal("ten_one", FIELD, b"secret").unwrap();
    for (tenant, field) in [
        ("ten_two", FIELD),
        ("ten_one", "settings/ollama.api_keys"),
        ("ten_one", ""),
        ("", FIELD),
        // The same letters with the border elsewhere.
        ("ten_onesettings", "/ollama.api_key"),
        ("ten_on", "esettings/ollama.api_key"),
        ("ten_onesettings/ollama.api_key", ""),
    ] {
        let opened = key().open(tenant, field, &sealed);
        assert!(matches!(opened, Err(SealError::Refused { .. })), "{tenant} {field}");
    }
    let other = TenantKey::from_bytes(&[4; 32]);
    assert!(matches!(other.open("ten_one", FIELD, &sealed), Err(SealError::Refused { .. })));
}

#[test]
fn no_bit_of_a_sealed_value_can_change() {
    let sealed = key().seal("ten_one", FIELD, b"twenty-two bytes of it").unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(key().open("ten_one", FIELD, &text).is_err(), "{text}");
        }
        assert!(key().open("ten_one", FIELD, &sealed[..at]).is_err());
        assert!(key().open("ten_one", FIELD, &format!("{}{}", &sealed[..=at], &sealed[at..])).is_err());
    }
    // Each byte below the text form, in all its values.
    let bytes = crate::text::decode(&sealed[5..]).unwrap();
    for at in 0..bytes.len() {
        for change in 1..=255 {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= change;
            let opened = key().open("ten_one", FIELD, &format!("lsv1.{}", crate::text::encode(&bytes)));
            assert!(matches!(opened, Err(SealError::Refused { .. })));
        }
    }
}

#[test]
fn texts_that_are_no_sealed_values_are_told_as_such() {
    let sealed = key().seal("t", "f", b"secret").unwrap();
    for (text, reason) in [
        (String::new(), "it has too few parts"),
        ("secret".to_owned(), "it has too few parts"),
        (sealed.replace("lsv1", "lsv2"), "another version of the program made it"),
        (sealed.replace("lsv1", "ltk1"), "it does not begin as one"),
        (format!("{sealed}="), "a part of it is not base 64"),
        (format!("{sealed} "), "a part of it is not base 64"),
    ] {
        let error = key().open("t", "f", &text).unwrap_err();
        assert_eq!(error.to_string(), format!("this is not a sealed value: {reason}"));
    }
    assert!(matches!(key().open("t", "f", "lsv1."), Err(SealError::Refused { .. })));
}

#[test]
fn the_appliance_has_values_of_its_own() {
    let appliance = ApplianceKey::from_bytes(&[3; 32]);
    let sealed = appliance.seal("settings/ldap.password", b"secret").unwrap();
    assert_eq!(appliance.open("settings/ldap.password", &sealed).unwrap().as_slice(), b"secret");
    assert!(appliance.open("settings/ldap.user", &sealed).is_err());
    // Even with the same bytes as key, a tenant's value is no value of the appliance.
    assert!(key().open("", "settings/ldap.password", &sealed).is_err());
    let tenants = key().seal("", FIELD, b"secret").unwrap();
    assert!(appliance.open(FIELD, &tenants).is_err());
}
