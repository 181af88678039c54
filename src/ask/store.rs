//! All SQL of conversations and turns. Every statement is confined to the owner of the conversation.

use std::fmt::Write as _;

use lectern_kernel::{ConversationId, Timestamp, TurnId};
use lectern_store::{Row, StoreError, Tx, Value, params};
use serde::{Deserialize, Serialize};

use crate::model::{
    CitationView, ConversationDetail, ConversationView, Mode, NearView, NewFeedback, Rating, SentenceView,
    Trace, TurnView,
};

type Result<T> = std::result::Result<T, StoreError>;

/// Words of a query that count.
const MAX_WORDS: usize = 8;

/// The part of a turn that is only ever read whole.
#[derive(Serialize, Deserialize)]
struct Body {
    sentences: Vec<SentenceView>,
    nearest: Vec<NearView>,
    trace: Trace,
}

pub(crate) fn insert_conversation(tx: &Tx<'_>, owner: &str, id: &ConversationId, title: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO conversations (id, owner, title, folded, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)",
        params![id, owner, title, title.to_lowercase(), tx.now()],
    )?;
    Ok(())
}

/// Marks the conversation as gone on with; false when it is not there.
pub(crate) fn touch(tx: &Tx<'_>, owner: &str, id: &ConversationId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE conversations SET updated_at = $3 WHERE id = $1 AND owner = $2",
        params![id, owner, tx.now()],
    )?;
    Ok(changed > 0)
}

pub(crate) fn insert_turn(tx: &Tx<'_>, turn: &TurnView) -> Result<()> {
    let body =
        Body { sentences: turn.sentences.clone(), nearest: turn.nearest.clone(), trace: turn.trace.clone() };
    tx.execute(
        "INSERT INTO turns (id, conversation, question, answer, folded, mode, model, answered, language, notice,
             dropped, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params![
            &turn.turn,
            &turn.conversation,
            &turn.question,
            &turn.answer,
            format!("{}\n{}", turn.question, turn.answer).to_lowercase(),
            turn.mode.as_str(),
            turn.model.clone(),
            turn.answered,
            turn.language.clone(),
            turn.notice.clone(),
            turn.dropped_citations,
            serde_json::to_string(&body)?,
            turn.created_at
        ],
    )?;
    turn.citations.iter().try_for_each(|citation| insert_citation(tx, &turn.turn, citation))
}

fn insert_citation(tx: &Tx<'_>, turn: &TurnId, citation: &CitationView) -> Result<()> {
    tx.execute(
        "INSERT INTO citations (turn, n, document, title, type, page, label, start_at, end_at, quote)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            turn,
            citation.n,
            &citation.document,
            &citation.title,
            &citation.kind,
            citation.page,
            citation.label.clone(),
            citation.start,
            citation.end,
            &citation.quote
        ],
    )?;
    Ok(())
}

const TURN: &str =
    "SELECT t.id, t.conversation, t.question, t.answer, t.mode, t.model, t.answered, t.language, t.notice,
    t.dropped, t.rating, t.body, t.created_at FROM turns t JOIN conversations c ON c.id = t.conversation";

pub(crate) fn turn(tx: &Tx<'_>, owner: &str, id: &TurnId) -> Result<Option<TurnView>> {
    let sql = format!("{TURN} WHERE t.id = $1 AND c.owner = $2");
    let found = tx.query_one(&sql, params![id, owner], read_turn)?;
    found.map(|turn| with_citations(tx, turn)).transpose()
}

/// All turns of a conversation, oldest first.
pub(crate) fn turns(tx: &Tx<'_>, owner: &str, id: &ConversationId) -> Result<Vec<TurnView>> {
    let sql = format!("{TURN} WHERE t.conversation = $1 AND c.owner = $2 ORDER BY t.id");
    let found = tx.query(&sql, params![id, owner], read_turn)?;
    found.into_iter().map(|turn| with_citations(tx, turn)).collect()
}

/// Questions and answers of the last turns, oldest first.
pub(crate) fn history(
    tx: &Tx<'_>,
    owner: &str,
    id: &ConversationId,
    limit: u32,
) -> Result<Vec<(String, String)>> {
    let mut pairs = tx.query(
        "SELECT t.question, t.body FROM turns t JOIN conversations c ON c.id = t.conversation
         WHERE t.conversation = $1 AND c.owner = $2 ORDER BY t.id DESC LIMIT $3",
        params![id, owner, limit],
        |row| {
            let body: Body = serde_json::from_str(&row.get::<String>("body")?)?;
            let answer: Vec<String> = body.sentences.into_iter().map(|sentence| sentence.text).collect();
            Ok((row.get("question")?, answer.join(" ")))
        },
    )?;
    pairs.reverse();
    Ok(pairs)
}

fn read_turn(row: &Row<'_>) -> Result<TurnView> {
    let body: Body = serde_json::from_str(&row.get::<String>("body")?)?;
    Ok(TurnView {
        turn: row.get("id")?,
        conversation: row.get("conversation")?,
        question: row.get("question")?,
        answer: row.get("answer")?,
        mode: Mode::parse(&row.get::<String>("mode")?),
        model: row.get("model")?,
        answered: row.get("answered")?,
        notice: row.get("notice")?,
        language: row.get("language")?,
        sentences: body.sentences,
        citations: Vec::new(),
        nearest: body.nearest,
        dropped_citations: row.get("dropped")?,
        rating: row.get::<Option<String>>("rating")?.as_deref().and_then(Rating::parse),
        created_at: row.get("created_at")?,
        trace: body.trace,
    })
}

fn with_citations(tx: &Tx<'_>, mut turn: TurnView) -> Result<TurnView> {
    turn.citations = tx.query(
        "SELECT n, document, title, type, page, label, start_at, end_at, quote FROM citations WHERE turn = $1 ORDER BY n",
        params![&turn.turn],
        |row| {
            Ok(CitationView {
                n: row.get("n")?,
                document: row.get("document")?,
                title: row.get("title")?,
                kind: row.get("type")?,
                page: row.get("page")?,
                label: row.get("label")?,
                start: row.get("start_at")?,
                end: row.get("end_at")?,
                quote: row.get("quote")?,
            })
        },
    )?;
    Ok(turn)
}

/// False when there is no such turn.
pub(crate) fn rate(tx: &Tx<'_>, owner: &str, id: &TurnId, feedback: &NewFeedback) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE turns SET rating = $3, comment = $4 WHERE id = $1
         AND conversation IN (SELECT id FROM conversations WHERE owner = $2)",
        params![id, owner, feedback.rating.map(Rating::as_str), feedback.comment.clone()],
    )?;
    Ok(changed > 0)
}

pub(crate) fn conversation(
    tx: &Tx<'_>,
    owner: &str,
    id: &ConversationId,
) -> Result<Option<ConversationView>> {
    tx.query_one(
        "SELECT c.id, c.title, c.created_at, c.updated_at,
             (SELECT count(*) FROM turns t WHERE t.conversation = c.id) AS turns
         FROM conversations c WHERE c.id = $1 AND c.owner = $2",
        params![id, owner],
        read_conversation,
    )
}

/// A conversation with its turns.
pub(crate) fn detail(tx: &Tx<'_>, owner: &str, id: &ConversationId) -> Result<Option<ConversationDetail>> {
    let Some(head) = conversation(tx, owner, id)? else { return Ok(None) };
    let ConversationView { id, title, created_at, updated_at, .. } = head;
    let turns = turns(tx, owner, &id)?;
    Ok(Some(ConversationDetail { id, title, created_at, updated_at, turns }))
}

fn read_conversation(row: &Row<'_>) -> Result<ConversationView> {
    Ok(ConversationView {
        id: row.get("id")?,
        title: row.get("title")?,
        turns: row.get("turns")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// A page of conversations, the last used first, and how many there are on all pages.
pub(crate) fn conversations(
    tx: &Tx<'_>,
    owner: &str,
    words: &[String],
    after: Option<&(i64, String)>,
    limit: u32,
) -> Result<(Vec<ConversationView>, u64)> {
    let mut condition = "c.owner = $1".to_owned();
    let mut values = vec![Value::from(owner)];
    for word in words.iter().take(MAX_WORDS) {
        values.push(Value::from(pattern(word)));
        let n = values.len();
        // Writing to a string cannot fail; so below.
        let _ = write!(
            condition,
            " AND (c.folded LIKE ${n} ESCAPE '\\' OR EXISTS (SELECT 1 FROM turns w WHERE w.conversation = c.id
              AND w.folded LIKE ${n} ESCAPE '\\'))"
        );
    }
    let count = format!("SELECT count(*) FROM conversations c WHERE {condition}");
    let total = tx.scalar::<u64>(&count, &values)?.unwrap_or_default();
    if let Some((time, id)) = after {
        values.push(Value::from(*time));
        values.push(Value::from(id));
        let (time, id) = (values.len() - 1, values.len());
        let _ =
            write!(condition, " AND (c.updated_at < ${time} OR (c.updated_at = ${time} AND c.id < ${id}))");
    }
    values.push(Value::from(limit));
    let sql = format!(
        "SELECT c.id, c.title, c.created_at, c.updated_at,
             (SELECT count(*) FROM turns t WHERE t.conversation = c.id) AS turns
         FROM conversations c WHERE {condition} ORDER BY c.updated_at DESC, c.id DESC LIMIT ${}",
        values.len()
    );
    Ok((tx.query(&sql, &values, read_conversation)?, total))
}

/// A word anywhere in a text, with the signs that LIKE takes for itself made plain.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// False when there is no such conversation.
pub(crate) fn rename(tx: &Tx<'_>, owner: &str, id: &ConversationId, title: &str) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE conversations SET title = $3, folded = $4 WHERE id = $1 AND owner = $2",
        params![id, owner, title, title.to_lowercase()],
    )?;
    Ok(changed > 0)
}

/// With its turns and their citations. False when there is no such conversation.
pub(crate) fn delete(tx: &Tx<'_>, owner: &str, id: &ConversationId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM conversations WHERE id = $1 AND owner = $2", params![id, owner])? > 0)
}

/// All of the owner's conversations; how many there were.
pub(crate) fn delete_all(tx: &Tx<'_>, owner: &str) -> Result<usize> {
    tx.execute("DELETE FROM conversations WHERE owner = $1", params![owner])
}

/// All of the owner's, the oldest first.
pub(crate) fn all_conversations(tx: &Tx<'_>, owner: &str) -> Result<Vec<ConversationId>> {
    tx.query("SELECT id FROM conversations WHERE owner = $1 ORDER BY id", params![owner], |row| row.get("id"))
}

/// Of everybody, those that were last used before a time.
pub(crate) fn count_older(tx: &Tx<'_>, before: Timestamp) -> Result<usize> {
    let count =
        tx.scalar::<u64>("SELECT count(*) FROM conversations WHERE updated_at < $1", params![before])?;
    Ok(usize::try_from(count.unwrap_or_default()).unwrap_or(usize::MAX))
}

/// Removes some of them, the oldest first.
pub(crate) fn delete_older(tx: &Tx<'_>, before: Timestamp, most: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM conversations WHERE id IN
         (SELECT id FROM conversations WHERE updated_at < $1 ORDER BY updated_at LIMIT $2)",
        params![before, most],
    )
}
