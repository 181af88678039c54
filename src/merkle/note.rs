//! Signed notes, c2sp.org/signed-note: a text, a blank line, and a line for each signature.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{MerkleError, Result};
use crate::key::{SigningKey, VerifierKey, is_name};

/// Bytes of the longest note that is read or made: room for sixteen signatures of nearly 5 kB (post-quantum ones).
pub const MAX_NOTE: usize = 128 * 1024;
/// Signatures of a note; the format asks readers to accept at least so many.
pub const MAX_SIGNATURES: usize = 16;

const MARK: &str = "— ";
const ID_LENGTH: usize = 4;

/// A text with signatures. Trust the text only after [`verify`](Self::verify).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One line of signature, of whatever type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    pub(crate) name: String,
    pub(crate) id: [u8; ID_LENGTH],
    pub(crate) bytes: Vec<u8>,
}

impl NoteSignature {
    /// Name of the key that the line claims.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of the key that the line claims.
    pub fn key_id(&self) -> [u8; ID_LENGTH] {
        self.id
    }
}

impl SignedNote {
    /// Signs a text, which ends with a newline and has no other control characters.
    pub fn sign(text: String, key: &SigningKey) -> Result<Self> {
        check_characters(&text)?;
        if !text.ends_with('\n') {
            return Err(refuse("its text does not end with a newline"));
        }
        let mut note = Self { text, signatures: Vec::new() };
        note.add_signature(key)?;
        Ok(note)
    }

    /// Signs the text by another key too; a key that has signed already changes nothing.
    pub fn add_signature(&mut self, key: &SigningKey) -> Result<()> {
        if self.signatures.iter().any(|s| key.verifier().is_named_by(s)) {
            return Ok(());
        }
        if self.signatures.len() == MAX_SIGNATURES {
            return Err(refuse("it would have too many signatures"));
        }
        self.signatures.push(key.sign(&self.text));
        if self.to_string().len() > MAX_NOTE {
            self.signatures.pop();
            return Err(refuse("it would be too long"));
        }
        Ok(())
    }

    /// Reads a note strictly: what comes out is written as exactly the same bytes.
    pub fn parse(note: &[u8]) -> Result<Self> {
        if note.len() > MAX_NOTE {
            return Err(refuse("it is too long"));
        }
        let note = str::from_utf8(note).map_err(|_| refuse("it is not UTF-8"))?;
        check_characters(note)?;
        let blank = note.rfind("\n\n").ok_or(refuse("it has no blank line before signatures"))?;
        let (text, lines) = (&note[..=blank], &note[blank + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(refuse("its last line is no whole signature line"))?;
        let before = text.lines().count() + 1;
        let mut signatures = Vec::new();
        for (number, line) in lines.split('\n').enumerate() {
            let refuse = |reason| MerkleError::Note { line: Some(before + number + 1), reason };
            if number == MAX_SIGNATURES {
                return Err(refuse("it has too many signatures"));
            }
            signatures.push(read_signature(line).map_err(refuse)?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures in their order, verified or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Which of these keys have signed: at least one. Signatures of others do not count, but one that names a key of
    /// these and is not by it spoils the whole note (c2sp.org/signed-note, "Signatures").
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>> {
        let mut signers: Vec<&VerifierKey> = Vec::new();
        for signature in &self.signatures {
            let mut named = keys.iter().filter(|key| key.is_named_by(signature)).peekable();
            if named.peek().is_none() {
                continue;
            }
            let signer = named.find(|key| key.verifies(&self.text, signature));
            let signer = signer.ok_or_else(|| MerkleError::BadSignature { name: signature.name.clone() })?;
            if !signers.contains(&signer) {
                signers.push(signer);
            }
        }
        if signers.is_empty() { Err(MerkleError::UnknownSigner) } else { Ok(signers) }
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for NoteSignature { name, id, bytes } in &self.signatures {
            writeln!(f, "{MARK}{name} {}", STANDARD.encode([id.as_slice(), bytes].concat()))?;
        }
        Ok(())
    }
}

fn refuse(reason: &'static str) -> MerkleError {
    MerkleError::Note { line: None, reason }
}

fn check_characters(text: &str) -> Result<()> {
    match text.split('\n').position(|line| line.bytes().any(|b| b < b' ')) {
        None => Ok(()),
        Some(at) => Err(MerkleError::Note { line: Some(at + 1), reason: "it has a control character" }),
    }
}

fn read_signature(line: &str) -> Result<NoteSignature, &'static str> {
    let line = line.strip_prefix(MARK).ok_or("a signature line does not begin with a dash and a space")?;
    let (name, encoded) = line.split_once(' ').ok_or("a signature line has no name or no signature")?;
    if !is_name(name) {
        return Err("a signature line has no proper key name");
    }
    let decoded = STANDARD.decode(encoded).map_err(|_| "a signature is not in base 64")?;
    match decoded.split_first_chunk() {
        Some((id, bytes)) if !bytes.is_empty() => {
            Ok(NoteSignature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
        }
        _ => Err("a signature is too short"),
    }
}
