//! What Word, PowerPoint and Excel files have in common: properties, charts, diagrams and embedded objects.

use crate::model::{BlockKind, ExtractError, Source};
use crate::ole;
use crate::package::{Package, Relation};
use crate::read;
use crate::writer::TextWriter;
use crate::xml::{Node, Xml};

/// The main part of a package, by its relations.
pub(crate) fn main_part(
    package: &mut Package,
    usual: &str,
    out: &mut TextWriter,
) -> Result<String, ExtractError> {
    let relations = package.relations("", out)?;
    let named = relations
        .into_iter()
        .find(|relation| relation.kind == "officeDocument")
        .map(|relation| relation.target);
    Ok(named.filter(|part| package.has(part)).unwrap_or_else(|| usual.to_owned()))
}

/// Title and page count from the properties.
pub(crate) fn properties(package: &mut Package, out: &mut TextWriter) -> Result<Option<u32>, ExtractError> {
    if let Some(text) = package.read_xml("docProps/core.xml", out)? {
        let mut xml = Xml::new(&text);
        if xml.seek("title")?.is_some() {
            let title = xml.text()?;
            out.set_title(&title);
        }
    }
    let Some(text) = package.read_xml("docProps/app.xml", out)? else { return Ok(None) };
    let mut xml = Xml::new(&text);
    if xml.seek("Pages")?.is_none() {
        return Ok(None);
    }
    Ok(xml.text()?.trim().parse().ok())
}

/// Keywords, subject and description: words people put there in order to find the file.
pub(crate) fn push_keywords(package: &mut Package, out: &mut TextWriter) -> Result<(), ExtractError> {
    let Some(text) = package.read_xml("docProps/core.xml", out)? else { return Ok(()) };
    let mut xml = Xml::new(&text);
    if xml.child()?.is_none() {
        return Ok(());
    }
    while let Some(tag) = xml.child()? {
        let label = match tag.name() {
            "subject" => "Subject",
            "keywords" => "Keywords",
            "description" => "Description",
            "category" => "Category",
            _ => {
                xml.skip()?;
                continue;
            }
        };
        let value = xml.text()?;
        if !value.trim().is_empty() {
            out.push_block(
                BlockKind::Note,
                0,
                &format!("{label}: {}", value.trim()),
                None,
                Some("Properties"),
            )?;
        }
    }
    Ok(())
}

/// A chart's title and axis titles, then its data: a row of categories and a row for each series.
pub(crate) fn push_chart(
    package: &mut Package,
    part: &str,
    page: Option<u32>,
    label: Option<&str>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let Some(text) = package.read_xml(part, out)? else { return Ok(()) };
    let chart = Chart::parse(&mut Xml::new(&text))?;
    for title in &chart.titles {
        out.push_block(BlockKind::Caption, 0, title, page, label)?;
    }
    let mut shown: Vec<String> = Vec::new();
    for series in &chart.series {
        if series.categories != shown && !series.categories.is_empty() {
            let mut row = vec![String::new()];
            row.extend(series.categories.iter().cloned());
            out.push_row(&row, page, label)?;
            shown.clone_from(&series.categories);
        }
        let mut row = vec![series.name.clone()];
        row.extend(series.values.iter().cloned());
        out.push_row(&row, page, label)?;
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Series {
    name: String,
    categories: Vec<String>,
    values: Vec<String>,
}

#[derive(Debug, Default)]
struct Chart {
    titles: Vec<String>,
    series: Vec<Series>,
}

impl Chart {
    fn parse(xml: &mut Xml) -> Result<Self, ExtractError> {
        let mut chart = Self::default();
        chart.element(xml)?;
        Ok(chart)
    }

    fn element(&mut self, xml: &mut Xml) -> Result<(), ExtractError> {
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "txPr" => xml.skip()?,
                "title" => {
                    let text = drawing_text(xml)?.join(" ");
                    if !text.trim().is_empty() {
                        self.titles.push(text);
                    }
                }
                "ser" | "series" => {
                    let series = series(xml)?;
                    self.series.push(series);
                }
                _ => self.element(xml)?,
            }
        }
        Ok(())
    }
}

fn series(xml: &mut Xml) -> Result<Series, ExtractError> {
    let mut found = Series::default();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "tx" => found.name = points(xml)?.join(" "),
            "cat" | "xVal" => found.categories = points(xml)?,
            "val" | "yVal" => found.values = points(xml)?,
            _ => xml.skip()?,
        }
    }
    Ok(found)
}

/// The cached values (`v`) of a reference or literal.
fn points(xml: &mut Xml) -> Result<Vec<String>, ExtractError> {
    let mut values = Vec::new();
    collect_points(xml, &mut values)?;
    Ok(values)
}

fn collect_points(xml: &mut Xml, values: &mut Vec<String>) -> Result<(), ExtractError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "v" | "t" => {
                let value = xml.text()?;
                values.push(tidy_number(&value));
            }
            "f" | "formatCode" => xml.skip()?,
            _ => collect_points(xml, values)?,
        }
    }
    Ok(())
}

/// Cached numbers carry the noise of binary fractions.
fn tidy_number(value: &str) -> String {
    match value.trim().parse::<f64>() {
        Ok(number) if value.trim().len() > 12 => crate::number_format::general(number),
        _ => value.trim().to_owned(),
    }
}

/// The paragraphs of DrawingML text below the current element.
pub(crate) fn drawing_text(xml: &mut Xml) -> Result<Vec<String>, ExtractError> {
    let mut paragraphs = vec![String::new()];
    collect_drawing(xml, &mut paragraphs)?;
    paragraphs.retain(|text| !text.trim().is_empty());
    Ok(paragraphs)
}

fn collect_drawing(xml: &mut Xml, paragraphs: &mut Vec<String>) -> Result<(), ExtractError> {
    while let Some(tag) = xml.child()? {
        let push = |paragraphs: &mut Vec<String>, text: &str| {
            if let Some(last) = paragraphs.last_mut() {
                last.push_str(text);
            }
        };
        match tag.name() {
            "t" | "v" => {
                let text = xml.text()?;
                push(paragraphs, &text);
            }
            "br" => {
                push(paragraphs, "\n");
                xml.skip()?;
            }
            "p" => {
                paragraphs.push(String::new());
                collect_drawing(xml, paragraphs)?;
                paragraphs.push(String::new());
            }
            "Fallback" | "f" => xml.skip()?,
            _ => collect_drawing(xml, paragraphs)?,
        }
    }
    Ok(())
}

/// A diagram's (SmartArt's) points, in the order of its data.
pub(crate) fn push_diagram(
    package: &mut Package,
    part: &str,
    page: Option<u32>,
    label: Option<&str>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let Some(text) = package.read_xml(part, out)? else { return Ok(()) };
    let mut xml = Xml::new(&text);
    while let Some(tag) = xml.seek("pt")? {
        let is_text = tag.attr("type").is_none_or(|kind| matches!(kind.as_str(), "node" | "doc" | "asst"));
        if !is_text {
            xml.skip()?;
            continue;
        }
        let paragraphs = drawing_text(&mut xml)?;
        out.push_block(BlockKind::ListItem, 1, &paragraphs.join("\n"), page, label)?;
    }
    Ok(())
}

/// Documents embedded in a part: packages, OLE objects and attached files, each once.
pub(crate) fn embed_objects(
    package: &mut Package,
    relations: &[Relation],
    seen: &mut Vec<String>,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    for relation in relations {
        let wanted = matches!(relation.kind.as_str(), "package" | "oleObject" | "attachment");
        if !wanted || relation.external || seen.contains(&relation.target) {
            continue;
        }
        seen.push(relation.target.clone());
        let Some(bytes) = package.read(&relation.target, out)? else { continue };
        let name = relation.target.rsplit('/').next().unwrap_or_default();
        if ole::is_ole(&bytes) {
            ole::embed_object(&bytes, name, source, out)?;
        } else {
            read::embed(&bytes, name, source, out)?;
        }
    }
    Ok(())
}

/// Who wrote a comment, and when, as far as known.
pub(crate) fn signed(author: &str, time: Option<&str>) -> String {
    match (author.trim(), time) {
        ("", _) => String::new(),
        (author, Some(time)) => format!("{author}, {}", time.split('.').next().unwrap_or(time)),
        (author, None) => author.to_owned(),
    }
}

/// Plain text of WordprocessingML: paragraphs end lines, cells part by tabs, deleted text and fallbacks left out.
pub(crate) fn flat_text(xml: &mut Xml) -> Result<String, ExtractError> {
    let mut text = String::new();
    collect_flat(xml, &mut text)?;
    Ok(text)
}

fn collect_flat(xml: &mut Xml, text: &mut String) -> Result<(), ExtractError> {
    while let Some(node) = xml.node()? {
        let Node::Tag(tag) = node else { continue };
        match tag.name() {
            "t" => text.push_str(&xml.text()?),
            "tab" => {
                text.push('\t');
                xml.skip()?;
            }
            "br" | "cr" => {
                text.push('\n');
                xml.skip()?;
            }
            "noBreakHyphen" => {
                text.push('-');
                xml.skip()?;
            }
            "instrText" | "del" | "moveFrom" | "Fallback" | "pPr" | "rPr" | "delText" => xml.skip()?,
            "tc" => {
                collect_flat(xml, text)?;
                let end = text.trim_end_matches('\n').len();
                text.truncate(end);
                text.push('\t');
            }
            "p" | "tr" => {
                collect_flat(xml, text)?;
                text.push('\n');
            }
            _ => collect_flat(xml, text)?,
        }
    }
    Ok(())
}
