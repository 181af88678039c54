//! The words of a tenant's documents for the recogniser: learned in the background, kept on disk, renewed when the
//! documents change.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lectern_hearing::{Ears, SiteModel, SiteOptions};
use lectern_kernel::ports::SiteText;
use lectern_kernel::{Result, Scope, TenantId};
use lectern_store::Stores;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// Characters of text that words are learned from.
const TEXT: usize = 5_000_000;
/// How often it is looked whether documents have changed.
const LOOK: Duration = Duration::from_secs(15);
/// How long a recording waits for the first words of a site.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(crate) struct SiteWords {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    ears: Arc<Ears>,
    texts: Option<Arc<dyn SiteText>>,
    known: Mutex<HashMap<TenantId, Known>>,
    /// One model is built at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    version: String,
    model: Option<Arc<SiteModel>>,
    looked: Option<Instant>,
    building: bool,
}

impl SiteWords {
    pub(crate) fn new(stores: Stores, ears: Arc<Ears>, texts: Option<Arc<dyn SiteText>>) -> Self {
        let inner =
            Inner { stores, ears, texts, known: Mutex::default(), turn: tokio::sync::Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// The words as they are known now; newer ones are learned meanwhile.
    pub(crate) fn now(&self, scope: &Scope) -> Option<Arc<SiteModel>> {
        let model = {
            let mut known = self.inner.known.lock();
            let known = known.entry(scope.tenant().clone()).or_default();
            let fresh = known.looked.is_some_and(|looked| looked.elapsed() < LOOK);
            if fresh || known.building || self.inner.texts.is_none() {
                return known.model.clone();
            }
            known.building = true;
            known.model.clone()
        };
        let (this, scope) = (self.clone(), scope.clone());
        tokio::spawn(async move {
            if let Err(error) = this.renew(&scope).await {
                tracing::warn!(%error, cause = ?error.cause, "the words of the documents cannot be learned");
            }
            let mut known = this.inner.known.lock();
            let known = known.entry(scope.tenant().clone()).or_default();
            (known.building, known.looked) = (false, Some(Instant::now()));
        });
        model
    }

    /// The words, after a while of waiting when there are none yet.
    pub(crate) async fn soon(&self, scope: &Scope) -> Option<Arc<SiteModel>> {
        let asked = Instant::now();
        loop {
            let model = self.now(scope);
            let building = self.inner.known.lock().get(scope.tenant()).is_some_and(|known| known.building);
            if model.is_some() || !building || asked.elapsed() > PATIENCE {
                return model;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn renew(&self, scope: &Scope) -> Result<()> {
        let Some(texts) = self.inner.texts.clone() else { return Ok(()) };
        let _turn = self.inner.turn.lock().await;
        let version = texts.version(scope).await?;
        let same = |known: &Known| known.version == version && known.looked.is_some();
        if self.inner.known.lock().get(scope.tenant()).is_some_and(same) {
            return Ok(());
        }
        let path = self.path(scope, &version)?;
        let at = path.clone();
        let kept = blocking(move || SiteModel::load(&at)).await?;
        let model = if let Some(model) = kept {
            model
        } else {
            let texts = texts.texts(scope, TEXT).await?;
            build(Arc::clone(&self.inner.ears), texts, path).await?
        };
        let model = Some(Arc::new(model)).filter(|model| !model.is_empty());
        let mut known = self.inner.known.lock();
        let known = known.entry(scope.tenant().clone()).or_default();
        (known.version, known.model) = (version, model);
        Ok(())
    }

    fn path(&self, scope: &Scope, version: &str) -> Result<PathBuf> {
        let hash = hex::encode(Sha256::digest(version));
        Ok(self.inner.stores.tenant(scope)?.folder.join("hearing").join(format!("{}.words", &hash[..32])))
    }
}

/// Builds the model and leaves it on disk in the place of older ones.
async fn build(ears: Arc<Ears>, texts: Vec<String>, path: PathBuf) -> Result<SiteModel> {
    blocking(move || -> Result<SiteModel> {
        let texts = texts.iter().map(String::as_str);
        let model = ears.site(texts, &SiteOptions::default()).map_err(crate::error::heard)?;
        let folder = path.parent().map(PathBuf::from).unwrap_or_default();
        // The place on disk only saves the work at the next start.
        let kept = std::fs::remove_dir_all(&folder)
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .and_then(|()| std::fs::create_dir_all(&folder));
        if let Err(error) = kept {
            tracing::warn!(%error, folder = %folder.display(), "the words of the documents cannot be kept");
        } else if let Err(error) = model.save(&path) {
            tracing::warn!(%error, "the words of the documents cannot be kept");
        }
        Ok(model)
    })
    .await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(lectern_kernel::Error::internal)
}
