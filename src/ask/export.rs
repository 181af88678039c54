//! A conversation as a file to keep: JSON as in the API, or Markdown to read.

use std::fmt::Write as _;

use lectern_kernel::{Error, Result};

use crate::model::{CitationView, ConversationDetail, ExportFormat, TurnView};

/// A file for the client.
#[derive(Debug, Clone)]
pub struct Export {
    pub file_name: String,
    pub media_type: &'static str,
    pub content: String,
}

pub(crate) fn export(conversation: &ConversationDetail, format: ExportFormat) -> Result<Export> {
    let id = &conversation.id;
    Ok(match format {
        ExportFormat::Json => Export {
            file_name: format!("{id}.json"),
            media_type: "application/json; charset=utf-8",
            content: serde_json::to_string_pretty(conversation).map_err(Error::internal)?,
        },
        ExportFormat::Markdown => Export {
            file_name: format!("{id}.md"),
            media_type: "text/markdown; charset=utf-8",
            content: markdown(conversation),
        },
    })
}

fn markdown(conversation: &ConversationDetail) -> String {
    let mut out = format!("# {}\n\n", one_line(&conversation.title));
    for turn in &conversation.turns {
        write_turn(&mut out, turn);
    }
    out
}

fn write_turn(out: &mut String, turn: &TurnView) {
    // Writing to a string cannot fail.
    let _ =
        write!(out, "## {}\n\n_{}_\n\n{}\n\n", one_line(&turn.question), turn.created_at, turn.answer.trim());
    if let Some(notice) = &turn.notice {
        let _ = write!(out, "> {}\n\n", one_line(notice));
    }
    for citation in &turn.citations {
        let _ = writeln!(out, "{}", source(citation));
    }
    if !turn.citations.is_empty() {
        out.push('\n');
    }
}

fn source(citation: &CitationView) -> String {
    let mut place = one_line(&citation.title);
    if let Some(page) = citation.page {
        let _ = write!(place, ", {page}");
    }
    if let Some(label) = &citation.label {
        let _ = write!(place, ", {}", one_line(label));
    }
    let quote = one_line(&citation.quote);
    format!(
        "[{}] {place} ({}, {}–{}): “{quote}”  ",
        citation.n, citation.document, citation.start, citation.end
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
