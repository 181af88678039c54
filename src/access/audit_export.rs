//! The whole record as lines that can be verified elsewhere, and what fits a search as a table.

use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::Stream;
use lectern_kernel::{Error, Result};
use lectern_store::Database;
use lectern_store::audit::{self, Kept, Wanted};
use tokio_stream::wrappers::ReceiverStream;

use crate::Access;
use crate::audit::Log;
use crate::model_audit::AuditEntry;
use crate::verify::{ExportHead, Gone};

const PIECE: u32 = 1_000;
const AHEAD: usize = 4;

type Piece = Result<Bytes, std::io::Error>;

impl Access {
    /// All entries with a checkpoint that was just signed; `lectern audit verify` takes it.
    pub(crate) async fn export_record(&self, log: &Log) -> Result<impl Stream<Item = Piece> + use<>> {
        let checkpoint = self.checkpoint(log).await?;
        let db = self.database(log)?;
        let kept = db.read(audit::checkpoints).await?;
        let size =
            kept.iter().find(|(_, note)| *note == checkpoint).or(kept.last()).map_or(0, |(size, _)| *size);
        let older = kept.into_iter().filter(|(s, _)| *s < size).map(|(_, note)| note).collect();
        let key = self.signer(log).await?.verifier().to_string();
        let head = ExportHead { lectern_audit: 1, origin: log.origin(), key, checkpoint, older };
        let first = serde_json::to_string(&head).map_err(Error::internal)?;
        let (tell, told) = tokio::sync::mpsc::channel(AHEAD);
        tokio::spawn(async move {
            if tell.send(Ok(Bytes::from(first + "\n"))).await.is_err() {
                return;
            }
            let mut at = 0;
            while at < size {
                let piece = db.read(move |tx| audit::from(tx, at, PIECE)).await;
                let piece = match piece {
                    Ok(kept) if kept.is_empty() => break,
                    Ok(kept) => kept,
                    Err(error) => {
                        let _ = tell.send(Err(std::io::Error::other(error.to_string()))).await;
                        break;
                    }
                };
                let text: String = piece.iter().filter(|k| k.sequence < size).map(line).collect();
                at = piece.last().map_or(size, |last| last.sequence + 1);
                if tell.send(Ok(Bytes::from(text))).await.is_err() {
                    break;
                }
            }
        });
        Ok(ReceiverStream::new(told))
    }

    /// Entries that fit, the newest first, as comma-separated values (RFC 4180).
    pub(crate) fn table(&self, log: &Log, wanted: Wanted) -> Result<impl Stream<Item = Piece> + use<>> {
        Ok(pieces(self.database(log)?, wanted, Some(COLUMNS), row))
    }

    /// Entries that fit, the newest first, one JSON object a line.
    pub(crate) fn lines(&self, log: &Log, wanted: Wanted) -> Result<impl Stream<Item = Piece> + use<>> {
        Ok(pieces(self.database(log)?, wanted, None, line))
    }
}

const COLUMNS: &str = "sequence,at,actor,by,address,request,action,object,before,after\r\n";

fn pieces(
    db: Database,
    wanted: Wanted,
    head: Option<&'static str>,
    write: fn(&Kept) -> String,
) -> impl Stream<Item = Piece> {
    let (tell, told) = tokio::sync::mpsc::channel(AHEAD);
    tokio::spawn(async move {
        if let Some(head) = head
            && tell.send(Ok(Bytes::from_static(head.as_bytes()))).await.is_err()
        {
            return;
        }
        let mut wanted = wanted;
        loop {
            let now = wanted.clone();
            let Ok(kept) = db.read(move |tx| audit::list(tx, &now, PIECE)).await else { return };
            let Some(last) = kept.last() else { return };
            wanted.before = Some(last.sequence);
            let text: String = kept.iter().map(write).collect();
            if tell.send(Ok(Bytes::from(text))).await.is_err() {
                return;
            }
        }
    });
    ReceiverStream::new(told)
}

fn line(kept: &Kept) -> String {
    let text = kept.entry.clone().unwrap_or_else(|| {
        let gone = Gone { sequence: kept.sequence, forgotten: true, leaf: kept.leaf.clone() };
        serde_json::to_string(&gone).unwrap_or_default()
    });
    text + "\n"
}

fn row(kept: &Kept) -> String {
    let entry = AuditEntry::of(kept.clone());
    let at = serde_json::to_value(entry.at).unwrap_or_default();
    let json = |value: Option<serde_json::Value>| value.map(|v| v.to_string()).unwrap_or_default();
    let fields = [
        entry.sequence.to_string(),
        at.as_str().unwrap_or_default().to_owned(),
        entry.actor.unwrap_or_default(),
        entry.by.unwrap_or_default(),
        entry.address.unwrap_or_default(),
        entry.request.unwrap_or_default(),
        entry.action,
        entry.object,
        json(entry.before),
        json(entry.after),
    ];
    let mut out = String::new();
    for (at, field) in fields.iter().enumerate() {
        let _ = write!(out, "{}{}", if at > 0 { "," } else { "" }, quoted(field));
    }
    out + "\r\n"
}

/// Quoted where it must be; what a spreadsheet would run as a formula is made text.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_field_and_no_formula() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(quoted("line\nline"), "\"line\nline\"");
    }
}
