//! What the record and the counters hold about a person.

use async_trait::async_trait;
use lectern_kernel::{Erased, HeldContent, HeldFile, PersonPart, Result, Scope, UserId};
use lectern_store::{StoreError, Tx, audit, outbox};

use crate::model_audit::AuditEntry;
use crate::{Access, store};

/// Entries are read in pieces of this size.
const PIECE: u32 = 1000;

#[async_trait]
impl PersonPart for Access {
    fn name(&self) -> &'static str {
        "record"
    }

    /// What the person did and what was done about them, as JSON lines, the oldest first.
    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>> {
        let user = user.clone();
        let read = move |tx: &Tx<'_>| -> Result<String, StoreError> {
            let (mut lines, mut next) = (String::new(), 0);
            loop {
                let piece = audit::from(tx, next, PIECE)?;
                let Some(last) = piece.last().map(|kept| kept.sequence) else { return Ok(lines) };
                for kept in piece {
                    if kept.entry.as_ref().is_some_and(|entry| entry.contains(user.as_str())) {
                        lines.push_str(&serde_json::to_string(&AuditEntry::of(kept))?);
                        lines.push('\n');
                    }
                }
                next = last + 1;
            }
        };
        let lines = self.tenant(scope)?.db.read(read).await?;
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![HeldFile { path: "entries.jsonl".to_owned(), content: HeldContent::Text(lines) }])
    }

    /// Entries about the person lose what they say and keep their place in the tree; events are forgotten.
    async fn erase(&self, scope: &Scope, user: &UserId, names: &[String]) -> Result<Vec<Erased>> {
        let (subject, user, names) = (user.clone(), user.clone(), names.to_vec());
        let (again, own) = (user.clone(), names.clone());
        let write = move |tx: &mut Tx<'_>| {
            let words: Vec<&str> = names.iter().map(String::as_str).collect();
            store::forget_active(tx, user.as_str())?;
            let events = outbox::forget_person(tx, user.as_str(), &words)?;
            Ok((audit::forget_person(tx, user.as_str(), &words)?, events))
        };
        let (entries, events) = self.tenant(scope)?.db.write(write).await?;
        let write = move |tx: &mut Tx<'_>| {
            let words: Vec<&str> = own.iter().map(String::as_str).collect();
            audit::forget_person(tx, again.as_str(), &words)
        };
        let own = self.inner.stores.control().write(write).await?;
        // This month's counter is in memory, too.
        self.forget_active(scope.tenant(), subject.as_str());
        Ok(vec![Erased::new("entries_of_the_record", entries + own), Erased::new("events", events)])
    }
}
