//! The text of XML that is no known document: every element that holds text gives a block.

use crate::model::{BlockKind, ExtractError};
use crate::writer::TextWriter;
use crate::xml::{Node, Xml};

/// Elements with no text of their own are structure; one that has some, with its children, is a paragraph.
pub(crate) fn push(text: &str, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut xml = Xml::new(text);
    while let Some(tag) = xml.child()? {
        element(&mut xml, tag.name(), out)?;
    }
    Ok(())
}

fn element(xml: &mut Xml, name: &str, out: &mut TextWriter) -> Result<(), ExtractError> {
    if matches!(name, "style" | "script" | "binary" | "metadata") {
        return xml.skip();
    }
    let mut text = String::new();
    while let Some(node) = xml.node()? {
        match node {
            Node::Text(piece) => text.push_str(&piece),
            Node::Tag(tag) if text.trim().is_empty() => element(xml, tag.name(), out)?,
            Node::Tag(_) => text.push_str(&xml.text()?),
        }
    }
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    out.push_block(BlockKind::Paragraph, 0, &joined, None, None)
}
