//! EPUB books: the chapters in the order of the spine.

use std::collections::HashMap;

use crate::detect::extension;
use crate::encoding;
use crate::html;
use crate::model::{ExtractError, ExtractErrorCode, Source};
use crate::package::{Package, resolve_from};
use crate::writer::{TextWriter, damaged};
use crate::xml::Xml;

pub(crate) fn extract(bytes: &[u8], _source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut package = Package::open(bytes)?;
    if is_locked(&mut package, out)? {
        return Err(ExtractError {
            code: ExtractErrorCode::Encrypted,
            message: "This book is protected by its seller and cannot be read.".to_owned(),
        });
    }
    let book = book_path(&mut package, out)?;
    let chapters = match book {
        Some(path) => chapters(&mut package, &path, out)?,
        None => Vec::new(),
    };
    let chapters = if chapters.is_empty() { all_pages(&package) } else { chapters };
    if chapters.is_empty() {
        return Err(damaged("The book is damaged: it has no chapters."));
    }
    for chapter in chapters.iter().take(out.limits().members) {
        if let Some(bytes) = package.read(chapter, out)? {
            html::push(&encoding::decode(&bytes), None, None, out)?;
        }
    }
    Ok(())
}

/// Fonts may be obfuscated in a free book; encrypted pages mean that it is locked.
fn is_locked(package: &mut Package, out: &mut TextWriter) -> Result<bool, ExtractError> {
    let Some(text) = package.read_xml("META-INF/encryption.xml", out)? else { return Ok(false) };
    let mut xml = Xml::new(&text);
    while let Some(tag) = xml.seek("CipherReference")? {
        let target = tag.attr("URI").unwrap_or_default().to_lowercase();
        if is_page(&target) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn book_path(package: &mut Package, out: &mut TextWriter) -> Result<Option<String>, ExtractError> {
    if let Some(text) = package.read_xml("META-INF/container.xml", out)? {
        let mut xml = Xml::new(&text);
        if let Some(path) = xml.seek("rootfile")?.and_then(|tag| tag.attr("full-path")) {
            return Ok(Some(path));
        }
    }
    Ok(package.names().into_iter().find(|name| extension(name) == "opf"))
}

fn chapters(package: &mut Package, book: &str, out: &mut TextWriter) -> Result<Vec<String>, ExtractError> {
    let Some(text) = package.read_xml(book, out)? else { return Ok(Vec::new()) };
    let mut xml = Xml::new(&text);
    let (mut items, mut order, mut titled) = (HashMap::new(), Vec::new(), false);
    if xml.child()?.is_none() {
        return Ok(order);
    }
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "metadata" => {
                while let Some(entry) = xml.child()? {
                    let is_title = entry.name() == "title" && !titled;
                    let value = xml.text()?;
                    if is_title {
                        out.set_title(&value);
                        titled = true;
                    }
                }
            }
            "manifest" => {
                while let Some(item) = xml.child()? {
                    let kind = item.attr("media-type").unwrap_or_default();
                    if let (Some(id), Some(target)) = (item.attr("id"), item.attr("href"))
                        && (kind.contains("html")
                            || kind.contains("xml") && !kind.contains("svg") && !kind.contains("ncx"))
                    {
                        items.insert(id, resolve_from(book, &target));
                    }
                    xml.skip()?;
                }
            }
            "spine" => {
                while let Some(item) = xml.child()? {
                    order.extend(item.attr("idref"));
                    xml.skip()?;
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(order.iter().filter_map(|id| items.get(id).cloned()).collect())
}

fn all_pages(package: &Package) -> Vec<String> {
    package.names().into_iter().filter(|name| is_page(name)).collect()
}

fn is_page(name: &str) -> bool {
    matches!(extension(name).as_str(), "xhtml" | "html" | "htm")
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;
    use crate::model::{Format, Limits};

    #[test]
    fn spine_order_and_title() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (name, text) in [
            ("mimetype", "application/epub+zip"),
            (
                "META-INF/container.xml",
                "<container><rootfiles><rootfile full-path='O/b.opf'/></rootfiles></container>",
            ),
            (
                "O/b.opf",
                "<package><metadata><dc:title>The Book</dc:title></metadata><manifest>\
                 <item id='1' href='c%201.xhtml' media-type='application/xhtml+xml'/>\
                 <item id='2' href='c2.xhtml' media-type='application/xhtml+xml'/></manifest>\
                 <spine><itemref idref='2'/><itemref idref='1'/></spine></package>",
            ),
            ("O/c 1.xhtml", "<html><head><title/></head><body><h1>Last</h1></body></html>"),
            ("O/c2.xhtml", "<html><body><h1>First</h1><p>text</p></body></html>"),
        ] {
            zip.start_file(name, options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        let bytes = zip.finish().unwrap().into_inner();
        let source = Source { name: "x".into(), password: None };
        let (format, out) = crate::extract(&bytes, &source, &Limits::default(), &mut |_| ()).unwrap();
        assert_eq!(format, Format::Epub);
        assert_eq!(out.text, "First\n\ntext\n\nLast");
        assert_eq!(out.title.as_deref(), Some("The Book"));
    }
}
