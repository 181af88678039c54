//! What this area must know of people: a port, as areas do not know each other.

use async_trait::async_trait;
use lectern_kernel::{GroupId, Result, Rights, Role, TenantId, UserId};

/// What a person is and may now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub role: Role,
    pub rights: Rights,
    pub groups: Vec<GroupId>,
}

/// Knows the people of each tenant. Asked at each request with a token, so it must be quick; what it says counts at
/// once.
#[async_trait]
pub trait Holders: Send + Sync {
    /// Refuses a tenant that nobody may come into: suspended, being made or going, or not there.
    async fn admitted(&self, tenant: &TenantId) -> Result<()>;

    /// What a person holds; none when they are disabled or gone. Without rights of the appliance.
    async fn person(&self, tenant: &TenantId, user: &UserId) -> Result<Option<Holder>>;
}
