//! SQL of extracted texts: kept in compressed pieces, so that a window of a long text is read without the rest.

use std::sync::Arc;

use lectern_extract::{Block, Extracted};
use lectern_kernel::{DocumentId, Sight, text};
use lectern_store::{StoreError, Tx, params};

use crate::store_access::seen;

type Result<T> = std::result::Result<T, StoreError>;

/// Code points in a piece.
const PIECE: usize = 32_768;

/// Replaces a document's text.
pub(crate) fn put(tx: &mut Tx<'_>, document: &DocumentId, extracted: &Extracted) -> Result<()> {
    remove(tx, document)?;
    let mut blocks = extracted.blocks.as_slice();
    let mut rest = extracted.text.as_str();
    let mut piece = 0;
    while !rest.is_empty() || (piece == 0 && !blocks.is_empty()) {
        let cut = text::byte_range(rest, 0, PIECE).end;
        let (body, after) = rest.split_at(cut);
        let limit = ((piece + 1) * PIECE) as u32;
        let (own, later) = blocks.split_at(blocks.partition_point(|b| b.start < limit));
        tx.execute(
            "INSERT INTO document_text (document, piece, body, blocks) VALUES ($1, $2, $3, $4)",
            params![document, piece, pack(body.as_bytes()), pack(&serde_json::to_vec(own)?)],
        )?;
        (rest, blocks) = (after, later);
        piece += 1;
    }
    Ok(())
}

pub(crate) fn remove(tx: &mut Tx<'_>, document: &DocumentId) -> Result<()> {
    tx.execute("DELETE FROM document_text WHERE document = $1", params![document])?;
    Ok(())
}

/// A run of the text and the blocks that touch it.
pub(crate) struct Window {
    pub text: String,
    pub blocks: Vec<Block>,
}

/// The code points `from..to` of a document's text.
pub(crate) fn window(tx: &Tx<'_>, document: &DocumentId, from: usize, to: usize) -> Result<Window> {
    let (first, last) = (from / PIECE, to.saturating_sub(1) / PIECE);
    let pieces = pieces(tx, document, first, last)?;
    let mut text = String::new();
    let mut blocks: Vec<Block> = Vec::new();
    for (number, body, own) in pieces {
        let base = number * PIECE;
        text.push_str(text::slice(&body, from.saturating_sub(base), to.saturating_sub(base)));
        blocks.extend(own);
    }
    if first > 0 {
        blocks.splice(0..0, reaching(tx, document, first, from as u32)?);
    }
    blocks.retain(|b| (b.start as usize) < to && b.end as usize > from);
    Ok(Window { text, blocks })
}

/// Only the text of a place.
pub(crate) fn slice(tx: &Tx<'_>, document: &DocumentId, from: usize, to: usize) -> Result<Option<String>> {
    let sql = "SELECT piece, body FROM document_text WHERE document = $1 AND piece BETWEEN $2 AND $3 ORDER BY piece";
    let (first, last) = (from / PIECE, to.saturating_sub(1) / PIECE);
    let rows = tx.query(sql, params![document, first, last], |row| {
        Ok((row.at::<usize>(0)? * PIECE, string(&row.at::<Vec<u8>>(1)?)?))
    })?;
    if rows.is_empty() {
        return Ok(None);
    }
    let part = |(base, body): &(usize, String)| {
        text::slice(body, from.saturating_sub(*base), to.saturating_sub(*base)).to_owned()
    };
    Ok(Some(rows.iter().map(part).collect()))
}

/// The whole text with all blocks.
pub(crate) fn whole(tx: &Tx<'_>, document: &DocumentId) -> Result<Option<Window>> {
    let pieces = pieces(tx, document, 0, i64::MAX as usize)?;
    if pieces.is_empty() {
        return Ok(None);
    }
    let mut window = Window { text: String::new(), blocks: Vec::new() };
    for (_, body, own) in pieces {
        window.text.push_str(&body);
        window.blocks.extend(own);
    }
    Ok(Some(window))
}

/// What is learned from texts serves the whole tenant: it comes only from those that everybody sees.
fn for_everybody() -> String {
    seen(&Sight::Of(Arc::default()), 1).sql
}

/// Tells two states of all texts apart.
pub(crate) fn version(tx: &Tx<'_>) -> Result<String> {
    let sql = format!(
        "SELECT count(*), coalesce(sum(characters), 0), coalesce(max(indexed_at), 0), coalesce(max(id), '')
        FROM documents WHERE status = 'ready' AND {}",
        for_everybody()
    );
    let rows = tx.query(&sql, params![], |row| {
        let (count, characters, newest): (u64, u64, i64) = (row.at(0)?, row.at(1)?, row.at(2)?);
        Ok(format!("{count}-{characters}-{newest}-{}", row.at::<String>(3)?))
    })?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Ready documents with the lengths of their texts, the newest first.
pub(crate) fn readable(tx: &Tx<'_>) -> Result<Vec<(DocumentId, usize)>> {
    let sql = format!(
        "SELECT id, characters FROM documents WHERE status = 'ready' AND characters > 0 AND {} ORDER BY id DESC",
        for_everybody()
    );
    tx.query(&sql, params![], |row| Ok((row.at(0)?, row.at(1)?)))
}

/// A block that began in an earlier piece and reaches `from`: the last one before it.
fn reaching(tx: &Tx<'_>, document: &DocumentId, first: usize, from: u32) -> Result<Option<Block>> {
    let sql =
        "SELECT blocks FROM document_text WHERE document = $1 AND piece < $2 ORDER BY piece DESC LIMIT 64";
    let earlier = tx.query(sql, params![document, first], |row| row.at::<Vec<u8>>(0))?;
    for packed in earlier {
        let blocks: Vec<Block> = serde_json::from_slice(&unpack(&packed)?)?;
        if let Some(last) = blocks.into_iter().last() {
            return Ok((last.end > from).then_some(last));
        }
    }
    Ok(None)
}

fn pieces(
    tx: &Tx<'_>,
    document: &DocumentId,
    first: usize,
    last: usize,
) -> Result<Vec<(usize, String, Vec<Block>)>> {
    tx.query(
        "SELECT piece, body, blocks FROM document_text WHERE document = $1 AND piece BETWEEN $2 AND $3 ORDER BY piece",
        params![document, first, last],
        |row| {
            let body = string(&row.at::<Vec<u8>>(1)?)?;
            Ok((row.at(0)?, body, serde_json::from_slice(&unpack(&row.at::<Vec<u8>>(2)?)?)?))
        },
    )
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    lz4_flex::compress_prepend_size(bytes)
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>> {
    lz4_flex::decompress_size_prepended(packed).map_err(|e| broken(&e.to_string()))
}

fn string(packed: &[u8]) -> Result<String> {
    String::from_utf8(unpack(packed)?).map_err(|e| broken(&e.to_string()))
}

fn broken(reason: &str) -> StoreError {
    StoreError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, format!("stored text: {reason}")))
}
