//! What several areas know of people, who do not know each other: apps of third parties, privacy, and who sends a
//! request.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use lectern_config::Config;
use lectern_identity::Identity;
use lectern_kernel::ports::Authenticate;
use lectern_kernel::{PersonPart, Result as Answer, RetentionPart, TenantId, UserId};
use lectern_oauth::{Holder, Holders, Issuer, OAuthFirst, Oauth, Pages, Parts};
use lectern_privacy::{ConsentFirst, Privacy};
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

/// Joins the areas that hold something about people. `identity` is asked last: it knows the name that the others look for.
pub(crate) fn privacy(
    stores: &Stores,
    identity: &Identity,
    people: Vec<Arc<dyn PersonPart>>,
    retention: Vec<Arc<dyn RetentionPart>>,
) -> Privacy {
    identity.set_parts(people.clone());
    let last: Arc<dyn PersonPart> = Arc::new(identity.clone());
    let people = people.into_iter().chain([last]).collect();
    Privacy::new(lectern_privacy::Parts { stores: stores.clone(), people, retention })
}

/// Who sends a request: by a token of an app, a session or a key; with fewer rights before what is required was agreed to.
pub(crate) fn senders(identity: &Identity, oauth: &Oauth, privacy: &Privacy) -> Arc<dyn Authenticate> {
    let people: Arc<dyn Authenticate> = Arc::new(identity.clone());
    let apps: Arc<dyn Authenticate> = Arc::new(OAuthFirst::new(oauth.clone(), people));
    Arc::new(ConsentFirst::new(privacy.clone(), apps))
}
