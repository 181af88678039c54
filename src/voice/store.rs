//! All SQL of the lexicon and of preferences.

use std::fmt::Write as _;

use lectern_kernel::LexiconId;
use lectern_store::{Row, StoreError, Tx, Value, params};

use crate::choice::OwnVoice;
use crate::model::{LexiconKind, LexiconView, NewLexiconEntry};

type Result<T> = std::result::Result<T, StoreError>;

const COLUMNS: &str = "id, word, language, kind, value, case_sensitive, created_at, updated_at";

pub(crate) fn folded(entry: &NewLexiconEntry) -> String {
    let word = entry.word.split_whitespace().collect::<Vec<_>>().join(" ");
    if entry.case_sensitive { word } else { word.to_lowercase() }
}

fn view(row: &Row<'_>) -> Result<LexiconView> {
    let (language, kind): (String, String) = (row.get("language")?, row.get("kind")?);
    Ok(LexiconView {
        id: row.get("id")?,
        word: row.get("word")?,
        language: Some(language).filter(|language| !language.is_empty()),
        kind: LexiconKind::parse(&kind).unwrap_or_default(),
        value: row.get("value")?,
        case_sensitive: row.get("case_sensitive")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// Every entry; there are few thousands at most.
pub(crate) fn lexicon(tx: &Tx<'_>) -> Result<Vec<LexiconView>> {
    tx.query(&format!("SELECT {COLUMNS} FROM lexicon ORDER BY folded, id"), params![], view)
}

pub(crate) fn count(tx: &Tx<'_>) -> Result<u64> {
    Ok(tx.scalar("SELECT count(*) FROM lexicon", params![])?.unwrap_or_default())
}

/// Entries whose word begins with `prefix`, after a place, with their number on all pages.
pub(crate) fn page(
    tx: &Tx<'_>,
    prefix: &str,
    language: Option<&str>,
    after: Option<&(String, String)>,
    limit: u32,
) -> Result<(Vec<LexiconView>, u64)> {
    let mut filter = "substr(lower(word), 1, $1) = $2".to_owned();
    let mut values: Vec<Value> = vec![prefix.chars().count().into(), prefix.into()];
    if let Some(language) = language {
        values.push(language.into());
        filter.push_str(" AND (language = '' OR language = $3)");
    }
    let total = tx.scalar(&format!("SELECT count(*) FROM lexicon WHERE {filter}"), &values)?;
    if let Some((folded, id)) = after {
        let next = values.len() + 1;
        // Writing to a string cannot fail.
        let _ = write!(filter, " AND (folded, id) > (${next}, ${})", next + 1);
        values.extend([folded.into(), id.into()]);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM lexicon WHERE {filter} ORDER BY folded, id LIMIT ${}",
        values.len() + 1
    );
    values.push(limit.into());
    Ok((tx.query(&sql, &values, view)?, total.unwrap_or_default()))
}

pub(crate) fn entry(tx: &Tx<'_>, id: &LexiconId) -> Result<Option<LexiconView>> {
    tx.query_one(&format!("SELECT {COLUMNS} FROM lexicon WHERE id = $1"), params![id], view)
}

/// The entry of the same word, language and case rule.
pub(crate) fn same(tx: &Tx<'_>, new: &NewLexiconEntry) -> Result<Option<LexiconView>> {
    tx.query_one(
        &format!("SELECT {COLUMNS} FROM lexicon WHERE folded = $1 AND language = $2 AND case_sensitive = $3"),
        params![folded(new), new.language.clone().unwrap_or_default(), new.case_sensitive],
        view,
    )
}

pub(crate) fn insert(tx: &Tx<'_>, id: &LexiconId, new: &NewLexiconEntry) -> Result<()> {
    tx.execute(
        "INSERT INTO lexicon (id, word, folded, language, kind, value, case_sensitive, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        params![
            id,
            &new.word,
            folded(new),
            new.language.clone().unwrap_or_default(),
            new.kind.as_str(),
            &new.value,
            new.case_sensitive,
            tx.now()
        ],
    )?;
    Ok(())
}

pub(crate) fn update(tx: &Tx<'_>, id: &LexiconId, new: &NewLexiconEntry) -> Result<()> {
    tx.execute(
        "UPDATE lexicon SET word = $2, folded = $3, language = $4, kind = $5, value = $6, case_sensitive = $7,
             updated_at = $8 WHERE id = $1",
        params![
            id,
            &new.word,
            folded(new),
            new.language.clone().unwrap_or_default(),
            new.kind.as_str(),
            &new.value,
            new.case_sensitive,
            tx.now()
        ],
    )?;
    Ok(())
}

pub(crate) fn delete(tx: &Tx<'_>, id: &LexiconId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM lexicon WHERE id = $1", params![id])? > 0)
}

pub(crate) fn own_voice(tx: &Tx<'_>, owner: &str) -> Result<OwnVoice> {
    let set = tx.query_one(
        "SELECT rate, speak_citations FROM voice_preferences WHERE owner = $1",
        params![owner],
        |row| Ok((row.get("rate")?, row.get("speak_citations")?)),
    )?;
    let (rate, speak_citations) = set.unwrap_or_default();
    let voices = tx.query(
        "SELECT language, voice FROM voice_preference_voices WHERE owner = $1",
        params![owner],
        |row| Ok((row.get("language")?, row.get("voice")?)),
    )?;
    Ok(OwnVoice { voices: voices.into_iter().collect(), rate, speak_citations })
}

pub(crate) fn save_own_voice(tx: &Tx<'_>, owner: &str, own: &OwnVoice) -> Result<()> {
    tx.execute(
        "INSERT INTO voice_preferences (owner, rate, speak_citations) VALUES ($1, $2, $3)
         ON CONFLICT (owner) DO UPDATE SET rate = excluded.rate, speak_citations = excluded.speak_citations",
        params![owner, own.rate, own.speak_citations],
    )?;
    tx.execute("DELETE FROM voice_preference_voices WHERE owner = $1", params![owner])?;
    for (language, voice) in &own.voices {
        tx.execute(
            "INSERT INTO voice_preference_voices (owner, language, voice) VALUES ($1, $2, $3)",
            params![owner, language, voice],
        )?;
    }
    Ok(())
}

pub(crate) fn forget_own_voice(tx: &Tx<'_>, owner: &str) -> Result<usize> {
    tx.execute("DELETE FROM voice_preference_voices WHERE owner = $1", params![owner])?;
    tx.execute("DELETE FROM voice_preferences WHERE owner = $1", params![owner])
}
