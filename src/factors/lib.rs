//! What proves a person beside a password: passkeys (WebAuthn), time-based one-time codes (RFC 6238) and recovery codes;
//! and which passwords are guessed first. Pure computation: it stores nothing and knows no time. What it gives out between
//! two steps (states, hashes, the last used step) the caller keeps, and uses once. It does not count failed tries either:
//! that is the matter of whoever lets people try.

mod authenticate;
mod base32;
mod error;
mod fold;
mod known;
mod passkey;
mod qr;
mod recovery;
mod register;
mod response;
mod site;
#[cfg(test)]
mod soft;
#[cfg(test)]
mod tests_hostile;
#[cfg(test)]
mod tests_known;
#[cfg(test)]
mod tests_passkeys;
#[cfg(test)]
mod tests_recovery;
#[cfg(test)]
mod tests_site;
#[cfg(test)]
mod tests_totp;
mod totp;

pub use authenticate::{AuthenticationResult, AuthenticationState, SignIn};
pub use error::{FactorError, Result};
pub use known::{Reason, Weakness, known};
pub use passkey::{CredentialId, Passkey, UserHandle};
pub use qr::qr_svg;
pub use recovery::{RecoveryCodes, RecoveryHashes};
pub use register::{NewPasskey, RegistrationState, Role};
pub use response::Claim;
pub use site::Passkeys;
pub use totp::{Algorithm, Totp, TotpSecret};

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| FactorError::Random(e.to_string()))?;
    Ok(bytes)
}
