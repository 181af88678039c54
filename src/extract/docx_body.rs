//! The body of a Word document, read as a stream: paragraphs, runs, tables, text boxes, and what hangs on them.

use std::collections::HashMap;

use crate::blocks::Blocks;
use crate::docx_lists::{Numbering, Styles, parse_number};
use crate::model::{BlockKind, ExtractError, Source};
use crate::ooxml;
use crate::package::{Package, Relation};
use crate::read;
use crate::symbols;
use crate::writer::TextWriter;
use crate::xml::{Tag, Xml};

type Texts = HashMap<String, (String, String)>;

/// Author and text of every note, by id.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub footnotes: Texts,
    pub endnotes: Texts,
    pub comments: Texts,
}

/// What belongs behind the paragraph that mentions it.
#[derive(Debug)]
enum Deferred {
    Note(&'static str, String),
    Chart(String),
    Diagram(String),
}

pub(crate) struct Body<'a, 'p, 'w> {
    package: &'a mut Package<'p>,
    source: &'a Source,
    blocks: Blocks<'w>,
    styles: Styles,
    numbering: Numbering,
    notes: Notes,
    targets: HashMap<String, String>,
    paged: bool,
    page: u32,
}

#[derive(Debug, Default)]
struct Paragraph {
    text: String,
    style: Option<String>,
    outline: Option<u8>,
    number: (Option<String>, Option<u8>),
    deferred: Vec<Deferred>,
    start_page: u32,
    mark_deleted: bool,
}

impl<'a, 'p, 'w> Body<'a, 'p, 'w> {
    #[allow(clippy::too_many_arguments)] // each is a part of the package, read before the body
    pub fn new(
        package: &'a mut Package<'p>,
        source: &'a Source,
        styles: Styles,
        numbering: Numbering,
        notes: Notes,
        relations: &[Relation],
        paged: bool,
        out: &'w mut TextWriter,
    ) -> Self {
        let targets =
            relations.iter().map(|relation| (relation.id.clone(), relation.target.clone())).collect();
        let blocks = Blocks::new(out, paged.then_some(1), None);
        Self { package, source, blocks, styles, numbering, notes, targets, paged, page: 1 }
    }

    pub fn document(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        if xml.seek("body")?.is_some() {
            self.content(xml)?;
        }
        Ok(())
    }

    /// The last page, where pages are known.
    pub fn finish(mut self) -> Result<Option<u32>, ExtractError> {
        self.blocks.finish()?;
        Ok(self.paged.then_some(self.page))
    }

    /// Block-level content up to the end of the current element.
    fn content(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "p" => self.paragraph(xml)?,
                "tbl" => self.table(xml)?,
                "altChunk" => {
                    let id = tag.attr("id");
                    xml.skip()?;
                    self.alt_chunk(id)?;
                }
                "tcPr" => self.cell_properties(xml)?,
                "sectPr" | "sdtPr" | "sdtEndPr" | "del" | "moveFrom" | "tblPr" | "tblGrid" => {
                    xml.skip()?;
                }
                "AlternateContent" => self.alternate(xml, Self::content)?,
                "oMathPara" | "oMath" => {
                    let mut text = String::new();
                    math(xml, &mut text)?;
                    self.blocks.push(BlockKind::Paragraph, 0, &text)?;
                }
                _ => self.content(xml)?,
            }
        }
        Ok(())
    }

    /// The first choice is what current programs show; the fallback says the same for older ones.
    fn alternate(
        &mut self,
        xml: &mut Xml,
        read: impl Fn(&mut Self, &mut Xml) -> Result<(), ExtractError>,
    ) -> Result<(), ExtractError> {
        let mut taken = false;
        while let Some(tag) = xml.child()? {
            if taken || (tag.name() != "Choice" && tag.name() != "Fallback") {
                xml.skip()?;
            } else {
                taken = true;
                read(self, xml)?;
            }
        }
        Ok(())
    }

    fn table(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        self.blocks.open_table();
        self.rows(xml)?;
        self.blocks.close_table()
    }

    fn rows(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "tr" => {
                    self.cells(xml)?;
                    self.blocks.close_row()?;
                }
                "tblPr" | "tblGrid" | "del" => xml.skip()?,
                _ => self.rows(xml)?,
            }
        }
        Ok(())
    }

    fn cells(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "tc" => {
                    self.blocks.open_cell();
                    self.content(xml)?;
                    self.blocks.close_cell();
                }
                "trPr" | "tblPrEx" => xml.skip()?,
                _ => self.cells(xml)?,
            }
        }
        Ok(())
    }

    fn cell_properties(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        let (mut columns, mut continued) = (1, false);
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "gridSpan" => columns = tag.number("val").unwrap_or(1).clamp(1, 1000) as usize,
                "vMerge" => continued = tag.attr("val").is_none_or(|value| value == "continue"),
                _ => {}
            }
            xml.skip()?;
        }
        if continued {
            self.blocks.continue_cell(columns);
        } else {
            self.blocks.span_cell(columns, 1);
        }
        Ok(())
    }

    /// Another document whose content stands here.
    fn alt_chunk(&mut self, id: Option<String>) -> Result<(), ExtractError> {
        let Some(target) = id.and_then(|id| self.targets.get(&id).cloned()) else { return Ok(()) };
        let Some(bytes) = self.package.read(&target, self.blocks.out)? else { return Ok(()) };
        let name = target.rsplit('/').next().unwrap_or_default();
        read::include(&bytes, name, self.source, self.blocks.out)
    }

    fn paragraph(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        let mut paragraph = Paragraph { start_page: self.page, ..Paragraph::default() };
        self.inline(xml, &mut paragraph)?;
        self.push_paragraph(paragraph)
    }

    fn push_paragraph(&mut self, paragraph: Paragraph) -> Result<(), ExtractError> {
        let style = paragraph.style.as_deref().unwrap_or_default();
        let has_text = !paragraph.text.trim().is_empty();
        let heading = paragraph.outline.filter(|level| *level < 9).map(|level| (level + 1).min(6));
        let heading = heading.or_else(|| self.styles.heading(style));
        let (from_style, style_level) = self.styles.number(style);
        let number = paragraph.number.0.clone().or(from_style).filter(|id| id != "0");
        let depth = paragraph.number.1.or(style_level).unwrap_or(0);
        // Paragraphs that only hold a picture still count in some lists, empty ones do not.
        let label = match (&number, has_text && !paragraph.mark_deleted) {
            (Some(id), true) => self.numbering.next(id, depth),
            _ => None,
        };
        let text = match label.as_deref() {
            Some(label) if !label.is_empty() => format!("{label} {}", paragraph.text.trim_start()),
            _ => paragraph.text,
        };
        let (kind, level) = match (heading, &label) {
            (Some(level), _) => (BlockKind::Heading, level),
            (None, Some(_)) => (BlockKind::ListItem, depth + 1),
            (None, None) if self.styles.is_caption(style) => (BlockKind::Caption, 0),
            _ => (BlockKind::Paragraph, 0),
        };
        self.blocks.page = self.paged.then_some(paragraph.start_page);
        self.blocks.push(kind, level, &text)?;
        for deferred in paragraph.deferred {
            self.push_deferred(deferred)?;
        }
        self.blocks.page = self.paged.then_some(self.page);
        Ok(())
    }

    fn push_deferred(&mut self, deferred: Deferred) -> Result<(), ExtractError> {
        let page = self.blocks.page;
        match deferred {
            Deferred::Note(_, text) if self.blocks.in_table() => self.blocks.push(BlockKind::Note, 0, &text),
            Deferred::Note(label, text) => {
                self.blocks.out.push_block(BlockKind::Note, 0, &text, page, Some(label))
            }
            Deferred::Chart(part) => ooxml::push_chart(self.package, &part, page, None, self.blocks.out),
            Deferred::Diagram(part) => ooxml::push_diagram(self.package, &part, page, None, self.blocks.out),
        }
    }

    /// Content of a paragraph, of a run, and of everything that may stand around runs.
    fn inline(&mut self, xml: &mut Xml, paragraph: &mut Paragraph) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "t" => paragraph.text.push_str(&xml.text()?),
                "pPr" => paragraph_properties(xml, paragraph)?,
                "tab" | "ptab" => leaf(xml, paragraph, "\t")?,
                "br" | "cr" => leaf(xml, paragraph, "\n")?,
                "noBreakHyphen" => leaf(xml, paragraph, "-")?,
                "sym" => {
                    let symbol = symbols::of_font(
                        &tag.attr("font").unwrap_or_default(),
                        &tag.attr("char").unwrap_or_default(),
                    );
                    paragraph.text.extend(symbol);
                    xml.skip()?;
                }
                "rPr" | "instrText" | "delText" | "del" | "moveFrom" | "sdtPr" | "sdtEndPr"
                | "delInstrText" | "rubyPr" | "fldData" | "ffData" => xml.skip()?,
                "lastRenderedPageBreak" => {
                    xml.skip()?;
                    self.page_break(paragraph);
                }
                "footnoteReference" | "endnoteReference" | "commentReference" => {
                    self.reference(&tag, paragraph);
                    xml.skip()?;
                }
                "ruby" => ruby(xml, &mut paragraph.text)?,
                "oMath" | "oMathPara" => math(xml, &mut paragraph.text)?,
                "AlternateContent" => self.alternate_inline(xml, paragraph)?,
                "drawing" | "pict" | "object" => self.drawing(xml, paragraph)?,
                "txbxContent" => self.content(xml)?,
                _ => self.inline(xml, paragraph)?,
            }
        }
        Ok(())
    }

    fn alternate_inline(&mut self, xml: &mut Xml, paragraph: &mut Paragraph) -> Result<(), ExtractError> {
        let mut taken = false;
        while let Some(tag) = xml.child()? {
            if taken || (tag.name() != "Choice" && tag.name() != "Fallback") {
                xml.skip()?;
            } else {
                taken = true;
                self.inline(xml, paragraph)?;
            }
        }
        Ok(())
    }

    fn page_break(&mut self, paragraph: &mut Paragraph) {
        self.page = self.page.saturating_add(1);
        if paragraph.text.trim().is_empty() {
            paragraph.start_page = self.page;
        }
    }

    fn reference(&mut self, tag: &Tag, paragraph: &mut Paragraph) {
        let (label, texts) = match tag.name() {
            "footnoteReference" => ("Footnote", &self.notes.footnotes),
            "endnoteReference" => ("Endnote", &self.notes.endnotes),
            _ => ("Comment", &self.notes.comments),
        };
        if let Some((author, text)) = tag.attr("id").and_then(|id| texts.get(&id)) {
            let text = if author.is_empty() { text.clone() } else { format!("{author}: {text}") };
            paragraph.deferred.push(Deferred::Note(label, text));
        }
    }

    /// Pictures, shapes and objects: their text boxes are content, charts and diagrams come after the paragraph.
    fn drawing(&mut self, xml: &mut Xml, paragraph: &mut Paragraph) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "txbxContent" => self.content(xml)?,
                "chart" => {
                    paragraph.deferred.extend(self.target(&tag, "id").map(Deferred::Chart));
                    xml.skip()?;
                }
                "relIds" => {
                    paragraph.deferred.extend(self.target(&tag, "dm").map(Deferred::Diagram));
                    xml.skip()?;
                }
                "textpath" => {
                    let text = tag.attr("string").unwrap_or_default();
                    xml.skip()?;
                    self.blocks.push(BlockKind::Paragraph, 0, &text)?;
                }
                "txBody" => {
                    for text in ooxml::drawing_text(xml)? {
                        self.blocks.push(BlockKind::Paragraph, 0, &text)?;
                    }
                }
                "AlternateContent" => {
                    let mut taken = false;
                    while let Some(tag) = xml.child()? {
                        if taken || (tag.name() != "Choice" && tag.name() != "Fallback") {
                            xml.skip()?;
                        } else {
                            taken = true;
                            self.drawing(xml, paragraph)?;
                        }
                    }
                }
                _ => self.drawing(xml, paragraph)?,
            }
        }
        Ok(())
    }

    fn target(&self, tag: &Tag, attribute: &str) -> Option<String> {
        self.targets.get(&tag.attr(attribute)?).cloned()
    }
}

fn leaf(xml: &mut Xml, paragraph: &mut Paragraph, text: &str) -> Result<(), ExtractError> {
    paragraph.text.push_str(text);
    xml.skip()
}

fn paragraph_properties(xml: &mut Xml, paragraph: &mut Paragraph) -> Result<(), ExtractError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "pStyle" => paragraph.style = tag.attr("val"),
            "outlineLvl" => paragraph.outline = tag.number("val").map(|level| level.clamp(0, 9) as u8),
            "numPr" => {
                paragraph.number = parse_number(xml)?;
                continue;
            }
            "rPr" => {
                while let Some(tag) = xml.child()? {
                    paragraph.mark_deleted |= tag.name() == "del";
                    xml.skip()?;
                }
                continue;
            }
            _ => {}
        }
        xml.skip()?;
    }
    Ok(())
}

/// Base text with its reading in brackets.
fn ruby(xml: &mut Xml, text: &mut String) -> Result<(), ExtractError> {
    let (mut base, mut reading) = (String::new(), String::new());
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "rt" => reading = ooxml::flat_text(xml)?,
            "rubyBase" => base = ooxml::flat_text(xml)?,
            _ => xml.skip()?,
        }
    }
    text.push_str(base.trim_end());
    if !reading.trim().is_empty() {
        text.extend([" (", reading.trim(), ")"]);
    }
    Ok(())
}

/// Formulas as a line: fractions with a stroke, sub- and superscripts with their marks.
fn math(xml: &mut Xml, text: &mut String) -> Result<(), ExtractError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "t" => text.push_str(&xml.text()?),
            "den" => {
                text.push('/');
                math(xml, text)?;
            }
            "sub" => {
                text.push('_');
                math(xml, text)?;
            }
            "sup" => {
                text.push('^');
                math(xml, text)?;
            }
            "begChr" | "endChr" | "chr" => {
                text.push_str(&tag.attr("val").unwrap_or_default());
                xml.skip()?;
            }
            "rPr" | "fPr" | "ctrlPr" | "sSubPr" | "sSupPr" => xml.skip()?,
            "mr" | "e" => {
                math(xml, text)?;
                text.push(' ');
            }
            _ => math(xml, text)?,
        }
    }
    Ok(())
}
