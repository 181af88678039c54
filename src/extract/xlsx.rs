//! Excel workbooks (OOXML): sheets as rows of cells as displayed, with comments, text boxes, charts and margins.

use std::collections::HashMap;

use crate::model::{BlockKind, ExtractError, Source};
use crate::number_format::NumberFormat;
use crate::ooxml;
use crate::package::{Package, Relation};
use crate::writer::{TextWriter, damaged};
use crate::xlsx_sheet;
use crate::xml::{Node, Xml};

/// What all sheets share.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub strings: Vec<String>,
    /// Format of every cell style.
    pub formats: Vec<NumberFormat>,
    pub epoch_1904: bool,
    /// Who comments, by id.
    persons: HashMap<String, String>,
}

/// A sheet as the workbook lists it.
#[derive(Debug)]
struct SheetRef {
    name: String,
    relation: String,
}

pub(crate) fn extract(
    bytes: &[u8],
    source: &Source,
    progress: &mut dyn FnMut(u8),
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let mut package = Package::open(bytes)?;
    let main = ooxml::main_part(&mut package, "xl/workbook.xml", out)?;
    let Some(text) = package.read_xml(&main, out)? else {
        return Err(damaged("The file is damaged: it has no workbook."));
    };
    ooxml::properties(&mut package, out)?;
    let relations = package.relations(&main, out)?;
    let (mut book, sheets) = workbook(&text)?;
    if let Some(text) = part(&mut package, &relations, "sharedStrings", out)? {
        book.strings = shared_strings(&text)?;
    }
    if let Some(text) = part(&mut package, &relations, "styles", out)? {
        book.formats = formats(&text)?;
    }
    book.persons = persons(&mut package, &relations, out)?;
    let mut seen = Vec::new();
    for (index, sheet) in sheets.iter().take(out.limits().pages).enumerate() {
        progress((index * 100 / sheets.len()) as u8);
        let Some(relation) = relations.iter().find(|relation| relation.id == sheet.relation) else {
            continue;
        };
        let page = index as u32 + 1;
        out.push_block(BlockKind::Heading, 1, &sheet.name, Some(page), Some(&sheet.name))?;
        push_sheet(&mut package, &relation.target, &book, page, &sheet.name, out)?;
        let inner = package.relations(&relation.target, out)?;
        ooxml::embed_objects(&mut package, &inner, &mut seen, source, out)?;
    }
    out.set_pages(sheets.len() as u32);
    ooxml::push_keywords(&mut package, out)
}

fn part(
    package: &mut Package,
    relations: &[Relation],
    kind: &str,
    out: &mut TextWriter,
) -> Result<Option<String>, ExtractError> {
    match relations.iter().find(|relation| relation.kind == kind) {
        Some(relation) => package.read_xml(&relation.target, out),
        None => Ok(None),
    }
}

fn workbook(text: &str) -> Result<(Book, Vec<SheetRef>), ExtractError> {
    let mut xml = Xml::new(text);
    let (mut book, mut sheets) = (Book::default(), Vec::new());
    if xml.child()?.is_none() {
        return Ok((book, sheets));
    }
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "workbookPr" => {
                book.epoch_1904 = tag.flag("date1904").unwrap_or(false);
                xml.skip()?;
            }
            "sheets" => {
                while let Some(tag) = xml.child()? {
                    let name = tag.attr("name").unwrap_or_default();
                    let relation = tag.attr_exact("r:id").or_else(|| tag.attr("id")).unwrap_or_default();
                    sheets.push(SheetRef { name, relation });
                    xml.skip()?;
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok((book, sheets))
}

/// The strings cells refer to; readings of East Asian words are left out.
fn shared_strings(text: &str) -> Result<Vec<String>, ExtractError> {
    let mut xml = Xml::new(text);
    let mut strings = Vec::new();
    while xml.seek("si")?.is_some() {
        strings.push(rich_text(&mut xml)?);
    }
    Ok(strings)
}

pub(crate) fn rich_text(xml: &mut Xml) -> Result<String, ExtractError> {
    let mut text = String::new();
    while let Some(node) = xml.node()? {
        let Node::Tag(tag) = node else { continue };
        match tag.name() {
            "t" => text.push_str(&unescape(xml.text()?)),
            "rPh" | "rPr" | "phoneticPr" => xml.skip()?,
            _ => text.push_str(&rich_text(xml)?),
        }
    }
    Ok(text)
}

/// Excel writes characters XML cannot hold as `_x000D_`.
pub(crate) fn unescape(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        if let Some(c) = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            out.push_str(&rest[..at]);
            out.push(if c == '\r' { '\n' } else { c });
            rest = &rest[at + 7..];
        } else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
        }
    }
    out + rest
}

fn formats(text: &str) -> Result<Vec<NumberFormat>, ExtractError> {
    let mut xml = Xml::new(text);
    let mut custom = HashMap::new();
    let mut formats = Vec::new();
    if xml.child()?.is_none() {
        return Ok(formats);
    }
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "numFmts" => {
                while let Some(tag) = xml.child()? {
                    let code = NumberFormat::parse(&tag.attr("formatCode").unwrap_or_default());
                    custom.insert(tag.number("numFmtId").unwrap_or(-1), code);
                    xml.skip()?;
                }
            }
            "cellXfs" => {
                while let Some(tag) = xml.child()? {
                    let id = tag.number("numFmtId").unwrap_or(0);
                    let built_in =
                        || NumberFormat::built_in(u32::try_from(id).unwrap_or(0)).unwrap_or_default();
                    formats.push(custom.get(&id).cloned().unwrap_or_else(built_in));
                    xml.skip()?;
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(formats)
}

fn push_sheet(
    package: &mut Package,
    target: &str,
    book: &Book,
    page: u32,
    name: &str,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let Some(text) = package.read_xml(target, out)? else { return Ok(()) };
    let mut xml = Xml::new(&text);
    xlsx_sheet::push(&mut xml, book, xlsx_sheet::merges(&text)?, page, name, out)?;
    if xml.broken() {
        out.warn(format!("The sheet “{name}” is damaged; what stands before the damage was read."));
    }
    let relations = package.relations(target, out)?;
    for relation in relations.iter().filter(|relation| !relation.external) {
        match relation.kind.as_str() {
            "comments" | "threadedComment" => {
                push_comments(package, relation, &book.persons, page, name, out)?;
            }
            "drawing" => push_drawing(package, &relation.target, page, name, out)?,
            _ => {}
        }
    }
    Ok(())
}

/// Comments with their authors. The newer threads come with persons in a part of their own; the older part then only
/// repeats them for older programs.
fn push_comments(
    package: &mut Package,
    relation: &Relation,
    persons: &HashMap<String, String>,
    page: u32,
    name: &str,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let Some(text) = package.read_xml(&relation.target, out)? else { return Ok(()) };
    let mut xml = Xml::new(&text);
    let (mut authors, mut author) = (Vec::new(), String::new());
    while let Some(tag) = xml.seek_any(&["author", "comment", "threadedComment", "text"])? {
        match tag.name() {
            "author" => authors.push(xml.text()?),
            "comment" => {
                let known = tag.number("authorId").and_then(|id| authors.get(usize::try_from(id).ok()?));
                author = known.filter(|name| !name.starts_with("tc=")).cloned().unwrap_or_default();
            }
            "threadedComment" => {
                let person =
                    tag.attr("personId").and_then(|id| persons.get(&id).cloned()).unwrap_or_default();
                author = ooxml::signed(&person, tag.attr("dT").as_deref());
            }
            _ => {
                let comment = unescape(xml.text()?);
                if !comment.starts_with("[Threaded comment]") {
                    let lead = if author.is_empty() || comment.starts_with(&author) {
                        String::new()
                    } else {
                        format!("{author}: ")
                    };
                    out.push_block(
                        BlockKind::Note,
                        0,
                        &format!("{lead}{}", comment.trim()),
                        Some(page),
                        Some(name),
                    )?;
                }
            }
        }
    }
    Ok(())
}

/// Names of the people who comment, by id.
fn persons(
    package: &mut Package,
    relations: &[Relation],
    out: &mut TextWriter,
) -> Result<HashMap<String, String>, ExtractError> {
    let mut found = HashMap::new();
    let Some(text) = part(package, relations, "person", out)? else { return Ok(found) };
    let mut xml = Xml::new(&text);
    while let Some(tag) = xml.seek("person")? {
        found.insert(tag.attr("id").unwrap_or_default(), tag.attr("displayName").unwrap_or_default());
    }
    Ok(found)
}

/// Text boxes and charts on a sheet.
fn push_drawing(
    package: &mut Package,
    target: &str,
    page: u32,
    name: &str,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let Some(text) = package.read_xml(target, out)? else { return Ok(()) };
    for paragraph in ooxml::drawing_text(&mut Xml::new(&text))? {
        out.push_block(BlockKind::Paragraph, 0, &paragraph, Some(page), Some(name))?;
    }
    for relation in package.relations(target, out)? {
        match relation.kind.as_str() {
            "chart" | "chartEx" => ooxml::push_chart(package, &relation.target, Some(page), Some(name), out)?,
            "diagramData" => ooxml::push_diagram(package, &relation.target, Some(page), Some(name), out)?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::model::Limits;
    use crate::testing::{office, read_as};

    #[test]
    fn cells_as_displayed() {
        let bytes = office(&[
            ("[Content_Types].xml", "<Types/>"),
            ("xl/workbook.xml", "<workbook><sheets><sheet name='Näme' r:id='r1'/></sheets></workbook>"),
            (
                "xl/_rels/workbook.xml.rels",
                "<R><Relationship Id='r1' Type='x/worksheet' Target='worksheets/s1.xml'/><Relationship Id='r2' Type='x/sharedStrings' Target='ss.xml'/><Relationship Id='r3' Type='x/styles' Target='st.xml'/></R>",
            ),
            (
                "xl/ss.xml",
                "<sst><si><t>shared</t></si><si><r><t>ri</t></r><r><t>ch_x000D_</t></r><rPh><t>no</t></rPh></si></sst>",
            ),
            (
                "xl/st.xml",
                "<s><numFmts><numFmt numFmtId='164' formatCode='yyyy-mm-dd'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='10'/></cellXfs></s>",
            ),
            (
                "xl/worksheets/s1.xml",
                "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='s'><v>1</v></c></row>\
              <row r='3'><c r='A3' s='1'><v>43363</v></c><c r='B3' s='2'><f>1/2</f><v>0.5</v></c><c r='C3' t='b'><v>1</v></c><c r='D3' t='inlineStr'><is><t>in</t></is></c></row></sheetData>\
              <headerFooter><oddHeader>&amp;LLeft&amp;CPage &amp;P</oddHeader></headerFooter></worksheet>",
            ),
            (
                "xl/worksheets/_rels/s1.xml.rels",
                "<R><Relationship Id='c' Type='x/comments' Target='../c.xml'/></R>",
            ),
            (
                "xl/c.xml",
                "<comments><commentList><comment><text><r><t>A remark</t></r></text></comment></commentList></comments>",
            ),
        ]);
        let out = read_as(&bytes, "a.xlsx", &Limits::default()).unwrap().1;
        assert_eq!(out.text, "Näme\n\nshared\t\trich\n2018-09-20\t50.00%\tTRUE\tin\n\nLeft Page\n\nA remark");
        assert_eq!((out.pages, out.title), (1, None));
        assert_eq!(out.blocks[1].label.as_deref(), Some("Näme"));
    }
}
