//! The servers that entries of a record are sent to: added, changed, removed, tried out.

use lectern_kernel::{Code, Error, FieldError, Result, Scope, TargetId};
use lectern_store::audit::{self, Change};
use lectern_store::{Tx, outbox};
use lectern_syslog::Step;
use serde_json::{Value, json};

use crate::audit::Log;
use crate::forward_send::{Failure, steps};
use crate::forward_words::{Teller, test};
use crate::model_forward::{
    NewTarget, PatchTarget, TargetKind, TargetStateView, TargetStep, TargetTest, TargetView, check,
    check_secret,
};
use crate::store_forward::{self, TargetRow};
use crate::{Access, store_forward as store};

const TARGETS_A_RECORD: usize = 10;
const USUAL_HEADER: &str = "Authorization";

impl Access {
    pub(crate) async fn targets(&self, log: &Log) -> Result<Vec<TargetStateView>> {
        let read = |tx: &Tx<'_>| Ok((store::targets(tx)?, audit::frontier(tx)?.size()));
        let (rows, size) = self.database(log)?.read(read).await?;
        Ok(rows.into_iter().map(|row| self.inner.forwarding.view(row, size)).collect())
    }

    pub(crate) async fn create_target(
        &self,
        log: &Log,
        scope: &Scope,
        new: NewTarget,
    ) -> Result<TargetStateView> {
        let (id, now) = (TargetId::generate(), self.now());
        refuse(new.secret.as_deref().and_then(check_secret))?;
        let secret = self.seal_secret(log, &id, new.secret.as_deref())?;
        let view = TargetView {
            id,
            name: new.name.trim().to_owned(),
            kind: new.kind,
            address: new.address.trim().to_owned(),
            format: new.format,
            ca_pem: new.ca_pem.filter(|pem| !pem.is_empty()),
            header: new.header.unwrap_or_else(|| USUAL_HEADER.to_owned()),
            has_secret: secret.is_some(),
            enabled: new.enabled,
            created_at: now,
            updated_at: now,
        };
        self.check_target(&view)?;
        let from_beginning = new.from_beginning;
        let row = TargetRow { view, secret, next: 0, last_sent_at: None };
        // Before the target, so that a crash leaves a look too many and no target that nobody looks at.
        self.note_forwarding(log).await?;
        self.save_target(log, scope, None, row, from_beginning).await
    }

    pub(crate) async fn change_target(
        &self,
        log: &Log,
        scope: &Scope,
        id: &TargetId,
        patch: PatchTarget,
    ) -> Result<TargetStateView> {
        let before = self.target_row(log, id).await?;
        let mut row = before.clone();
        let view = &mut row.view;
        view.name = patch.name.map_or(view.name.clone(), |name| name.trim().to_owned());
        view.kind = patch.kind.unwrap_or(view.kind);
        view.address = patch.address.map_or(view.address.clone(), |address| address.trim().to_owned());
        view.format = patch.format.unwrap_or(view.format);
        view.header = patch.header.unwrap_or(view.header.clone());
        view.enabled = patch.enabled.unwrap_or(view.enabled);
        if let Some(pem) = patch.ca_pem {
            view.ca_pem = Some(pem).filter(|pem| !pem.is_empty());
        }
        view.updated_at = self.now();
        let (old, new) = (&before.view, &row.view);
        let moved = (old.kind, &old.address, &old.header) != (new.kind, &new.address, &new.header);
        match patch.secret {
            Some(secret) => row.secret = self.seal_secret(log, id, Some(&secret))?,
            None if row.secret.is_some() && moved => {
                return Err(Error::field("secret", "must be sent again when kind, address or header change"));
            }
            None => {}
        }
        row.view.has_secret = row.secret.is_some();
        self.check_target(&row.view)?;
        self.save_target(log, scope, Some(before.view), row, false).await
    }

    async fn save_target(
        &self,
        log: &Log,
        scope: &Scope,
        before: Option<TargetView>,
        mut row: TargetRow,
        from_beginning: bool,
    ) -> Result<TargetStateView> {
        let (own, id) = (scope.clone(), row.view.id.clone());
        let db = self.database(log)?;
        let written = db.write(move |tx| {
            if before.is_none() {
                if store::targets(tx)?.len() >= TARGETS_A_RECORD {
                    return Err(Error::new(Code::Conflict, "There are 10 targets already.").into());
                }
                row.next = if from_beginning { 0 } else { audit::frontier(tx)?.size() };
            } else if store::target_by_id(tx, &row.view.id)?.is_none() {
                return Err(Error::not_found("target").into());
            }
            store::put_target(tx, &row)?;
            let action = if before.is_some() { "forward.changed" } else { "forward.created" };
            let (before, after) = (before.map(|view| told(&view)), told(&row.view));
            let object = row.view.id.as_str();
            let change = Change { action, object, before: before.as_ref(), after: Some(&after) };
            audit::record(tx, &own, change)?;
            outbox::push(tx, action, object, &after)?;
            Ok(audit::frontier(tx)?.size())
        });
        let size = written.await?;
        self.inner.network.withdraw(&log.scope(), id.as_str());
        self.inner.forwarding.forget(&id);
        self.note_forwarding(log).await?;
        Ok(self.inner.forwarding.view(self.target_row(log, &id).await?, size))
    }

    pub(crate) async fn delete_target(&self, log: &Log, scope: &Scope, id: &TargetId) -> Result<()> {
        let (own, wanted) = (scope.clone(), id.clone());
        let db = self.database(log)?;
        let written = db.write(move |tx| {
            let row = store::target_by_id(tx, &wanted)?.ok_or_else(|| Error::not_found("target"))?;
            store::delete_target(tx, &wanted)?;
            let before = told(&row.view);
            audit::record(tx, &own, Change::new("forward.deleted", wanted.as_str()).before(&before))?;
            outbox::push(tx, "forward.deleted", wanted.as_str(), &())?;
            Ok(store::targets(tx)?.is_empty())
        });
        let last = written.await?;
        self.inner.network.withdraw(&log.scope(), id.as_str());
        self.inner.forwarding.forget(id);
        if last {
            self.end_forwarding(log).await?;
        }
        Ok(())
    }

    /// Sends one test message, and tells step by step what happened.
    pub(crate) async fn test_target(&self, log: &Log, id: &TargetId) -> Result<TargetTest> {
        let row = self.target_row(log, id).await?;
        let host = self.inner.network.host();
        let event = test(&Teller { log, host: &host }, self.now());
        let outcome = match self.reach(log, &row).await {
            Ok(()) => self.deliver(log, &row, &[event]).await,
            failed => failed,
        };
        if !row.view.enabled {
            self.inner.network.withdraw(&log.scope(), id.as_str());
        }
        Ok(report(&row, outcome))
    }

    /// Requests do not tell how far they came, so a connection is tried before.
    async fn reach(&self, log: &Log, row: &TargetRow) -> Result<(), Failure> {
        if row.view.kind != TargetKind::Https {
            return Ok(());
        }
        self.try_connection(log, row).await
    }

    pub(crate) async fn target_row(&self, log: &Log, id: &TargetId) -> Result<TargetRow> {
        let id = id.clone();
        let found = self.database(log)?.read(move |tx| store_forward::target_by_id(tx, &id)).await?;
        found.ok_or_else(|| Error::not_found("target"))
    }

    fn check_target(&self, view: &TargetView) -> Result<()> {
        refuse(check(view).err())?;
        self.inner.network.check(&view.address).map_err(|why| Error::field("address", why))
    }
}

fn refuse(wrong: Option<FieldError>) -> Result<()> {
    wrong.map_or(Ok(()), |wrong| Err(Error::field(&wrong.field, wrong.message)))
}

/// What the record says of a server: a certificate is long and says nothing to people.
fn told(view: &TargetView) -> Value {
    let mut told = json!(view);
    told["ca_pem"] = json!(view.ca_pem.is_some());
    told
}

fn report(row: &TargetRow, outcome: Result<(), Failure>) -> TargetTest {
    let failed = outcome.err();
    let mut list = Vec::new();
    for step in steps(row) {
        if let Some(failure) = failed.as_ref().filter(|failure| failure.step == *step) {
            let (message, hint) = (failure.message.clone(), Some(failure.hint.clone()));
            list.push(TargetStep { step: name(*step).to_owned(), ok: false, message, hint });
            break;
        }
        let message = good(*step, row.view.kind).to_owned();
        list.push(TargetStep { step: name(*step).to_owned(), ok: true, message, hint: None });
    }
    TargetTest { works: failed.is_none(), steps: list }
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Allowed => "allowed",
        Step::Resolved => "resolved",
        Step::Connected => "connected",
        Step::Tls => "tls",
        Step::Sent => "sent",
    }
}

fn good(step: Step, kind: TargetKind) -> &'static str {
    match (step, kind) {
        (Step::Allowed, _) => "the address may be connected to",
        (Step::Resolved, _) => "the host has an address",
        (Step::Connected, _) => "the server answers",
        (Step::Tls, _) => "the connection is encrypted, and the server is who it should be",
        (Step::Sent, TargetKind::Udp) => "a test message was sent; datagrams do not tell whether they arrive",
        (Step::Sent, TargetKind::Https) => "a test message was sent, and the collector took it",
        (Step::Sent, _) => "a test message was sent, and the server did not refuse it",
    }
}
