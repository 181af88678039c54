//! Who asks, and what they may touch: without a [`Scope`] there is no query.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{GroupId, KeyId, SessionId, TenantId, UserId};

/// A right, named `area.verb`; each is a type of its own so that it stands in a handler's signature.
pub trait Permission: Send + Sync + 'static {
    const NAME: &'static str;
}

/// Declares permissions: `permission!(DocumentsRead = "documents.read");`
#[macro_export]
macro_rules! permission {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl $crate::Permission for $name {
            const NAME: &'static str = $text;
        }
    )*};
}

/// What a person is in a tenant: a role that every tenant has, or one that the tenant made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "editor")]
pub struct Role(Cow<'static, str>);

impl Role {
    /// Everything, and the only role that can make owners.
    pub const OWNER: Self = Self(Cow::Borrowed("owner"));
    /// Everything but owners.
    pub const ADMIN: Self = Self(Cow::Borrowed("admin"));
    /// Takes care of documents.
    pub const EDITOR: Self = Self(Cow::Borrowed("editor"));
    /// Asks, and adds documents.
    pub const MEMBER: Self = Self(Cow::Borrowed("member"));
    /// Asks and reads.
    pub const VIEWER: Self = Self(Cow::Borrowed("viewer"));
    /// Sees who did what, and no documents.
    pub const AUDITOR: Self = Self(Cow::Borrowed("auditor"));
    /// The roles that every tenant has.
    pub const BUILT_IN: [Self; 6] =
        [Self::OWNER, Self::ADMIN, Self::EDITOR, Self::MEMBER, Self::VIEWER, Self::AUDITOR];

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_built_in(&self) -> bool {
        Self::BUILT_IN.contains(self)
    }
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let edges = text.starts_with('-') || text.ends_with('-');
        if (2..=40).contains(&text.len()) && text.bytes().all(allowed) && !edges {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err("a role's name has 2–40 of a-z, 0-9 and -")
        }
    }
}

impl TryFrom<String> for Role {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.0.into_owned()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The permissions that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights(Option<Arc<BTreeSet<String>>>);

impl Rights {
    /// Every permission, those of the appliance too.
    pub fn everything() -> Self {
        Self(None)
    }

    pub fn allows(&self, permission: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(permission))
    }

    /// Those that `other` has too.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (None, _) => other.clone(),
            (_, None) => self.clone(),
            (Some(a), Some(b)) => a.intersection(b).cloned().collect(),
        }
    }

    /// Whether `other` has all of these.
    pub fn are_within(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(a), Some(b)) => a.is_subset(b),
        }
    }

    /// The names; empty for everything.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|names| names.iter().map(String::as_str))
    }
}

impl FromIterator<String> for Rights {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(Some(Arc::new(names.into_iter().collect())))
    }
}

/// Permissions with this beginning are about the whole appliance: no role of a tenant holds them.
pub const APPLIANCE: &str = "appliance.";
/// Whoever holds it sees documents whatever their access lists say.
pub const SEE_ALL: &str = "documents.all";

/// How somebody proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A browser; its requests must carry the session's CSRF token.
    Session {
        id: SessionId,
        csrf_token: String,
        /// Set when it is not the person, but an operator in their place, with the tenant's consent.
        operator: Option<Arc<str>>,
    },
    /// A program with an API key.
    Key { id: KeyId },
    /// The command line with the data folder in its hands.
    Local,
}

impl Actor {
    /// Who acts in place of the person.
    pub fn operator(&self) -> Option<&str> {
        match self {
            Self::Session { operator, .. } => operator.as_deref(),
            _ => None,
        }
    }

    /// What stands in records: how, and by which session or key.
    pub fn name(&self) -> String {
        match self {
            Self::Session { id, operator: None, .. } => id.as_str().to_owned(),
            Self::Session { id, operator: Some(operator), .. } => format!("{id} of operator {operator}"),
            Self::Key { id } => id.as_str().to_owned(),
            Self::Local => "command line".to_owned(),
        }
    }
}

/// Somebody who is known, in one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub tenant: TenantId,
    pub user: Option<UserId>,
    pub role: Role,
    pub rights: Rights,
    /// Groups of the person.
    pub groups: Arc<[GroupId]>,
    pub actor: Actor,
}

impl Principal {
    /// One who may do everything.
    pub fn unlimited(tenant: TenantId, user: Option<UserId>, actor: Actor) -> Self {
        let (role, rights) = (Role::OWNER, Rights::everything());
        Self { tenant, user, role, rights, groups: Arc::default(), actor }
    }
}

/// Where a change comes from, for the record of who did what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Session, key or command line; none for the appliance itself.
    pub by: Option<String>,
    /// The address of the client.
    pub address: Option<String>,
    pub request: Option<String>,
}

/// Whose documents can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// All of the tenant.
    All,
    /// Those that are open to everybody in the tenant, and those that name one of these: ids of a person and of
    /// groups.
    Of(Arc<[String]>),
}

/// The right to work on one tenant's data. Made from a checked permission, or for the appliance's own jobs.
#[derive(Debug, Clone)]
pub struct Scope {
    tenant: TenantId,
    user: Option<UserId>,
    sight: Sight,
    origin: Arc<Origin>,
}

impl Scope {
    /// The scope of a principal who was found to hold the permission that is asked for.
    pub fn granted(principal: &Principal) -> Self {
        let sight = if principal.rights.allows(SEE_ALL) {
            Sight::All
        } else {
            let user = principal.user.iter().map(|id| id.as_str().to_owned());
            Sight::Of(user.chain(principal.groups.iter().map(|id| id.as_str().to_owned())).collect())
        };
        let origin = Origin { by: Some(principal.actor.name()), ..Origin::default() };
        let (tenant, user) = (principal.tenant.clone(), principal.user.clone());
        Self { tenant, user, sight, origin: Arc::new(origin) }
    }

    /// The scope of the appliance's own work: jobs, start, the command line on a stopped appliance.
    pub fn system(tenant: TenantId) -> Self {
        Self { tenant, user: None, sight: Sight::All, origin: Arc::default() }
    }

    /// The same, for a request from this address.
    #[must_use]
    pub fn requested(mut self, address: Option<String>, request: Option<String>) -> Self {
        self.origin = Arc::new(Origin { by: self.origin.by.clone(), address, request });
        self
    }

    /// The same, done by this person, who is not signed in yet.
    #[must_use]
    pub fn acting(mut self, user: &UserId, by: &str) -> Self {
        let origin = Origin { by: Some(by.to_owned()), ..(*self.origin).clone() };
        (self.user, self.origin) = (Some(user.clone()), Arc::new(origin));
        self
    }

    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    pub fn sight(&self) -> &Sight {
        &self.sight
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(names: &[&str]) -> Rights {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn rights_shrink_and_never_grow() {
        let (few, more) = (rights(&["a.read"]), rights(&["a.read", "a.write"]));
        assert_eq!(few.within(&more), few);
        assert_eq!(Rights::everything().within(&few), few);
        assert!(few.are_within(&more) && !more.are_within(&few));
        assert!(more.are_within(&Rights::everything()) && !Rights::everything().are_within(&more));
        assert!(!rights(&[]).allows("a.read") && Rights::everything().allows("anything"));
    }

    #[test]
    fn a_person_sees_what_names_them_or_their_groups() {
        let (user, group) = (UserId::generate(), GroupId::generate());
        let mut principal = Principal::unlimited(TenantId::main(), Some(user.clone()), Actor::Local);
        assert_eq!(Scope::granted(&principal).sight(), &Sight::All);
        principal.rights = rights(&["documents.read"]);
        principal.groups = Arc::from([group.clone()]);
        let names = Arc::from([user.to_string(), group.to_string()]);
        assert_eq!(Scope::granted(&principal).sight(), &Sight::Of(names));
    }

    #[test]
    fn names_of_roles_are_plain() {
        assert_eq!("shift-lead".parse::<Role>().expect("a name").as_str(), "shift-lead");
        assert!(Role::BUILT_IN.iter().all(|role| role.as_str().parse::<Role>() == Ok(role.clone())));
        for bad in ["", "a", "-ab", "Owner", "a b", "owner\0", &"x".repeat(41)] {
            assert!(bad.parse::<Role>().is_err(), "{bad}");
        }
    }
}
