//! An authenticator and a browser in software, for the tests: P-256 signatures, authenticator data and CBOR made here from
//! the specification (WebAuthn level 3, sections 6.1 and 6.5), with every field open to be set wrongly.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::{Value as Cbor, cbor};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const UP: u8 = 0x01;
pub const UV: u8 = 0x04;
pub const BE: u8 = 0x08;
pub const BS: u8 = 0x10;
const AT: u8 = 0x40;

/// DigestInfo of SHA-256 (RFC 8017, section 9.2, note 1), before the hash.
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

enum Key {
    P256(SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

/// What is signed over, before it is made into bytes.
pub struct Soft {
    key: Key,
    pub id: Vec<u8>,
    pub handle: Option<String>,
    pub rp_id: String,
    pub origin: String,
    pub flags: u8,
    pub counter: u32,
    pub aaguid: [u8; 16],
    pub cross_origin: bool,
    /// Takes the place of the challenge when set.
    pub challenge: Option<String>,
    /// Takes the place of `webauthn.create` or `webauthn.get` when set.
    pub kind: Option<&'static str>,
    /// COSE algorithm: -7 is ES256, -257 RS256.
    pub algorithm: i64,
    pub break_signature: bool,
}

impl Soft {
    pub fn new(seed: u8) -> Self {
        Self {
            key: Key::P256(SigningKey::from_slice(&[seed; 32]).expect("a scalar")),
            id: vec![seed; 20],
            handle: None,
            rp_id: "lectern.example.org".into(),
            origin: "https://lectern.example.org".into(),
            flags: UP | UV,
            counter: 0,
            aaguid: [0; 16],
            cross_origin: false,
            challenge: None,
            kind: None,
            algorithm: -7,
            break_signature: false,
        }
    }

    /// As the TPM of Windows Hello: RSA of 2048 bits.
    pub fn rsa(seed: u8) -> Self {
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key");
        Self { key: Key::Rsa(Box::new(key)), algorithm: -257, ..Self::new(seed) }
    }

    /// Answers `navigator.credentials.create` and remembers whose passkey it is.
    pub fn create(&mut self, options: &Value) -> String {
        self.handle = options["user"]["id"].as_str().map(str::to_owned);
        let client = self.client_data(options, "webauthn.create");
        let object = cbor!({
            "fmt" => "none",
            "attStmt" => {},
            "authData" => Cbor::Bytes(self.registration_data()),
        });
        let id = encode(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": encode(&client),
                "attestationObject": encode(&to_bytes(&object.expect("a map"))),
                "transports": ["internal", "hybrid", "telepathy"],
            },
        })
        .to_string()
    }

    /// Answers `navigator.credentials.get`.
    pub fn get(&self, options: &Value) -> String {
        let client = self.client_data(options, "webauthn.get");
        let data = self.data(self.flags);
        let signed = [data.as_slice(), &Sha256::digest(&client)].concat();
        let mut signature = self.sign(&signed);
        if self.break_signature {
            *signature.last_mut().expect("not empty") ^= 1;
        }
        let id = encode(&self.id);
        let mut answer = json!({
            "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client),
                "authenticatorData": encode(&data),
                "signature": encode(&signature),
            },
        });
        if let Some(handle) = &self.handle {
            answer["response"]["userHandle"] = json!(handle);
        }
        answer.to_string()
    }

    fn client_data(&self, options: &Value, kind: &str) -> Vec<u8> {
        let asked = options["challenge"].as_str().expect("a challenge");
        let data = json!({
            "type": self.kind.unwrap_or(kind),
            "challenge": self.challenge.as_deref().unwrap_or(asked),
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        });
        data.to_string().into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(self.rp_id.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn registration_data(&self) -> Vec<u8> {
        let mut data = self.data(self.flags | AT);
        data.extend(self.aaguid);
        data.extend((self.id.len() as u16).to_be_bytes());
        data.extend(&self.id);
        data.extend(to_bytes(&self.cose_key()));
        data
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::P256(key) => {
                let signature: Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Key::Rsa(key) => {
                let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_INFO.into() };
                key.sign(scheme, &Sha256::digest(message)).expect("signs")
            }
        }
    }

    /// RFC 9053, section 7.1, and RFC 8230, section 4.
    fn cose_key(&self) -> Cbor {
        let key = match &self.key {
            Key::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let (x, y) = (point.x().expect("not at infinity"), point.y().expect("uncompressed"));
                cbor!({ 1 => 2, 3 => self.algorithm, -1 => 1, -2 => bytes(x), -3 => bytes(y) })
            }
            Key::Rsa(key) => {
                let (n, e) = (key.n().to_bytes_be(), key.e().to_bytes_be());
                cbor!({ 1 => 3, 3 => self.algorithm, -1 => bytes(&n), -2 => bytes(&e) })
            }
        };
        key.expect("a map")
    }
}

fn bytes(bytes: &[u8]) -> Cbor {
    Cbor::Bytes(bytes.to_vec())
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn to_bytes(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("memory");
    bytes
}
