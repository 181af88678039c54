//! Models of the appliance: which there are, which do the work, and which are in memory.
//!
//! An installed model is a folder in `DATA/models` with a manifest; it is imported whole or not at all, and was run once
//! in a process of its own before. What a model does is not here: the engines `speech`, `hearing` and `inference` run it,
//! and get it through their banks, which [`Models`] is.

mod bank;
mod bundle;
mod child;
mod choose;
mod engines;
mod import;
mod known;
mod manifest;
mod model;
mod pick;
mod progress;
mod registry;
mod report;
mod residency;
mod routes;
mod shapes;
mod stage;
mod store;
mod trial;
mod verify;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_engines;

use std::path::PathBuf;
use std::sync::Arc;

use lectern_edge::Feature;
use lectern_kernel::{Permission, Result, permission};
use lectern_store::{Migration, Stores};
use tokio_util::sync::CancellationToken;

pub use child::child_main;
pub use known::{KnownFile, KnownModel, known_models};
pub use manifest::{Facts, Kind, MANIFEST, Manifest, ModelFile};
pub use model::{
    ImportProblem, ImportState, ImportView, ModelMemory, ModelView, ModelsView, NewImport, RuntimeView,
    UseModel, VerifyView,
};
pub use pick::{Picked, Taken, pick};
pub use trial::{Trial, TrialConfig};

/// How the file of a bundle ends.
pub const BUNDLE_EXTENSION: &str = ".lectern-model";

permission! {
    /// See the models.
    ModelsRead = "models.read";
    /// Import, verify, choose and remove models.
    ModelsWrite = "appliance.models";
}

/// Schema of `control.db`.
pub const CONTROL_MIGRATIONS: &[Migration] =
    &[Migration { name: "models/0001_models", sql: include_str!("migrations/0001_models.sql") }];

/// The area's one service; clones share everything.
#[derive(Clone)]
pub struct Models {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    folder: PathBuf,
    config: lectern_config::Models,
    keep_free: u64,
    trial: Arc<dyn Trial>,
    registry: registry::Registry,
    residency: residency::Residency,
    imports: Arc<progress::Imports>,
    /// Held while a model gets or loses its place.
    gate: tokio::sync::Mutex<()>,
}

impl Models {
    /// Opens `DATA/models`. What a crash left of an import is removed; `keep_free` must stay free on the disk.
    pub fn open(
        stores: Stores,
        config: &lectern_config::Models,
        keep_free: u64,
        trial: Arc<dyn Trial>,
    ) -> Result<Self> {
        engines::start(&engines::choice(config))?;
        let folder = stores.folder().join("models");
        std::fs::create_dir_all(&folder).map_err(stage::disk)?;
        stage::sweep(&folder).map_err(stage::disk)?;
        let registry = registry::Registry::read(&folder, &stores)?;
        let clock = stores.clock().clone();
        let inner = Inner {
            residency: residency::Residency::new(clock.clone(), config.memory.0, config.idle.0),
            imports: progress::Imports::new(clock),
            gate: tokio::sync::Mutex::new(()),
            config: config.clone(),
            stores,
            folder,
            keep_free,
            trial,
            registry,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Unloads idle models until the appliance stops.
    pub async fn run(&self, stop: &CancellationToken) {
        let pause = (self.inner.config.idle.0 / 8)
            .clamp(std::time::Duration::from_millis(200), std::time::Duration::from_secs(30));
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            if self.inner.residency.sweep() {
                lectern_neural::give_back();
            }
        }
    }
}

/// What this area brings to the server; its service is `web::Data<Models>`.
pub fn feature() -> Feature {
    Feature {
        name: "models",
        permissions: &[ModelsRead::NAME, ModelsWrite::NAME],
        routes: routes::configure,
        openapi: routes::openapi(),
    }
}
