//! Apps: what comes in and what goes out.

use lectern_edge::Validate;
use lectern_kernel::{AppId, FieldError, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::redirect;

const LONGEST_NAME: usize = 100;
const LONGEST_HOMEPAGE: usize = 1000;
const MOST_REDIRECTS: usize = 20;
const MOST_SCOPES: usize = 200;
const LONGEST_OVERLAP: u32 = 720;

/// Whether a program can keep a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// It runs on a server of its makers and has a secret.
    Confidential,
    /// It runs in people's hands: in a browser, on a telephone or desktop. It has no secret.
    Public,
}

impl AppKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confidential => "confidential",
            Self::Public => "public",
        }
    }
}

/// A way to get tokens, by its registered name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Flow {
    /// A person allows it in their browser.
    #[serde(rename = "authorization_code")]
    Code,
    /// The app stays allowed without asking again.
    #[serde(rename = "refresh_token")]
    Refresh,
    /// The app acts for itself, and not for a person.
    #[serde(rename = "client_credentials")]
    Itself,
    /// A person allows a device by typing its code.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    Device,
}

impl Flow {
    pub const ALL: [Self; 4] = [Self::Code, Self::Refresh, Self::Itself, Self::Device];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "authorization_code",
            Self::Refresh => "refresh_token",
            Self::Itself => "client_credentials",
            Self::Device => "urn:ietf:params:oauth:grant-type:device_code",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flow| flow.as_str() == text)
    }
}

/// An app to be registered.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApp {
    /// What people are shown when they are asked to allow it.
    pub name: String,
    #[serde(default)]
    pub homepage: Option<String>,
    pub kind: AppKind,
    /// Exact addresses: https, or http on 127.0.0.1 or [::1], where any port fits, or a scheme with a dot.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// The most it may ever be allowed: names of permissions, none of the appliance.
    pub scopes: Vec<String>,
    /// Ways to get tokens.
    pub grants: Vec<Flow>,
}

/// What changes of an app.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchApp {
    #[serde(default)]
    pub name: Option<String>,
    /// Empty takes it away.
    #[serde(default)]
    pub homepage: Option<String>,
    #[serde(default)]
    pub redirect_uris: Option<Vec<String>>,
    /// What is taken away is lost to tokens at once.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    #[serde(default)]
    pub grants: Option<Vec<Flow>>,
}

/// Replaces an app's secret.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// How long the secret it replaces still works, 0–720 hours; 24 when absent.
    #[serde(default)]
    pub overlap_hours: Option<u32>,
}

/// A registered app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppView {
    pub id: AppId,
    /// What it calls itself in OAuth.
    pub client_id: String,
    pub name: String,
    pub homepage: Option<String>,
    pub kind: AppKind,
    pub redirect_uris: Vec<String>,
    pub scopes: Vec<String>,
    pub grants: Vec<Flow>,
    /// Its live secrets, the newest first.
    pub secrets: Vec<AppSecretView>,
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A secret, by its first characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppSecretView {
    pub prefix: String,
    pub created_at: Timestamp,
    /// Set when it was replaced.
    pub expires_at: Option<Timestamp>,
}

/// An app with a secret that was just made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewAppView {
    #[serde(flatten)]
    pub app: AppView,
    /// Shown this once; only its hash is kept. Absent for public apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// An app that a person has allowed something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AllowedAppView {
    pub id: AppId,
    pub client_id: String,
    pub name: String,
    pub homepage: Option<String>,
    pub scopes: Vec<String>,
    pub allowed_at: Timestamp,
    /// When it last got a token.
    pub last_used_at: Option<Timestamp>,
}

pub(crate) fn wrong(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message: message.into() }
}

fn check_name(name: &str, errors: &mut Vec<FieldError>) {
    // Letters that turn others around or are not seen would let an app look like another on the page of consent.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if name.trim().is_empty() {
        errors.push(wrong("name", "must not be empty"));
    } else if name.chars().count() > LONGEST_NAME {
        errors.push(wrong("name", "must have at most 100 characters"));
    } else if name.chars().any(hidden) {
        errors.push(wrong("name", "must be one line of plain text"));
    }
}

fn check_homepage(homepage: &str, errors: &mut Vec<FieldError>) {
    let fits = |url: &Url| matches!(url.scheme(), "https" | "http") && url.username().is_empty();
    let right = homepage.len() <= LONGEST_HOMEPAGE && Url::parse(homepage).is_ok_and(|url| fits(&url));
    if !homepage.is_empty() && !right {
        errors.push(wrong("homepage", "must be a web address of at most 1,000 characters"));
    }
}

fn check_redirects(uris: &[String], errors: &mut Vec<FieldError>) {
    if uris.len() > MOST_REDIRECTS {
        errors.push(wrong("redirect_uris", "must be at most 20"));
        return;
    }
    for (at, uri) in uris.iter().enumerate() {
        errors.extend(redirect::complaint(uri).map(|told| wrong(&format!("redirect_uris[{at}]"), told)));
    }
}

fn check_scopes(scopes: &[String], errors: &mut Vec<FieldError>) {
    if scopes.is_empty() || scopes.len() > MOST_SCOPES {
        errors.push(wrong("scopes", "must be 1–200 names of permissions"));
    }
}

/// What must hold between the parts of an app.
pub(crate) fn check_together(kind: AppKind, flows: &[Flow], redirects: &[String]) -> Vec<FieldError> {
    let has = |flow| flows.contains(&flow);
    let mut errors = Vec::new();
    if flows.is_empty() {
        errors.push(wrong("grants", "must name one way to get tokens at least"));
    }
    if has(Flow::Itself) && kind == AppKind::Public {
        errors.push(wrong("grants", "must not have client_credentials, as a public app has no secret"));
    }
    if has(Flow::Refresh) && !has(Flow::Code) && !has(Flow::Device) {
        errors.push(wrong("grants", "must have a way by which a person allows it beside refresh_token"));
    }
    if has(Flow::Code) && redirects.is_empty() {
        errors.push(wrong("redirect_uris", "must not be empty with authorization_code"));
    }
    errors
}

impl Validate for NewApp {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        check_homepage(self.homepage.as_deref().unwrap_or_default(), &mut errors);
        check_redirects(&self.redirect_uris, &mut errors);
        check_scopes(&self.scopes, &mut errors);
        errors.extend(check_together(self.kind, &self.grants, &self.redirect_uris));
        errors
    }
}

impl Validate for PatchApp {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        self.name.iter().for_each(|name| check_name(name, &mut errors));
        self.homepage.iter().for_each(|homepage| check_homepage(homepage, &mut errors));
        self.redirect_uris.iter().for_each(|uris| check_redirects(uris, &mut errors));
        self.scopes.iter().for_each(|scopes| check_scopes(scopes, &mut errors));
        errors
    }
}

impl Validate for RotateSecret {
    fn validate(&self) -> Vec<FieldError> {
        let right = self.overlap_hours.is_none_or(|hours| hours <= LONGEST_OVERLAP);
        if right { Vec::new() } else { vec![wrong("overlap_hours", "must be at most 720")] }
    }
}
