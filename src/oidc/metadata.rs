//! What a provider says of itself (OpenID Connect Discovery 1.0), read and checked before anything in it is used.

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, IssuerUrl, ProviderMetadata, TokenUrl};
use serde::{Deserialize, Serialize};

use crate::address;
use crate::config::ProviderConfig;
use crate::error::{OidcError, Result, foreign};
use crate::fetch::{self, Fetch};
use crate::keys;

const PATH: &str = ".well-known/openid-configuration";

pub(crate) type Document = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Fields of later specifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct More {
    /// RP-Initiated Logout 1.0 section 2.1.
    pub end_session_endpoint: Option<String>,
    /// RFC 9207 section 3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

/// A provider's metadata and keys, as fetched at one time.
pub(crate) struct Known {
    pub document: Document,
    pub token_endpoint: TokenUrl,
    pub algorithms: Vec<CoreJwsSigningAlgorithm>,
    pub keys: CoreJsonWebKeySet,
    pub fetched_at: i64,
}

impl Known {
    pub(crate) async fn fetch(config: &ProviderConfig, fetch: &dyn Fetch, now: i64) -> Result<Self> {
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|e| not_there(&e.to_string()))?;
        let url = issuer.join(PATH).map_err(|e| not_there(&e.to_string()))?;
        let body = fetch::get(fetch, url.as_str(), "The provider's description").await?;
        let document = read(&body, &issuer)?;
        check_addresses(&document, config.allow_http)?;
        let token_endpoint = document
            .token_endpoint()
            .cloned()
            .ok_or_else(|| not_there("it names no token_endpoint, so it has no code flow"))?;
        let algorithms = keys::accepted(document.id_token_signing_alg_values_supported());
        if algorithms.is_empty() {
            return Err(not_there(
                "it signs with no algorithm that is accepted here, such as RS256 or ES256",
            ));
        }
        let jwks = fetch::get(fetch, document.jwks_uri().as_str(), "The provider's keys").await?;
        let keys = keys::read(&jwks)?;
        Ok(Self { document, token_endpoint, algorithms, keys, fetched_at: now })
    }
}

fn read(body: &[u8], issuer: &IssuerUrl) -> Result<Document> {
    let document: Document = serde_json::from_slice(body)
        .map_err(|e| not_there(&format!("its description cannot be read: {}", foreign(&e.to_string()))))?;
    // Exactly, character by character (Discovery 1.0 section 4.3).
    if document.issuer().as_str() == issuer.as_str() {
        Ok(document)
    } else {
        Err(not_there(&format!("it calls itself {:?}; write it exactly so", foreign(document.issuer()))))
    }
}

fn check_addresses(document: &Document, allow_http: bool) -> Result<()> {
    let addresses = [
        ("authorization_endpoint", Some(document.authorization_endpoint().as_str())),
        ("token_endpoint", document.token_endpoint().map(|u| u.as_str())),
        ("userinfo_endpoint", document.userinfo_endpoint().map(|u| u.as_str())),
        ("jwks_uri", Some(document.jwks_uri().as_str())),
        ("end_session_endpoint", document.additional_metadata().end_session_endpoint.as_deref()),
    ];
    for (name, address) in addresses {
        if let Some(address) = address {
            address::checked(address, allow_http)
                .map_err(|reason| not_there(&format!("its {name} {:?} {reason}", foreign(address))))?;
        }
    }
    Ok(())
}

fn not_there(reason: &str) -> OidcError {
    OidcError::misconfigured("issuer", format!("the provider cannot be used: {reason}."))
}
