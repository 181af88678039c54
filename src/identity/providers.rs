//! The services that people of a tenant sign in with: added, changed, tried out, removed.
//!
//! Whoever can say where a provider is can be anybody that it vouches for. So only those who hold all that an
//! administrator holds may save one, and owners come in only by one that an owner saved last.

use lectern_kernel::{Code, Error, ProviderId, Result, Rights, Role, Scope, TenantId};
use lectern_ldap::DirectoryConfig;
use lectern_oidc::ProviderConfig;
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::model_sign_in::{
    NewProvider, OptionsParameters, PatchProvider, ProviderKind, ProviderOption, ProviderStep, ProviderTest,
    ProviderView, SignInOptions,
};
use crate::sign_in_network::Place;
use crate::store_providers::{self, ProviderRow};
use crate::{Identity, roles, store_groups, store_policy};

const PROVIDERS_A_TENANT: usize = 20;

/// The settings as the engine of the kind reads them.
pub(crate) enum Settings {
    Oidc(ProviderConfig),
    Ldap(DirectoryConfig),
}

impl Settings {
    pub fn read(kind: ProviderKind, config: &Value) -> Result<Self> {
        let wrong = |error: serde_json::Error| Error::field("config", error.to_string());
        let settings = match kind {
            ProviderKind::Oidc => Self::Oidc(serde_json::from_value(config.clone()).map_err(wrong)?),
            ProviderKind::Ldap => Self::Ldap(serde_json::from_value(config.clone()).map_err(wrong)?),
        };
        let problems = match &settings {
            Self::Oidc(config) => config.validate(),
            Self::Ldap(config) => config.validate(),
        };
        match problems.into_iter().next() {
            Some((field, problem)) => Err(Error::field(&format!("config.{field}"), problem)),
            None => Ok(settings),
        }
    }

    /// Where the provider is, as it is allowed to be asked.
    pub fn place(&self, view: &ProviderView) -> Place {
        let (mut addresses, authorities) = match self {
            Self::Oidc(config) => (vec![config.issuer.clone()], config.ca_pem.clone()),
            Self::Ldap(config) => (config.urls.clone(), config.authorities.clone()),
        };
        if matches!(self, Self::Oidc(_)) {
            addresses.extend(view.addresses.iter().cloned());
        }
        Place { provider: view.id.to_string(), addresses, authorities }
    }
}

/// Where a provider's secret is sealed for.
fn place_of_secret(id: &ProviderId) -> String {
    format!("{id}/secret")
}

impl Identity {
    pub async fn providers(&self, scope: &Scope) -> Result<Vec<ProviderView>> {
        let rows = self.tenant(scope)?.db.read(store_providers::providers).await?;
        Ok(rows.into_iter().map(|row| row.view).collect())
    }

    pub async fn create_provider(
        &self,
        scope: &Scope,
        rights: &Rights,
        new: NewProvider,
    ) -> Result<ProviderView> {
        self.may_save(rights)?;
        let (id, now) = (ProviderId::generate(), self.now());
        let secret = self.seal_secret(scope.tenant(), &id, new.secret.as_deref())?;
        let view = ProviderView {
            id,
            kind: new.kind,
            name: new.name.trim().to_owned(),
            enabled: new.enabled,
            config: new.config,
            has_secret: secret.is_some(),
            default_role: new.default_role,
            create_people: new.create_people,
            link_people: new.link_people,
            owners: rights.allows(roles::OWN),
            groups: new.groups,
            addresses: new.addresses,
            created_at: now,
            updated_at: now,
        };
        self.check_addresses(&view)?;
        self.save_provider(scope, rights, None, ProviderRow { view, secret }).await
    }

    pub async fn change_provider(
        &self,
        scope: &Scope,
        rights: &Rights,
        id: &ProviderId,
        patch: PatchProvider,
    ) -> Result<ProviderView> {
        self.may_save(rights)?;
        let before = self.provider_row(scope.tenant(), id).await?;
        let mut row = before.clone();
        let view = &mut row.view;
        view.name = patch.name.map_or(view.name.clone(), |name| name.trim().to_owned());
        view.enabled = patch.enabled.unwrap_or(view.enabled);
        view.config = patch.config.unwrap_or(view.config.take());
        view.default_role = patch.default_role.unwrap_or(view.default_role.clone());
        view.create_people = patch.create_people.unwrap_or(view.create_people);
        view.link_people = patch.link_people.unwrap_or(view.link_people);
        view.groups = patch.groups.unwrap_or(std::mem::take(&mut view.groups));
        view.addresses = patch.addresses.unwrap_or(std::mem::take(&mut view.addresses));
        view.owners = rights.allows(roles::OWN);
        view.updated_at = self.now();
        self.check_addresses(view)?;
        match patch.secret {
            Some(secret) => {
                row.secret = self.seal_secret(scope.tenant(), id, Some(&secret))?;
                row.view.has_secret = row.secret.is_some();
            }
            None if row.secret.is_some() && moved(&before.view, &row.view)? => {
                return Err(Error::field("secret", "must be sent again when the addresses change"));
            }
            None => {}
        }
        self.save_provider(scope, rights, Some(before.view), row).await
    }

    async fn save_provider(
        &self,
        scope: &Scope,
        rights: &Rights,
        before: Option<ProviderView>,
        row: ProviderRow,
    ) -> Result<ProviderView> {
        let (own, rights, this, view) = (scope.clone(), rights.clone(), self.clone(), row.view.clone());
        let store = self.tenant(scope)?;
        let written = store.db.write(move |tx| {
            this.check_gifts(tx, &rights, &row.view)?;
            let id = row.view.id.as_str();
            if before.is_none() && store_providers::providers(tx)?.len() >= PROVIDERS_A_TENANT {
                return Err(Error::new(Code::Conflict, "There are 20 providers already.").into());
            }
            store_providers::put_provider(tx, &row)?;
            still_a_way(tx)?;
            if !row.view.enabled {
                store_providers::delete_sessions_by(tx, &row.view.id)?;
            }
            let action = if before.is_some() { "provider.changed" } else { "provider.created" };
            let (before, after) = (before.map(|view| json!(view)), json!(row.view));
            let change = Change { action, object: id, before: before.as_ref(), after: Some(&after) };
            audit::record(tx, &own, change)?;
            outbox::push(tx, action, id, &row.view)
        });
        written.await?;
        self.forget_provider(scope, &view.id);
        Ok(view)
    }

    pub async fn delete_provider(&self, scope: &Scope, rights: &Rights, id: &ProviderId) -> Result<()> {
        self.may_save(rights)?;
        let (own, wanted) = (scope.clone(), id.clone());
        let store = self.tenant(scope)?;
        let written = store.db.write(move |tx| {
            let row = store_providers::provider_by_id(tx, &wanted)?;
            let before = json!(row.ok_or_else(|| Error::not_found("provider"))?.view);
            store_providers::delete_provider(tx, &wanted)?;
            still_a_way(tx)?;
            store_providers::delete_sessions_by(tx, &wanted)?;
            let change = Change::new("provider.deleted", wanted.as_str());
            audit::record(tx, &own, change.before(&before))?;
            outbox::push(tx, "provider.deleted", wanted.as_str(), &())
        });
        written.await?;
        self.forget_provider(scope, id);
        Ok(())
    }

    /// What was kept of a provider in memory, and where it was allowed to be.
    fn forget_provider(&self, scope: &Scope, id: &ProviderId) {
        self.inner.network.withdraw(scope, id.as_str());
        self.inner.providers.forget(scope.tenant(), id);
        self.inner.cache.clear();
    }

    fn may_save(&self, rights: &Rights) -> Result<()> {
        let administrator = self.inner.catalogue.built_in(&Role::ADMIN);
        if administrator.are_within(rights) {
            return Ok(());
        }
        Err(Error::new(Code::Forbidden, "Whoever says where people sign in could be any of them.")
            .hint("Ask an administrator or an owner: it needs all that they may do."))
    }

    /// Nobody gives what they do not have, and no provider makes owners.
    fn check_gifts(&self, tx: &Tx<'_>, rights: &Rights, view: &ProviderView) -> Result<(), StoreError> {
        let mapped = view.groups.iter().filter_map(|mapping| mapping.role.as_ref().map(|r| ("groups", r)));
        for (field, role) in mapped.chain([("default_role", &view.default_role)]) {
            if *role == Role::OWNER {
                let error = Error::field(field, "cannot be owner");
                return Err(error.hint("Owners are made on the people page, by owners.").into());
            }
            self.may_give(tx, rights, role)?;
        }
        for group in view.groups.iter().filter_map(|mapping| mapping.group.as_ref()) {
            if store_groups::find_group(tx, group)?.is_none() {
                return Err(Error::field("groups", format!("there is no group '{group}'")).into());
            }
        }
        Ok(())
    }

    fn check_addresses(&self, view: &ProviderView) -> Result<()> {
        let place = Settings::read(view.kind, &view.config)?.place(view);
        for address in &place.addresses {
            let field = if view.addresses.contains(address) { "addresses" } else { "config" };
            self.inner
                .network
                .check(address)
                .map_err(|why| Error::field(field, format!("{address} {why}")))?;
        }
        Ok(())
    }

    fn seal_secret(
        &self,
        tenant: &TenantId,
        id: &ProviderId,
        secret: Option<&str>,
    ) -> Result<Option<String>> {
        let secret = secret.filter(|secret| !secret.is_empty());
        secret.map(|text| self.vault()?.seal(tenant, &place_of_secret(id), text.as_bytes())).transpose()
    }

    pub(crate) fn open_secret(
        &self,
        tenant: &TenantId,
        row: &ProviderRow,
    ) -> Result<Option<Zeroizing<String>>> {
        let Some(sealed) = &row.secret else { return Ok(None) };
        let opened = self.vault()?.open(tenant, &place_of_secret(&row.view.id), sealed)?;
        Ok(Some(Zeroizing::new(String::from_utf8(opened).map_err(Error::internal)?)))
    }

    /// A provider of a tenant; the same answer for an unknown tenant as for an unknown provider.
    pub(crate) async fn provider_row(&self, tenant: &TenantId, id: &ProviderId) -> Result<ProviderRow> {
        if self.inner.stores.record(tenant).is_none() {
            return Err(Error::not_found("provider"));
        }
        let (store, id) = (self.tenant(&Scope::system(tenant.clone()))?, id.clone());
        let found = store.db.read(move |tx| store_providers::provider_by_id(tx, &id)).await?;
        found.ok_or_else(|| Error::not_found("provider"))
    }

    /// The ways to sign in to a tenant, for who is not signed in.
    pub async fn sign_in_options(&self, wanted: OptionsParameters) -> Result<SignInOptions> {
        let nothing = SignInOptions { password: true, providers: Vec::new() };
        let tenant = wanted.tenant.map_or(Ok(TenantId::main()), |name| name.parse());
        let Ok(tenant) = tenant else { return Ok(nothing) };
        if self.inner.stores.record(&tenant).is_none() {
            return Ok(nothing);
        }
        let store = self.tenant(&Scope::system(tenant))?;
        let read = store
            .db
            .read(|tx| Ok((store_policy::policy(tx)?.password_sign_in, store_providers::providers(tx)?)));
        let (password, rows) = read.await?;
        let enabled = rows.into_iter().map(|row| row.view).filter(|view| view.enabled);
        let option = |view: ProviderView| ProviderOption { id: view.id, kind: view.kind, name: view.name };
        Ok(SignInOptions { password, providers: enabled.map(option).collect() })
    }

    /// Tries a provider out.
    pub async fn test_provider(&self, scope: &Scope, id: &ProviderId) -> Result<ProviderTest> {
        let row = self.provider_row(scope.tenant(), id).await?;
        match Settings::read(row.view.kind, &row.view.config)? {
            Settings::Oidc(config) => Ok(self.test_oidc(scope, &row, config).await),
            Settings::Ldap(config) => self.test_directory(scope, &row, config).await,
        }
    }
}

/// One that failed before anything was asked.
pub(crate) fn failed(step: &str, message: String, hint: String) -> ProviderTest {
    let step = ProviderStep {
        step: step.to_owned(),
        server: None,
        ok: false,
        message,
        field: None,
        hint: Some(hint),
    };
    ProviderTest { works: false, steps: vec![step], people: None }
}

/// Whether a change leads the secret somewhere else.
fn moved(before: &ProviderView, after: &ProviderView) -> Result<bool> {
    let place = |view: &ProviderView| Ok::<_, Error>(Settings::read(view.kind, &view.config)?.place(view));
    Ok(place(before)? != place(after)?)
}

/// Where passwords are off, one provider stays.
fn still_a_way(tx: &Tx<'_>) -> Result<(), StoreError> {
    if store_policy::policy(tx)?.password_sign_in || store_providers::count_enabled(tx)? > 0 {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, "Passwords are off, and this is the last other way to sign in.")
        .hint("Let people sign in with passwords first.")
        .into())
}
