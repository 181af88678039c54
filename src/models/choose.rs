//! Looking at models, choosing among them, removing them.

use std::path::Path;
use std::sync::Arc;

use lectern_kernel::{Code, Error, RequestId, Result, Scope};
use lectern_store::audit::{self, Change};
use serde_json::json;

use crate::known::known_models;
use crate::manifest::Manifest;
use crate::model::{ModelMemory, ModelView, ModelsView};
use crate::registry::Installed;
use crate::stage::{STAGING, disk};
use crate::{Models, report, store};

impl Models {
    /// Everything about models.
    pub fn view(&self) -> ModelsView {
        let inner = &self.inner;
        let all = inner.registry.all();
        let installed = |name: &str| all.iter().any(|m| m.manifest.name == name);
        ModelsView {
            items: all.iter().map(|model| self.view_of(model)).collect(),
            known: known_models().iter().filter(|k| !installed(&k.name)).cloned().collect(),
            imports: inner.imports.list(),
            memory: self.memory(),
            runtime: report::runtime(),
            max_import_bytes: inner.config.max_size.0,
        }
    }

    pub(crate) fn memory(&self) -> ModelMemory {
        let residency = &self.inner.residency;
        ModelMemory {
            budget_bytes: residency.budget(),
            used_bytes: residency.used(),
            idle_seconds: residency.idle().as_secs(),
        }
    }

    pub(crate) fn view_of(&self, model: &Installed) -> ModelView {
        let (name, kind) = (&model.manifest.name, model.manifest.kind);
        let mut view = ModelView::new(&model.manifest);
        let checked = self.inner.registry.checked(name);
        view.verified_at = checked.at.or(view.verified_at);
        view.problem = checked.problem;
        view.in_use = kind.is_chosen().then(|| self.inner.registry.is_chosen(kind, name));
        let stay = self.inner.residency.stay(name);
        view.loaded = stay.loaded;
        view.memory_bytes = stay.memory_bytes;
        view.last_used_at = stay.last_used_at;
        view
    }

    pub(crate) fn find(&self, name: &str) -> Result<Arc<Installed>> {
        self.inner.registry.get(name).ok_or_else(|| Error::not_found("model"))
    }

    /// Lets a model do the work of its kind, or ends that.
    pub async fn set_in_use(&self, scope: &Scope, name: &str, in_use: bool) -> Result<ModelView> {
        let _gate = self.inner.gate.lock().await;
        let model = self.find(name)?;
        let kind = model.manifest.kind;
        if !kind.is_chosen() {
            return Err(Error::new(
                Code::Conflict,
                format!("'{name}' is a voice; voices are not chosen here."),
            )
            .hint("Choose it in the voice settings, for a language or for all."));
        }
        if in_use && let Some(problem) = self.inner.registry.checked(name).problem {
            return Err(Error::new(Code::Conflict, format!("'{name}' cannot be used: {problem}"))
                .hint("Remove it and import it again."));
        }
        if in_use {
            self.choose(scope, &model).await?;
        } else if self.inner.registry.is_chosen(kind, name) {
            let (released, own) = (name.to_owned(), scope.clone());
            let work = move |tx: &mut lectern_store::Tx<'_>| {
                store::release(tx, &released)?;
                let after = json!({ "kind": kind.as_str() });
                audit::record(tx, &own, Change::new("model.released", &released).after(&after))
            };
            self.inner.stores.control().write(work).await?;
            self.inner.registry.choose(kind, None);
            self.inner.residency.forget(name);
        }
        self.inner.imports.changed();
        Ok(self.view_of(&model))
    }

    /// The gate is held.
    pub(crate) async fn choose(&self, scope: &Scope, model: &Installed) -> Result<()> {
        let (kind, name) = (model.manifest.kind, model.manifest.name.clone());
        let (own, before) = (scope.clone(), self.inner.registry.chosen(kind));
        let before =
            json!({ "kind": kind.as_str(), "model": before.map(|model| model.manifest.name.clone()) });
        let work = move |tx: &mut lectern_store::Tx<'_>| {
            store::choose(tx, kind, &name)?;
            let after = json!({ "kind": kind.as_str(), "model": name });
            audit::record(tx, &own, Change::new("model.chosen", &name).before(&before).after(&after))
        };
        self.inner.stores.control().write(work).await?;
        self.inner.registry.choose(kind, Some(&model.manifest.name));
        Ok(())
    }

    /// Removes a model from the disk; a choice of it ends.
    pub async fn remove(&self, scope: &Scope, name: &str) -> Result<()> {
        let _gate = self.inner.gate.lock().await;
        let model = self.find(name)?;
        let (forgotten, own, before) = (name.to_owned(), scope.clone(), told(&model.manifest));
        let work = move |tx: &mut lectern_store::Tx<'_>| {
            store::forget(tx, &forgotten)?;
            audit::record(tx, &own, Change::new("model.removed", &forgotten).before(&before))
        };
        self.inner.stores.control().write(work).await?;
        self.inner.registry.remove(name);
        self.inner.residency.forget(name);
        let (folder, models) = (model.folder.clone(), self.inner.folder.clone());
        tokio::task::spawn_blocking(move || erase(&folder, &models)).await.map_err(Error::internal)??;
        self.inner.imports.changed();
        Ok(())
    }
}

/// What the record says of a model.
pub(crate) fn told(manifest: &Manifest) -> serde_json::Value {
    json!({
        "kind": manifest.kind.as_str(),
        "title": manifest.title,
        "licence": manifest.licence,
        "source": manifest.source,
        "fingerprint": manifest.fingerprint(),
        "bytes": manifest.bytes(),
    })
}

/// First out of its place in one step, so that a crash leaves no half model.
fn erase(folder: &Path, models: &Path) -> Result<()> {
    let staging = models.join(STAGING);
    std::fs::create_dir_all(&staging).map_err(disk)?;
    let away = staging.join(RequestId::generate().as_str());
    std::fs::rename(folder, &away).map_err(disk)?;
    std::fs::remove_dir_all(&away).map_err(disk)
}
