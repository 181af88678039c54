//! Random secrets and their forms: session tokens, API keys, the set-up code.

use lectern_kernel::{Error, Result};
use sha2::{Digest, Sha256};

/// RFC 4648 base 32 in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Letters and digits that nobody takes for one another, read aloud or on paper.
const CLEAR: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const KEY_PREFIX: &str = "lec_";
const KEY_BODY: usize = 32;
const KEY_CHECK: usize = 6;
/// What of a key is kept in plain, to know it again in a list.
const KEY_SHOWN: usize = 10;
const SETUP_LENGTH: usize = 12;

/// SHA-256 in hex: what is stored of a secret. The secrets are random, so a slow hash would add nothing.
pub(crate) fn fingerprint(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// 256 random bits for a session cookie.
pub(crate) fn session_token() -> Result<String> {
    Ok(hex::encode(random::<32>()?))
}

/// Follows from the session's token, so it need not be stored, and does not give the token away.
pub(crate) fn csrf_token(session_token: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"lectern csrf\0");
    hash.update(session_token.as_bytes());
    hex::encode(hash.finalize())
}

/// A new API key: `lec_`, 160 random bits, 30 bits of checksum.
pub(crate) fn api_key() -> Result<String> {
    let body = letters(BASE32, &random::<KEY_BODY>()?);
    let checksum = key_checksum(&body);
    Ok(format!("{KEY_PREFIX}{body}{checksum}"))
}

/// Whether the text can be a key at all: mistyped and foreign ones are refused without a query.
pub(crate) fn is_api_key(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(KEY_PREFIX) else { return false };
    if rest.len() != KEY_BODY + KEY_CHECK || !rest.bytes().all(|b| BASE32.contains(&b)) {
        return false;
    }
    let (body, checksum) = rest.split_at(KEY_BODY);
    key_checksum(body) == checksum
}

/// The part of a key that may be shown.
pub(crate) fn key_prefix(key: &str) -> &str {
    &key[..KEY_SHOWN.min(key.len())]
}

fn key_checksum(body: &str) -> String {
    let digest = Sha256::digest(format!("{KEY_PREFIX}{body}").as_bytes());
    letters(BASE32, &digest[..KEY_CHECK])
}

/// A set-up code, `XXXX-XXXX-XXXX`, 60 random bits.
pub(crate) fn setup_code() -> Result<String> {
    let code = letters(CLEAR, &random::<SETUP_LENGTH>()?);
    Ok(format!("{}-{}-{}", &code[..4], &code[4..8], &code[8..]))
}

/// The code as it was meant: case, dashes and spaces do not count.
pub(crate) fn normal_setup_code(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::internal(format!("no random numbers: {e}")))?;
    Ok(bytes)
}

/// The low five bits of each byte as a letter.
fn letters(alphabet: &[u8; 32], bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(alphabet[usize::from(b & 31)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_one_wrong_letter_is_no_key() {
        let key = api_key().expect("random");
        assert_eq!(key.len(), 4 + 32 + 6);
        assert!(is_api_key(&key));
        for at in 4..key.len() {
            let other = if key.as_bytes()[at] == b'a' { "b" } else { "a" };
            let mut wrong = key.clone();
            wrong.replace_range(at..=at, other);
            assert!(!is_api_key(&wrong), "{at}");
        }
        for bad in ["", "lec_", "lec_é", &key[..41], &format!("{key}a"), &key.to_uppercase()] {
            assert!(!is_api_key(bad), "{bad}");
        }
    }

    #[test]
    fn a_setup_code_may_be_typed_in_any_way() {
        let code = setup_code().expect("random");
        assert_eq!(code.len(), 14);
        assert!(!code.contains(['0', 'O', '1', 'I']));
        assert_eq!(normal_setup_code(&format!(" {} ", code.to_lowercase())), code.replace('-', ""));
    }

    #[test]
    fn secrets_differ_and_a_csrf_token_does_not_show_the_session() {
        let (a, b) = (session_token().expect("random"), session_token().expect("random"));
        assert_ne!(a, b);
        assert_eq!(a.len(), 64);
        assert_ne!(csrf_token(&a), a);
        assert_ne!(csrf_token(&a), fingerprint(&a));
        assert_eq!(csrf_token(&a), csrf_token(&a));
    }
}
