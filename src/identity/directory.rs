//! Signing in with a directory: LDAP or Active Directory.

use lectern_kernel::{Code, Error, ProviderId, Result, Scope, TenantId, UserId};
use lectern_ldap::{Closed, Directory, DirectoryConfig, Person, Refusal};

use crate::failed::Why;
use crate::federation::Outsider;
use crate::model::{NewSession, email_key};
use crate::model_sign_in::{ProviderKind, ProviderStep, ProviderTest};
use crate::providers::{Settings, failed};
use crate::session::Caller;
use crate::sign_in::{Proven, account_name, wrong_credentials};
use crate::store_providers::{self, ProviderRow};
use crate::{Identity, Refused};

impl Identity {
    /// The person that user name and password open in a directory. A directory that does not answer counts as no try.
    pub(crate) async fn prove_at_directory(
        &self,
        new: NewSession,
        provider: &ProviderId,
        caller: &Caller,
    ) -> Result<Proven, Refused> {
        let tenant = new.tenant.unwrap_or_else(TenantId::main);
        let throttle = account_name(Some(&tenant), &format!("{provider}\0{}", email_key(&new.email)));
        if let Err(locked) = self.begin_account(&throttle) {
            self.failed_try_at(Some(&tenant), provider.as_str(), Why::Locked, caller);
            return Err(locked);
        }
        let row = self.provider_row(&tenant, provider).await?;
        if !row.view.enabled || row.view.kind != ProviderKind::Ldap {
            return Err(Error::not_found("provider").into());
        }
        self.check_tenant(&tenant)?;
        let directory = self.directory(&Scope::system(tenant.clone()), &row)?;
        let person = match directory.sign_in(&new.email, &new.password).await {
            Ok(person) => person,
            Err(refusal) => {
                if refusal.is_persons() {
                    self.failed_try_at(Some(&tenant), provider.as_str(), Why::Password, caller);
                } else {
                    self.inner.accounts.take_back(&throttle, self.now());
                    self.good_try(caller);
                }
                return Err(refused(&row, &refusal).into());
            }
        };
        let user = self.settle(&tenant, &row, outsider(person), caller).await?.map_err(Error::from)?;
        Ok(Proven { tenant, user, throttle, method: provider.to_string(), local: false })
    }

    fn directory(&self, scope: &Scope, row: &ProviderRow) -> Result<Directory> {
        let Settings::Ldap(config) = Settings::read(row.view.kind, &row.view.config)? else {
            return Err(Error::not_found("provider"));
        };
        self.directory_of(scope, row, config)?.map_err(|refusal| refused(row, &refusal))
    }

    fn directory_of(
        &self,
        scope: &Scope,
        row: &ProviderRow,
        config: DirectoryConfig,
    ) -> Result<lectern_ldap::Result<Directory>> {
        let place = Settings::Ldap(config.clone()).place(&row.view);
        let secret = self.open_secret(scope.tenant(), row)?.unwrap_or_default();
        Ok(Directory::new(config, secret, self.inner.network.dial(scope, &place)?))
    }

    /// Whether the password is that of a person whom only a directory knows.
    pub(crate) async fn prove_again_at_directory(
        &self,
        scope: &Scope,
        user: &UserId,
        password: String,
    ) -> Result<bool> {
        let (store, user) = (self.tenant(scope)?, user.clone());
        let names = store.db.read(move |tx| store_providers::directory_names(tx, &user)).await?;
        if names.is_empty() {
            return Err(Error::new(Code::Conflict, "You have no password here to prove that it is you.")
                .hint("Second factors of people who sign in elsewhere are set up there."));
        }
        for (provider, subject, user_name) in names {
            let row = self.provider_row(scope.tenant(), &provider).await?;
            match self.directory(scope, &row)?.sign_in(&user_name, &password).await {
                Ok(person) => return Ok(person.id == subject),
                Err(refusal) if refusal.is_persons() => {}
                Err(refusal) => return Err(refused(&row, &refusal)),
            }
        }
        Ok(false)
    }

    pub(crate) async fn test_directory(
        &self,
        scope: &Scope,
        row: &ProviderRow,
        config: DirectoryConfig,
    ) -> Result<ProviderTest> {
        let directory = match self.directory_of(scope, row, config)? {
            Ok(directory) => directory,
            Err(refusal) => {
                return Ok(failed("settings", refusal.to_string(), refusal.hint().to_owned()));
            }
        };
        let report = directory.test().await;
        let steps = report.steps.iter().map(|step| ProviderStep {
            step: serde_json::to_value(step.kind)
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default(),
            server: Some(step.server.clone()),
            ok: step.ok,
            message: step.message.clone(),
            field: step.field.map(|field| format!("config.{field}")),
            hint: step.hint.map(str::to_owned),
        });
        Ok(ProviderTest { works: report.works(), steps: steps.collect(), people: report.users })
    }
}

/// What a person who tried is told; settings that do not fit are the administrators' matter.
fn refused(row: &ProviderRow, refusal: &Refusal) -> Error {
    match refusal {
        // A locked account is told apart from a wrong password only by who should not know of it.
        Refusal::WrongCredentials | Refusal::NotFound | Refusal::AccountDisabled(Closed::Locked) => {
            wrong_credentials().hint("Use the user name and password of your organisation's directory.")
        }
        Refusal::PasswordExpired | Refusal::AccountDisabled(_) => {
            Error::new(Code::Forbidden, format!("The directory does not let you in: {refusal}."))
                .hint(refusal.hint())
        }
        Refusal::Unavailable { .. } | Refusal::Misconfigured { .. } => {
            let (provider, hint) = (row.view.id.as_str(), refusal.hint());
            tracing::warn!(provider, hint, "a directory cannot be used: {refusal}");
            let detail = format!("'{}' does not answer as it should.", row.view.name);
            Error::new(Code::UpstreamUnavailable, detail).hint(
                "Try again in a few minutes, or sign in another way; an administrator can test the provider.",
            )
        }
    }
}

/// People of a directory are vouched for by it. Groups go by name and by DN.
fn outsider(person: Person) -> Outsider {
    let groups = person.groups.into_iter().flat_map(|group| [group.name, group.dn]).collect();
    Outsider {
        subject: person.id,
        email_verified: person.email.is_some(),
        email: person.email,
        name: person.name,
        user_name: Some(person.user_name),
        groups,
        exact_groups: false,
    }
}
