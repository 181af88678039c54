//! Markdown to blocks, by pulldown-cmark: what a reader sees, without the marks.

use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::blocks::Blocks;
use crate::encoding;
use crate::html;
use crate::model::{BlockKind, ExtractError};
use crate::writer::TextWriter;

/// Quotes and lists nested deeper than this make the parser quadratic; nobody reads them as such.
const MAX_MARKS: usize = 100;

pub(crate) fn extract(bytes: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let text = encoding::decode(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let shallow;
    let text = if is_deep(text) {
        shallow = flatten(text);
        &shallow
    } else {
        text
    };
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_MATH;
    let mut reader = Reader {
        blocks: Blocks::new(out, None, None),
        inline: String::new(),
        html: String::new(),
        lists: Vec::new(),
        context: Context::default(),
    };
    for event in Parser::new_ext(text, options) {
        reader.event(event)?;
    }
    reader.flush()?;
    reader.blocks.finish()
}

fn marks(line: &str) -> usize {
    line.bytes()
        .take_while(|byte| matches!(byte, b'>' | b' ' | b'\t' | b'-' | b'*' | b'+'))
        .filter(|byte| !byte.is_ascii_whitespace())
        .count()
}

fn is_deep(text: &str) -> bool {
    text.lines().any(|line| marks(line) > MAX_MARKS && line.contains('>'))
}

fn flatten(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        out.push_str(if marks(line) > MAX_MARKS {
            line.trim_start_matches(['>', ' ', '\t', '-', '*', '+'])
        } else {
            line
        });
        out.push('\n');
    }
    out
}

#[derive(Debug, Default)]
struct Context {
    heading: u8,
    code: bool,
    note: Option<String>,
    metadata: bool,
    item: bool,
}

struct Reader<'w> {
    blocks: Blocks<'w>,
    inline: String,
    html: String,
    lists: Vec<Option<u64>>,
    context: Context,
}

impl Reader<'_> {
    fn event(&mut self, event: Event) -> Result<(), ExtractError> {
        if !matches!(event, Event::Html(_) | Event::End(TagEnd::HtmlBlock)) {
            self.flush_html()?;
        }
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.context.metadata => {
                self.metadata(&text);
                Ok(())
            }
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.inline.push_str(&text);
                Ok(())
            }
            Event::SoftBreak => {
                self.inline.push(' ');
                Ok(())
            }
            Event::HardBreak => {
                self.inline.push('\n');
                Ok(())
            }
            Event::Html(text) => {
                self.html.push_str(&text);
                Ok(())
            }
            Event::InlineHtml(text) => {
                if text.starts_with("<br") {
                    self.inline.push('\n');
                }
                Ok(())
            }
            Event::Rule => self.flush(),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => Ok(()),
        }
    }

    fn flush_html(&mut self) -> Result<(), ExtractError> {
        if self.html.is_empty() {
            return Ok(());
        }
        self.flush()?;
        let text = std::mem::take(&mut self.html);
        html::push(&text, None, None, self.blocks.out)
    }

    fn flush(&mut self) -> Result<(), ExtractError> {
        let text = std::mem::take(&mut self.inline);
        if text.trim().is_empty() {
            return Ok(());
        }
        let depth = self.lists.len().clamp(1, 255) as u8;
        let (kind, level) = match &self.context {
            context if context.heading > 0 => (BlockKind::Heading, context.heading),
            context if context.code => (BlockKind::Code, 0),
            context if context.note.is_some() => (BlockKind::Note, 0),
            context if context.item => (BlockKind::ListItem, depth),
            _ => (BlockKind::Paragraph, 0),
        };
        self.context.item = false;
        self.blocks.push(kind, level, &text)
    }

    fn start(&mut self, tag: &Tag) -> Result<(), ExtractError> {
        match tag {
            Tag::Paragraph if self.context.item && self.inline.len() < 8 => {}
            Tag::Paragraph
            | Tag::BlockQuote(_)
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition => self.flush()?,
            Tag::Heading { level, .. } => {
                self.flush()?;
                self.context.heading = level_number(*level);
            }
            Tag::CodeBlock(_) => {
                self.flush()?;
                self.context.code = true;
            }
            Tag::List(first) => {
                self.flush()?;
                self.lists.push(*first);
            }
            Tag::Item => self.start_item()?,
            Tag::FootnoteDefinition(name) => {
                self.flush()?;
                self.context.note = Some(name.to_string());
            }
            Tag::Table(_) => {
                self.flush()?;
                self.blocks.open_table();
            }
            Tag::TableCell => self.blocks.open_cell(),
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle) => {
                self.context.metadata = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn start_item(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        self.context.item = true;
        if let Some(Some(number)) = self.lists.last_mut() {
            self.inline = format!("{number}. ");
            *number = number.saturating_add(1);
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) -> Result<(), ExtractError> {
        match tag {
            TagEnd::Heading(_) => {
                self.flush()?;
                self.context.heading = 0;
            }
            TagEnd::CodeBlock => {
                self.flush()?;
                self.context.code = false;
            }
            TagEnd::Paragraph
            | TagEnd::BlockQuote(_)
            | TagEnd::Item
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition => {
                self.flush()?;
            }
            TagEnd::List(_) => {
                self.flush()?;
                self.lists.pop();
            }
            TagEnd::FootnoteDefinition => {
                self.flush()?;
                self.context.note = None;
            }
            TagEnd::TableCell => {
                self.flush()?;
                self.blocks.close_cell();
            }
            TagEnd::TableHead | TagEnd::TableRow => self.blocks.close_row()?,
            TagEnd::Table => self.blocks.close_table()?,
            TagEnd::HtmlBlock => self.flush_html()?,
            TagEnd::MetadataBlock(_) => self.context.metadata = false,
            _ => {}
        }
        Ok(())
    }

    /// Front matter names the title; the rest of it describes and is not text.
    fn metadata(&mut self, text: &str) {
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("title:") {
                self.blocks.out.set_title(title.trim().trim_matches(['"', '\'']));
            }
        }
    }
}

fn level_number(level: HeadingLevel) -> u8 {
    level as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    fn read(text: &str) -> crate::model::Extracted {
        let mut out = TextWriter::new(&Limits::default());
        extract(text.as_bytes(), &mut out).unwrap();
        out.finish()
    }

    #[test]
    fn marks_go_and_structure_stays() {
        let out = read(
            "---\ntitle: \"Front\"\n---\n# One\n\nSome *bold* `code` [link](http://x) <b>in</b>\nline.\n\n1. a\n2. b\n   - c\n\n| x | y |\n|---|---|\n| 1 | **2** |\n\n```rs\nfn  x\n```\n\n<p>html <i>too</i></p>\n\nText[^1]\n\n[^1]: A note.\n",
        );
        assert_eq!(
            out.text,
            "One\n\nSome bold code link in line.\n\n1. a\n2. b\nc\n\nx\ty\n1\t2\n\nfn  x\n\nhtml too\n\nText\n\nA note."
        );
        assert_eq!(out.title.as_deref(), Some("Front"));
        assert_eq!(out.blocks.last().unwrap().kind, BlockKind::Note);
    }

    #[test]
    fn deep_quotes_are_flat() {
        assert_eq!(read(&format!("{}deep", "> ".repeat(60_000))).text, "deep");
    }
}
