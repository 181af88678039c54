//! Random secrets and their forms: session tokens, API keys, the set-up code.

use lectern_kernel::{Error, Result, TenantId};
use sha2::{Digest, Sha256};

/// RFC 4648 base 32 in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Letters and digits that nobody takes for one another, read aloud or on paper.
const CLEAR: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const KEY_PREFIX: &str = "lec_";
const INVITATION_PREFIX: &str = "inv_";
const KEY_BODY: usize = 32;
const KEY_CHECK: usize = 6;
/// What of a key is kept in plain, to know it again in a list.
const KEY_SHOWN: usize = 10;
const SETUP_LENGTH: usize = 12;

/// SHA-256 in hex: what is stored of a secret. The secrets are random, so a slow hash would add nothing.
pub(crate) fn fingerprint(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// 256 random bits for a session cookie, behind the tenant's name.
pub(crate) fn session_token(tenant: &TenantId) -> Result<String> {
    Ok(format!("{tenant}.{}", hex::encode(random::<32>()?)))
}

/// The tenant that a cookie says it belongs to; its database decides.
pub(crate) fn tenant_of_session(token: &str) -> Option<TenantId> {
    // The first version knew one tenant and named none.
    token.split_once('.').map_or_else(|| Some(TenantId::main()), |(tenant, _)| tenant.parse().ok())
}

/// Follows from the session's token, so it need not be stored, and does not give the token away.
pub(crate) fn csrf_token(session_token: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"lectern csrf\0");
    hash.update(session_token.as_bytes());
    hex::encode(hash.finalize())
}

/// A new API key: `lec_`, the tenant, 160 random bits, 30 bits of checksum.
pub(crate) fn api_key(tenant: &TenantId) -> Result<String> {
    let body = format!("{tenant}_{}", letters(BASE32, &random::<KEY_BODY>()?));
    let checksum = key_checksum(&body);
    Ok(format!("{KEY_PREFIX}{body}{checksum}"))
}

/// The tenant of what can be a key at all: mistyped and foreign ones are refused without a query.
pub(crate) fn tenant_of_key(text: &str) -> Option<TenantId> {
    let rest = text.strip_prefix(KEY_PREFIX)?;
    // The first version knew one tenant and named none.
    let (tenant, random) = rest.rsplit_once('_').unwrap_or(("main", rest));
    if random.len() != KEY_BODY + KEY_CHECK || !random.bytes().all(|b| BASE32.contains(&b)) {
        return None;
    }
    let (body, checksum) = rest.split_at(rest.len() - KEY_CHECK);
    (key_checksum(body) == checksum).then(|| tenant.parse().ok()).flatten()
}

/// A link's secret: `inv_`, the tenant, 160 random bits.
pub(crate) fn invitation_token(tenant: &TenantId) -> Result<String> {
    Ok(format!("{INVITATION_PREFIX}{tenant}_{}", letters(BASE32, &random::<KEY_BODY>()?)))
}

/// The tenant that a link says it belongs to.
pub(crate) fn tenant_of_invitation(text: &str) -> Option<TenantId> {
    let (tenant, random) = text.trim().strip_prefix(INVITATION_PREFIX)?.rsplit_once('_')?;
    (random.len() == KEY_BODY).then(|| tenant.parse().ok()).flatten()
}

/// The part of a key that may be shown.
pub(crate) fn key_prefix(key: &str) -> &str {
    let tenant = key.rfind('_').map_or(0, |at| at + 1 - KEY_PREFIX.len());
    &key[..(tenant + KEY_SHOWN).min(key.len())]
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
    fn a_key_names_its_tenant_and_with_one_wrong_letter_is_no_key() {
        let acme: TenantId = "acme-2".parse().expect("a name");
        let key = api_key(&acme).expect("random");
        assert_eq!(key.len(), 4 + 7 + 32 + 6);
        assert_eq!(tenant_of_key(&key), Some(acme.clone()));
        assert_eq!(key_prefix(&key), &key[..4 + 7 + 6]);
        for at in 4..key.len() {
            let other = if key.as_bytes()[at] == b'a' { "b" } else { "a" };
            let mut wrong = key.clone();
            wrong.replace_range(at..=at, other);
            assert_eq!(tenant_of_key(&wrong), None, "{at}");
        }
        for bad in ["", "lec_", "lec_é", &key[..41], &format!("{key}a"), &key.to_uppercase()] {
            assert_eq!(tenant_of_key(bad), None, "{bad}");
        }
        let old = format!("lec_{}", "a".repeat(32));
        let old = format!("{old}{}", key_checksum(&old[4..]));
        assert_eq!(tenant_of_key(&old), Some(TenantId::main()));
        let invitation = invitation_token(&acme).expect("random");
        assert_eq!(tenant_of_invitation(&invitation), Some(acme.clone()));
        assert_eq!(tenant_of_session(&session_token(&acme).expect("random")), Some(acme));
        assert_eq!(tenant_of_session("../x.00"), None);
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
        let token = || session_token(&TenantId::main()).expect("random");
        let (a, b) = (token(), token());
        assert_ne!(a, b);
        assert_eq!(a.len(), 5 + 64);
        assert_ne!(csrf_token(&a), a);
        assert_ne!(csrf_token(&a), fingerprint(&a));
        assert_eq!(csrf_token(&a), csrf_token(&a));
    }
}
