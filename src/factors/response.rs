//! What a browser's answer says before anything of it is proven.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{FactorError, Result};
use crate::passkey::{CredentialId, UserHandle};

/// An attestation with its certificates has a few kilobytes.
const LONGEST: usize = 64 * 1024;
const TRANSPORTS: [&str; 6] = ["usb", "nfc", "ble", "internal", "hybrid", "smart-card"];
/// Where the authenticator data have the model (WebAuthn level 3, section 6.5.1): after the hash of the relying party's
/// id, the flags and the counter.
const AAGUID: std::ops::Range<usize> = 37..53;

/// Who an answer claims to be from: for looking the passkey up, nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub credential_id: CredentialId,
    /// Absent when the passkey is not discoverable, or the answer is a registration's.
    pub user: Option<UserHandle>,
}

impl Claim {
    /// Reads it from the JSON of `PublicKeyCredential.toJSON()`.
    pub fn read(response: &str) -> Result<Self> {
        Envelope::read(response)?.claim()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: Inner,
    #[serde(default)]
    client_extension_results: Extensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inner {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: Option<String>,
    user_handle: Option<String>,
    transports: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    cred_props: Option<CredentialProperties>,
}

#[derive(Deserialize)]
struct CredentialProperties {
    rk: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(default)]
    cross_origin: Option<bool>,
}

impl Envelope {
    pub(crate) fn read(response: &str) -> Result<Self> {
        let envelope: Self = parse(response)?;
        if envelope.kind != "public-key" || envelope.id != envelope.raw_id {
            return Err(FactorError::Unreadable("it is not about a public key"));
        }
        Ok(envelope)
    }

    pub(crate) fn claim(&self) -> Result<Claim> {
        // An empty handle is how some password managers say that there is none.
        let user = self.response.user_handle.as_deref().filter(|handle| !handle.is_empty());
        Ok(Claim { credential_id: self.id.parse()?, user: user.map(str::parse).transpose()? })
    }

    /// The library looks at this for registrations only.
    pub(crate) fn same_origin(&self) -> Result<()> {
        let bytes = decode(&self.response.client_data)?;
        let data: ClientData = serde_json::from_slice(&bytes)
            .map_err(|_| FactorError::Unreadable("its client data are not JSON"))?;
        if data.cross_origin.unwrap_or(false) {
            return Err(FactorError::Refused("it was asked for inside another site's page"));
        }
        Ok(())
    }

    /// The known ones, each once.
    pub(crate) fn transports(&self) -> Vec<String> {
        let given = self.response.transports.as_deref().unwrap_or_default();
        let known = TRANSPORTS.iter().filter(|known| given.iter().any(|t| t == *known));
        known.map(|&t| t.to_owned()).collect()
    }

    pub(crate) fn discoverable(&self) -> Option<bool> {
        self.client_extension_results.cred_props.as_ref()?.rk
    }

    /// `None` as well for the all-zero one, which stands for a model that is not told.
    pub(crate) fn aaguid(&self) -> Option<String> {
        let object = decode(self.response.attestation_object.as_deref()?).ok()?;
        let object: ciborium::Value = ciborium::from_reader(object.as_slice()).ok()?;
        let (_, data) = object.as_map()?.iter().find(|(key, _)| key.as_text() == Some("authData"))?;
        let id: [u8; 16] = data.as_bytes()?.get(AAGUID)?.try_into().ok()?;
        (id != [0; 16]).then(|| webauthn_rs::prelude::Uuid::from_bytes(id).to_string())
    }
}

/// JSON of a bounded length, as a type of the library.
pub(crate) fn parse<T: DeserializeOwned>(response: &str) -> Result<T> {
    if response.len() > LONGEST {
        return Err(FactorError::Unreadable("it is too long"));
    }
    serde_json::from_str(response).map_err(|_| FactorError::Unreadable("it is not the JSON of a passkey"))
}

fn decode(text: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| FactorError::Unreadable("a part of it is not base64url"))
}
