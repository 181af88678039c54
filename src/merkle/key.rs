//! Ed25519 keys in the text forms of signed notes (c2sp.org/signed-note, "Ed25519 signatures"; the key lines are those of
//! golang.org/x/mod/sumdb/note).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{MerkleError, Result};
use crate::note::NoteSignature;

/// The signature type of Ed25519 over a note's text.
const ED25519: u8 = 1;
const SECRET_PREFIX: &str = "PRIVATE+KEY+";
const MAX_NAME: usize = 255;

/// What a note's reader trusts: a name with a public key. As text and in serde: `name+id+base64(0x01 || public key)`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// Signs notes under a name. The secret is wiped from memory when this is dropped and shows in no Debug.
pub struct SigningKey {
    secret: ed25519_dalek::SigningKey,
    verifier: VerifierKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self> {
        let short = name.len() <= MAX_NAME;
        if short && is_name(name) {
            Ok(Self { name: name.to_owned(), id: key_id(name, &key), key })
        } else {
            Err(MerkleError::KeyName)
        }
    }

    /// The name on the signature lines.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First four bytes of SHA-256(name || 0x0A || 0x01 || public key).
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether the signature claims to be by this key: both name and id count.
    pub(crate) fn is_named_by(&self, signature: &NoteSignature) -> bool {
        signature.name == self.name && signature.id == self.id
    }

    /// Whether the signature is by this key over the text (RFC 8032 section 5.1.7, without keys and points of small
    /// order, with which one signature would fit several texts).
    pub(crate) fn verifies(&self, text: &str, signature: &NoteSignature) -> bool {
        Signature::from_slice(&signature.bytes)
            .is_ok_and(|s| self.key.verify_strict(text.as_bytes(), &s).is_ok())
    }
}

impl SigningKey {
    /// A new key from the operating system's random bytes.
    pub fn generate(name: &str) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|e| MerkleError::Random(e.to_string()))?;
        Self::from_seed(name, &seed)
    }

    /// The key that RFC 8032 section 5.1.5 derives from 32 secret bytes.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self> {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        Ok(Self { verifier: VerifierKey::new(name, secret.verifying_key())?, secret })
    }

    /// Reads `PRIVATE+KEY+name+id+base64(0x01 || seed)`.
    pub fn from_secret_text(text: &str) -> Result<Self> {
        let refuse = |reason| MerkleError::Key { kind: "signing", reason };
        let line = text.strip_prefix(SECRET_PREFIX).ok_or(refuse("it does not begin with PRIVATE+KEY+"))?;
        let parts = Parts::read(line).map_err(refuse)?;
        let key = Self::from_seed(parts.name, &parts.bytes)?;
        if key.verifier.id == parts.id { Ok(key) } else { Err(refuse("its id belongs to another key")) }
    }

    /// The secret as text, for a place as safe as the secret has to be; wiped from memory when dropped.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.secret.to_bytes());
        let encoded = encode(&seed);
        let VerifierKey { name, id, .. } = &self.verifier;
        Zeroizing::new(format!("{SECRET_PREFIX}{name}+{}+{}", hex::encode(id), *encoded))
    }

    /// The public half, to hand out.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn sign(&self, text: &str) -> NoteSignature {
        let bytes = self.secret.sign(text.as_bytes()).to_bytes().to_vec();
        NoteSignature { name: self.verifier.name.clone(), id: self.verifier.id, bytes }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier.name)
    }
}

impl FromStr for VerifierKey {
    type Err = MerkleError;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |reason| MerkleError::Key { kind: "verifier", reason };
        let parts = Parts::read(text).map_err(refuse)?;
        let key =
            VerifyingKey::from_bytes(&parts.bytes).map_err(|_| refuse("it is no point of the curve"))?;
        if key.is_weak() {
            return Err(refuse("it would fit signatures that no one made"));
        }
        let key = Self::new(parts.name, key)?;
        if key.id == parts.id { Ok(key) } else { Err(refuse("its id belongs to another key or name")) }
    }
}

impl TryFrom<String> for VerifierKey {
    type Error = MerkleError;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<VerifierKey> for String {
    fn from(key: VerifierKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), *encode(self.key.as_bytes()))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `name+id+base64(0x01 || 32 bytes)`, the form of both keys.
struct Parts<'a> {
    name: &'a str,
    id: [u8; 4],
    bytes: Zeroizing<[u8; 32]>,
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Result<Self, &'static str> {
        // Base 64 itself has '+', so only the first two separate.
        let mut fields = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (fields.next(), fields.next(), fields.next()) else {
            return Err("it has not the parts name, id and key");
        };
        let mut parts = Self { name, id: [0; 4], bytes: Zeroizing::new([0; 32]) };
        let lower = !id.bytes().any(|b| b.is_ascii_uppercase());
        if hex::decode_to_slice(id, &mut parts.id).is_err() || !lower {
            return Err("its id is not 8 lower-case hex digits");
        }
        // 33 bytes and nothing longer.
        let decoded = if key.len() == 44 { STANDARD.decode(key).ok() } else { None };
        let decoded = Zeroizing::new(decoded.unwrap_or_default());
        match decoded.split_first() {
            Some((&ED25519, bytes)) if bytes.len() == 32 => parts.bytes.copy_from_slice(bytes),
            Some((_, bytes)) if bytes.len() == 32 => return Err("it is not for Ed25519"),
            _ => return Err("its last part is not 33 bytes in base 64"),
        }
        Ok(parts)
    }
}

fn encode(key: &[u8; 32]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([ED25519; 33]);
    bytes[1..].copy_from_slice(key);
    Zeroizing::new(STANDARD.encode(bytes.as_slice()))
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Whether a signature line can carry this name (c2sp.org/signed-note, "Format").
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c < ' ' || c == '+')
}
