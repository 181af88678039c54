//! Consent, tokens and what else the endpoints of OAuth take and give.

use lectern_edge::Validate;
use lectern_kernel::{FieldError, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::wrong;

/// No request that this server takes is longer.
pub(crate) const LONGEST_QUERY: usize = 8 << 10;

/// What the page of consent shows, or where it sends the browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AuthorizationView {
    /// The person is to be asked.
    Ask(ConsentView),
    /// The request cannot be granted; the app is told at its own, registered address.
    Refused { error: String, error_description: String, redirect_to: String },
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConsentView {
    pub app: ConsentAppView,
    /// Who is asked.
    pub user: UserId,
    pub scopes: Vec<ConsentScopeView>,
    /// The person allowed all of this before and may be sent on without a question: the page then posts the decision.
    pub remembered: bool,
    /// Where the browser goes afterwards.
    pub redirect_uri: Option<String>,
}

/// The app that asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConsentAppView {
    pub client_id: String,
    pub name: String,
    pub homepage: Option<String>,
    /// Anybody can call themselves so; a secret proves it.
    pub proves_itself: bool,
}

/// A permission that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConsentScopeView {
    pub name: String,
    /// Whether the person has it; what they do not have they cannot give.
    pub held: bool,
}

/// What a person decided.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationDecision {
    /// The page's query, unchanged: what stands behind `?`.
    pub query: String,
    pub allow: bool,
    /// Fewer than were asked for, when the person chose so; absent: all that they have.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

impl Validate for AuthorizationDecision {
    fn validate(&self) -> Vec<FieldError> {
        let long = self.query.len() > LONGEST_QUERY;
        let mut errors: Vec<_> = long.then(|| wrong("query", "is too long")).into_iter().collect();
        check_chosen(self.scopes.as_deref(), &mut errors);
        errors
    }
}

/// Where the page sends the browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RedirectView {
    pub redirect_to: String,
}

/// What a person decided about a device.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceDecision {
    /// As the device shows it.
    pub user_code: String,
    pub allow: bool,
    /// Fewer than were asked for, when the person chose so; absent: all that they have.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

impl Validate for DeviceDecision {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_chosen(self.scopes.as_deref(), &mut errors);
        errors
    }
}

fn check_chosen(scopes: Option<&[String]>, errors: &mut Vec<FieldError>) {
    if scopes.is_some_and(|scopes| scopes.is_empty() || scopes.len() > 200) {
        errors.push(wrong("scopes", "must be 1–200 names, or absent"));
    }
}

/// The device's code that a person typed.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeviceParameters {
    pub user_code: String,
}

/// Tokens (RFC 6749, section 5.1).
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    pub access_token: String,
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Names between spaces.
    pub scope: String,
}

/// What a device shows and asks with (RFC 8628, section 3.2).
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    pub device_code: String,
    /// `BCDF-GHJK`
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    /// Seconds.
    pub expires_in: u64,
    /// Seconds between two questions.
    pub interval: u64,
}

/// What a token is (RFC 7662); only `active` for one that is not valid or belongs to another app.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IntrospectionView {
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// The person, or the app when it acts for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// What this server can do (RFC 8414).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ServerView {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub device_authorization_endpoint: String,
    pub introspection_endpoint: String,
    pub revocation_endpoint: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<String>,
    pub response_modes_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    pub code_challenge_methods_supported: Vec<String>,
    pub authorization_response_iss_parameter_supported: bool,
}

/// A request for tokens; which fields are needed follows from `grant_type`.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code, reason = "describes the form, which is read field by field")]
pub(crate) struct TokenRequest {
    pub grant_type: String,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    pub code: Option<String>,
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<String>,
    pub refresh_token: Option<String>,
    pub device_code: Option<String>,
    pub scope: Option<String>,
    pub resource: Option<String>,
}

/// A device's request to be let in.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code, reason = "describes the form, which is read field by field")]
pub(crate) struct DeviceRequest {
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    pub scope: Option<String>,
    pub resource: Option<String>,
}

/// A token that is asked about or to be ended.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code, reason = "describes the form, which is read field by field")]
pub(crate) struct TokenQuestion {
    pub token: String,
    pub token_type_hint: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
}
