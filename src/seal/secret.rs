//! Thirty-two secret bytes, the keys derived from them, and the one way in which short things are sealed.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Result, SealError};
use crate::text;

/// Bytes of the longest value that is sealed as text.
pub const MAX_VALUE: usize = 1024 * 1024;

pub(crate) const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Bytes of a key's id: enough to tell keys apart, and nothing to attack.
const ID: usize = 6;

/// A key. In a box, so that moving it leaves no copies; wiped from memory when dropped; has no Debug.
pub(crate) struct Secret(Box<Zeroizing<[u8; KEY]>>);

impl Secret {
    pub(crate) fn random() -> Result<Self> {
        let mut secret = Self::zero();
        fill(secret.0.as_mut_slice())?;
        Ok(secret)
    }

    pub(crate) fn from_bytes(bytes: &[u8; KEY]) -> Self {
        let mut secret = Self::zero();
        secret.0.copy_from_slice(bytes);
        secret
    }

    fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; KEY])))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// The key for one purpose: HKDF-SHA256 (RFC 5869) with the purpose as `info`.
    pub(crate) fn derive(&self, salt: Option<&[u8]>, purpose: &str) -> Self {
        let mut derived = Self::zero();
        Hkdf::<Sha256>::new(salt, self.0.as_slice())
            .expand(purpose.as_bytes(), derived.0.as_mut_slice())
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        derived
    }

    /// What names this key in messages: 12 hex digits that tell nothing about it.
    pub(crate) fn id(&self) -> String {
        hex::encode(&self.derive(None, "lectern key id 1").bytes()[..ID])
    }

    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under the key for `purpose`, with a random nonce before it.
    pub(crate) fn seal(&self, purpose: &str, place: &[&str], plaintext: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE];
        fill(&mut nonce)?;
        Ok(self.seal_with(purpose, place, plaintext, nonce))
    }

    pub(crate) fn seal_with(
        &self,
        purpose: &str,
        place: &[&str],
        plaintext: &[u8],
        nonce: [u8; NONCE],
    ) -> Vec<u8> {
        let aad = encode_place(place);
        let sealed = self
            .cipher(purpose)
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plaintext, aad: &aad })
            .expect("a short text can be encrypted");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`seal`](Self::seal) made for the same place; nothing else opens.
    pub(crate) fn open(&self, purpose: &str, place: &[&str], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: &encode_place(place) };
        let opened = self.cipher(purpose).decrypt(XNonce::from_slice(nonce), payload);
        opened.ok().map(Zeroizing::new)
    }

    fn cipher(&self, purpose: &str) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.derive(None, purpose).bytes().into())
    }
}

/// Each part with its length before it (32 bits, big-endian), so that no two places read alike.
fn encode_place(place: &[&str]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in place {
        all.extend_from_slice(&(part.len() as u32).to_be_bytes());
        all.extend_from_slice(part.as_bytes());
    }
    all
}

const VALUE_TAG: &str = "lsv1";
const VALUE_KIND: &str = "sealed value";

/// A sealed value as text: `lsv1.` and nonce, ciphertext and tag in base 64.
pub(crate) fn seal_value(secret: &Secret, purpose: &str, place: &[&str], plaintext: &[u8]) -> Result<String> {
    if plaintext.len() > MAX_VALUE {
        return Err(SealError::LongValue { found: plaintext.len(), most: MAX_VALUE });
    }
    Ok(format!("{VALUE_TAG}.{}", text::encode(&secret.seal(purpose, place, plaintext)?)))
}

pub(crate) fn open_value(
    secret: &Secret,
    purpose: &str,
    place: &[&str],
    sealed: &str,
) -> Result<Zeroizing<Vec<u8>>> {
    let refuse = |reason| SealError::Text { kind: VALUE_KIND, reason };
    let field = text::after_tag(VALUE_TAG, sealed).map_err(refuse)?;
    // Bounded before it is decoded: base 64 has four letters for three bytes.
    if field.len() > (MAX_VALUE + NONCE + TAG).div_ceil(3) * 4 {
        return Err(refuse("it is too long"));
    }
    let bytes = text::decode(field).map_err(refuse)?;
    secret.open(purpose, place, &bytes).ok_or(SealError::Refused { kind: VALUE_KIND })
}

/// Random bytes from the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|e| SealError::Random(e.to_string()))
}
