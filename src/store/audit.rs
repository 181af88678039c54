//! The record of who did what: an entry is written in the transaction of the change it tells of, and is a leaf of a
//! Merkle tree (RFC 9162), so that no entry can be changed, taken out or put in between without its being seen.

use lectern_kernel::{Scope, Timestamp};
use lectern_merkle::{Frontier, Hash};
use serde::Serialize;
use serde_json::Value as Json;

use crate::{Row, StoreError, Tx, Value, params};

type Result<T> = std::result::Result<T, StoreError>;

/// What happened.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Past tense, `area.verb`: `key.created`.
    pub action: &'a str,
    /// Id of the thing it was done to.
    pub object: &'a str,
    /// The thing, or what of it changed, as it was and as it is now. Values under names of secrets are left out.
    pub before: Option<&'a Json>,
    pub after: Option<&'a Json>,
}

impl<'a> Change<'a> {
    pub fn new(action: &'a str, object: &'a str) -> Self {
        Self { action, object, before: None, after: None }
    }

    #[must_use]
    pub fn before(mut self, value: &'a Json) -> Self {
        self.before = Some(value);
        self
    }

    #[must_use]
    pub fn after(mut self, value: &'a Json) -> Self {
        self.after = Some(value);
        self
    }
}

/// The order of the fields is part of the format: the text is what is hashed.
#[derive(Serialize)]
struct Entry<'a> {
    sequence: u64,
    at: Timestamp,
    tenant: &'a str,
    actor: Option<&'a str>,
    by: Option<&'a str>,
    address: Option<&'a str>,
    request: Option<&'a str>,
    action: &'a str,
    object: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Json>,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub sequence: u64,
    pub at: Timestamp,
    /// The exact text of the leaf; none when it had to be forgotten.
    pub entry: Option<String>,
    /// Leaf hash in hex.
    pub leaf: String,
}

/// Which entries are wanted; the newest first.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only entries before this one.
    pub before: Option<u64>,
    pub actor: Option<String>,
    /// Whole, or an area as in `key.`.
    pub action: Option<String>,
    pub object: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// A piece of the entry's text.
    pub text: Option<String>,
}

/// Adds an entry to the transaction.
pub fn record(tx: &mut Tx<'_>, scope: &Scope, change: Change<'_>) -> Result<()> {
    let mut tree = frontier(tx)?;
    let origin = scope.origin();
    let (actor, at) = (scope.user().map(lectern_kernel::UserId::as_str), tx.now());
    let entry = serde_json::to_string(&Entry {
        sequence: tree.size(),
        at,
        tenant: scope.tenant().as_str(),
        actor,
        by: origin.by.as_deref(),
        address: origin.address.as_deref(),
        request: origin.request.as_deref(),
        action: change.action,
        object: change.object,
        before: change.before.map(without_secrets),
        after: change.after.map(without_secrets),
    })?;
    let leaf = Hash::leaf(entry.as_bytes());
    let sequence = tree.append(leaf).map_err(broken)?;
    tx.execute(
        "INSERT INTO audit_log (sequence, at, actor, action, object, entry, leaf)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![sequence, at, actor, change.action, change.object, entry, hex(&leaf)],
    )?;
    tx.execute(
        "INSERT INTO audit_tree (id, frontier) VALUES (1, $1)
         ON CONFLICT (id) DO UPDATE SET frontier = excluded.frontier",
        params![serde_json::to_string(&tree)?],
    )?;
    tx.set_recorded();
    Ok(())
}

/// Adds an entry, and the event of the same name, to the transaction: for changes that others react to and that stand in
/// the record alike.
pub fn record_event(
    tx: &mut Tx<'_>,
    scope: &Scope,
    kind: &str,
    subject: &str,
    payload: &impl Serialize,
) -> Result<()> {
    let after = serde_json::to_value(payload)?;
    let change =
        Change { after: Some(&after).filter(|after| !after.is_null()), ..Change::new(kind, subject) };
    record(tx, scope, change)?;
    crate::outbox::push(tx, kind, subject, &after)
}

/// The tree as it is now.
pub fn frontier(tx: &Tx<'_>) -> Result<Frontier> {
    let kept: Option<String> = tx.scalar("SELECT frontier FROM audit_tree WHERE id = 1", params![])?;
    Ok(kept.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// Entries that fit, the newest first.
pub fn list(tx: &Tx<'_>, wanted: &Wanted, limit: u32) -> Result<Vec<Kept>> {
    let mut parameters: Vec<Value> = conditions(wanted).to_vec();
    parameters.push(limit.into());
    tx.query(
        &format!(
            "SELECT sequence, at, entry, leaf FROM audit_log WHERE {FITS} ORDER BY sequence DESC LIMIT $8"
        ),
        &parameters,
        kept,
    )
}

/// How many fit, wherever the page begins.
pub fn count(tx: &Tx<'_>, wanted: &Wanted) -> Result<u64> {
    let all = Wanted { before: None, ..wanted.clone() };
    let found = tx.scalar(&format!("SELECT count(*) FROM audit_log WHERE {FITS}"), &conditions(&all))?;
    Ok(found.unwrap_or_default())
}

const FITS: &str = "sequence < $1 AND ($2 = '' OR actor = $2)
    AND ($3 = '' OR action = $3 OR (substr($3, -1) = '.' AND substr(action, 1, length($3)) = $3))
    AND ($4 = '' OR object = $4) AND at >= $5 AND at <= $6
    AND ($7 = '' OR instr(lower(entry), lower($7)) > 0)";

fn conditions(wanted: &Wanted) -> [Value; 7] {
    let text = |value: &Option<String>| Value::Text(value.clone().unwrap_or_default());
    [
        wanted.before.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX)).into(),
        text(&wanted.actor),
        text(&wanted.action),
        text(&wanted.object),
        wanted.from.unwrap_or(Timestamp(i64::MIN)).into(),
        wanted.to.unwrap_or(Timestamp(i64::MAX)).into(),
        text(&wanted.text),
    ]
}

/// Entries from `sequence` on, the oldest first, for exports.
pub fn from(tx: &Tx<'_>, sequence: u64, limit: u32) -> Result<Vec<Kept>> {
    tx.query(
        "SELECT sequence, at, entry, leaf FROM audit_log WHERE sequence >= $1 ORDER BY sequence LIMIT $2",
        params![sequence, limit],
        kept,
    )
}

/// Takes out what entries before `before` tell; their hashes stay. The number that was taken out.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize> {
    tx.execute(
        "UPDATE audit_log SET entry = NULL, actor = NULL, object = '' WHERE at < $1 AND entry IS NOT NULL",
        params![before],
    )
}

/// Takes out the entries about a person, and all that name one of `words`, as the e-mail. What the person did stays,
/// under an id that tells nobody who it was. The hashes stay.
pub fn forget_person(tx: &mut Tx<'_>, user: &str, words: &[&str]) -> Result<usize> {
    let mut forgotten = tx.execute(
        "UPDATE audit_log SET entry = NULL, object = '' WHERE entry IS NOT NULL AND object = $1",
        params![user],
    )?;
    for word in words.iter().filter(|word| !word.is_empty()) {
        forgotten += tx.execute(
            "UPDATE audit_log SET entry = NULL, object = ''
             WHERE entry IS NOT NULL AND instr(lower(entry), lower($1)) > 0",
            params![*word],
        )?;
    }
    Ok(forgotten)
}

/// Keeps a signed checkpoint.
pub fn keep_checkpoint(tx: &mut Tx<'_>, size: u64, note: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO audit_checkpoints (size, at, note) VALUES ($1, $2, $3) ON CONFLICT (size) DO NOTHING",
        params![size, tx.now(), note],
    )?;
    Ok(())
}

/// Signed checkpoints, the oldest first.
pub fn checkpoints(tx: &Tx<'_>) -> Result<Vec<(u64, String)>> {
    tx.query("SELECT size, note FROM audit_checkpoints ORDER BY size", params![], |row| {
        Ok((row.get("size")?, row.get("note")?))
    })
}

fn kept(row: &Row<'_>) -> Result<Kept> {
    Ok(Kept {
        sequence: row.get("sequence")?,
        at: row.get("at")?,
        entry: row.get("entry")?,
        leaf: row.get("leaf")?,
    })
}

fn hex(hash: &Hash) -> String {
    String::from(*hash)
}

fn broken(error: lectern_merkle::MerkleError) -> StoreError {
    lectern_kernel::Error::internal(error).into()
}

/// Names under which a value is never written down.
const SECRET: [&str; 6] = ["password", "secret", "token", "credential", "private_key", "code"];

fn without_secrets(value: &Json) -> Json {
    match value {
        Json::Object(fields) => {
            let hidden = |name: &str| SECRET.iter().any(|part| name.contains(part));
            let kept = fields.iter().map(|(name, value)| {
                let shown = if hidden(name) && !value.is_null() && !value.is_boolean() {
                    Json::String("not recorded".to_owned())
                } else {
                    without_secrets(value)
                };
                (name.clone(), shown)
            });
            Json::Object(kept.collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_secrets).collect()),
        plain => plain.clone(),
    }
}
