//! What comes in and goes out about the rules of signing in and the services people sign in with.

use lectern_edge::Validate;
use lectern_kernel::{FieldError, GroupId, ProviderId, Rights, Role, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::model::{check_name, wrong};
use crate::{PeopleManage, SignInManage, password, roles};

/// Of whom a second factor is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    #[default]
    Nobody,
    /// Those who may change people or how they sign in.
    Administrators,
    Everybody,
}

impl Demand {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Administrators => "administrators",
            Self::Everybody => "everybody",
        }
    }

    pub(crate) fn of(text: &str) -> Self {
        match text {
            "nobody" => Self::Nobody,
            "administrators" => Self::Administrators,
            _ => Self::Everybody,
        }
    }

    /// Whether it is asked of somebody with these rights.
    pub(crate) fn asks(self, rights: &Rights) -> bool {
        use lectern_kernel::Permission;
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Administrators => {
                [PeopleManage::NAME, SignInManage::NAME, roles::OWN].iter().any(|name| rights.allows(name))
            }
        }
    }
}

/// How people of the tenant sign in. What is absent has the default said here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInPolicy {
    /// Of whom a second factor is asked; until they have one they can do nothing but set one up. Default nobody.
    pub second_factor: Demand,
    /// Whether people sign in with a password that is kept here; owners always can. Default true.
    pub password_sign_in: bool,
    /// Minutes without use after which a session ends, when the appliance's own limit is not shorter.
    pub idle_minutes: Option<u32>,
    /// Minutes after which a session ends, when the appliance's own limit is not shorter.
    pub lifetime_minutes: Option<u32>,
    /// Characters a new password must have, 10–64. Default 10.
    pub password_length: u32,
    /// Domains that invited e-mails must be of; none: every domain.
    pub domains: Vec<String>,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self {
            second_factor: Demand::Nobody,
            password_sign_in: true,
            idle_minutes: None,
            lifetime_minutes: None,
            password_length: password::SHORTEST as u32,
            domains: Vec::new(),
        }
    }
}

impl Validate for SignInPolicy {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !(password::SHORTEST as u32..=64).contains(&self.password_length) {
            errors.push(wrong("password_length", "must lie between 10 and 64"));
        }
        for (field, minutes) in
            [("idle_minutes", self.idle_minutes), ("lifetime_minutes", self.lifetime_minutes)]
        {
            if minutes.is_some_and(|minutes| !(5..=525_600).contains(&minutes)) {
                errors.push(wrong(field, "must lie between 5 minutes and a year"));
            }
        }
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
        let good = |d: &String| {
            !d.is_empty()
                && d.len() <= 253
                && d.chars().all(plain)
                && !d.starts_with('.')
                && !d.ends_with('.')
        };
        if self.domains.len() > 100 || !self.domains.iter().all(good) {
            errors.push(wrong("domains", "must be at most 100 domains, as in example.org"));
        }
        errors
    }
}

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// OpenID Connect.
    Oidc,
    /// LDAP or Active Directory.
    Ldap,
}

impl ProviderKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Ldap => "ldap",
        }
    }
}

/// What membership in one of the provider's groups gives here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMapping {
    /// The group as the provider names it; of a directory the name or the DN.
    pub external: String,
    /// Of several the one that may most is chosen.
    #[serde(default)]
    pub role: Option<Role>,
    #[serde(default)]
    pub group: Option<GroupId>,
}

/// A service that people of the tenant sign in with, without its secret.
#[allow(clippy::struct_excessive_bools, reason = "switches of the settings page, each with a name")]
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProviderView {
    pub id: ProviderId,
    pub kind: ProviderKind,
    pub name: String,
    pub enabled: bool,
    /// The settings of the kind.
    #[schema(value_type = Object)]
    pub config: Value,
    pub has_secret: bool,
    /// What people get that no mapping gives a role.
    pub default_role: Role,
    /// Whether somebody who is not known here yet is let in and becomes a member.
    pub create_people: bool,
    /// Whether somebody who is known here by the same verified e-mail is that person.
    pub link_people: bool,
    /// Whether owners can come in by it: when an owner saved it last.
    pub owners: bool,
    pub groups: Vec<GroupMapping>,
    /// Other addresses than the issuer's that the provider answers at.
    pub addresses: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A provider to be added. No `Debug`: the secret is in it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    pub kind: ProviderKind,
    pub name: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[schema(value_type = Object)]
    pub config: Value,
    /// The client's secret, or the service account's password.
    #[serde(default)]
    #[schema(format = Password)]
    pub secret: Option<String>,
    #[serde(default = "member")]
    pub default_role: Role,
    #[serde(default)]
    pub create_people: bool,
    #[serde(default)]
    pub link_people: bool,
    #[serde(default)]
    pub groups: Vec<GroupMapping>,
    #[serde(default)]
    pub addresses: Vec<String>,
}

fn yes() -> bool {
    true
}

fn member() -> Role {
    Role::MEMBER
}

impl Validate for NewProvider {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        check_lists(Some(&self.groups), Some(&self.addresses), &mut errors);
        errors
    }
}

/// Changes a provider; what is absent stays. No `Debug`.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchProvider {
    pub name: Option<String>,
    pub enabled: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// An empty text takes it away. To be sent again when the addresses change.
    #[schema(format = Password)]
    pub secret: Option<String>,
    pub default_role: Option<Role>,
    pub create_people: Option<bool>,
    pub link_people: Option<bool>,
    pub groups: Option<Vec<GroupMapping>>,
    pub addresses: Option<Vec<String>>,
}

impl Validate for PatchProvider {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(name) = &self.name {
            check_name(name, &mut errors);
        }
        check_lists(self.groups.as_deref(), self.addresses.as_deref(), &mut errors);
        errors
    }
}

fn check_lists(groups: Option<&[GroupMapping]>, addresses: Option<&[String]>, errors: &mut Vec<FieldError>) {
    let bad = |m: &GroupMapping| m.external.trim().is_empty() || m.external.len() > 1000;
    if groups.is_some_and(|groups| groups.len() > 500 || groups.iter().any(bad)) {
        errors.push(wrong("groups", "must be at most 500, each with the name of a group"));
    }
    if addresses.is_some_and(|addresses| addresses.len() > 10 || addresses.iter().any(|a| a.len() > 1000)) {
        errors.push(wrong("addresses", "must be at most 10"));
    }
}

/// One step of trying a provider out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProviderStep {
    pub step: String,
    /// The server, when there are several.
    pub server: Option<String>,
    pub ok: bool,
    pub message: String,
    /// The setting to look at.
    pub field: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// What trying a provider out found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProviderTest {
    pub works: bool,
    pub steps: Vec<ProviderStep>,
    /// People found in a directory.
    pub people: Option<usize>,
}

/// Which tenant somebody is about to sign in to.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OptionsParameters {
    /// `main` when absent.
    pub tenant: Option<String>,
}

/// A provider as the sign-in page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderOption {
    pub id: ProviderId,
    pub kind: ProviderKind,
    pub name: String,
}

/// The ways to sign in to a tenant; an unknown tenant is answered like one without providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInOptions {
    /// Whether people other than owners can use a password that is kept here.
    pub password: bool,
    pub providers: Vec<ProviderOption>,
}

/// Begins a sign-in at a provider.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginOidc {
    /// `main` when absent.
    #[serde(default)]
    pub tenant: Option<TenantId>,
    /// The page to show afterwards, as in `/documents`.
    #[serde(default)]
    pub return_to: Option<String>,
    /// The e-mail or user name that was typed already.
    #[serde(default)]
    pub login_hint: Option<String>,
}

impl Validate for BeginOidc {
    fn validate(&self) -> Vec<FieldError> {
        let bad = self.return_to.as_deref().is_some_and(|path| !is_local(path));
        if bad {
            vec![wrong("return_to", "must be a page of this server, as in /documents")]
        } else {
            Vec::new()
        }
    }
}

/// Whether a browser that is sent there stays on this server: browsers take `\` for `/` and leave tabs and line ends
/// out (WHATWG URL), so that `/\evil` and `/<tab>/evil` lead elsewhere as `//evil` does.
pub(crate) fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 500
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// Where to send the browser.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OidcBegun {
    pub authorization_url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_server_are_gone_back_to() {
        for good in ["/", "/documents", "/a?b=c#d", "/a//b", "/%2F%2Fevil"] {
            assert!(is_local(good), "{good}");
        }
        for bad in [
            "",
            "documents",
            "//evil.example",
            "/\\evil.example",
            "/a\\..\\b",
            "\\/evil",
            "/\t/evil.example",
            "/\n/evil",
            "https://evil.example",
            "javascript:alert(1)",
            " /a",
            "/ü",
        ] {
            assert!(!is_local(bad), "{bad:?}");
        }
    }
}
