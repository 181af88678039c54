//! A small provider inside the test, which can be made to misbehave: it answers a [`Fetch`] and signs with keys made at
//! start.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::url::{Url, form_urlencoded};
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use rsa::RsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{Begun, Callback, Fetch, HttpRequest, HttpResponse, Method, Pending, Person, Provider};
use crate::{ProviderConfig, Result};

pub const ISSUER: &str = "https://login.example.org/realm";
pub const CLIENT: &str = "lectern";
pub const SECRET: &str = "s3cret / with + odd:signs";
pub const REDIRECT: &str = "https://lectern.example.org/auth/callback";
pub const NOW: i64 = 1_800_000_000_000;
pub const ACCESS_TOKEN: &str = "access-token-of-the-test";

/// How tokens are signed.
pub enum Signer {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    /// With RS256 or PS256.
    Rsa(Box<RsaPrivateKey>, &'static str),
    /// As who takes a public key or the client's secret for a shared one.
    Hs256(Vec<u8>),
    None,
}

impl Signer {
    pub fn es256() -> Self {
        let random = SystemRandom::new();
        let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(alg, &random).unwrap();
        Self::Es256(EcdsaKeyPair::from_pkcs8(alg, key.as_ref(), &random).unwrap())
    }

    pub fn eddsa() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::EdDsa(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    pub fn rsa(bits: usize, alg: &'static str) -> Self {
        Self::Rsa(Box::new(RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap()), alg)
    }

    pub fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
            Self::Rsa(_, alg) => alg,
            Self::Hs256(_) => "HS256",
            Self::None => "none",
        }
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Es256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y), "kid": kid, "use": "sig"})
            }
            Self::EdDsa(key) => {
                let x = b64(key.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig"})
            }
            Self::Rsa(key, _) => {
                let (n, e) = (b64(&key.n().to_bytes_be()), b64(&key.e().to_bytes_be()));
                json!({"kty": "RSA", "n": n, "e": e, "kid": kid, "use": "sig"})
            }
            Self::Hs256(key) => json!({"kty": "oct", "k": b64(key), "kid": kid}),
            Self::None => json!({"kty": "none", "kid": kid}),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let hash = Sha256::digest(message);
        let random = &mut rsa::rand_core::OsRng;
        match self {
            Self::Es256(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::EdDsa(key) => key.sign(message).as_ref().to_vec(),
            Self::Rsa(key, "PS256") => key.sign_with_rng(random, rsa::Pss::new::<Sha256>(), &hash).unwrap(),
            Self::Rsa(key, _) => key.sign(rsa::Pkcs1v15Sign::new::<Sha256>(), &hash).unwrap(),
            Self::Hs256(key) => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
                ring::hmac::sign(&key, message).as_ref().to_vec()
            }
            Self::None => Vec::new(),
        }
    }

    pub fn token(&self, header: &Value, claims: &Value) -> String {
        let message =
            format!("{}.{}", b64(header.to_string().as_bytes()), b64(claims.to_string().as_bytes()));
        format!("{message}.{}", b64(&self.sign(message.as_bytes())))
    }
}

/// What the provider remembers of an authorisation request.
struct Question {
    query: HashMap<String, String>,
    used: bool,
}

pub struct Inner {
    pub metadata: Value,
    pub keys: Vec<Value>,
    pub signer: Signer,
    /// Laid over the header and the claims of an id token; null takes away.
    pub header: Value,
    pub claims: Value,
    pub userinfo: Value,
    /// The client's secret; none for a public client.
    pub secret: Option<&'static str>,
    /// Answers by path that take the place of the right one; an error for no answer.
    pub answers: HashMap<&'static str, Result<HttpResponse, String>>,
    /// Paths that were asked.
    pub asked: Vec<String>,
    questions: HashMap<String, Question>,
}

/// The provider.
pub struct Fake(pub Mutex<Inner>);

impl Fake {
    pub fn new() -> Arc<Self> {
        let signer = Signer::es256();
        let keys = vec![signer.jwk("one")];
        Arc::new(Self(Mutex::new(Inner {
            metadata: metadata(),
            keys,
            signer,
            header: json!({}),
            claims: json!({}),
            userinfo: json!({"sub": "u-1"}),
            secret: Some(SECRET),
            answers: HashMap::new(),
            asked: Vec::new(),
            questions: HashMap::new(),
        })))
    }

    pub fn set(&self, field: &str, value: Value) {
        self.0.lock().metadata[field] = value;
    }

    pub fn answer(&self, path: &'static str, status: u16, body: impl Into<Vec<u8>>) {
        self.0.lock().answers.insert(path, Ok(response(status, body)));
    }

    /// How often a path was asked.
    pub fn count(&self, path: &str) -> usize {
        self.0.lock().asked.iter().filter(|p| *p == path).count()
    }

    pub async fn provider(self: &Arc<Self>) -> Result<Provider> {
        self.provider_with(ProviderConfig::new(ISSUER, CLIENT)).await
    }

    pub async fn provider_with(self: &Arc<Self>, config: ProviderConfig) -> Result<Provider> {
        Provider::discover(config, self.clone(), NOW).await
    }

    /// Plays browser and person: gives what the browser brings back.
    pub fn consent(&self, begun: &Begun) -> Callback {
        let url = Url::parse(&begun.authorization_url).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let (state, code) = (query["state"].clone(), format!("code-of-{}", query["state"]));
        self.0.lock().questions.insert(code.clone(), Question { query, used: false });
        Callback { code: Some(code), state: Some(state), iss: Some(ISSUER.to_owned()), ..Callback::default() }
    }
}

/// Begins a sign-in and lets the provider agree to it.
pub fn begin(fake: &Fake, provider: &Provider) -> (Pending, Callback) {
    let begun = provider.begin(REDIRECT, None, NOW).unwrap();
    let callback = fake.consent(&begun);
    (begun.pending, callback)
}

/// A whole sign-in.
pub async fn sign_in(fake: &Fake, provider: &Provider) -> Result<Person> {
    let (pending, callback) = begin(fake, provider);
    provider.finish(pending, callback, Some(SECRET), NOW + 5_000).await
}

#[async_trait::async_trait]
impl Fetch for Fake {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        let url = Url::parse(&request.url).unwrap();
        let path = url.path().trim_start_matches("/realm").to_owned();
        let mut inner = self.0.lock();
        inner.asked.push(path.clone());
        if let Some(answer) = inner.answers.get(path.as_str()) {
            return answer.clone();
        }
        Ok(match (request.method, path.as_str()) {
            (Method::Get, "/.well-known/openid-configuration") => response(200, inner.metadata.to_string()),
            (Method::Get, "/keys") => response(200, json!({"keys": inner.keys}).to_string()),
            (Method::Post, "/token") => inner.token(&request),
            (Method::Get, "/userinfo") => inner.userinfo(&request),
            other => panic!("no one should ask for {other:?}"),
        })
    }
}

impl Inner {
    fn token(&mut self, request: &HttpRequest) -> HttpResponse {
        let form: HashMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
        if !self.knows_client(request, &form) {
            return response(401, r#"{"error": "invalid_client"}"#);
        }
        let Some(question) = self.questions.get_mut(&form["code"]) else {
            return response(400, r#"{"error": "invalid_grant"}"#);
        };
        let challenge = b64(&Sha256::digest(&form["code_verifier"]));
        let wanted = [("code_challenge", &challenge), ("redirect_uri", &form["redirect_uri"])];
        let same = wanted.iter().all(|(name, value)| question.query.get(*name) == Some(*value));
        if question.used || !same || question.query["code_challenge_method"] != "S256" {
            return response(400, r#"{"error": "invalid_grant"}"#);
        }
        question.used = true;
        let nonce = question.query["nonce"].clone();
        let token = self.id_token(&nonce);
        let body = json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": token});
        response(200, body.to_string())
    }

    fn knows_client(&self, request: &HttpRequest, form: &HashMap<String, String>) -> bool {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let Some(secret) = self.secret else {
            return form["client_id"] == CLIENT && !form.contains_key("client_secret");
        };
        let methods = &self.metadata["token_endpoint_auth_methods_supported"];
        if methods.as_array().is_some_and(|m| !m.contains(&json!("client_secret_basic"))) {
            return form["client_id"] == CLIENT && form["client_secret"] == secret;
        }
        let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{}", encoded(secret))));
        request.headers.contains(&("authorization".to_owned(), basic))
    }

    pub fn id_token(&self, nonce: &str) -> String {
        let seconds = NOW / 1000;
        let hash = match self.signer {
            Signer::EdDsa(_) => json!(null),
            _ => json!(b64(&Sha256::digest(ACCESS_TOKEN)[..16])),
        };
        let claims = json!({
            "iss": ISSUER, "sub": "u-1", "aud": CLIENT, "iat": seconds, "exp": seconds + 300, "nonce": nonce,
            "at_hash": hash, "sid": "session-1", "email": "ada@example.org", "email_verified": true,
            "name": "Ada", "preferred_username": "ada", "groups": ["staff", "editors", "staff"],
        });
        let header = json!({"alg": self.signer.alg(), "typ": "JWT", "kid": "one"});
        self.signer.token(&over(header, &self.header), &over(claims, &self.claims))
    }

    fn userinfo(&self, request: &HttpRequest) -> HttpResponse {
        let bearer = ("authorization".to_owned(), format!("Bearer {ACCESS_TOKEN}"));
        if request.headers.contains(&bearer) {
            response(200, self.userinfo.to_string())
        } else {
            response(401, "{}")
        }
    }
}

pub fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "jwks_uri": format!("{ISSUER}/keys"),
        "end_session_endpoint": format!("{ISSUER}/logout?tenant=1"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA", "HS256", "none"],
        "authorization_response_iss_parameter_supported": true,
    })
}

pub fn response(status: u16, body: impl Into<Vec<u8>>) -> HttpResponse {
    let content_type = Some("application/json; charset=utf-8".to_owned());
    HttpResponse { status, content_type, body: body.into() }
}

pub fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `patch` laid over `base`; null takes a field away.
pub fn over(base: Value, patch: &Value) -> Value {
    let Value::Object(mut map) = base else { panic!("an object") };
    for (key, value) in patch.as_object().unwrap_or(&Map::new()) {
        map.insert(key.clone(), value.clone());
    }
    map.retain(|_, v| !v.is_null());
    Value::Object(map)
}
