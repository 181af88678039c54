//! Who asks, and what they may touch: without a [`Scope`] there is no query.

use serde::{Deserialize, Serialize};

use crate::{KeyId, SessionId, TenantId, UserId};

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

/// What a person is in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
        }
    }

    /// Whether the role holds the named permission.
    pub fn allows(self, _permission: &str) -> bool {
        match self {
            Role::Admin => true,
        }
    }
}

/// How somebody proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A browser; its requests must carry the session's CSRF token.
    Session { id: SessionId, csrf_token: String },
    /// A program with an API key.
    Key { id: KeyId },
    /// The command line with the data folder in its hands.
    Local,
}

/// Somebody who is known, in one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub tenant: TenantId,
    pub user: Option<UserId>,
    pub role: Role,
    pub actor: Actor,
}

/// The right to work on one tenant's data. Made from a checked permission, or for the appliance's own jobs.
#[derive(Debug, Clone)]
pub struct Scope {
    tenant: TenantId,
    user: Option<UserId>,
}

impl Scope {
    /// The scope of a principal who was found to hold the permission that is asked for.
    pub fn granted(principal: &Principal) -> Self {
        Self { tenant: principal.tenant.clone(), user: principal.user.clone() }
    }

    /// The scope of the appliance's own work: jobs, start, the command line on a stopped appliance.
    pub fn system(tenant: TenantId) -> Self {
        Self { tenant, user: None }
    }

    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }
}
