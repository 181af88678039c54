//! One-time codes: the vectors of the standards, and no code twice.

use crate::{Algorithm, FactorError, Totp, TotpSecret, qr_svg};

/// The seed of RFC 6238, appendix B, as long as the hash (erratum 2866).
fn seed(length: usize) -> TotpSecret {
    let bytes: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
    TotpSecret::from_bytes(&bytes).expect("a secret")
}

#[test]
fn rfc_4226_appendix_d() {
    let codes =
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (count, code) in codes.into_iter().enumerate() {
        assert_eq!(*Totp::APPS.code(&seed(20), count as u64), code);
    }
}

#[test]
fn rfc_6238_appendix_b() {
    let table = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ];
    let hashes = [(Algorithm::Sha1, 20), (Algorithm::Sha256, 32), (Algorithm::Sha512, 64)];
    for (seconds, sha1, sha256, sha512) in table {
        for ((algorithm, length), code) in hashes.into_iter().zip([sha1, sha256, sha512]) {
            let totp = Totp::new(algorithm, 8, 30).expect("in range");
            let (secret, now) = (seed(length), seconds * 1000);
            assert_eq!(*totp.code(&secret, totp.step_at(now)), code, "{seconds} {algorithm:?}");
            assert_eq!(totp.verify(&secret, code, now, None), Ok(totp.step_at(now)));
        }
    }
}

#[test]
fn one_step_to_each_side() {
    let (totp, secret, now) = (Totp::APPS, TotpSecret::generate().expect("random"), 1_700_000_015_000);
    let here = totp.step_at(now);
    for step in here - 1..=here + 1 {
        assert_eq!(totp.verify(&secret, &totp.code(&secret, step), now, None), Ok(step));
    }
    let outside = [here - 2, here + 2].map(|step| totp.code(&secret, step));
    let inside: Vec<_> = (here - 1..=here + 1).map(|step| totp.code(&secret, step)).collect();
    for code in outside.iter().filter(|code| !inside.contains(code)) {
        assert_eq!(totp.verify(&secret, code, now, None), Err(FactorError::WrongCode));
    }
}

#[test]
fn a_code_counts_once() {
    let (totp, secret, now) = (Totp::APPS, seed(20), 1_111_111_111_000);
    let code = totp.code(&secret, totp.step_at(now));
    let used = totp.verify(&secret, &code, now, None).expect("right");
    assert_eq!(totp.verify(&secret, &code, now, Some(used)), Err(FactorError::UsedCode));
    assert_eq!(totp.verify(&secret, &code, now + 29_000, Some(used)), Err(FactorError::UsedCode));
    let earlier = totp.code(&secret, used - 1);
    assert_eq!(totp.verify(&secret, &earlier, now, Some(used)), Err(FactorError::UsedCode));
    let next = totp.code(&secret, used + 1);
    assert_eq!(totp.verify(&secret, &next, now, Some(used)), Ok(used + 1));
    assert_eq!(totp.verify(&secret, &code, now, Some(used + 1)), Err(FactorError::UsedCode));
}

#[test]
fn typed_codes() {
    let (totp, secret, now) = (Totp::APPS, seed(20), 59_000);
    assert_eq!(totp.verify(&secret, " 287 082\n", now, None), Ok(1));
    for wrong in ["", "28708", "2870820", "287083", "abcdef", "٢٨٧٠٨٢", &"2".repeat(100_000)] {
        assert_eq!(totp.verify(&secret, wrong, now, None), Err(FactorError::WrongCode));
    }
    assert_eq!(totp.verify(&secret, &totp.code(&secret, 0), i64::MIN, None), Ok(0));
    assert_eq!(totp.verify(&secret, "000000", i64::MAX, Some(u64::MAX)), Err(FactorError::WrongCode));
    assert!(Totp::new(Algorithm::Sha1, 5, 30).is_none() && Totp::new(Algorithm::Sha1, 6, 0).is_none());
}

#[test]
fn secrets_as_text() {
    // RFC 4648, section 10, without padding.
    let vectors = [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB")];
    for (bytes, text) in vectors.into_iter().chain([("foobar", "MZXW6YTBOI"), ("", "")]) {
        assert_eq!(*crate::base32::encode(bytes.as_bytes()), text);
        assert_eq!(crate::base32::decode(text).as_deref().map(Vec::as_slice), Some(bytes.as_bytes()));
    }
    let secret = TotpSecret::generate().expect("random");
    assert_eq!((secret.as_bytes().len(), secret.base32().len()), (20, 32));
    let typed = format!("{} ====", secret.base32().to_lowercase().replace('A', "a "));
    assert_eq!(TotpSecret::from_base32(&typed).expect("typed").as_bytes(), secret.as_bytes());
    for wrong in ["", "MY", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", "MZ", "M", "ÄÖ"] {
        assert!(matches!(TotpSecret::from_base32(wrong), Err(FactorError::Secret(_))), "{wrong}");
    }
    assert_eq!(crate::base32::decode("MZ"), None);
    assert_eq!(format!("{secret:?}"), "TotpSecret(..)");
}

#[test]
fn the_uri_of_an_app() {
    let uri = Totp::APPS.uri(&seed(20), "Stadtwerke Süd & Co", "anna:b@example.org");
    assert_eq!(
        *uri,
        "otpauth://totp/Stadtwerke%20S%C3%BCd%20%26%20Co:anna-b%40example.org\
         ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Stadtwerke%20S%C3%BCd%20%26%20Co\
         &algorithm=SHA1&digits=6&period=30"
    );
}

#[test]
fn the_picture_of_a_uri() {
    let svg = qr_svg(&Totp::APPS.uri(&seed(20), "Lectern", "anna@example.org")).expect("fits");
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>"));
    // Version 8 has 49 modules, and there are four on each side.
    assert!(svg.contains("viewBox=\"0 0 57 57\""));
    // The finder pattern's corner is dark and the quiet zone is not.
    assert!(svg.contains("M4 4h1v1h-1z") && !svg.contains("M3 4h1") && !svg.contains("M4 3h1"));
    assert_eq!(qr_svg(&"a".repeat(3000)), Err(FactorError::QrTooLong));
}
