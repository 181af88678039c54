//! Where the models of meaning come from: whoever keeps the models decides which are chosen, and loads them on use.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::{Embedder, Reranker, TextModelError};

/// The chosen models. They may be loaded by the call and unloaded when nobody holds them.
pub trait MeaningBank: Send + Sync {
    /// The chosen embedding model, named so that another model, or another version, has another name.
    fn embedding_model(&self) -> Option<String>;

    fn embedder(&self) -> Result<Option<Arc<Embedder>>, TextModelError>;

    fn reranker(&self) -> Result<Option<Arc<Reranker>>, TextModelError>;

    /// A model by its name, chosen or not: while the vectors of another are being made, those of the one before are
    /// still searched with it. None when it is not there any more.
    fn embedder_of(&self, model: &str) -> Result<Option<Arc<Embedder>>, TextModelError> {
        if self.embedding_model().as_deref() == Some(model) { self.embedder() } else { Ok(None) }
    }
}

/// One embedding model from a folder: for measurements and tests.
pub struct FixedBank {
    folder: PathBuf,
    name: String,
    embedder: OnceLock<Arc<Embedder>>,
}

impl FixedBank {
    pub fn new(folder: &Path, name: &str) -> Self {
        Self { folder: folder.to_owned(), name: name.to_owned(), embedder: OnceLock::new() }
    }
}

impl MeaningBank for FixedBank {
    fn embedding_model(&self) -> Option<String> {
        Some(self.name.clone())
    }

    fn embedder(&self) -> Result<Option<Arc<Embedder>>, TextModelError> {
        if let Some(known) = self.embedder.get() {
            return Ok(Some(known.clone()));
        }
        let loaded = Arc::new(Embedder::load(&self.folder)?);
        Ok(Some(self.embedder.get_or_init(|| loaded).clone()))
    }

    fn reranker(&self) -> Result<Option<Arc<Reranker>>, TextModelError> {
        Ok(None)
    }
}
