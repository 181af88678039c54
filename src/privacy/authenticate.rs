//! Whoever has to agree to a text first may do nothing else before.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Permission as _, Principal, Result, Rights};

use crate::{Privacy, SessionUse};

/// Asks `others` who somebody is, and takes their rights until they agreed to what the tenant requires.
pub struct ConsentFirst {
    privacy: Privacy,
    others: Arc<dyn Authenticate>,
}

impl ConsentFirst {
    pub fn new(privacy: Privacy, others: Arc<dyn Authenticate>) -> Self {
        Self { privacy, others }
    }
}

#[async_trait]
impl Authenticate for ConsentFirst {
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        let mut principal = self.others.authenticate(credentials).await?;
        if self.privacy.is_missing(&principal).await? {
            principal.rights = Rights::from_iter([SessionUse::NAME.to_owned()]).within(&principal.rights);
        }
        Ok(principal)
    }
}
