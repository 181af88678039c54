//! The command line on the appliance's own machine: it shows a token that only the data folder's owner can read.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Actor, Code, Error, Principal, Result, TenantId};
use lectern_store::Stores;
use subtle::ConstantTimeEq;

/// Knows the local token; asks `others` about everything else.
pub struct LocalFirst {
    token: String,
    stores: Stores,
    others: Arc<dyn Authenticate>,
}

impl LocalFirst {
    pub fn new(stores: Stores, others: Arc<dyn Authenticate>) -> Self {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Self { token: format!("local_{}", hex::encode(bytes)), stores, others }
    }

    pub fn token(&self) -> &str {
        &self.token
    }
}

#[async_trait]
impl Authenticate for LocalFirst {
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        let bearer = credentials.bearer.as_deref().unwrap_or_default();
        // `lectern --tenant` names the tenant behind the token.
        let (shown, tenant) = bearer.split_once(':').map_or((bearer, None), |(t, name)| (t, Some(name)));
        if bool::from(shown.as_bytes().ct_eq(self.token.as_bytes())) {
            let tenant = match tenant {
                None => TenantId::main(),
                Some(name) => name.parse().map_err(|_| unknown(name))?,
            };
            if self.stores.record(&tenant).is_none() {
                return Err(unknown(tenant.as_str()));
            }
            return Ok(Principal::unlimited(tenant, None, Actor::Local));
        }
        self.others.authenticate(credentials).await
    }
}

/// Only whoever holds the data folder gets here.
fn unknown(tenant: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no tenant '{tenant}'."))
        .hint("`lectern tenant list` shows the tenants.")
}
