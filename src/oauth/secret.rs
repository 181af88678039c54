//! Random secrets and their forms: codes, tokens, client secrets, the codes that people type.

use lectern_kernel::{AppId, Error, Result, TenantId};
use sha2::{Digest, Sha256};

/// RFC 4648 base 32 in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Consonants that nobody takes for one another and that make no words (RFC 8628, section 6.1).
const CLEAR: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const RANDOM: usize = 32;
const CHECK: usize = 6;
const USER_CODE: usize = 8;
/// What of a client secret is kept in plain, to know it again in a list.
const SHOWN: usize = 6;

/// What a secret is for; it is told by its beginning, so that one never works as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
    Code,
    Device,
    Client,
}

impl Kind {
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "lat_",
            Self::Refresh => "lrt_",
            Self::Code => "lac_",
            Self::Device => "ldc_",
            Self::Client => "lcs_",
        }
    }

    /// A new one: prefix, tenant, 160 random bits, 30 bits of checksum.
    pub fn make(self, tenant: &TenantId) -> Result<String> {
        let body = format!("{}{tenant}_{}", self.prefix(), letters(BASE32, &random::<RANDOM>()?));
        let check = checksum(&body);
        Ok(body + &check)
    }

    /// The tenant of what can be one at all: mistyped and foreign ones are refused without a query.
    pub fn tenant_of(self, text: &str) -> Option<TenantId> {
        let (tenant, random) = text.strip_prefix(self.prefix())?.rsplit_once('_')?;
        if random.len() != RANDOM + CHECK || !random.bytes().all(|b| BASE32.contains(&b)) {
            return None;
        }
        let (body, check) = text.split_at(text.len() - CHECK);
        (checksum(body) == check).then(|| tenant.parse().ok()).flatten()
    }
}

/// SHA-256 in hex: what is stored of a secret. The secrets are random, so a slow hash would add nothing.
pub(crate) fn fingerprint(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// The part of a client secret that may be shown.
pub(crate) fn shown(secret: &str) -> &str {
    let random = secret.rfind('_').map_or(0, |at| at + 1);
    &secret[..(random + SHOWN).min(secret.len())]
}

/// What a program calls itself: its tenant and its id.
pub(crate) fn client_id(tenant: &TenantId, app: &AppId) -> String {
    format!("{tenant}.{app}")
}

/// Tenant and app that a client id names; their database decides.
pub(crate) fn parse_client_id(text: &str) -> Option<(TenantId, AppId)> {
    let (tenant, app) = text.split_once('.')?;
    Some((tenant.parse().ok()?, app.parse().ok()?))
}

/// What a person types to let a device in, `BCDF-GHJK`: 34 random bits, so guesses are throttled.
pub(crate) fn user_code() -> Result<String> {
    let mut code = String::with_capacity(USER_CODE);
    while code.len() < USER_CODE {
        // Twelve times twenty: what lies above would make some letters likelier than others.
        let fair = random::<16>()?.into_iter().filter(|b| *b < 240);
        code.extend(fair.take(USER_CODE - code.len()).map(|b| char::from(CLEAR[usize::from(b % 20)])));
    }
    Ok(format!("{}-{}", &code[..4], &code[4..]))
}

/// The code as it was meant: case, dashes and spaces do not count. None for what can be none.
pub(crate) fn normal_user_code(typed: &str) -> Option<String> {
    let code: String = typed.chars().take(64).filter(char::is_ascii_alphanumeric).collect();
    let code = code.to_ascii_uppercase();
    (code.len() == USER_CODE && code.bytes().all(|b| CLEAR.contains(&b))).then_some(code)
}

/// Random bytes of the operating system.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::internal(format!("no random numbers: {e}")))?;
    Ok(bytes)
}

fn checksum(body: &str) -> String {
    letters(BASE32, &Sha256::digest(body.as_bytes())[..CHECK])
}

/// The low five bits of each byte as a letter.
fn letters(alphabet: &[u8; 32], bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(alphabet[usize::from(b & 31)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_names_its_tenant_and_works_as_no_other_kind() {
        let acme: TenantId = "acme-2".parse().expect("a name");
        let kinds = [Kind::Access, Kind::Refresh, Kind::Code, Kind::Device, Kind::Client];
        for kind in kinds {
            let secret = kind.make(&acme).expect("random");
            assert_eq!(secret.len(), 4 + 7 + 32 + 6);
            for other in kinds {
                assert_eq!(other.tenant_of(&secret), (other == kind).then(|| acme.clone()));
            }
            for at in 0..secret.len() {
                let mut wrong = secret.clone();
                let letter = if secret.as_bytes()[at] == b'a' { "b" } else { "a" };
                wrong.replace_range(at..=at, letter);
                assert_eq!(kind.tenant_of(&wrong), None, "{at}");
            }
            assert_eq!(kind.tenant_of(&secret.replace("acme-2", "acme-3")), None);
            assert_eq!(shown(&secret).len(), 4 + 7 + 6);
        }
        for bad in ["", "lat_", "lat_é", "lat_main_", "lat__"] {
            assert_eq!(Kind::Access.tenant_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_user_code_may_be_typed_in_any_way() {
        let code = user_code().expect("random");
        assert_eq!(code.len(), 9);
        let plain = code.replace('-', "");
        assert_eq!(normal_user_code(&format!(" {} ", code.to_lowercase())), Some(plain));
        for bad in ["", "BCDF-GHJ", "BCDF-GHJKL", "ABCD-EFGH", "BCDF-GHJ1"] {
            assert_eq!(normal_user_code(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_client_id_names_tenant_and_app() {
        let (tenant, app) = (TenantId::main(), AppId::generate());
        assert_eq!(parse_client_id(&client_id(&tenant, &app)), Some((tenant, app.clone())));
        for bad in ["", ".", app.as_str(), &format!("../x.{app}"), &format!("main.main.{app}")] {
            assert_eq!(parse_client_id(bad), None, "{bad}");
        }
    }
}
