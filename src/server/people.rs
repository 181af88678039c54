//! Apps of third parties: `oauth` with people from `identity`, which do not know each other.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use lectern_config::Config;
use lectern_identity::Identity;
use lectern_kernel::{Result as Answer, TenantId, UserId};
use lectern_oauth::{Holder, Holders, Issuer, Oauth, Pages, Parts};
use lectern_store::Stores;

use crate::compose;

/// The authorization server; `secure` tells whether clients come by HTTPS.
pub(crate) fn oauth(stores: &Stores, identity: &Identity, config: &Config, secure: bool) -> Result<Oauth> {
    Ok(Oauth::new(Parts {
        stores: stores.clone(),
        holders: Arc::new(People(identity.clone())),
        permissions: compose::permissions(),
        issuer: issuer(config, secure)?,
        pages: Pages::default(),
    }))
}

fn issuer(config: &Config, secure: bool) -> Result<Issuer> {
    if config.oauth.issuer.is_empty() {
        return Ok(Issuer::Own { https: secure, names: crate::network::names(&config.server) });
    }
    Issuer::configured(&config.oauth.issuer).map_err(anyhow::Error::msg).context("oauth.issuer")
}

struct People(Identity);

#[async_trait]
impl Holders for People {
    async fn admitted(&self, tenant: &TenantId) -> Answer<()> {
        self.0.admitted(tenant)
    }

    async fn person(&self, tenant: &TenantId, user: &UserId) -> Answer<Option<Holder>> {
        let holder = self.0.holder(tenant, user).await?;
        Ok(holder.map(|found| Holder {
            role: found.role,
            rights: found.rights,
            groups: found.groups.to_vec(),
        }))
    }
}
