//! SQL of the rules of retention.

use lectern_kernel::RetentionRules;
use lectern_store::{StoreError, Tx, params};

type Result<T> = std::result::Result<T, StoreError>;

const CONVERSATIONS: &str = "conversations";
const UNCOLLECTED: &str = "uncollected";
const COLLECTION: &str = "collection/";

pub(crate) fn rules(tx: &Tx<'_>) -> Result<RetentionRules> {
    let rows = tx.query("SELECT subject, days FROM retention_rules", params![], |row| {
        Ok((row.get::<String>("subject")?, row.get::<u32>("days")?))
    })?;
    let mut rules = RetentionRules::default();
    for (subject, days) in rows {
        match subject.strip_prefix(COLLECTION) {
            Some(name) => drop(rules.collections.insert(name.to_owned(), days)),
            None if subject == CONVERSATIONS => rules.conversations = Some(days),
            None => rules.uncollected = Some(days),
        }
    }
    Ok(rules)
}

/// In place of all before.
pub(crate) fn put_rules(tx: &Tx<'_>, rules: &RetentionRules) -> Result<()> {
    tx.execute("DELETE FROM retention_rules", params![])?;
    let put = |subject: &str, days: u32| {
        tx.execute("INSERT INTO retention_rules (subject, days) VALUES ($1, $2)", params![subject, days])
    };
    rules.conversations.map(|days| put(CONVERSATIONS, days)).transpose()?;
    rules.uncollected.map(|days| put(UNCOLLECTED, days)).transpose()?;
    rules.collections.iter().try_for_each(|(name, days)| put(&format!("{COLLECTION}{name}"), *days).map(drop))
}
