//! The command line on the appliance's own machine: it shows a token that only the data folder's owner can read.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Actor, Principal, Result, Role, TenantId};
use subtle::ConstantTimeEq;

/// Knows the local token; asks `others` about everything else.
pub struct LocalFirst {
    token: String,
    others: Arc<dyn Authenticate>,
}

impl LocalFirst {
    pub fn new(others: Arc<dyn Authenticate>) -> Self {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Self { token: format!("local_{}", hex::encode(bytes)), others }
    }

    pub fn token(&self) -> &str {
        &self.token
    }
}

#[async_trait]
impl Authenticate for LocalFirst {
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        let shown = credentials.bearer.as_deref().unwrap_or_default();
        if bool::from(shown.as_bytes().ct_eq(self.token.as_bytes())) {
            return Ok(Principal {
                tenant: TenantId::main(),
                user: None,
                role: Role::Admin,
                actor: Actor::Local,
            });
        }
        self.others.authenticate(credentials).await
    }
}
