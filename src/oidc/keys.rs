//! Which keys and algorithms are believed. Only public keys: what `none` or a shared secret (HS256) signs, anyone could
//! have signed who can make a client forget which kind of key it holds (RFC 8725 section 2.1).

use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use serde_json::Value;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{OidcError, Result, foreign};

/// In no order of preference.
const ACCEPTED: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// RFC 7518 section 3.3.
const MIN_RSA_BYTES: usize = 256;
const MAX_KEYS: usize = 100;

/// Those of the provider's algorithms that are accepted here.
pub(crate) fn accepted(offered: &[CoreJwsSigningAlgorithm]) -> Vec<CoreJwsSigningAlgorithm> {
    offered.iter().filter(|a| ACCEPTED.contains(a)).cloned().collect()
}

/// Reads a key set (RFC 7517 section 5) and leaves out what is not used here: shared secrets, RSA keys below 2048
/// bits, kinds that are not known.
pub(crate) fn read(body: &[u8]) -> Result<CoreJsonWebKeySet> {
    let mut set: Value = serde_json::from_slice(body)
        .map_err(|e| broken(&format!("they cannot be read: {}", foreign(&e.to_string()))))?;
    let keys = set.get_mut("keys").and_then(Value::as_array_mut).ok_or_else(|| broken("it is no key set"))?;
    keys.retain(is_usable);
    keys.truncate(MAX_KEYS);
    let set: CoreJsonWebKeySet = serde_json::from_value(set).map_err(|e| broken(&foreign(&e.to_string())))?;
    if set.keys().is_empty() { Err(broken("there is none of a kind that is used here")) } else { Ok(set) }
}

fn is_usable(key: &Value) -> bool {
    match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => {
            let modulus = key.get("n").and_then(Value::as_str).unwrap_or_default();
            let bytes = URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
            bytes.iter().skip_while(|b| **b == 0).count() >= MIN_RSA_BYTES
        }
        Some("EC" | "OKP") => true,
        _ => false,
    }
}

fn broken(reason: &str) -> OidcError {
    OidcError::unavailable(format!("The provider's keys are of no use: {reason}."))
}
