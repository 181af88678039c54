//! OpenDocument files (text, spreadsheet, presentation): parts, margins of pages, objects, scripts. The body is `odf_body`.

use crate::blocks::Blocks;
use crate::detect::extension;
use crate::model::{BlockKind, ExtractError, ExtractErrorCode, Format, Source};
use crate::odf_body::Body;
use crate::odf_crypt;
use crate::package::Package;
use crate::read;
use crate::writer::{TextWriter, damaged};
use crate::xml::{self, Xml};

pub(crate) fn extract(
    bytes: &[u8],
    format: Format,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    if !bytes.starts_with(b"PK") {
        return flat(&xml::decode(bytes), format, source, out);
    }
    let mut package = Package::open(bytes)?;
    if let Some(whole) = odf_crypt::unlock_package(&mut package, source.password.as_deref(), out)? {
        let inner = Source { name: source.name.clone(), password: None };
        out.spend(whole.len() as u64)?;
        return extract_plain(&mut Package::open(&whole)?, format, &inner, None, out);
    }
    let manifest = package.read_xml("META-INF/manifest.xml", out)?.unwrap_or_default();
    let locked = manifest.contains("encryption-data");
    let key = match (locked, &source.password) {
        (true, None) => return Err(encrypted()),
        (true, Some(password)) => Some(odf_crypt::Lock::parse(&manifest, password)?),
        _ => None,
    };
    extract_plain(&mut package, format, source, key.as_ref(), out)
}

pub(crate) fn encrypted() -> ExtractError {
    ExtractError {
        code: ExtractErrorCode::Encrypted,
        message: "The document is protected by a password.".to_owned(),
    }
}

fn part(
    package: &mut Package,
    name: &str,
    lock: Option<&odf_crypt::Lock>,
    out: &mut TextWriter,
) -> Result<Option<String>, ExtractError> {
    let Some(bytes) = package.read(name, out)? else { return Ok(None) };
    let bytes = match lock {
        Some(lock) => lock.open(name, bytes)?,
        None => bytes,
    };
    Ok(Some(xml::decode(&bytes).into_owned()))
}

fn extract_plain(
    package: &mut Package,
    format: Format,
    source: &Source,
    lock: Option<&odf_crypt::Lock>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let Some(content) = part(package, "content.xml", lock, out)? else {
        return Err(damaged("The file is damaged: it has no content part."));
    };
    if let Some(meta) = part(package, "meta.xml", lock, out)? {
        properties(&meta, out)?;
    }
    let styles = part(package, "styles.xml", lock, out)?.unwrap_or_default();
    push_margins(&styles, "header", out)?;
    let mut body = Body::new(Blocks::new(out, None, None), format, &[&styles, &content])?;
    let mut xml = Xml::new(&content);
    body.document(&mut xml)?;
    let objects = body.finish()?;
    if xml.broken() {
        out.warn("The file is damaged; what stands before the damage was read.");
    }
    push_margins(&styles, "footer", out)?;
    push_objects(package, &objects, lock, source, out)?;
    push_scripts(package, lock, out)
}

/// One XML file that holds everything.
fn flat(text: &str, format: Format, _source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    properties(text, out)?;
    push_margins(text, "header", out)?;
    let mut body = Body::new(Blocks::new(out, None, None), format, &[text])?;
    body.document(&mut Xml::new(text))?;
    body.finish()?;
    push_margins(text, "footer", out)
}

fn properties(meta: &str, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut xml = Xml::new(meta);
    while let Some(tag) = xml.seek("meta")? {
        if tag.full_name() != "office:meta" {
            continue;
        }
        while let Some(tag) = xml.child()? {
            match tag.full_name() {
                "dc:title" => {
                    let title = xml.text()?;
                    out.set_title(&title);
                }
                "meta:document-statistic" => {
                    let pages = tag.number("page-count").unwrap_or(0);
                    out.set_pages(u32::try_from(pages).unwrap_or(0));
                    xml.skip()?;
                }
                _ => xml.skip()?,
            }
        }
        return Ok(());
    }
    Ok(())
}

/// Headers or footers of the master pages, each text once.
fn push_margins(styles: &str, side: &str, out: &mut TextWriter) -> Result<(), ExtractError> {
    let label = if side == "header" { "Header" } else { "Footer" };
    let mut seen: Vec<String> = Vec::new();
    let mut xml = Xml::new(styles);
    if xml.seek("master-styles")?.is_none() {
        return Ok(());
    }
    collect_margins(&mut xml, side, &mut seen)?;
    for text in seen {
        out.push_block(BlockKind::Note, 0, &text, None, Some(label))?;
    }
    Ok(())
}

fn collect_margins(xml: &mut Xml, side: &str, seen: &mut Vec<String>) -> Result<(), ExtractError> {
    while let Some(tag) = xml.child()? {
        let name = tag.name();
        // Shapes drawn on a master slide show on every slide; placeholders only prompt.
        let class = tag.attr("class");
        let placeholder = tag.flag("placeholder").unwrap_or(false)
            || matches!(class.as_deref(), Some("title" | "outline" | "subtitle" | "notes" | "page"));
        let drawn = side == "footer" && matches!(name, "frame" | "custom-shape" | "text-box") && !placeholder;
        if name.starts_with(side) && !name.ends_with("properties") || drawn {
            let text = crate::odf_body::flat_text(xml)?;
            let text = text.trim().to_owned();
            if text.chars().any(char::is_alphabetic) && !text.starts_with('<') && !seen.contains(&text) {
                seen.push(text);
            }
        } else if placeholder {
            xml.skip()?;
        } else {
            collect_margins(xml, side, seen)?;
        }
    }
    Ok(())
}

/// Charts and formulas stand in parts of their own, other objects are files.
fn push_objects(
    package: &mut Package,
    objects: &[String],
    lock: Option<&odf_crypt::Lock>,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let mut seen: Vec<&String> = Vec::new();
    for object in objects {
        if seen.contains(&object) {
            continue;
        }
        seen.push(object);
        let inner = format!("{object}/content.xml");
        if package.has(&inner) {
            let Some(text) = part(package, &inner, lock, out)? else { continue };
            let mut body = Body::new(Blocks::new(out, None, None), Format::Odt, &[&text])?;
            body.document(&mut Xml::new(&text))?;
            body.finish()?;
        } else if let Some(bytes) = package.read(object, out)? {
            let name = object.rsplit('/').next().unwrap_or_default();
            if crate::ole::is_ole(&bytes) {
                crate::ole::embed_object(&bytes, name, source, out)?;
            } else {
                read::embed(&bytes, name, source, out)?;
            }
        }
    }
    Ok(())
}

/// The source of macros is text too.
fn push_scripts(
    package: &mut Package,
    lock: Option<&odf_crypt::Lock>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let is_script = |name: &String| {
        name.starts_with("basic/")
            && extension(name) == "xml"
            && !name.ends_with("script-lb.xml")
            && !name.ends_with("script-lc.xml")
    };
    for name in package.names().into_iter().filter(is_script) {
        let Some(text) = part(package, &name, lock, out)? else { continue };
        let mut xml = Xml::new(&text);
        if xml.seek("module")?.is_some() {
            let code = xml.text()?;
            let label = name.rsplit('/').next().unwrap_or_default().trim_end_matches(".xml").to_owned();
            out.push_block(BlockKind::Code, 0, &code, None, Some(&label))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::model::{BlockKind, Limits};
    use crate::testing::{office, read_as};

    #[test]
    fn text_documents() {
        let content = "<office:document-content><office:body><office:text>\
            <text:tracked-changes><text:p>gone</text:p></text:tracked-changes>\
            <text:h text:outline-level='2'>Head<text:s text:c='2'/>line</text:h>\
            <text:p>One<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Noted.</text:p></text:note-body></text:note><text:tab/>two\n three</text:p>\
            <text:list><text:list-item><text:p>item</text:p></text:list-item></text:list>\
            <table:table><table:table-row table:number-rows-repeated='900000'><table:table-cell/></table:table-row>\
            <table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell table:number-columns-repeated='2'><text:p>b</text:p></table:table-cell></table:table-row></table:table>\
            </office:text></office:body></office:document-content>";
        let styles = "<s><office:master-styles><style:master-page><style:footer><text:p>Master footer</text:p></style:footer></style:master-page></office:master-styles></s>";
        let bytes = office(&[
            ("mimetype", "application/vnd.oasis.opendocument.text"),
            ("content.xml", content),
            ("styles.xml", styles),
            ("META-INF/manifest.xml", "<m/>"),
        ]);
        let out = read_as(&bytes, "a.odt", &Limits::default()).unwrap().1;
        assert_eq!(out.text, "Head  line\n\nOne\ttwo three\n\nNoted.\n\nitem\n\na\tb\tb\n\nMaster footer");
        assert_eq!(out.blocks[0].level, 2);
        assert_eq!(out.blocks[2].kind, BlockKind::Note);
    }

    #[test]
    fn slides_and_sheets_have_pages() {
        let content = "<d><office:body><office:presentation>\
            <draw:page draw:name='one'><draw:frame presentation:class='title'><draw:text-box><text:p>First</text:p></draw:text-box></draw:frame>\
            <presentation:notes><draw:frame><draw:text-box><text:p>note</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>\
            <draw:page><draw:frame><draw:text-box><text:p>text</text:p></draw:text-box></draw:frame></draw:page>\
            </office:presentation></office:body></d>";
        let bytes = office(&[
            ("mimetype", "application/vnd.oasis.opendocument.presentation"),
            ("content.xml", content),
        ]);
        let out = read_as(&bytes, "a.odp", &Limits::default()).unwrap().1;
        assert_eq!(out.text, "First\n\nnote\n\ntext");
        assert_eq!((out.pages, out.blocks[2].page, out.blocks[0].kind), (2, Some(2), BlockKind::Heading));
    }
}
