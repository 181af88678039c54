//! Prefixed, sortable identifiers: `doc_01jb…`, made from UUID version 7 (RFC 9562) in Crockford base 32.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is not an id that begins with '{prefix}_'")]
pub struct IdError {
    given: String,
    prefix: &'static str,
}

fn encode(mut value: u128) -> String {
    let mut out = [0u8; LENGTH];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    out.iter().map(|&b| char::from(b)).collect()
}

fn is_body(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|b| ALPHABET.contains(&b))
}

macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The part before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id; ids made later sort after it.
            pub fn generate() -> Self {
                Self(format!("{}_{}", $prefix, encode(uuid::Uuid::now_v7().as_u128())))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let body = text.strip_prefix(concat!($prefix, "_")).unwrap_or_default();
                if is_body(body) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError { given: text.chars().take(64).collect(), prefix: $prefix })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

id_type! {
    /// A document.
    DocumentId = "doc";
    /// A conversation.
    ConversationId = "cnv";
    /// A question with its answer.
    TurnId = "trn";
    /// A person who may sign in.
    UserId = "usr";
    /// A browser session.
    SessionId = "ses";
    /// An API key.
    KeyId = "key";
    /// A unit of later work.
    JobId = "job";
    /// An event of the outbox.
    EventId = "evt";
    /// One HTTP request.
    RequestId = "req";
    /// An entry of the pronunciation lexicon.
    LexiconId = "lex";
    /// A group of people.
    GroupId = "grp";
    /// An invitation to join a tenant.
    InvitationId = "inv";
    /// A team with its own collections.
    WorkspaceId = "wsp";
    /// A source of sign-ins: an OpenID provider or a directory.
    ProviderId = "idp";
    /// Something that proves a person beside the password.
    FactorId = "fac";
    /// A program of a third party.
    AppId = "app";
    /// A consent of a tenant or a person.
    ConsentId = "cns";
    /// A server that entries of a record are sent to.
    TargetId = "tgt";
}

/// The name of a tenant: it is a folder's name, so 1–63 of `a-z`, `0-9` and `-`, not at an end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct TenantId(String);

impl TenantId {
    /// The tenant every appliance begins with.
    pub fn main() -> Self {
        Self("main".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let edges = text.starts_with('-') || text.ends_with('-');
        if (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !edges {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError { given: text.chars().take(64).collect(), prefix: "ten" })
        }
    }
}

impl TryFrom<String> for TenantId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_round_trip() {
        let first = DocumentId::generate();
        std::thread::sleep(std::time::Duration::from_millis(2));
        let second = DocumentId::generate();
        assert!(first < second);
        assert_eq!(first.as_str().parse(), Ok(first.clone()));
        assert_eq!(first.as_str().len(), 4 + LENGTH);
    }

    #[test]
    fn a_foreign_prefix_or_letter_is_refused() {
        let user = UserId::generate();
        assert!(user.as_str().parse::<DocumentId>().is_err());
        assert!("doc_../../../../etc/passwd0000".parse::<DocumentId>().is_err());
        assert!("doc_".parse::<DocumentId>().is_err());
    }

    #[test]
    fn a_tenant_is_a_safe_folder_name() {
        assert!("main".parse::<TenantId>().is_ok());
        for bad in ["", "..", "a/b", "A", "-a", "a-", "ä", &"x".repeat(64)] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad}");
        }
    }
}
