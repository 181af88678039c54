//! What comes in and goes out about second factors.

use lectern_edge::Validate;
use lectern_kernel::{FactorId, FieldError, ProviderId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::{check_name, wrong};

/// What a factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// One-time codes of an app.
    Totp,
    Passkey,
}

impl FactorKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
        }
    }
}

/// A second factor, without what it proves with.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FactorView {
    pub id: FactorId,
    pub kind: FactorKind,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// One's own second factors.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FactorsView {
    pub factors: Vec<FactorView>,
    /// Recovery codes that were not used yet; absent when none were made.
    pub recovery_codes_left: Option<u32>,
    pub recovery_codes_made_at: Option<Timestamp>,
}

/// Begins a second factor. No `Debug`: the password is in it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFactor {
    /// What to know it again by, as in `Phone`.
    pub name: String,
    /// One's own, once more.
    #[schema(format = Password)]
    pub password: String,
}

impl Validate for NewFactor {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        errors
    }
}

/// One-time codes that wait for the first of them. No `Debug`: the secret is in it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct TotpOffer {
    /// To be sent back with the first code, within five minutes.
    pub id: String,
    /// For typing it into the app; shown this once.
    pub secret: String,
    /// What the QR code says.
    pub uri: String,
    /// An SVG picture of the QR code.
    pub qr_svg: String,
}

/// The first code of an app.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    pub id: String,
    pub code: String,
}

impl Validate for ConfirmTotp {}

/// The own password, once more.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordProof {
    #[schema(format = Password)]
    pub password: String,
}

impl Validate for PasswordProof {}

/// New recovery codes, in place of those before. No `Debug`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodesView {
    /// Shown this once; only hashes are kept.
    pub codes: Vec<String>,
}

/// Begins the registration of a passkey. No `Debug`.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskeyFactor {
    pub name: String,
    /// One's own, once more.
    #[schema(format = Password)]
    pub password: String,
    /// Only beside the password: a key that wants to be touched will do.
    #[serde(default)]
    pub second_only: bool,
}

impl Validate for NewPasskeyFactor {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        errors
    }
}

/// What the page gives to `navigator.credentials`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PasskeyOptions {
    /// To be sent back with the answer, within five minutes.
    pub id: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    #[schema(value_type = Object)]
    pub options: Value,
}

/// Asks for a passkey: without a name, or with e-mail and password as their second proof. No `Debug`.
/// With `provider` they are those of that directory.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPasskey {
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    #[schema(format = Password)]
    pub password: Option<String>,
    #[serde(default)]
    pub tenant: Option<TenantId>,
    #[serde(default)]
    pub provider: Option<ProviderId>,
}

impl Validate for AskPasskey {
    fn validate(&self) -> Vec<FieldError> {
        if self.email.is_some() == self.password.is_some() {
            return Vec::new();
        }
        vec![wrong("password", "must come together with the e-mail")]
    }
}

/// The answer of the browser.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishPasskey {
    pub id: String,
    /// `toJSON()` of the credential.
    #[schema(value_type = Object)]
    pub response: Value,
}

impl Validate for FinishPasskey {}
