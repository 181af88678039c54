//! A vault and a network in memory, and a small OpenID Connect provider on that network.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lectern_kernel::ports::Vault;
use lectern_kernel::{Error, Result, Scope, TenantId};
use lectern_ldap::{Dial, DialError};
use lectern_oidc::{Fetch, HttpRequest, HttpResponse, Method};
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use crate::sign_in_network::{Place, SignInNetwork};

/// Hides what it seals, and opens it only for the tenant and place it was sealed for. No cipher: the real one has its own
/// tests.
pub(crate) struct FakeVault;

impl Vault for FakeVault {
    fn seal(&self, tenant: &TenantId, field: &str, secret: &[u8]) -> Result<String> {
        let nonce = hex::encode(crate::secret::random::<8>()?);
        let mixed: Vec<u8> = secret.iter().map(|b| b ^ 0x5a).collect();
        Ok(format!(
            "{nonce}-{}-{}",
            crate::secret::fingerprint(&format!("{tenant}/{field}")),
            hex::encode(mixed)
        ))
    }

    fn open(&self, tenant: &TenantId, field: &str, sealed: &str) -> Result<Vec<u8>> {
        let place = crate::secret::fingerprint(&format!("{tenant}/{field}"));
        let mixed =
            sealed.split_once(&format!("-{place}-")).ok_or_else(|| Error::internal("sealed elsewhere"))?.1;
        let mixed = hex::decode(mixed).map_err(Error::internal)?;
        Ok(mixed.into_iter().map(|b| b ^ 0x5a).collect())
    }
}

/// Reaches the fake provider and whatever listens on this machine, and nothing else.
#[derive(Default)]
pub(crate) struct FakeNetwork {
    pub provider: Mutex<Option<Arc<FakeProvider>>>,
    pub withdrawn: Mutex<Vec<String>>,
}

struct Reach {
    provider: Option<Arc<FakeProvider>>,
    place: Place,
}

impl SignInNetwork for FakeNetwork {
    fn check(&self, address: &str) -> Result<(), String> {
        if address.contains("169.254.") {
            Err("is not the address of one machine".to_owned())
        } else {
            Ok(())
        }
    }

    fn fetch(&self, _: &Scope, place: &Place) -> Result<Arc<dyn Fetch>> {
        Ok(Arc::new(Reach { provider: self.provider.lock().clone(), place: place.clone() }))
    }

    fn dial(&self, _: &Scope, place: &Place) -> Result<Arc<dyn Dial>> {
        Ok(Arc::new(Reach { provider: None, place: place.clone() }))
    }

    fn withdraw(&self, _: &Scope, provider: &str) {
        self.withdrawn.lock().push(provider.to_owned());
    }
}

#[async_trait]
impl Fetch for Reach {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        if !self.place.addresses.iter().any(|address| request.url.starts_with(address.as_str())) {
            return Err("not allowed".to_owned());
        }
        let provider = self.provider.as_ref().ok_or("nobody answers")?;
        Ok(provider.answer(&request))
    }
}

#[async_trait]
impl Dial for Reach {
    async fn dial(&self, host: &str, port: u16) -> Result<tokio::net::TcpStream, DialError> {
        let allowed = self.place.addresses.iter().any(|a| a.contains(host) && a.ends_with(&port.to_string()));
        if !allowed {
            return Err(DialError::Denied("not allowed".to_owned()));
        }
        Ok(tokio::net::TcpStream::connect((host, port)).await?)
    }
}

pub(crate) const ISSUER: &str = "https://login.example.org";
pub(crate) const CLIENT_SECRET: &str = "a client secret that nobody sees";

/// Vouches for whom `claims` say.
pub(crate) struct FakeProvider {
    key: EcdsaKeyPair,
    pub claims: Mutex<Value>,
    /// Nonces by code; a code is good once.
    codes: Mutex<HashMap<String, String>>,
    pub now: i64,
}

impl FakeProvider {
    pub fn new(claims: Value) -> Arc<Self> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let bytes = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(algorithm, bytes.as_ref(), &random).expect("a key");
        let now = crate::testing::START / 1000;
        Arc::new(Self { key, claims: Mutex::new(claims), codes: Mutex::default(), now })
    }

    /// Plays the person who agrees: the path that the browser is sent back to.
    pub fn agree(&self, authorization_url: &str) -> String {
        let (_, query) = authorization_url.split_once('?').expect("a query");
        let get = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            found.expect("a parameter").to_owned()
        };
        let (state, code) = (get("state"), hex::encode(crate::secret::random::<8>().expect("random")));
        self.codes.lock().insert(code.clone(), get("nonce"));
        format!("/session/oidc/callback?code={code}&state={state}&iss={ISSUER}")
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let path = request.url.strip_prefix(ISSUER).unwrap_or_default();
        match (request.method, path) {
            (Method::Get, "/.well-known/openid-configuration") => answer(200, &metadata()),
            (Method::Get, "/keys") => answer(200, &json!({ "keys": [self.public()] })),
            (Method::Post, "/token") => self.token(request),
            _ => answer(404, &json!({})),
        }
    }

    fn public(&self) -> Value {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": "one", "use": "sig"})
    }

    fn token(&self, request: &HttpRequest) -> HttpResponse {
        let form = String::from_utf8(request.body.clone()).expect("text");
        let code = form.split('&').find_map(|pair| pair.strip_prefix("code=")).expect("a code");
        let Some(nonce) = self.codes.lock().remove(code) else {
            return answer(400, &json!({ "error": "invalid_grant" }));
        };
        let mut claims = json!({
            "iss": ISSUER, "sub": "u-1", "aud": "lectern", "iat": self.now, "exp": self.now + 3600, "nonce": nonce,
            "email": "mia@example.org", "email_verified": true, "name": "Mia", "groups": [],
        });
        for (name, value) in self.claims.lock().as_object().expect("claims") {
            claims[name] = value.clone();
        }
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": "one"});
        let message =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).expect("signs");
        let token = format!("{message}.{}", encode(signature.as_ref()));
        answer(200, &json!({"access_token": "access", "token_type": "Bearer", "id_token": token}))
    }
}

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": format!("{ISSUER}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    let content_type = Some("application/json".to_owned());
    HttpResponse { status, content_type, body: body.to_string().into_bytes() }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
