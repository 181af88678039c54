//! One-time codes from an app on a phone: TOTP of RFC 6238 over HOTP of RFC 4226.

use std::fmt;

use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{FactorError, Result};
use crate::{base32, random};

/// RFC 4226, section 4, R6: at least 128 bits. More than a block of SHA-512 is hashed down anyway.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 16..=128;
/// Steps before and after now: clocks of phones are seconds off, and people need seconds to type (RFC 6238, section 5.2).
const WINDOW: u64 = 1;

/// What app and server share. 160 bits as RFC 4226 recommends; zeroed when dropped, never in debug output. The caller
/// stores it sealed.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

impl TotpSecret {
    pub fn generate() -> Result<Self> {
        Ok(Self(Zeroizing::new(Zeroizing::new(random::<20>()?).to_vec())))
    }

    /// 16 to 128 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if SECRET_BYTES.contains(&bytes.len()) {
            Ok(Self(Zeroizing::new(bytes.to_vec())))
        } else {
            Err(FactorError::Secret("it has 16 to 128 bytes"))
        }
    }

    /// As [`Self::base32`] gives it, or as somebody typed it.
    pub fn from_base32(text: &str) -> Result<Self> {
        Self::from_bytes(&base32::decode(text).ok_or(FactorError::Secret("it is not base 32"))?)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For typing it into an app.
    pub fn base32(&self) -> Zeroizing<String> {
        base32::encode(&self.0)
    }
}

/// The hash under HOTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

/// How codes are made: [`Totp::APPS`] is what authenticator apps understand, whatever the URI says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totp {
    algorithm: Algorithm,
    digits: u32,
    /// Seconds.
    period: u32,
}

impl Default for Totp {
    fn default() -> Self {
        Self::APPS
    }
}

impl Totp {
    /// SHA-1, six digits, thirty seconds.
    pub const APPS: Self = Self { algorithm: Algorithm::Sha1, digits: 6, period: 30 };

    /// `None` when digits are not 6 to 9 or the period is not 15 to 120 seconds.
    pub fn new(algorithm: Algorithm, digits: u32, period: u32) -> Option<Self> {
        ((6..=9).contains(&digits) && (15..=120).contains(&period)).then_some(Self {
            algorithm,
            digits,
            period,
        })
    }

    /// The step that a time is in, in Unix milliseconds; times before 1970 are in the first.
    pub fn step_at(&self, now: i64) -> u64 {
        u64::try_from(now).unwrap_or(0) / 1000 / u64::from(self.period)
    }

    /// The code of a step; for HOTP the step is the counter.
    pub fn code(&self, secret: &TotpSecret, step: u64) -> Zeroizing<String> {
        let message = step.to_be_bytes();
        let hash = match self.algorithm {
            Algorithm::Sha1 => mac::<Hmac<Sha1>>(secret, &message),
            Algorithm::Sha256 => mac::<Hmac<Sha256>>(secret, &message),
            Algorithm::Sha512 => mac::<Hmac<Sha512>>(secret, &message),
        };
        let value = truncated(&hash) % 10u32.pow(self.digits);
        Zeroizing::new(format!("{value:0width$}", width = self.digits as usize))
    }

    /// Checks a typed code at a time in Unix milliseconds and gives its step. The caller stores that step and passes it
    /// as `last_used` the next time, in one transaction: then a code that was seen or overheard is worth nothing. It also
    /// counts wrong tries: a million codes are few.
    pub fn verify(&self, secret: &TotpSecret, typed: &str, now: i64, last_used: Option<u64>) -> Result<u64> {
        let typed: Zeroizing<String> = Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace()).collect());
        let here = self.step_at(now);
        let mut matched = None;
        // All of them are computed and compared, so that the time tells nothing.
        for step in here.saturating_sub(WINDOW)..=here.saturating_add(WINDOW) {
            let code = self.code(secret, step);
            if bool::from(code.as_bytes().ct_eq(typed.as_bytes())) {
                matched = Some(step);
            }
        }
        match (matched, last_used) {
            (None, _) => Err(FactorError::WrongCode),
            (Some(step), Some(last)) if step <= last => Err(FactorError::UsedCode),
            (Some(step), _) => Ok(step),
        }
    }

    /// The `otpauth://totp/…` URI that apps read from a QR code. It has the secret in it.
    pub fn uri(&self, secret: &TotpSecret, issuer: &str, account: &str) -> Zeroizing<String> {
        let (issuer, account) = (percent(issuer), percent(account));
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
        };
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm={algorithm}&digits={}&period={}",
            *secret.base32(),
            self.digits,
            self.period,
        ))
    }
}

fn mac<M: Mac + hmac::digest::KeyInit>(secret: &TotpSecret, message: &[u8]) -> Vec<u8> {
    let mut mac =
        <M as Mac>::new_from_slice(secret.as_bytes()).expect("invariant: HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Dynamic truncation, RFC 4226, section 5.3.
fn truncated(hash: &[u8]) -> u32 {
    let offset = usize::from(hash[hash.len() - 1] & 15);
    let word = hash[offset..offset + 4].try_into().expect("invariant: every hash has 20 bytes or more");
    u32::from_be_bytes(word) & 0x7fff_ffff
}

/// Everything but the unreserved characters of RFC 3986. A colon parts issuer and account, and some apps look for it after
/// decoding: it cannot be in either.
fn percent(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for byte in text.trim().replace(':', "-").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
