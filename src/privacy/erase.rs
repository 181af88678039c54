//! Taking away all that is held about a person.

use lectern_kernel::{Code, Erased, Error, Principal, Result, Scope, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::outbox;
use serde_json::json;

use crate::Privacy;
use crate::model::{ErasePerson, ErasedInAreaView, ErasureOfPersonView};

/// How copies of a tenant's database from before an upgrade are called.
const COPY: &str = "data.db.before-";

impl Privacy {
    /// Erases a person in every area. When it breaks off, the same call goes on: each area's part can be done again.
    pub async fn erase(
        &self,
        principal: &Principal,
        scope: &Scope,
        person: &UserId,
        wanted: ErasePerson,
    ) -> Result<ErasureOfPersonView> {
        let mut names = self.names(scope, person).await?;
        check(&names, person, &wanted.confirm)?;
        if principal.user.as_ref() == Some(person) {
            return Err(
                Error::new(Code::Conflict, "You cannot erase yourself.").hint("Ask another administrator.")
            );
        }
        for part in &self.inner.people {
            part.may_erase(scope, &principal.rights, person).await?;
        }
        names.extend(wanted.also.into_iter().map(|name| name.trim().to_owned()));
        let mut areas = Vec::new();
        for part in &self.inner.people {
            part.ended(scope, person).await?;
            let erased = part.erase(scope, person, &names).await?;
            areas.push(ErasedInAreaView { area: part.name().to_owned(), erased });
        }
        areas.push(self.remove_copies(scope).await?);
        let view = ErasureOfPersonView { person: person.clone(), erased_at: self.now(), areas };
        self.note(scope, &view).await?;
        Ok(view)
    }

    /// What the person is called in any area.
    async fn names(&self, scope: &Scope, person: &UserId) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for part in &self.inner.people {
            names.extend(part.names(scope, person).await?);
        }
        Ok(names)
    }

    /// Copies of the tenant's database that were made before its schema changed would bring the person back.
    async fn remove_copies(&self, scope: &Scope) -> Result<ErasedInAreaView> {
        let folder = self.tenant(scope)?.folder;
        let removed = tokio::task::spawn_blocking(move || {
            let files = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
            let copies = files.iter().filter(|file| file.file_name().to_string_lossy().starts_with(COPY));
            copies.map(|file| std::fs::remove_file(file.path())).collect::<std::io::Result<Vec<()>>>()
        });
        let removed = removed.await.map_err(Error::internal)?.map_err(Error::internal)?.len();
        let erased = vec![Erased::new("copies_from_before_upgrades", removed)];
        Ok(ErasedInAreaView { area: "copies".to_owned(), erased })
    }

    /// Tells that it was done, of a person whose id means nothing any more; and leaves nothing in the log of writes.
    async fn note(&self, scope: &Scope, view: &ErasureOfPersonView) -> Result<()> {
        let (own, id, after) = (scope.clone(), view.person.to_string(), json!({ "areas": view.areas }));
        let store = self.tenant(scope)?;
        let written = store.db.write(move |tx| {
            audit::record(tx, &own, Change::new("person.erased", &id).after(&after))?;
            outbox::push(tx, "person.erased", &id, &())
        });
        written.await?;
        let db = store.db.clone();
        let folded = tokio::task::spawn_blocking(move || db.checkpoint()).await;
        // Readers that are slow keep the log; the next checkpoint takes it.
        if !matches!(folded, Ok(Ok(()))) {
            tracing::warn!(tenant = %scope.tenant(), "the log of writes is folded in later");
        }
        Ok(())
    }
}

/// It is typed again, so that nobody is erased by a slip.
fn check(names: &[String], person: &UserId, confirm: &str) -> Result<()> {
    let confirm = confirm.trim();
    let right = match names {
        [] => confirm == person.as_str(),
        names => names.iter().any(|name| name.eq_ignore_ascii_case(confirm)),
    };
    if right {
        return Ok(());
    }
    let what = if names.is_empty() { "the person's id" } else { "the person's e-mail" };
    Err(Error::field("confirm", format!("is not {what}")))
}
