//! The body of an OpenDocument file, read as a stream.

use std::collections::HashMap;

use crate::blocks::Blocks;
use crate::model::{BlockKind, ExtractError, Format};
use crate::numbers;
use crate::xml::{Node, Tag, Xml};

/// A cell repeated more often than this is empty space with a style.
const MAX_REPEAT: i64 = 64;
const MAX_ROW_REPEAT: i64 = 1000;

/// Number format, prefix, suffix, start and levels shown, of one level of a list style.
#[derive(Debug, Clone, Default)]
struct ListLevel {
    format: String,
    prefix: String,
    suffix: String,
    start: i64,
    display: usize,
}

#[derive(Debug)]
struct List {
    style: String,
    counter: i64,
}

pub(crate) struct Body<'w> {
    blocks: Blocks<'w>,
    format: Format,
    lists: Vec<List>,
    list_styles: HashMap<String, Vec<ListLevel>>,
    /// The first paragraph of an item carries its number.
    item: Option<String>,
    in_item: bool,
    /// Slides and sheets so far.
    page: u32,
    in_notes: bool,
    class: Option<String>,
    objects: Vec<String>,
    /// Notes behind the paragraph that mentions them.
    notes: Vec<String>,
}

impl<'w> Body<'w> {
    pub fn new(blocks: Blocks<'w>, format: Format, sources: &[&str]) -> Result<Self, ExtractError> {
        let mut list_styles = HashMap::new();
        for source in sources {
            list_levels(source, &mut list_styles)?;
        }
        Ok(Self {
            blocks,
            format,
            lists: Vec::new(),
            list_styles,
            item: None,
            in_item: false,
            page: 0,
            in_notes: false,
            class: None,
            objects: Vec::new(),
            notes: Vec::new(),
        })
    }

    pub fn document(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        if xml.seek("body")?.is_some() {
            self.content(xml)?;
        }
        Ok(())
    }

    /// Ends open tables; the answer is the objects the body shows.
    pub fn finish(mut self) -> Result<Vec<String>, ExtractError> {
        self.blocks.finish()?;
        if self.page > 0 {
            self.blocks.out.set_pages(self.page);
        }
        Ok(self.objects)
    }

    fn content(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            self.element(&tag, xml)?;
        }
        Ok(())
    }

    fn element(&mut self, tag: &Tag, xml: &mut Xml) -> Result<(), ExtractError> {
        match tag.full_name() {
            "text:h" => {
                let level = tag.number("outline-level").unwrap_or(1).clamp(1, 6) as u8;
                self.paragraph(xml, BlockKind::Heading, level)
            }
            "text:p" => {
                let (kind, level) = self.kind();
                self.paragraph(xml, kind, level)
            }
            "text:list" => self.list(tag, xml),
            "table:table" => self.table(tag, xml),
            "draw:page" => self.slide(tag, xml),
            "presentation:notes" => {
                self.in_notes = true;
                let result = self.content(xml);
                self.in_notes = false;
                result
            }
            "draw:frame" | "draw:custom-shape" => self.frame(tag, xml),
            "draw:object" | "draw:object-ole" | "draw:plugin" => {
                let target = tag.attr("href").unwrap_or_default();
                let target = target.trim_start_matches("./").trim_end_matches('/');
                if !target.is_empty() && !target.contains("://") {
                    self.objects.push(target.to_owned());
                }
                self.content(xml)
            }
            "text:tracked-changes"
            | "office:settings"
            | "office:forms"
            | "table:calculation-settings"
            | "svg:title"
            | "svg:desc"
            | "text:sequence-decls"
            | "office:binary-data"
            | "table:shapes"
                if tag.full_name() != "table:shapes" =>
            {
                xml.skip()
            }
            "math:annotation" | "annotation" => xml.skip(),
            "math:math" | "math" => {
                let text = xml.text()?;
                self.blocks.push(
                    BlockKind::Paragraph,
                    0,
                    text.split_whitespace().collect::<Vec<_>>().join(" ").as_str(),
                )
            }
            "office:annotation" => {
                let text = flat_text(xml)?;
                self.blocks.push(BlockKind::Note, 0, text.trim())
            }
            _ => self.content(xml),
        }
    }

    fn kind(&self) -> (BlockKind, u8) {
        match self.class.as_deref() {
            _ if self.in_notes => (BlockKind::Note, 0),
            Some("title") => (BlockKind::Heading, 1),
            _ if self.in_item => (BlockKind::ListItem, self.lists.len().clamp(1, 20) as u8),
            _ => (BlockKind::Paragraph, 0),
        }
    }

    fn paragraph(&mut self, xml: &mut Xml, kind: BlockKind, level: u8) -> Result<(), ExtractError> {
        let mut text = String::new();
        self.inline(xml, &mut text)?;
        if let Some(label) = self.item.take().filter(|label| !label.is_empty() && !text.trim().is_empty()) {
            text = format!("{label} {}", text.trim_start());
        }
        self.blocks.push(kind, level, &text)?;
        for note in std::mem::take(&mut self.notes) {
            self.blocks.push(BlockKind::Note, 0, &note)?;
        }
        Ok(())
    }

    /// White space collapses as in HTML; spaces that count are elements.
    fn inline(&mut self, xml: &mut Xml, text: &mut String) -> Result<(), ExtractError> {
        while let Some(node) = xml.node()? {
            let tag = match node {
                Node::Text(piece) => {
                    push_collapsed(text, &piece);
                    continue;
                }
                Node::Tag(tag) => tag,
            };
            match tag.full_name() {
                "text:s" => {
                    let count = tag.number("c").unwrap_or(1).clamp(1, 1000) as usize;
                    text.extend(std::iter::repeat_n(' ', count));
                    xml.skip()?;
                }
                "text:tab" => {
                    text.push('\t');
                    xml.skip()?;
                }
                "text:line-break" => {
                    text.push('\n');
                    xml.skip()?;
                }
                "text:note" => self.note(xml)?,
                "office:annotation" => {
                    let note = flat_text(xml)?;
                    self.notes.push(note.trim().to_owned());
                }
                "text:ruby" => ruby(xml, text)?,
                "office:annotation-end"
                | "text:bookmark"
                | "text:tracked-changes"
                | "svg:title"
                | "svg:desc" => xml.skip()?,
                "draw:frame" | "draw:custom-shape" | "draw:text-box" | "table:table" | "draw:object"
                | "draw:object-ole" | "draw:g" | "draw:rect" | "draw:line" | "text:p" | "text:h"
                | "text:list" => self.element(&tag, xml)?,
                _ => self.inline(xml, text)?,
            }
        }
        Ok(())
    }

    fn note(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            if tag.name() == "note-body" {
                let text = flat_text(xml)?;
                self.notes.push(text.trim().to_owned());
            } else {
                xml.skip()?;
            }
        }
        Ok(())
    }

    fn list(&mut self, tag: &Tag, xml: &mut Xml) -> Result<(), ExtractError> {
        let style = tag
            .attr("style-name")
            .or_else(|| self.lists.last().map(|list| list.style.clone()))
            .unwrap_or_default();
        let start = self.level_of(&style, self.lists.len()).map_or(1, |level| level.start);
        let outer = (self.item.take(), self.in_item);
        self.lists.push(List { style, counter: start - 1 });
        while let Some(tag) = xml.child()? {
            if tag.name() == "list-item" {
                let depth = self.lists.len();
                if let Some(list) = self.lists.last_mut() {
                    list.counter = tag.number("start-value").unwrap_or(list.counter.saturating_add(1));
                }
                self.item = Some(self.label(depth));
            }
            self.in_item = true;
            self.content(xml)?;
        }
        self.lists.pop();
        (self.item, self.in_item) = outer;
        Ok(())
    }

    fn level_of(&self, style: &str, depth: usize) -> Option<&ListLevel> {
        self.list_styles.get(style)?.get(depth)
    }

    fn label(&self, depth: usize) -> String {
        let Some(list) = self.lists.last() else { return String::new() };
        let Some(level) = self.level_of(&list.style, depth - 1).filter(|level| !level.format.is_empty())
        else {
            return String::new();
        };
        let first = depth.saturating_sub(level.display.max(1));
        let shown: Vec<String> = (first..depth)
            .map(|at| {
                let format = self.level_of(&list.style, at).map_or("1", |level| level.format.as_str());
                numbers::show(odf_format(format), self.lists[at].counter)
            })
            .collect();
        format!("{}{}{}", level.prefix, shown.join("."), level.suffix)
    }

    fn slide(&mut self, tag: &Tag, xml: &mut Xml) -> Result<(), ExtractError> {
        self.page += 1;
        self.blocks.page = Some(self.page);
        let _ = tag;
        self.content(xml)?;
        self.blocks.page = None;
        Ok(())
    }

    fn frame(&mut self, tag: &Tag, xml: &mut Xml) -> Result<(), ExtractError> {
        let class = tag.attr_exact("presentation:class");
        if matches!(class.as_deref(), Some("page" | "page-number")) {
            return xml.skip();
        }
        let outer = (
            std::mem::replace(&mut self.class, class),
            self.item.take(),
            std::mem::take(&mut self.in_item),
            std::mem::take(&mut self.lists),
        );
        let result = self.content(xml);
        (self.class, self.item, self.in_item, self.lists) = outer;
        result
    }

    fn table(&mut self, tag: &Tag, xml: &mut Xml) -> Result<(), ExtractError> {
        let sheet = self.format == Format::Ods && !self.blocks.in_table() && self.class.is_none();
        if sheet {
            self.page += 1;
            let name = tag.attr("name").unwrap_or_default();
            self.blocks.page = Some(self.page);
            self.blocks.label = Some(name.clone());
            self.blocks.push(BlockKind::Heading, 1, &name)?;
        }
        self.blocks.open_table();
        self.rows(xml)?;
        self.blocks.close_table()?;
        if sheet {
            (self.blocks.page, self.blocks.label) = (None, None);
        }
        Ok(())
    }

    fn rows(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            match tag.full_name() {
                "table:table-row" => {
                    let repeat = tag.number("number-rows-repeated").unwrap_or(1).clamp(1, MAX_ROW_REPEAT);
                    self.row(xml, repeat)?;
                }
                "table:shapes" | "draw:frame" => self.element(&tag, xml)?,
                "office:forms" | "table:table-source" | "office:dde-source" => xml.skip()?,
                _ => self.rows(xml)?,
            }
        }
        Ok(())
    }

    fn row(&mut self, xml: &mut Xml, repeat: i64) -> Result<(), ExtractError> {
        let mut cells: Vec<(String, i64)> = Vec::new();
        let simple = self.format == Format::Ods && !self.blocks.in_nested_table();
        if !simple {
            while let Some(tag) = xml.child()? {
                self.blocks.open_cell();
                self.content(xml)?;
                let again = tag.number("number-columns-repeated").unwrap_or(1).clamp(1, MAX_REPEAT);
                self.blocks.repeat_cell(again as usize - 1);
            }
            return self.blocks.close_row();
        }
        let mut extra = Vec::new();
        while let Some(tag) = xml.child()? {
            let again = tag.number("number-columns-repeated").unwrap_or(1).max(1);
            let text = self.sheet_cell(xml, &mut extra)?;
            cells.push((text, again));
        }
        let used = cells.iter().rposition(|(text, _)| !text.is_empty()).map_or(0, |at| at + 1);
        for _ in 0..if used == 0 { 0 } else { repeat } {
            for (text, again) in &cells[..used] {
                let again = if text.is_empty() { (*again).min(16) } else { (*again).min(MAX_REPEAT) };
                for _ in 0..again {
                    self.blocks.open_cell();
                    self.blocks.push(BlockKind::Paragraph, 0, text)?;
                }
            }
            self.blocks.close_row()?;
        }
        for (kind, text) in extra {
            self.blocks.push(kind, 0, &text)?;
            self.blocks.close_row()?;
        }
        Ok(())
    }

    /// A cell's displayed text; comments and shapes anchored to it come after the row.
    fn sheet_cell(
        &mut self,
        xml: &mut Xml,
        extra: &mut Vec<(BlockKind, String)>,
    ) -> Result<String, ExtractError> {
        let mut text = String::new();
        while let Some(tag) = xml.child()? {
            match tag.full_name() {
                "text:p" => {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    self.inline(xml, &mut text)?;
                }
                "office:annotation" => extra.push((BlockKind::Note, flat_text(xml)?.trim().to_owned())),
                "draw:frame" | "draw:custom-shape" => {
                    let mut objects = Vec::new();
                    let shape = shape_text(xml, &mut objects)?;
                    self.objects.extend(objects);
                    extra.push((BlockKind::Paragraph, shape.trim().to_owned()));
                }
                _ => xml.skip()?,
            }
        }
        Ok(text)
    }
}

fn shape_text(xml: &mut Xml, objects: &mut Vec<String>) -> Result<String, ExtractError> {
    let mut text = String::new();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "object" | "object-ole" => {
                objects.extend(tag.attr("href").map(|href| href.trim_start_matches("./").to_owned()));
                xml.skip()?;
            }
            "p" | "h" => {
                text.push_str(&flat_text(xml)?);
                text.push('\n');
            }
            _ => text.push_str(&shape_text(xml, objects)?),
        }
    }
    Ok(text)
}

fn odf_format(format: &str) -> &str {
    match format {
        "a" => "lowerLetter",
        "A" => "upperLetter",
        "i" => "lowerRoman",
        "I" => "upperRoman",
        _ => "decimal",
    }
}

fn list_levels(source: &str, found: &mut HashMap<String, Vec<ListLevel>>) -> Result<(), ExtractError> {
    if !source.contains("list-level-style-number") {
        return Ok(());
    }
    let mut xml = Xml::new(source);
    while let Some(tag) = xml.seek("list-style")? {
        let name = tag.attr("name").unwrap_or_default();
        let mut levels: Vec<ListLevel> = Vec::new();
        while let Some(tag) = xml.child()? {
            let at = tag.number("level").unwrap_or(1).clamp(1, 10) as usize - 1;
            levels.resize(levels.len().max(at + 1), ListLevel::default());
            if tag.name() == "list-level-style-number" {
                levels[at] = ListLevel {
                    format: tag.attr_exact("style:num-format").unwrap_or_default(),
                    prefix: tag.attr_exact("style:num-prefix").unwrap_or_default(),
                    suffix: tag.attr_exact("style:num-suffix").unwrap_or_default(),
                    start: tag.number("start-value").unwrap_or(1),
                    display: tag.number("display-levels").unwrap_or(1).clamp(1, 10) as usize,
                };
            } else {
                levels[at].start = 1;
            }
            xml.skip()?;
        }
        found.insert(name, levels);
    }
    Ok(())
}

fn push_collapsed(text: &mut String, piece: &str) {
    for c in piece.chars() {
        if c.is_ascii_whitespace() {
            if !text.is_empty() && !text.ends_with([' ', '\n', '\t']) {
                text.push(' ');
            }
        } else {
            text.push(c);
        }
    }
}

fn ruby(xml: &mut Xml, text: &mut String) -> Result<(), ExtractError> {
    while let Some(tag) = xml.child()? {
        let name = tag.name().to_owned();
        let piece = flat_text(xml)?;
        if name == "ruby-text" {
            text.extend([" (", piece.trim(), ")"]);
        } else {
            text.push_str(piece.trim_end());
        }
    }
    Ok(())
}

/// The paragraphs below the current element, a line each. Authors and dates of comments are left out.
pub(crate) fn flat_text(xml: &mut Xml) -> Result<String, ExtractError> {
    let mut text = String::new();
    collect(xml, &mut text)?;
    Ok(text)
}

fn collect(xml: &mut Xml, text: &mut String) -> Result<(), ExtractError> {
    while let Some(node) = xml.node()? {
        let tag = match node {
            Node::Text(piece) => {
                push_collapsed(text, &piece);
                continue;
            }
            Node::Tag(tag) => tag,
        };
        match tag.name() {
            "date" | "creator" | "creator-initials" | "date-string"
                if !tag.full_name().starts_with("text:") =>
            {
                xml.skip()?;
            }
            "title" | "desc" if tag.full_name().starts_with("svg:") => xml.skip()?,
            "s" => {
                text.push(' ');
                xml.skip()?;
            }
            "tab" => {
                text.push('\t');
                xml.skip()?;
            }
            "line-break" => {
                text.push('\n');
                xml.skip()?;
            }
            "p" | "h" => {
                collect(xml, text)?;
                text.push('\n');
            }
            _ => collect(xml, text)?,
        }
    }
    Ok(())
}
