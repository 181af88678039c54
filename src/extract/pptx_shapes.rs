//! The shapes of one slide, master or notes page: text with its place, tables, and what is drawn from other parts.

use crate::model::{BlockKind, ExtractError};
use crate::numbers;
use crate::xml::{Tag, Xml};

/// What a shape is on its slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Title,
    Subtitle,
    Body,
    /// Header, footer and date.
    Footer,
    /// Slide numbers and thumbnails: nothing to read.
    Nothing,
    /// No placeholder: a text box, a shape.
    Free,
}

#[derive(Debug)]
pub(crate) enum Item {
    Text {
        place: Place,
        kind: BlockKind,
        level: u8,
        text: String,
    },
    Row(Vec<String>),
    /// Relation ids.
    Chart(String),
    Diagram(String),
}

#[derive(Debug, Default)]
pub(crate) struct Shapes {
    items: Vec<Item>,
}

/// Looks of one paragraph.
#[derive(Debug, Default)]
struct Look {
    level: u8,
    number: Option<(String, i64)>,
    bullet: Option<bool>,
}

impl Shapes {
    pub fn read(xml: &mut Xml) -> Result<Vec<Item>, ExtractError> {
        let mut shapes = Self::default();
        shapes.tree(xml)?;
        Ok(shapes.items)
    }

    fn tree(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "sp" | "cxnSp" => self.shape(xml)?,
                "tbl" => self.table(xml)?,
                "chart" => {
                    self.items.extend(tag.attr("id").map(Item::Chart));
                    xml.skip()?;
                }
                "relIds" => {
                    self.items.extend(tag.attr("dm").map(Item::Diagram));
                    xml.skip()?;
                }
                "AlternateContent" => self.alternate(xml)?,
                "extLst" | "timing" | "transition" | "nvGrpSpPr" | "pic" => xml.skip()?,
                _ => self.tree(xml)?,
            }
        }
        Ok(())
    }

    /// The first choice that says anything; the fallback of a new object is often only its picture.
    fn alternate(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        let before = self.items.len();
        while let Some(tag) = xml.child()? {
            if self.items.len() > before || !matches!(tag.name(), "Choice" | "Fallback") {
                xml.skip()?;
            } else {
                self.tree(xml)?;
            }
        }
        Ok(())
    }

    fn shape(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        let mut place = Place::Free;
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "nvSpPr" => place = find_place(xml)?.unwrap_or(Place::Free),
                "txBody" => self.text_body(xml, place)?,
                _ => xml.skip()?,
            }
        }
        Ok(())
    }

    fn text_body(&mut self, xml: &mut Xml, place: Place) -> Result<(), ExtractError> {
        let mut counters = [0i64; 10];
        let mut lines: Vec<String> = Vec::new();
        while let Some(tag) = xml.child()? {
            if tag.name() != "p" {
                xml.skip()?;
                continue;
            }
            let (text, look) = paragraph(xml)?;
            match place {
                // A title is one heading, whatever its line ends.
                Place::Title | Place::Footer => lines.push(text.replace('\n', " ")),
                Place::Nothing => {}
                _ => self.push_paragraph(place, &text, &look, &mut counters),
            }
        }
        let text = lines.join(" ").trim().to_owned();
        if !text.is_empty() {
            let (kind, level) =
                if place == Place::Title { (BlockKind::Heading, 1) } else { (BlockKind::Note, 0) };
            self.items.push(Item::Text { place, kind, level, text });
        }
        Ok(())
    }

    fn push_paragraph(&mut self, place: Place, text: &str, look: &Look, counters: &mut [i64; 10]) {
        let level = usize::from(look.level.min(9));
        if text.trim().is_empty() {
            return;
        }
        counters[level + 1..].fill(0);
        let label = if let Some((format, start)) = &look.number {
            counters[level] = if counters[level] == 0 { *start } else { counters[level] + 1 };
            auto_number(format, counters[level])
        } else {
            counters[level] = 0;
            String::new()
        };
        let is_item = look.number.is_some() || look.bullet.unwrap_or(place == Place::Body);
        let kind = if is_item { BlockKind::ListItem } else { BlockKind::Paragraph };
        let shown = if is_item { look.level + 1 } else { 0 };
        self.items.push(Item::Text { place, kind, level: shown, text: format!("{label}{text}") });
    }

    fn table(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            if tag.name() != "tr" {
                xml.skip()?;
                continue;
            }
            let mut row = Vec::new();
            while let Some(tag) = xml.child()? {
                if tag.name() != "tc" {
                    xml.skip()?;
                    continue;
                }
                let merged = tag.flag("hMerge").unwrap_or(false) || tag.flag("vMerge").unwrap_or(false);
                let text = crate::ooxml::drawing_text(xml)?.join(" ");
                row.push(if merged { String::new() } else { text });
            }
            self.items.push(Item::Row(row));
        }
        Ok(())
    }
}

fn find_place(xml: &mut Xml) -> Result<Option<Place>, ExtractError> {
    let mut found = None;
    while let Some(tag) = xml.child()? {
        if tag.name() == "ph" {
            found = Some(place_of(&tag));
        }
        found = find_place(xml)?.or(found);
    }
    Ok(found)
}

fn place_of(tag: &Tag) -> Place {
    match tag.attr("type").as_deref() {
        Some("title" | "ctrTitle") => Place::Title,
        Some("subTitle") => Place::Subtitle,
        Some("ftr" | "hdr" | "dt" | "sldNum") => Place::Footer,
        Some("sldImg") => Place::Nothing,
        _ => Place::Body,
    }
}

fn paragraph(xml: &mut Xml) -> Result<(String, Look), ExtractError> {
    let (mut text, mut look) = (String::new(), Look::default());
    runs(xml, &mut text, &mut look)?;
    Ok((text, look))
}

fn runs(xml: &mut Xml, text: &mut String, look: &mut Look) -> Result<(), ExtractError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "t" => text.push_str(&xml.text()?),
            "br" => {
                text.push('\n');
                xml.skip()?;
            }
            "tab" => {
                text.push('\t');
                xml.skip()?;
            }
            "pPr" => {
                look.level = tag.number("lvl").unwrap_or(0).clamp(0, 8) as u8;
                bullets(xml, look)?;
            }
            "rPr" | "endParaRPr" | "Fallback" => xml.skip()?,
            _ => runs(xml, text, look)?,
        }
    }
    Ok(())
}

fn bullets(xml: &mut Xml, look: &mut Look) -> Result<(), ExtractError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "buNone" => look.bullet = Some(false),
            "buChar" | "buBlip" => look.bullet = Some(true),
            "buAutoNum" => {
                look.number =
                    Some((tag.attr("type").unwrap_or_default(), tag.number("startAt").unwrap_or(1)));
            }
            _ => {}
        }
        xml.skip()?;
    }
    Ok(())
}

/// A number such as `alphaLcParenR` names it: format and punctuation in one word.
fn auto_number(format: &str, value: i64) -> String {
    let kind = if format.starts_with("alphaLc")
        || format.starts_with("alphaUc")
        || format.starts_with("romanLc")
        || format.starts_with("romanUc")
    {
        &format[..7]
    } else {
        "decimal"
    };
    let number = numbers::show(kind, value);
    if format.ends_with("ParenBoth") {
        format!("({number}) ")
    } else if format.ends_with("ParenR") {
        format!("{number}) ")
    } else if format.ends_with("Plain") {
        format!("{number} ")
    } else {
        format!("{number}. ")
    }
}
