//! Tells who sends a request that brings an access token.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Actor, Code, Error, Principal, Result, Role, Scope};

use crate::secret::{self, Kind};
use crate::store_tokens::{self, Access};
use crate::{Holder, Oauth};

/// Knows access tokens; asks `others` about everything else.
pub struct OAuthFirst {
    oauth: Oauth,
    others: Arc<dyn Authenticate>,
}

impl OAuthFirst {
    pub fn new(oauth: Oauth, others: Arc<dyn Authenticate>) -> Self {
        Self { oauth, others }
    }
}

#[async_trait]
impl Authenticate for OAuthFirst {
    /// A token goes before a cookie: whoever sends one means it.
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        match &credentials.bearer {
            Some(token) if token.starts_with(Kind::Access.prefix()) => self.oauth.by_token(token).await,
            _ => self.others.authenticate(credentials).await,
        }
    }
}

fn invalid() -> Error {
    Error::new(Code::Unauthenticated, "The access token is not valid, is revoked or is over.")
        .hint("Get a new one at the token endpoint; /.well-known/oauth-authorization-server names it.")
}

impl Oauth {
    /// What the token names of what its person holds now. Of an app for itself: what the token names.
    async fn by_token(&self, token: &str) -> Result<Principal> {
        let tenant = Kind::Access.tenant_of(token).ok_or_else(invalid)?;
        // A name that anybody can write must not open or make anything.
        if self.inner.stores.record(&tenant).is_none() {
            return Err(invalid());
        }
        let access = self.access(&Scope::system(tenant.clone()), secret::fingerprint(token)).await?;
        self.inner.holders.admitted(&tenant).await?;
        let rights = self.inner.catalogue.rights(&access.scopes);
        let actor = Actor::Key { id: access.id };
        let Some(user) = access.user else {
            // As for an API key of the tenant.
            let (role, groups) = (Role::ADMIN, Arc::default());
            return Ok(Principal { tenant, user: None, role, rights, groups, actor });
        };
        let holder = self.inner.holders.person(&tenant, &user).await?;
        let Holder { role, rights: own, groups } = holder.ok_or_else(invalid)?;
        let rights = rights.within(&own);
        Ok(Principal { tenant, user: Some(user), role, rights, groups: groups.into(), actor })
    }

    async fn access(&self, scope: &Scope, fingerprint: String) -> Result<Access> {
        let now = self.now();
        if let Some(access) = self.inner.cache.get(&fingerprint, now) {
            return Ok(access);
        }
        let generation = self.inner.cache.generation();
        let wanted = fingerprint.clone();
        let found = self.tenant(scope)?.db.read(move |tx| store_tokens::find_access(tx, &wanted)).await?;
        let access = found.ok_or_else(invalid)?;
        self.inner.cache.put(fingerprint, scope.tenant(), &access, now, generation);
        Ok(access)
    }
}
