//! The tenant's pronunciations: kept, listed, changed, exported and imported.

use std::sync::Arc;

use lectern_edge::Validate;
use lectern_kernel::{Code, Cursor, Error, LexiconId, Page, PageRequest, Result, Scope};
use lectern_speech::{Lexicon, LexiconEntry, Pronunciation};
use lectern_store::{Tx, audit};

use crate::csv;
use crate::model::{
    LexiconImport, LexiconKind, LexiconQuery, LexiconView, LineProblem, NewLexiconEntry, PatchLexiconEntry,
};
use crate::{Voice, store};

/// Entries of a tenant.
const MAX_ENTRIES: u64 = 5000;
const MAX_PROBLEMS: usize = 100;
/// First line of an export.
const HEAD: [&str; 5] = ["word", "language", "kind", "value", "case_sensitive"];

fn tidy(mut entry: NewLexiconEntry) -> NewLexiconEntry {
    entry.word = entry.word.split_whitespace().collect::<Vec<_>>().join(" ");
    entry.value = entry.value.trim().to_owned();
    entry.language = entry.language.filter(|language| !language.is_empty());
    entry
}

fn check(entry: &NewLexiconEntry) -> Result<()> {
    match entry.validate().into_iter().next() {
        Some(wrong) => Err(Error::field(&wrong.field, wrong.message)),
        None => Ok(()),
    }
}

fn taken() -> Error {
    Error::new(Code::Conflict, "There is already a pronunciation of this word for this language.")
        .hint("Change that one, or delete it first.")
}

fn full() -> Error {
    Error::new(Code::Conflict, "The lexicon has 5,000 entries, which is the most it can have.")
        .hint("Delete entries that are no longer needed.")
}

/// For the engine.
pub(crate) fn spoken(entry: &NewLexiconEntry) -> LexiconEntry {
    let value = entry.value.clone();
    LexiconEntry {
        word: entry.word.clone(),
        language: entry.language.clone(),
        case_sensitive: entry.case_sensitive,
        said: match entry.kind {
            LexiconKind::Respelling => Pronunciation::Respelling(value),
            LexiconKind::Phonemes => Pronunciation::Phonemes(value),
        },
    }
}

fn as_new(view: LexiconView) -> NewLexiconEntry {
    let LexiconView { word, language, kind, value, case_sensitive, .. } = view;
    NewLexiconEntry { word, language, kind, value, case_sensitive }
}

fn changed(
    tx: &mut Tx<'_>,
    scope: &Scope,
    subject: &str,
) -> std::result::Result<(), lectern_store::StoreError> {
    audit::record_event(tx, scope, "lexicon.changed", subject, &serde_json::json!({}))
}

impl Voice {
    /// The lexicon for speaking; `tried` entries go before saved ones of the same word.
    pub(crate) async fn lexicon(&self, scope: &Scope, tried: &[NewLexiconEntry]) -> Result<Arc<Lexicon>> {
        let known = self.lexicons.lock().get(scope.tenant()).cloned();
        let saved = if let Some(saved) = known {
            saved
        } else {
            let views = self.db(scope)?.read(store::lexicon).await?;
            let saved: Vec<NewLexiconEntry> = views.into_iter().map(as_new).collect();
            let lexicon = Arc::new(Lexicon::new(saved.iter().map(spoken)));
            let saved = Arc::new((saved, lexicon));
            self.lexicons.lock().insert(scope.tenant().clone(), Arc::clone(&saved));
            saved
        };
        if tried.is_empty() {
            return Ok(Arc::clone(&saved.1));
        }
        let tried: Vec<NewLexiconEntry> = tried.iter().cloned().map(tidy).collect();
        let word = |entry: &NewLexiconEntry| entry.word.to_lowercase();
        let others = saved.0.iter().filter(|entry| !tried.iter().any(|new| word(new) == word(entry)));
        Ok(Arc::new(Lexicon::new(tried.iter().chain(others).map(spoken))))
    }

    fn lexicon_changed(&self, scope: &Scope) {
        self.lexicons.lock().remove(scope.tenant());
    }

    pub async fn lexicon_page(&self, scope: &Scope, query: LexiconQuery) -> Result<Page<LexiconView>> {
        let request = PageRequest { limit: query.limit, cursor: query.cursor };
        let (limit, after) = (request.limit(), request.position()?.map(|cursor| (cursor.key, cursor.id)));
        let prefix = query.q.unwrap_or_default().trim().to_lowercase();
        let language = query.language.filter(|language| !language.is_empty());
        let work =
            move |tx: &Tx<'_>| store::page(tx, &prefix, language.as_deref(), after.as_ref(), limit + 1);
        let (mut items, total) = self.db(scope)?.read(work).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| {
            Cursor { key: store::folded(&as_new(last.clone())), id: last.id.as_str().to_owned() }.encode()
        });
        Ok(Page { items, next_cursor, total })
    }

    pub async fn add_pronunciation(&self, scope: &Scope, new: NewLexiconEntry) -> Result<LexiconView> {
        check(&new)?;
        let (new, id, own) = (tidy(new), LexiconId::generate(), scope.clone());
        let work = move |tx: &mut Tx<'_>| {
            if store::same(tx, &new)?.is_some() {
                return Err(taken().into());
            }
            if store::count(tx)? >= MAX_ENTRIES {
                return Err(full().into());
            }
            store::insert(tx, &id, &new)?;
            changed(tx, &own, id.as_str())?;
            store::entry(tx, &id)
        };
        let added = self.db(scope)?.write(work).await?;
        self.lexicon_changed(scope);
        added.ok_or_else(|| Error::internal("an entry that was written is not there"))
    }

    pub async fn change_pronunciation(
        &self,
        scope: &Scope,
        id: &LexiconId,
        patch: PatchLexiconEntry,
    ) -> Result<LexiconView> {
        let (id, own) = (id.clone(), scope.clone());
        let work = move |tx: &mut Tx<'_>| {
            let before = store::entry(tx, &id)?.ok_or_else(|| Error::not_found("pronunciation"))?;
            let before = as_new(before);
            let after = tidy(NewLexiconEntry {
                word: patch.word.unwrap_or(before.word),
                language: patch.language.unwrap_or(before.language),
                kind: patch.kind.unwrap_or(before.kind),
                value: patch.value.unwrap_or(before.value),
                case_sensitive: patch.case_sensitive.unwrap_or(before.case_sensitive),
            });
            check(&after)?;
            if store::same(tx, &after)?.is_some_and(|other| other.id != id) {
                return Err(taken().into());
            }
            store::update(tx, &id, &after)?;
            changed(tx, &own, id.as_str())?;
            store::entry(tx, &id)
        };
        let view = self.db(scope)?.write(work).await?;
        self.lexicon_changed(scope);
        view.ok_or_else(|| Error::not_found("pronunciation"))
    }

    pub async fn remove_pronunciation(&self, scope: &Scope, id: &LexiconId) -> Result<()> {
        let (id, own) = (id.clone(), scope.clone());
        let work = move |tx: &mut Tx<'_>| {
            if !store::delete(tx, &id)? {
                return Err(Error::not_found("pronunciation").into());
            }
            changed(tx, &own, id.as_str())
        };
        self.db(scope)?.write(work).await?;
        self.lexicon_changed(scope);
        Ok(())
    }

    /// All entries as CSV (RFC 4180).
    pub async fn export_lexicon(&self, scope: &Scope) -> Result<String> {
        let entries = self.db(scope)?.read(store::lexicon).await?;
        let mut out = csv::line(&HEAD);
        for entry in entries {
            let case = if entry.case_sensitive { "true" } else { "false" };
            let language = entry.language.unwrap_or_default();
            out.push_str(&csv::line(&[&entry.word, &language, entry.kind.as_str(), &entry.value, case]));
        }
        Ok(out)
    }

    /// Adds and changes entries as in an export; other entries stay.
    pub async fn import_lexicon(&self, scope: &Scope, text: &str) -> Result<LexiconImport> {
        let (rows, own) = (csv::parse(text)?, scope.clone());
        let work = move |tx: &mut Tx<'_>| {
            let mut done = LexiconImport::default();
            let mut count = store::count(tx)?;
            for (line, row) in rows {
                if row.iter().map(String::as_str).eq(HEAD) || row.iter().all(|field| field.trim().is_empty())
                {
                    continue;
                }
                let entry = match read(&row) {
                    Ok(entry) => entry,
                    Err(message) => {
                        if done.problems.len() < MAX_PROBLEMS {
                            done.problems.push(LineProblem { line, message });
                        }
                        continue;
                    }
                };
                match store::same(tx, &entry)? {
                    Some(same) if same.kind == entry.kind && same.value == entry.value => done.unchanged += 1,
                    Some(same) => {
                        store::update(tx, &same.id, &entry)?;
                        done.changed += 1;
                    }
                    None if count >= MAX_ENTRIES => return Err(full().into()),
                    None => {
                        store::insert(tx, &LexiconId::generate(), &entry)?;
                        count += 1;
                        done.added += 1;
                    }
                }
            }
            changed(tx, &own, "import")?;
            Ok(done)
        };
        let done = self.db(scope)?.write(work).await?;
        self.lexicon_changed(scope);
        Ok(done)
    }
}

/// A row in the order of [`HEAD`]; word and value are enough.
fn read(row: &[String]) -> std::result::Result<NewLexiconEntry, String> {
    let field = |at: usize| row.get(at).map(|text| text.trim()).unwrap_or_default();
    let (kind, value) = if row.len() == 2 { ("", field(1)) } else { (field(2), field(3)) };
    let language = if row.len() == 2 { "" } else { field(1) };
    let entry = tidy(NewLexiconEntry {
        word: field(0).to_owned(),
        language: Some(language.to_owned()),
        kind: match kind {
            "" => LexiconKind::Respelling,
            other => LexiconKind::parse(other).ok_or("kind: must be respelling or phonemes")?,
        },
        value: value.to_owned(),
        case_sensitive: matches!(field(4), "true" | "1" | "yes"),
    });
    match entry.validate().into_iter().next() {
        Some(wrong) => Err(format!("{}: {}", wrong.field, wrong.message)),
        None => Ok(entry),
    }
}
