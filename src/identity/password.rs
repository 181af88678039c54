//! Passwords: rules, and Argon2id (RFC 9106) with the OWASP parameters, off the async threads.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use lectern_kernel::{Code, Error, Result};
use tokio::sync::Semaphore;

use crate::secret;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes made at the same time: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Requests that may wait for a hash; more are told to come back.
const WAITING: usize = 64;

pub(crate) const SHORTEST: usize = 10;
const LONGEST: usize = 200;

/// A well-formed hash that no password is known for: an unknown e-mail costs as much time as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What is wrong with a new password, if anything.
pub(crate) fn complaint(password: &str, email: &str) -> Option<&'static str> {
    let length = password.chars().count();
    if length < SHORTEST {
        Some("must have at least 10 characters")
    } else if length > LONGEST {
        Some("must have at most 200 characters")
    } else if password.trim().eq_ignore_ascii_case(email.trim()) {
        Some("must not be the e-mail")
    } else {
        None
    }
}

/// Makes and checks hashes, a few at a time.
pub(crate) struct Passwords {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)), queue: Arc::new(Semaphore::new(WAITING)) }
    }
}

impl Passwords {
    /// The PHC string of a password.
    pub async fn hash(&self, password: String) -> Result<String> {
        let salt = secret::random::<16>()?;
        self.run(move || {
            let salt = SaltString::encode_b64(&salt).map_err(|e| Error::internal(e.to_string()))?;
            let hash = argon2()
                .hash_password(password.as_bytes(), &salt)
                .map_err(|e| Error::internal(e.to_string()))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is that of the hash; without a hash the answer is no, after the same time.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        if password.len() > LONGEST * 4 {
            return Ok(false);
        }
        self.run(move || {
            let text = hash.as_deref().unwrap_or(NOBODY);
            let parsed = PasswordHash::new(text).map_err(|e| Error::internal(e.to_string()))?;
            let right = argon2().verify_password(password.as_bytes(), &parsed).is_ok();
            Ok(right && hash.is_some())
        })
        .await
    }

    /// Slow work on a secret, a few at a time.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let _place = self.queue.clone().try_acquire_owned().map_err(|_| {
            Error::new(Code::Busy, "Too many people sign in at this moment.")
                .hint("Try again in a few seconds.")
        })?;
        // Goes into the work: a client that goes away must not free the slot before the hash is done.
        let slot = self.slots.clone().acquire_owned().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work()
        })
        .await
        .map_err(Error::internal)?
    }
}

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("invariant: the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told() {
        assert_eq!(complaint("long enough!", "a@b.c"), None);
        assert!(complaint("short", "a@b.c").is_some());
        assert!(complaint(&"ä".repeat(200), "a@b.c").is_none());
        assert!(complaint(&"ä".repeat(201), "a@b.c").is_some());
        assert!(complaint("Anna@Example.org", "anna@example.org ").is_some());
    }

    #[actix_web::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.expect("runs"));
        assert!(!passwords.verify("correct house".into(), Some(hash)).await.expect("runs"));
        assert!(!passwords.verify("correct horse".into(), None).await.expect("runs"));
    }

    #[test]
    fn the_hash_of_nobody_has_the_same_cost() {
        let parsed = PasswordHash::new(NOBODY).expect("well formed");
        let params = Params::try_from(&parsed).expect("known parameters");
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
        assert_eq!(parsed.hash.map(|h| h.len()), Some(32));
    }
}
