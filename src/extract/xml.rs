//! A pull reader for XML parts: local names, a depth limit, no DTD. Entities other than the five predefined ones and
//! character references vanish, so neither a billion laughs nor an external entity ever grows here.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::encoding;
use crate::model::ExtractError;
use crate::writer::too_complex;

/// Deeper than this no document nests; readers recurse with the elements, so it also bounds the stack.
const MAX_DEPTH: usize = 256;

/// An opened element.
#[derive(Debug)]
pub(crate) struct Tag<'a>(BytesStart<'a>);

/// What an element contains.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Tag(Tag<'a>),
    Text(Cow<'a, str>),
}

impl Tag<'_> {
    /// The name without its prefix.
    pub fn name(&self) -> &str {
        let name: &str = self.0.name().0;
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }

    /// The name as written.
    pub fn full_name(&self) -> &str {
        self.0.name().0
    }

    /// The value of the first attribute with this local name.
    pub fn attr(&self, local: &str) -> Option<String> {
        self.find(|name| name.rsplit_once(':').map_or(name, |(_, local)| local) == local)
    }

    /// The value of the attribute with exactly this name, prefix included.
    pub fn attr_exact(&self, full: &str) -> Option<String> {
        self.find(|name| name == full)
    }

    pub fn number(&self, local: &str) -> Option<i64> {
        self.attr(local)?.trim().parse().ok()
    }

    /// An on/off attribute as OOXML writes it.
    pub fn flag(&self, local: &str) -> Option<bool> {
        self.attr(local).map(|value| !matches!(value.as_str(), "0" | "false" | "off" | "none"))
    }

    fn find(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let mut attributes = self.0.attributes();
        attributes.with_checks(false);
        let attr = attributes.filter_map(Result::ok).find(|attr| wanted(attr.key.0))?;
        let value: &str = &attr.value;
        Some(quick_xml::escape::unescape(value).map_or_else(|_| value.to_owned(), Cow::into_owned))
    }
}

/// Reads one part. After a [`Tag`] the caller consumes it with `child`/`node` until `None`, or with `skip`.
pub(crate) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    broken: bool,
}

impl<'a> Xml<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { reader, depth: 0, broken: false }
    }

    /// Whether the part ended before its elements did, or could not be parsed to its end.
    pub fn broken(&self) -> bool {
        self.broken
    }

    /// The next child of the current element, `None` once it has ended.
    pub fn child(&mut self) -> Result<Option<Tag<'a>>, ExtractError> {
        loop {
            match self.node()? {
                Some(Node::Tag(tag)) => return Ok(Some(tag)),
                Some(Node::Text(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next child element or piece of text of the current element, `None` once it has ended.
    pub fn node(&mut self) -> Result<Option<Node<'a>>, ExtractError> {
        loop {
            if self.broken {
                return Ok(None);
            }
            match self.reader.read_event() {
                Ok(Event::Start(start)) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(too_complex("The document's elements are nested too deeply."));
                    }
                    return Ok(Some(Node::Tag(Tag(start))));
                }
                Ok(Event::End(_)) => {
                    if self.depth == 0 {
                        continue;
                    }
                    self.depth -= 1;
                    return Ok(None);
                }
                Ok(Event::Text(text)) => return Ok(Some(Node::Text(text.into_inner()))),
                Ok(Event::CData(text)) => return Ok(Some(Node::Text(text.into_inner()))),
                Ok(Event::GeneralRef(reference)) => {
                    if let Some(c) = resolve(&reference.into_inner()) {
                        return Ok(Some(Node::Text(Cow::Owned(c.to_string()))));
                    }
                }
                Ok(Event::Eof) => {
                    self.broken = self.depth > 0;
                    self.depth = 0;
                    return Ok(None);
                }
                Ok(_) => {}
                Err(_) => self.broken = true,
            }
        }
    }

    /// Passes over the rest of the current element.
    pub fn skip(&mut self) -> Result<(), ExtractError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside && !self.broken {
            self.node()?;
        }
        Ok(())
    }

    /// All text inside the current element, its children's included.
    pub fn text(&mut self) -> Result<String, ExtractError> {
        let mut all = String::new();
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside && !self.broken {
            if let Some(Node::Text(text)) = self.node()? {
                all.push_str(&text);
            }
        }
        Ok(all)
    }

    /// Goes forward to the next element with this local name, at any depth; it is then the current one.
    pub fn seek(&mut self, local: &str) -> Result<Option<Tag<'a>>, ExtractError> {
        self.seek_any(&[local])
    }

    /// As [`Xml::seek`], for the first of several names.
    pub fn seek_any(&mut self, names: &[&str]) -> Result<Option<Tag<'a>>, ExtractError> {
        while !self.broken {
            match self.node()? {
                Some(Node::Tag(tag)) if names.contains(&tag.name()) => return Ok(Some(tag)),
                None if self.depth == 0 => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }
}

fn resolve(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// The part's text: by byte order mark, then by its XML declaration, else UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some(text) = encoding::decode_bom(bytes) {
        return text;
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let label = head
        .find("encoding=")
        .filter(|_| head.trim_start().starts_with("<?xml"))
        .and_then(|at| head[at + 10..].split(['"', '\'']).next().map(str::to_owned));
    match label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes())) {
        Some(found) if found != encoding_rs::UTF_8 && found.is_ascii_compatible() => {
            found.decode_without_bom_handling(bytes).0
        }
        _ => String::from_utf8_lossy(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExtractErrorCode;

    #[test]
    fn entities_of_a_dtd_vanish() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]><a>x&b;&c;&amp;&#233;</a>";
        let mut xml = Xml::new(bomb);
        xml.child().unwrap().unwrap();
        assert_eq!(xml.text().unwrap(), "x&é");
    }

    #[test]
    fn depth_is_bounded_and_broken_is_seen() {
        let deep = "<a>".repeat(300);
        let mut xml = Xml::new(&deep);
        assert_eq!(xml.seek("none").unwrap_err().code, ExtractErrorCode::TooComplex);
        let mut xml = Xml::new("<a><b>text");
        assert!(xml.seek("b").unwrap().is_some());
        assert_eq!(xml.text().unwrap(), "text");
        assert!(xml.broken());
    }

    #[test]
    fn children_and_attributes() {
        let mut xml = Xml::new("<r><w:p w:val='1 &lt; 2'>t<i/>u</w:p><q/></r>");
        xml.child().unwrap().unwrap();
        let p = xml.child().unwrap().unwrap();
        assert_eq!((p.name(), p.attr("val").as_deref()), ("p", Some("1 < 2")));
        assert_eq!(xml.text().unwrap(), "tu");
        assert_eq!(xml.child().unwrap().unwrap().name(), "q");
    }
}
