//! Word documents (OOXML): parts, notes, headers and footers, embedded documents. The body is `docx_body`.

use std::collections::HashMap;

use crate::docx_body::{Body, Notes};
use crate::docx_lists::{Numbering, Styles};
use crate::model::{BlockKind, ExtractError, Source};
use crate::ooxml;
use crate::package::{Package, Relation};
use crate::writer::{TextWriter, damaged};
use crate::xml::Xml;

pub(crate) fn extract(bytes: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut package = Package::open(bytes)?;
    let main = ooxml::main_part(&mut package, "word/document.xml", out)?;
    let Some(text) = package.read_xml(&main, out)? else {
        return Err(damaged("The file is damaged: it has no document part."));
    };
    let pages = ooxml::properties(&mut package, out)?;
    let relations = package.relations(&main, out)?;
    let styles = part_xml(&mut package, &relations, "styles", out)?;
    let numbering = part_xml(&mut package, &relations, "numbering", out)?;
    let styles = styles.map_or_else(|| Ok(Styles::default()), |text| Styles::parse(&text))?;
    let numbering = numbering.map_or_else(|| Ok(Numbering::default()), |text| Numbering::parse(&text))?;
    let notes = Notes {
        footnotes: notes(&mut package, &relations, "footnotes", "footnote", out)?,
        endnotes: notes(&mut package, &relations, "endnotes", "endnote", out)?,
        comments: notes(&mut package, &relations, "comments", "comment", out)?,
    };
    push_margins(&mut package, &relations, "header", out)?;
    let has_breaks = text.contains("lastRenderedPageBreak");
    let mut body = Body::new(&mut package, source, styles, numbering, notes, &relations, has_breaks, out);
    let mut xml = Xml::new(&text);
    body.document(&mut xml)?;
    let last = body.finish()?;
    if xml.broken() {
        out.warn("The file is damaged; what stands before the damage was read.");
    }
    if let Some(pages) = last.max(pages) {
        out.set_pages(pages);
    }
    push_margins(&mut package, &relations, "footer", out)?;
    ooxml::push_keywords(&mut package, out)?;
    let mut seen = Vec::new();
    ooxml::embed_objects(&mut package, &relations, &mut seen, source, out)?;
    for relation in relations
        .iter()
        .filter(|relation| ["header", "footer", "footnotes", "comments"].contains(&relation.kind.as_str()))
    {
        let inner = package.relations(&relation.target, out)?;
        ooxml::embed_objects(&mut package, &inner, &mut seen, source, out)?;
    }
    Ok(())
}

fn part_xml(
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

/// Text of foot- and endnotes or comments, by id.
fn notes(
    package: &mut Package,
    relations: &[Relation],
    kind: &str,
    element: &str,
    out: &mut TextWriter,
) -> Result<HashMap<String, (String, String)>, ExtractError> {
    let mut found = HashMap::new();
    let Some(text) = part_xml(package, relations, kind, out)? else { return Ok(found) };
    let mut xml = Xml::new(&text);
    while let Some(tag) = xml.seek(element)? {
        let id = tag.attr("id").unwrap_or_default();
        let author = tag.attr("author").unwrap_or_default();
        let text = ooxml::flat_text(&mut xml)?;
        found.insert(id, (author, text.trim().to_owned()));
    }
    Ok(found)
}

/// Headers or footers: each text once, for they repeat from section to section.
fn push_margins(
    package: &mut Package,
    relations: &[Relation],
    kind: &str,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let label = if kind == "header" { "Header" } else { "Footer" };
    let mut seen: Vec<String> = Vec::new();
    for relation in relations.iter().filter(|relation| relation.kind == kind).take(200) {
        let Some(text) = package.read_xml(&relation.target, out)? else { continue };
        let text = ooxml::flat_text(&mut Xml::new(&text))?;
        let text = text.trim();
        // A bare page number says nothing.
        if text.chars().any(char::is_alphabetic) && !seen.iter().any(|other| other == text) {
            out.push_block(BlockKind::Note, 0, text, None, Some(label))?;
            seen.push(text.to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::model::{BlockKind, Limits};
    use crate::testing::{office, read_as};

    #[test]
    fn body_notes_tables_and_boxes() {
        let document = "<w:document><w:body>\
            <w:p><w:pPr><w:pStyle w:val='Heading1'/></w:pPr><w:r><w:t>Head</w:t></w:r></w:p>\
            <w:p><w:r><w:t>One </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink><w:r><w:footnoteReference w:id='2'/></w:r></w:p>\
            <w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>\
            <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr></w:tbl>\
            <w:p><w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></wps:txbx></w:drawing></mc:Choice>\
            <mc:Fallback><w:pict><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>\
            <w:p><w:r><w:lastRenderedPageBreak/><w:t>second page</w:t></w:r></w:p></w:body></w:document>";
        let relations = "<Relationships><Relationship Id='r1' Type='x/footnotes' Target='footnotes.xml'/>\
            <Relationship Id='r2' Type='x/numbering' Target='numbering.xml'/><Relationship Id='r3' Type='x/header' Target='h.xml'/></Relationships>";
        let bytes = office(&[
            ("[Content_Types].xml", "<Types/>"),
            ("word/document.xml", document),
            ("word/_rels/document.xml.rels", relations),
            (
                "word/footnotes.xml",
                "<w:footnotes><w:footnote w:id='2'><w:p><w:r><w:t>Noted.</w:t></w:r></w:p></w:footnote></w:footnotes>",
            ),
            (
                "word/numbering.xml",
                "<n><abstractNum abstractNumId='0'><lvl ilvl='0'><start val='1'/><numFmt val='upperRoman'/><lvlText val='(%1)'/></lvl></abstractNum><num numId='1'><abstractNumId val='0'/></num></n>",
            ),
            ("word/h.xml", "<w:hdr><w:p><w:r><w:t>On top</w:t></w:r></w:p></w:hdr>"),
        ]);
        let out = read_as(&bytes, "a.docx", &Limits::default()).unwrap().1;
        assert_eq!(
            out.text,
            "On top\n\nHead\n\nOne link\n\nNoted.\n\n(I) item\n\na b\tc\n\nboxed\n\nsecond page"
        );
        assert_eq!(out.title.as_deref(), Some("Head"));
        assert_eq!(out.blocks.iter().filter(|b| b.kind == BlockKind::Note).count(), 2);
        assert_eq!(out.blocks.last().unwrap().page, Some(2));
        assert_eq!(out.pages, 2);
    }
}
