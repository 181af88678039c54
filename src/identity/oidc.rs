//! Signing in at an OpenID Connect provider: the way there, and the way back.
//!
//! What ties the answer to the question goes with the browser, sealed in a cookie of ten minutes, so that nothing is
//! kept for people who never come back. What came back once does not count again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lectern_kernel::{Code, Error, ProviderId, Result, Scope, TenantId, Timestamp};
use lectern_oidc::{Callback, Pending, Person, Provider, ProviderConfig};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::federation::Outsider;
use crate::model_sign_in::{BeginOidc, ProviderKind, ProviderStep, ProviderTest, is_local};
use crate::providers::{Settings, failed};
use crate::second_factor::Proof;
use crate::session::{Caller, SignedIn};
use crate::sign_in::{Proven, account_name};
use crate::store_providers::ProviderRow;
use crate::{Identity, secret};

/// Where the answer is sealed for.
const PLACE: &str = "sign-in/oidc";
const MOST_PROVIDERS: usize = 256;
/// How long a provider that could not be used is not asked again.
const DOWN: Duration = Duration::from_secs(5);
const MOST_USED: usize = 10_000;
const LONGEST_HINT: usize = 254;

type ProviderKey = (TenantId, ProviderId);

/// Providers whose metadata were read, and answers that came back.
#[derive(Default)]
pub(crate) struct Known {
    /// With the time of the change that they are of.
    providers: Mutex<HashMap<ProviderKey, (Timestamp, Arc<Provider>)>>,
    /// Those that could not be used, until they are asked again: nobody makes this server knock all the time.
    down: Mutex<HashMap<ProviderKey, Timestamp>>,
    /// Fingerprints of states, until they would be too old anyway.
    used: Mutex<HashMap<String, Timestamp>>,
}

impl Known {
    pub fn forget(&self, tenant: &TenantId, id: &ProviderId) {
        let key = (tenant.clone(), id.clone());
        self.providers.lock().remove(&key);
        self.down.lock().remove(&key);
    }

    fn get(&self, key: &ProviderKey, changed: Timestamp) -> Option<Arc<Provider>> {
        let providers = self.providers.lock();
        providers.get(key).filter(|(of, _)| *of == changed).map(|(_, provider)| provider.clone())
    }

    fn put(&self, key: ProviderKey, changed: Timestamp, provider: Arc<Provider>) {
        let mut providers = self.providers.lock();
        if providers.len() >= MOST_PROVIDERS {
            providers.clear();
        }
        providers.insert(key, (changed, provider));
    }

    fn is_down(&self, key: &ProviderKey, now: Timestamp) -> bool {
        self.down.lock().get(key).is_some_and(|until| now < *until)
    }

    fn note_down(&self, key: ProviderKey, now: Timestamp) {
        let mut down = self.down.lock();
        down.retain(|_, until| now < *until);
        down.insert(key, now.plus(DOWN));
    }

    /// Whether this is the first answer to a question.
    fn first_use(&self, pending: &Pending, now: Timestamp) -> bool {
        let mut used = self.used.lock();
        if used.len() >= MOST_USED {
            used.retain(|_, until| now < *until);
        }
        // Full of answers that are still young: the provider refuses a second use of its code as well.
        used.len() >= MOST_USED
            || used.insert(secret::fingerprint(pending.state()), Timestamp(pending.expires_at())).is_none()
    }
}

/// What the browser keeps, sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    provider: ProviderId,
    pending: Pending,
    return_to: String,
}

/// A sign-in that has begun.
pub(crate) struct Away {
    pub authorization_url: String,
    /// The value of the cookie.
    pub cookie: String,
}

/// Why nobody came in: a word for the page.
#[derive(Debug)]
pub(crate) struct Lost(pub &'static str);

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        let code = match error.code {
            Code::TenantSuspended => "tenant_suspended",
            Code::NotFound => "provider_disabled",
            Code::TooManyRequests => "too_many_requests",
            Code::QuotaExceeded => "members_full",
            Code::UpstreamUnavailable | Code::EgressDenied => "provider_unavailable",
            _ => {
                tracing::error!(%error, cause = ?error.cause, "a sign-in at a provider failed");
                "internal"
            }
        };
        Self(code)
    }
}

impl Identity {
    /// The way to the provider. `origin` is that of this server's pages.
    pub(crate) async fn begin_oidc(
        &self,
        provider: &ProviderId,
        begin: BeginOidc,
        origin: &str,
    ) -> Result<Away> {
        let tenant = begin.tenant.unwrap_or_else(TenantId::main);
        let row = self.oidc_row(&tenant, provider).await?;
        self.check_tenant(&tenant)?;
        let known = self.oidc_provider(&tenant, &row).await?;
        let redirect = format!("{origin}/api/v1/session/oidc/callback");
        let hint = begin.login_hint.filter(|hint| hint.len() <= LONGEST_HINT);
        let begun = known.begin(&redirect, hint.as_deref(), self.now().0);
        let begun = begun.map_err(|error| unavailable(&row, &error))?;
        let return_to = begin.return_to.unwrap_or_else(|| "/".to_owned());
        let kept = Kept { provider: provider.clone(), pending: begun.pending, return_to };
        let text = zeroize::Zeroizing::new(serde_json::to_vec(&kept).map_err(Error::internal)?);
        let sealed = self.vault()?.seal(&tenant, PLACE, &text)?;
        Ok(Away { authorization_url: begun.authorization_url, cookie: format!("{tenant}.{sealed}") })
    }

    /// Opens a session for who comes back, and says which page to show.
    pub(crate) async fn finish_oidc(
        &self,
        cookie: Option<String>,
        callback: Callback,
        caller: &Caller,
    ) -> Result<(SignedIn, String), Lost> {
        let (tenant, kept) = cookie.and_then(|text| self.open_kept(&text)).ok_or(Lost("not_started_here"))?;
        let row = self.oidc_row(&tenant, &kept.provider).await?;
        self.check_tenant(&tenant)?;
        let known = self.oidc_provider(&tenant, &row).await?;
        if callback.state.as_deref() == Some(kept.pending.state())
            && !self.inner.providers.first_use(&kept.pending, self.now())
        {
            return Err(Lost("used_already"));
        }
        let secret = self.open_secret(&tenant, &row)?;
        let secret = secret.as_ref().map(|secret| secret.as_str());
        let person = known.finish(kept.pending, callback, secret, self.now().0).await.map_err(|error| {
            tracing::warn!(
                provider = row.view.id.as_str(),
                hint = error.hint(),
                "nobody was signed in: {error}"
            );
            Lost(code(&error))
        })?;
        let user = match self.settle(&tenant, &row, outsider(person), caller).await? {
            Ok(user) => user,
            Err(why) => return Err(Lost(why.code())),
        };
        let throttle = account_name(Some(&tenant), user.as_str());
        let proven = Proven { tenant, user, throttle, method: row.view.id.to_string(), local: false };
        let signed_in =
            self.let_in(&proven, Proof::Vouched, caller).await.map_err(|refused| refused.error)?;
        let page = if is_local(&kept.return_to) { kept.return_to } else { "/".to_owned() };
        Ok((signed_in, page))
    }

    fn open_kept(&self, cookie: &str) -> Option<(TenantId, Kept)> {
        let (tenant, sealed) = cookie.split_once('.')?;
        let tenant: TenantId = tenant.parse().ok()?;
        self.inner.stores.record(&tenant)?;
        let opened = self.vault().ok()?.open(&tenant, PLACE, sealed).ok()?;
        let opened = zeroize::Zeroizing::new(opened);
        Some((tenant, serde_json::from_slice(&opened).ok()?))
    }

    async fn oidc_row(&self, tenant: &TenantId, id: &ProviderId) -> Result<ProviderRow> {
        let row = self.provider_row(tenant, id).await?;
        let usable = row.view.enabled && row.view.kind == ProviderKind::Oidc;
        if usable { Ok(row) } else { Err(Error::not_found("provider")) }
    }

    async fn oidc_provider(&self, tenant: &TenantId, row: &ProviderRow) -> Result<Arc<Provider>> {
        let key = (tenant.clone(), row.view.id.clone());
        if let Some(known) = self.inner.providers.get(&key, row.view.updated_at) {
            return Ok(known);
        }
        let Settings::Oidc(config) = Settings::read(row.view.kind, &row.view.config)? else {
            return Err(Error::not_found("provider"));
        };
        if self.inner.providers.is_down(&key, self.now()) {
            return Err(not_usable("The sign-in service could not be used a moment ago."));
        }
        let found = match self.discover(&Scope::system(tenant.clone()), row, config).await? {
            Ok(found) => found,
            Err(error) => {
                self.inner.providers.note_down(key, self.now());
                return Err(unavailable(row, &error));
            }
        };
        let known = Arc::new(found);
        self.inner.providers.put(key, row.view.updated_at, known.clone());
        Ok(known)
    }

    async fn discover(
        &self,
        scope: &Scope,
        row: &ProviderRow,
        config: ProviderConfig,
    ) -> Result<lectern_oidc::Result<Provider>> {
        let place = Settings::Oidc(config.clone()).place(&row.view);
        let fetch = self.inner.network.fetch(scope, &place)?;
        Ok(Provider::discover(config, fetch, self.now().0).await)
    }

    pub(crate) async fn test_oidc(
        &self,
        scope: &Scope,
        row: &ProviderRow,
        config: ProviderConfig,
    ) -> ProviderTest {
        match self.discover(scope, row, config).await {
            Err(error) => failed("discovery", error.detail, error.hint.unwrap_or_default()),
            Ok(Err(error)) => failed("discovery", error.to_string(), error.hint()),
            Ok(Ok(_)) => {
                let message = "The provider's settings and keys were read and fit.".to_owned();
                let step = ProviderStep {
                    step: "discovery".to_owned(),
                    server: None,
                    ok: true,
                    message,
                    field: None,
                    hint: None,
                };
                ProviderTest { works: true, steps: vec![step], people: None }
            }
        }
    }
}

fn outsider(person: Person) -> Outsider {
    let name = person.name.or_else(|| person.user_name.clone()).unwrap_or_default();
    Outsider {
        // Another issuer's subjects are other people.
        subject: format!("{} {}", person.issuer, person.subject),
        email: person.email,
        email_verified: person.email_verified,
        name,
        user_name: person.user_name,
        groups: person.groups,
        exact_groups: true,
    }
}

fn unavailable(row: &ProviderRow, error: &lectern_oidc::OidcError) -> Error {
    tracing::warn!(
        provider = row.view.id.as_str(),
        hint = error.hint(),
        "a provider cannot be used: {error}"
    );
    not_usable(&error.to_string())
}

fn not_usable(detail: &str) -> Error {
    Error::new(Code::UpstreamUnavailable, detail)
        .hint("Sign in another way; an administrator can test the provider.")
}

/// A word for the page.
fn code(error: &lectern_oidc::OidcError) -> &'static str {
    use lectern_oidc::OidcError as E;
    match error {
        E::ProviderUnavailable { .. } => "provider_unavailable",
        E::Misconfigured { .. } => "provider_misconfigured",
        E::Denied { .. } => "denied",
        E::Replayed => "used_already",
        E::Expired => "took_too_long",
        E::StateMismatch => "not_started_here",
        E::OtherIssuer { .. } => "other_provider",
        E::InvalidToken { .. } => "invalid_answer",
        E::EmailNotVerified => "email_not_verified",
        E::DomainNotAllowed { .. } => "domain_not_allowed",
    }
}
