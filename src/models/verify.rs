//! Whether an installed model still is what its manifest says, and still works.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use lectern_kernel::{Code, Error, Result};
use sha2::{Digest, Sha256};

use crate::manifest::{ModelFile, refused};
use crate::model::VerifyView;
use crate::registry::{Checked, Installed};
use crate::{Models, store};

const PIECE: usize = 1 << 20;

impl Models {
    /// Compares every file with its hash and runs the model once.
    pub async fn verify(&self, name: &str) -> Result<VerifyView> {
        let model = self.find(name)?;
        let (folder, files) = (model.folder.clone(), model.manifest.files.clone());
        let compared = tokio::task::spawn_blocking(move || compare(&folder, &files)).await;
        let mut outcome = compared.map_err(Error::internal)?;
        if outcome.is_ok() {
            let kinds = [model.manifest.kind];
            outcome = self.inner.trial.run(&model.folder, &kinds, model.manifest.bytes()).await.map(|_| ());
        }
        let problem = match outcome {
            Ok(()) => None,
            Err(error) if error.code == Code::ModelRefused => Some(error.detail),
            Err(error) => return Err(error),
        };
        self.checked(&model, problem.clone()).await?;
        Ok(VerifyView { ok: problem.is_none(), model: self.view_of(&model) })
    }

    async fn checked(&self, model: &Installed, problem: Option<String>) -> Result<()> {
        let name = model.manifest.name.clone();
        let (saved, told) = (name.clone(), problem.clone());
        self.inner.stores.control().write(move |tx| store::save_check(tx, &saved, told.as_deref())).await?;
        model.set_compared(problem.is_none());
        if problem.is_some() {
            self.inner.residency.forget(&name);
        }
        let at = Some(self.inner.stores.clock().now());
        self.inner.registry.set_checked(&name, Checked { at, problem });
        self.inner.imports.changed();
        Ok(())
    }

    /// Before a model is loaded: its files are whole. Done once a process, as it reads all of them.
    pub(crate) fn ensure_whole(&self, model: &Installed) -> Result<()> {
        if let Some(problem) = self.inner.registry.checked(&model.manifest.name).problem {
            return Err(unusable(model, &problem));
        }
        if model.is_compared() {
            return Ok(());
        }
        if let Err(error) = compare(&model.folder, &model.manifest.files) {
            let at = Some(self.inner.stores.clock().now());
            let problem = Some(error.detail.clone());
            self.inner.registry.set_checked(&model.manifest.name, Checked { at, problem });
            return Err(unusable(model, &error.detail));
        }
        model.set_compared(true);
        Ok(())
    }
}

fn unusable(model: &Installed, problem: &str) -> Error {
    refused(format!("The model '{}' cannot be used: {problem}", model.manifest.name))
        .hint("An administrator can remove it and import it again.")
}

/// Refuses a model whose files are not those of its manifest.
pub(crate) fn compare(folder: &Path, files: &[ModelFile]) -> Result<()> {
    for file in files {
        let found = hash(&folder.join(&file.name));
        let (sha256, bytes) =
            found.map_err(|e| refused(format!("Its file '{}' cannot be read: {e}.", file.name)))?;
        if bytes != file.bytes || sha256 != file.sha256 {
            return Err(refused(format!("Its file '{}' is not the one that was imported.", file.name))
                .hint("Remove the model and import it again; the disk may be failing."));
        }
    }
    Ok(())
}

fn hash(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let got = file.read(&mut piece)?;
        if got == 0 {
            return Ok((hex::encode(hash.finalize()), bytes));
        }
        hash.update(&piece[..got]);
        bytes += got as u64;
    }
}
