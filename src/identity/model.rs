//! What comes in and what goes out.

use crate::model_support::SupportView;
use lectern_edge::Validate;
use lectern_kernel::{FieldError, KeyId, ProviderId, Role, TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::password;

const LONGEST_NAME: usize = 100;
const LONGEST_EMAIL: usize = 254;

/// The one form of an e-mail that is compared.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

pub(crate) fn wrong(field: &str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), message: message.to_owned() }
}

pub(crate) fn check_name(name: &str, errors: &mut Vec<FieldError>) {
    if name.trim().is_empty() {
        errors.push(wrong("name", "must not be empty"));
    } else if name.chars().count() > LONGEST_NAME {
        errors.push(wrong("name", "must have at most 100 characters"));
    } else if name.chars().any(char::is_control) {
        errors.push(wrong("name", "must be one line of plain text"));
    }
}

/// RFC 5321 allows more than anybody uses: something, an @, something, without spaces.
pub(crate) fn check_email(email: &str, errors: &mut Vec<FieldError>) {
    let email = email.trim();
    let split = email.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
    if !split || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        errors.push(wrong("email", "must be an e-mail address, as in name@example.org"));
    } else if email.len() > LONGEST_EMAIL {
        errors.push(wrong("email", "must have at most 254 characters"));
    }
}

/// A person to be added. Passwords come in, so there is no `Debug`.
#[derive(Clone)]
pub struct NewUser {
    pub name: String,
    pub email: String,
    pub password: String,
}

impl Validate for NewUser {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        check_email(&self.email, &mut errors);
        if let Some(complaint) = password::complaint(&self.password, &self.email) {
            errors.push(wrong("password", complaint));
        }
        errors
    }
}

/// Makes the first administrator.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSetup {
    /// The code that the server printed at its start.
    pub code: String,
    pub name: String,
    pub email: String,
    /// 10–200 characters, not the e-mail.
    #[schema(format = Password)]
    pub password: String,
}

impl NewSetup {
    pub(crate) fn user(&self) -> NewUser {
        NewUser { name: self.name.clone(), email: self.email.clone(), password: self.password.clone() }
    }
}

impl Validate for NewSetup {
    fn validate(&self) -> Vec<FieldError> {
        self.user().validate()
    }
}

/// Whether the appliance has its first administrator.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SetupView {
    pub needed: bool,
    pub version: String,
}

/// Signs in.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// With `provider`, whatever that directory knows people by.
    pub email: String,
    #[schema(format = Password)]
    pub password: String,
    /// Where to sign in; only needed when more than one tenant knows e-mail and password.
    #[serde(default)]
    pub tenant: Option<TenantId>,
    /// The second factor: a code of the authenticator app, or a recovery code.
    #[serde(default)]
    pub code: Option<String>,
    /// The directory to sign in with, one of GET /sign-in/options of the tenant.
    #[serde(default)]
    pub provider: Option<ProviderId>,
}

impl Validate for NewSession {}

/// A person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// ISO 639-1 code of the language that the person wants to be spoken to in.
    #[serde(default)]
    pub language: Option<String>,
    /// The voice that the person wants to hear.
    #[serde(default)]
    pub voice: Option<String>,
}

/// A tenant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TenantName {
    pub id: TenantId,
    pub name: String,
}

/// Who is signed in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    pub user: UserView,
    pub tenant: TenantName,
    /// To be sent in the header `X-CSRF-Token` of every request that changes something.
    pub csrf_token: String,
    /// What the person may do here.
    pub permissions: Vec<String>,
    /// Whether a second factor has to be set up before anything else can be done.
    #[serde(default)]
    pub second_factor_needed: bool,
    /// Set when an operator of the appliance is in it in the person's place.
    #[serde(default)]
    pub support: Option<SupportView>,
    /// When the session ends even if it is in use.
    pub expires_at: Timestamp,
}

/// Changes the own password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    #[schema(format = Password)]
    pub current: String,
    /// 10–200 characters, not the e-mail.
    #[schema(format = Password)]
    pub new: String,
}

impl Validate for PasswordChange {
    fn validate(&self) -> Vec<FieldError> {
        // The e-mail is not known here; the use case looks again.
        password::complaint(&self.new, "").map(|c| wrong("new", c)).into_iter().collect()
    }
}

/// An API key to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What the key is for.
    pub name: String,
    /// Without it the key holds until it is revoked.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// What the key may; without them all that its maker may in the tenant.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Addresses and networks it may be used from, as in `10.2.0.0/16`; without them everywhere.
    #[serde(default)]
    pub networks: Vec<String>,
}

impl Validate for NewKey {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        if self.networks.len() > 50 {
            errors.push(wrong("networks", "must be at most 50"));
        }
        let parsed = self.networks.iter().map(|network| network.parse::<crate::network::Network>());
        errors.extend(parsed.filter_map(Result::err).take(1).map(|message| wrong("networks", message)));
        errors
    }
}

/// Replaces a key's secret.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// How long the key it replaces still works, 0–720 hours; 24 when absent.
    #[serde(default)]
    pub overlap_hours: Option<u32>,
}

impl Validate for RotateKey {
    fn validate(&self) -> Vec<FieldError> {
        let right = self.overlap_hours.is_none_or(|hours| hours <= 720);
        if right { Vec::new() } else { vec![wrong("overlap_hours", "must be at most 720")] }
    }
}

/// An API key, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    pub id: KeyId,
    pub name: String,
    /// The key's first characters.
    pub prefix: String,
    /// What it may; `*` is everything that its tenant's roles can hold.
    pub scopes: Vec<String>,
    /// Networks it may be used from; none: from everywhere.
    pub networks: Vec<String>,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// A key that was just made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewKeyView {
    #[serde(flatten)]
    pub key: KeyView,
    /// Shown this once; only its hash is kept.
    pub secret: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_told() {
        let user = NewUser { name: " ".into(), email: "nobody".into(), password: "short".into() };
        let fields: Vec<_> = user.validate().into_iter().map(|e| e.field).collect();
        assert_eq!(fields, ["name", "email", "password"]);
        for email in ["@b", "a@", "a b@c", "a@b\n", ""] {
            let user = NewUser { name: "A".into(), email: email.into(), password: "0123456789".into() };
            assert_eq!(user.validate().len(), usize::from(email != "a@b\n"), "{email:?}");
        }
    }
}
