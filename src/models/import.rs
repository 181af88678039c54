//! Bringing a model in: receive, look, try, install. Either it is there whole at the end, or nothing of it is.

use std::path::Path;
use std::sync::Arc;

use lectern_kernel::{Code, Error, Result, Scope};
use lectern_store::audit::{self, Change};
use tokio::sync::mpsc;

use crate::choose::told;
use crate::known::{self, KnownModel};
use crate::manifest::{FORMAT, Facts, Kind, Manifest, ModelFile, check_name, refused};
use crate::model::{ImportState, ModelView, NewImport};
use crate::pick::{self, Picked};
use crate::progress::Progress;
use crate::registry::Installed;
use crate::residency::does_not_fit;
use crate::stage::{Folder, Received, Receiving, StageLimits, disk};
use crate::{BUNDLE_EXTENSION, Models};

/// Pieces that may wait for the disk.
const QUEUE: usize = 16;

/// What arrives, in order.
pub(crate) enum Piece {
    File(String),
    Data(bytes::Bytes),
    End,
    /// All files have come; without it they have not.
    Complete,
}

/// The writing side of an import.
pub(crate) struct Intake {
    pub pieces: mpsc::Sender<Piece>,
    written: tokio::task::JoinHandle<Result<Received>>,
}

impl Intake {
    /// The files, or why they could not be taken.
    pub async fn finish(self) -> Result<Received> {
        drop(self.pieces);
        self.written.await.map_err(Error::internal)?
    }
}

impl Models {
    pub(crate) fn begin_import(&self, total_bytes: Option<u64>) -> Progress {
        self.inner.imports.begin(total_bytes)
    }

    /// Makes room for files and writes what is sent to it.
    pub(crate) fn intake(&self, expected: Option<u64>) -> Result<Intake> {
        let limits =
            StageLimits { most_bytes: self.inner.config.max_size.0, keep_free: self.inner.keep_free };
        let folder = Folder::new(&self.inner.folder, limits)?;
        folder.expect(expected.unwrap_or(0))?;
        let (pieces, queue) = mpsc::channel(QUEUE);
        let written = tokio::task::spawn_blocking(move || write(Receiving::new(folder), queue));
        Ok(Intake { pieces, written })
    }

    /// Makes a model of the files; `false` beside it when it was there already.
    pub(crate) async fn install(
        &self,
        scope: &Scope,
        received: Received,
        new: NewImport,
        progress: &mut Progress,
    ) -> Result<(ModelView, bool)> {
        let mut draft = draft(received, &new)?;
        progress.named(&draft.manifest.name);
        known::check_name(&draft.manifest.name, &draft.manifest.files)?;
        if let Some(there) = self.same(&draft.manifest)? {
            return Ok((self.view_of(&there), false));
        }
        progress.state(ImportState::Trying);
        // The engines read there how the model wants to be used.
        draft.folder.describe(&draft.manifest)?;
        let bytes = draft.manifest.bytes();
        let (kind, facts) = self.inner.trial.run(draft.folder.path(), &draft.kinds, bytes).await?;
        draft.found(kind, facts);
        let budget = self.inner.config.memory.0;
        if draft.manifest.facts.memory_bytes > budget {
            return Err(does_not_fit(&draft.manifest.name, draft.manifest.facts.memory_bytes, budget));
        }
        self.place(scope, draft, new.in_use).await
    }

    /// The same model when it is installed; another one of the name is in the way.
    fn same(&self, manifest: &Manifest) -> Result<Option<Arc<Installed>>> {
        let Some(there) = self.inner.registry.get(&manifest.name) else { return Ok(None) };
        let healthy = self.inner.registry.checked(&manifest.name).problem.is_none();
        if healthy && there.manifest.fingerprint() == manifest.fingerprint() {
            return Ok(Some(there));
        }
        Err(Error::new(Code::Conflict, format!("There is another model with the name '{}'.", manifest.name))
            .hint("Remove that one first, or import this one under another name."))
    }

    async fn place(&self, scope: &Scope, draft: Draft, in_use: Option<bool>) -> Result<(ModelView, bool)> {
        let _gate = self.inner.gate.lock().await;
        // Somebody may have been faster.
        if let Some(there) = self.same(&draft.manifest)? {
            return Ok((self.view_of(&there), false));
        }
        let Draft { folder, mut manifest, .. } = draft;
        manifest.imported_at = Some(self.inner.stores.clock().now());
        let place = self.inner.folder.join(&manifest.name);
        let installed = tokio::task::spawn_blocking(move || {
            folder.install(&manifest, &place).map(|()| Installed::new(manifest, place))
        });
        let model = Arc::new(installed.await.map_err(Error::internal)??);
        // Its files were hashed while they came.
        model.set_compared(true);
        self.inner.registry.add(model.clone());
        let (own, name, after) = (scope.clone(), model.manifest.name.clone(), told(&model.manifest));
        let work = move |tx: &mut lectern_store::Tx<'_>| {
            audit::record(tx, &own, Change::new("model.imported", &name).after(&after))
        };
        self.inner.stores.control().write(work).await?;
        let kind = model.manifest.kind;
        let first = self.inner.registry.chosen(kind).is_none();
        if kind.is_chosen() && in_use.unwrap_or(first) {
            self.choose(scope, &model).await?;
        }
        tracing::info!(model = model.manifest.name, %kind, known = model.manifest.known, "model imported");
        self.inner.imports.changed();
        Ok((self.view_of(&model), true))
    }
}

fn write(mut receiving: Receiving, mut queue: mpsc::Receiver<Piece>) -> Result<Received> {
    while let Some(piece) = queue.blocking_recv() {
        match piece {
            Piece::File(name) => receiving.begin(&name)?,
            Piece::Data(data) => receiving.write(&data)?,
            Piece::End => receiving.end()?,
            Piece::Complete => return receiving.finish(),
        }
    }
    Err(Error::new(Code::InvalidRequest, "The import broke off.").hint("Send it again."))
}

/// A model to be.
struct Draft {
    folder: Folder,
    manifest: Manifest,
    kinds: Vec<Kind>,
}

impl Draft {
    fn found(&mut self, kind: Kind, facts: Facts) {
        let manifest = &mut self.manifest;
        manifest.kind = kind;
        if manifest.languages.is_empty() {
            manifest.languages = codes(&facts.languages);
        }
        manifest.facts = facts;
    }
}

/// ISO 639-1 codes of languages with regions.
fn codes(languages: &[String]) -> Vec<String> {
    let mut codes = Vec::new();
    for language in languages {
        let code = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        if code.len() == 2 && !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// What the files are by their names, hashes and manifest.
fn draft(received: Received, new: &NewImport) -> Result<Draft> {
    let Received { folder, mut files, manifest, root } = received;
    let known = known::recognise(&files);
    if let Some(mut manifest) = manifest {
        if let Some(name) = &new.name {
            manifest.name.clone_from(name);
        }
        check_name(&manifest.name)?;
        manifest.known = known.is_some();
        manifest.facts = Facts::default();
        let kinds = vec![manifest.kind];
        return Ok(Draft { folder, manifest, kinds });
    }
    let picked = pick_known(known, &files).map_or_else(|| by_names(&files), Ok)?;
    let name = new
        .name
        .clone()
        .or_else(|| known.map(|k| k.name.clone()))
        .or_else(|| pick::name_of(picked.kinds, &files, &picked, folder.path()))
        .or_else(|| root.filter(|root| check_name(root).is_ok()))
        .ok_or_else(no_name)?;
    check_name(&name)?;
    rename(folder.path(), &mut files, &picked)?;
    let manifest = describe(name, files, &picked, known, new);
    let kinds = known.map_or_else(|| picked.kinds.to_vec(), |k| vec![k.kind]);
    Ok(Draft { folder, manifest, kinds })
}

fn no_name() -> Error {
    refused("The files do not tell the model's name.").hint("Give one: lectern models import --name NAME …")
}

fn by_names(files: &[ModelFile]) -> Result<Picked> {
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    pick::pick(&names)
}

/// A known model's files are told by their hashes, whatever they are called.
fn pick_known(known: Option<&'static KnownModel>, files: &[ModelFile]) -> Option<Picked> {
    let known = known?;
    let taken = files.iter().enumerate().filter_map(|(index, file)| {
        Some(pick::Taken { index, name: known.installed_name(&file.sha256)?.to_owned() })
    });
    Some(Picked { kinds: &[], files: taken.collect() })
}

fn describe(
    name: String,
    files: Vec<ModelFile>,
    picked: &Picked,
    known: Option<&KnownModel>,
    new: &NewImport,
) -> Manifest {
    let said = |own: &Option<String>, listed: Option<&String>| own.clone().or_else(|| listed.cloned());
    Manifest {
        format: FORMAT,
        title: known.map_or_else(|| name.clone(), |k| k.title.clone()),
        name,
        kind: known.map_or_else(|| picked.kinds[0], |k| k.kind),
        languages: known.map_or_else(|| new.languages.clone(), |k| k.languages.clone()),
        licence: said(&new.licence, known.map(|k| &k.licence)).unwrap_or_default(),
        source: said(&new.source, known.map(|k| &k.source)).unwrap_or_default(),
        files,
        config: serde_json::Map::new(),
        imported_at: None,
        known: known.is_some(),
        facts: Facts::default(),
    }
}

/// Gives the picked files their names and removes the others.
fn rename(folder: &Path, files: &mut Vec<ModelFile>, picked: &Picked) -> Result<()> {
    let part = |index: usize| folder.join(format!(".{index}.part"));
    for (index, file) in files.iter().enumerate() {
        let from = folder.join(&file.name);
        if picked.files.iter().any(|taken| taken.index == index) {
            std::fs::rename(from, part(index)).map_err(disk)?;
        } else {
            std::fs::remove_file(from).map_err(disk)?;
        }
    }
    let mut kept = Vec::with_capacity(picked.files.len());
    for taken in &picked.files {
        std::fs::rename(part(taken.index), folder.join(&taken.name)).map_err(disk)?;
        kept.push(ModelFile { name: taken.name.clone(), ..files[taken.index].clone() });
    }
    *files = kept;
    Ok(())
}

/// How a bundle is called that this name is for.
pub(crate) fn shown_name(file: &str) -> String {
    let last = file.rsplit(['/', '\\']).next().unwrap_or(file);
    last.trim_end_matches(BUNDLE_EXTENSION).to_owned()
}
