//! What is kept of a passkey: public data only.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::Credential;

use crate::authenticate::AuthenticationResult;
use crate::error::{FactorError, Result};

/// WebAuthn level 3, section 4: at most 1023 bytes.
const LONGEST_ID: usize = 1023;

/// The id that an authenticator gave to a passkey; as text in base64url.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CredentialId(Vec<u8>);

impl CredentialId {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if (1..=LONGEST_ID).contains(&bytes.len()) {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(FactorError::Unreadable("a passkey's id has 1 to 1023 bytes"))
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// How authenticators know a person: 16 random bytes, that say nothing about who it is. A person keeps the same for all
/// passkeys. As text in base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserHandle([u8; 16]);

impl UserHandle {
    pub fn generate() -> Result<Self> {
        crate::random().map(Self)
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

macro_rules! base64url {
    ($($name:ident: $what:literal, $from:expr;)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = FactorError;

            fn from_str(text: &str) -> Result<Self> {
                let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| FactorError::Unreadable($what))?;
                $from(bytes)
            }
        }

        impl TryFrom<String> for $name {
            type Error = FactorError;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )*};
}

base64url! {
    CredentialId: "a passkey's id is not base64url", |bytes: Vec<u8>| Self::from_bytes(&bytes);
    UserHandle: "this is not a person's handle", |bytes: Vec<u8>| {
        bytes.try_into().map(Self).map_err(|_| FactorError::Unreadable("this is not a person's handle"))
    };
}

/// A registered passkey, to be stored as it is serialised. `id` must be unique over all persons of the site: the caller
/// refuses a second registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Passkey {
    pub(crate) credential: Credential,
    pub(crate) user: UserHandle,
    pub(crate) transports: Vec<String>,
    pub(crate) aaguid: Option<String>,
    pub(crate) discoverable: Option<bool>,
    pub(crate) created_at: i64,
}

impl Passkey {
    pub fn id(&self) -> CredentialId {
        CredentialId(self.credential.cred_id.clone())
    }

    /// Whose it is.
    pub fn user(&self) -> UserHandle {
        self.user
    }

    /// Signatures made so far, as the authenticator counts; many do not count and stay at 0.
    pub fn counter(&self) -> u32 {
        self.credential.counter
    }

    /// Whether copies of it may exist, as in a cloud account or a password manager.
    pub fn backup_eligible(&self) -> bool {
        self.credential.backup_eligible
    }

    /// Whether a copy existed when it was last used.
    pub fn backed_up(&self) -> bool {
        self.credential.backup_state
    }

    /// Whether it asked for a PIN, a fingerprint or a face when it was registered. From then on it always must.
    pub fn user_verified(&self) -> bool {
        self.credential.user_verified
    }

    /// How browsers reach it: `internal`, `usb`, `nfc`, `ble`, `hybrid`, `smart-card`. A help, nothing to rely on.
    pub fn transports(&self) -> &[String] {
        &self.transports
    }

    /// The model of the authenticator, as a UUID in lower case. Not vouched for; many do not tell.
    pub fn aaguid(&self) -> Option<&str> {
        self.aaguid.as_deref()
    }

    /// Whether it can sign in without a user name; `None` when the browser did not tell.
    pub fn discoverable(&self) -> Option<bool> {
        self.discoverable
    }

    /// When it was registered, in Unix milliseconds.
    pub fn created_at(&self) -> i64 {
        self.created_at
    }

    /// Takes over what a sign-in told; the caller stores the passkey afterwards. Without that no copy is ever noticed.
    pub fn update(&mut self, result: &AuthenticationResult) {
        if result.credential_id == self.id() {
            self.credential.counter = self.credential.counter.max(result.counter);
            self.credential.backup_state = result.backed_up;
        }
    }
}
