//! What an administrator sets about a directory. The password of the service account is not in here: it comes with its
//! use, so that it can be sealed elsewhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::validate;

/// AD's filter: by account name, by principal name and by mail address.
const USERS_ACTIVE_DIRECTORY: &str =
    "(&(objectClass=user)(|(sAMAccountName={user})(userPrincipalName={user})(mail={user})))";
const USERS_OPEN_LDAP: &str = "(&(objectClass=inetOrgPerson)(|(uid={user})(mail={user})))";
const GROUPS_ACTIVE_DIRECTORY: &str = "(objectClass=group)";
const GROUPS_OPEN_LDAP: &str = "(objectClass=groupOfNames)";

/// Whose defaults and peculiarities count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Microsoft's, also Samba as a domain controller.
    ActiveDirectory,
    /// OpenLDAP, and any other server that speaks LDAP version 3.
    OpenLdap,
}

/// A directory server and how people and groups are found in it. What is absent has the default of `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryConfig {
    pub kind: Kind,
    /// `ldaps://host[:636]` or `ldap://host[:389]`; several are tried in this order.
    pub urls: Vec<String>,
    /// Encrypts connections to `ldap://` addresses by the StartTLS operation. `ldaps://` is encrypted in any case.
    #[serde(default)]
    pub starttls: bool,
    /// Lets passwords go unencrypted to `ldap://` addresses without StartTLS.
    #[serde(default)]
    pub allow_plain: bool,
    /// Certificates of the authorities that may vouch for the servers, as PEM text. When given, no others are trusted;
    /// without them, those of the machine are.
    #[serde(default)]
    pub authorities: Option<String>,
    /// Who searches: a DN, with Active Directory also `name@domain`. Empty searches anonymously.
    #[serde(default)]
    pub bind_dn: String,
    /// Under what people are.
    pub user_base: String,
    /// Which entries are the person; `{user}` stands for what was typed.
    #[serde(default)]
    pub user_filter: Option<String>,
    #[serde(default)]
    pub attributes: Attributes,
    #[serde(default)]
    pub groups: Groups,
    #[serde(default)]
    pub limits: Limits,
}

/// Names of the attributes of a person's entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    /// Never changes in a person's life: `objectGUID`, `entryUUID`.
    pub id: Option<String>,
    /// `sAMAccountName`, `uid`.
    pub user_name: Option<String>,
    /// `mail`.
    pub email: Option<String>,
    /// What is shown: `displayName`, `cn`.
    pub name: Option<String>,
    /// DNs of the person's groups, used where no group base is set: `memberOf`.
    pub groups: Option<String>,
}

/// How groups are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Groups {
    /// Under what groups are. Without it, groups are what the person's entry names.
    pub base: Option<String>,
    /// Which entries are groups: `(objectClass=group)`, `(objectClass=groupOfNames)`.
    pub filter: Option<String>,
    /// The group's attribute with its members' DNs; `memberUid` holds user names.
    pub member: String,
    /// The group's attribute with its name.
    pub name: String,
    /// Whether the members of a group's member groups are its members too.
    pub nested: bool,
    /// Levels of groups in groups that are followed, one is the person's own. Active Directory resolves all itself.
    pub max_depth: u8,
    /// A person with more groups is refused rather than shown with some of them.
    pub max_groups: u32,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            base: None,
            filter: None,
            member: "member".to_owned(),
            name: "cn".to_owned(),
            nested: false,
            max_depth: 5,
            max_groups: 1000,
        }
    }
}

/// How long and how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Seconds until a connection stands, encryption included.
    pub connect_seconds: u32,
    /// Seconds for each question to the server.
    pub operation_seconds: u32,
    /// How far the test counts the people it finds.
    pub count_users: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect_seconds: 5, operation_seconds: 10, count_users: 1000 }
    }
}

impl DirectoryConfig {
    /// What is wrong with it: each time the field, in dots, and a sentence. Empty when it can be used.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        validate::problems(self)
    }

    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.urls.iter().filter_map(|url| Address::parse(url).ok()).collect()
    }

    pub(crate) fn user_filter(&self) -> &str {
        let default = self.either(USERS_ACTIVE_DIRECTORY, USERS_OPEN_LDAP);
        self.user_filter.as_deref().unwrap_or(default)
    }

    pub(crate) fn group_filter(&self) -> &str {
        let default = self.either(GROUPS_ACTIVE_DIRECTORY, GROUPS_OPEN_LDAP);
        self.groups.filter.as_deref().unwrap_or(default)
    }

    pub(crate) fn id(&self) -> &str {
        self.attributes.id.as_deref().unwrap_or(self.either("objectGUID", "entryUUID"))
    }

    pub(crate) fn user_name(&self) -> &str {
        self.attributes.user_name.as_deref().unwrap_or(self.either("sAMAccountName", "uid"))
    }

    pub(crate) fn email(&self) -> &str {
        self.attributes.email.as_deref().unwrap_or("mail")
    }

    pub(crate) fn name(&self) -> &str {
        self.attributes.name.as_deref().unwrap_or(self.either("displayName", "cn"))
    }

    pub(crate) fn member_of(&self) -> &str {
        self.attributes.groups.as_deref().unwrap_or("memberOf")
    }

    /// Whether groups name their members by user name and not by DN (RFC 2307).
    pub(crate) fn members_are_names(&self) -> bool {
        self.groups.member.eq_ignore_ascii_case("memberUid")
    }

    pub(crate) fn connect_time(&self) -> Duration {
        Duration::from_secs(self.limits.connect_seconds.into())
    }

    pub(crate) fn operation_time(&self) -> Duration {
        Duration::from_secs(self.limits.operation_seconds.into())
    }

    fn either(&self, active_directory: &'static str, open_ldap: &'static str) -> &'static str {
        match self.kind {
            Kind::ActiveDirectory => active_directory,
            Kind::OpenLdap => open_ldap,
        }
    }
}
