//! Rich Text Format: control words to text with headings, lists as shown, tables, notes and embedded files.

use std::collections::HashMap;

use encoding_rs::Encoding;

use crate::encoding;
use crate::model::{ExtractError, Source};
use crate::rtf_text::Output;
use crate::rtf_token::{Token, Tokens};
use crate::writer::{TextWriter, too_complex};

/// Groups nest no deeper than this in any document.
const MAX_GROUPS: usize = 10_000;
const MAX_OBJECTS: usize = 1000;

/// Where text of a group goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Body,
    Skip,
    Info,
    Fonts,
    Styles,
    Title,
    ListText,
    Note,
    Margin,
    Object,
    /// The first group is for old readers, the second says the same in Unicode.
    Twice,
}

#[derive(Debug, Clone)]
struct Group {
    place: Place,
    page: &'static Encoding,
    hidden: bool,
    deleted: bool,
    /// Bytes that stand for old readers behind a Unicode character.
    fallback: usize,
    /// Font or style being defined.
    defined: i32,
    opened_capture: bool,
}

#[derive(Debug, Default)]
struct Style {
    name: String,
    outline: Option<u8>,
}

struct Reader<'w> {
    out: Output<'w>,
    groups: Vec<Group>,
    group: Group,
    fonts: HashMap<i32, &'static Encoding>,
    styles: HashMap<i32, Style>,
    base: &'static Encoding,
    bytes: Vec<u8>,
    high: Option<u16>,
    skip: usize,
    starred: bool,
    fresh: bool,
    objects: Vec<Vec<u8>>,
    half: Option<u8>,
}

pub(crate) fn extract(bytes: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let base = encoding_rs::WINDOWS_1252;
    let group = Group {
        place: Place::Body,
        page: base,
        hidden: false,
        deleted: false,
        fallback: 1,
        defined: 0,
        opened_capture: false,
    };
    let mut reader = Reader {
        out: Output::new(out),
        groups: Vec::new(),
        group,
        fonts: HashMap::new(),
        styles: HashMap::new(),
        base,
        bytes: Vec::new(),
        high: None,
        skip: 0,
        starred: false,
        fresh: false,
        objects: Vec::new(),
        half: None,
    };
    for token in Tokens::new(bytes) {
        reader.token(token)?;
    }
    reader.flush_bytes();
    reader.out.finish()?;
    let objects = std::mem::take(&mut reader.objects);
    for (index, object) in objects.iter().enumerate() {
        embed_object(object, index + 1, source, out)?;
    }
    Ok(())
}

/// OLE 1 wraps the data of an object: class, topic and item names, then its native data.
fn embed_object(
    bytes: &[u8],
    number: usize,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let Some((class, data)) = ole1_data(bytes) else { return Ok(()) };
    out.spend(data.len() as u64)?;
    let name = format!("object {number}");
    if crate::ole::is_ole(data) {
        return crate::ole::embed_object(data, &name, source, out);
    }
    if class == "Package"
        && let Some((label, inner)) = packaged(data)
    {
        return crate::read::embed(inner, &label, source, out);
    }
    crate::read::embed(data, &name, source, out)
}

fn ole1_data(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut at = 8;
    let mut names = Vec::new();
    for _ in 0..3 {
        let length = crate::ole::u32_at(bytes, at)? as usize;
        at = at.checked_add(4)?;
        names.push(
            String::from_utf8_lossy(bytes.get(at..at.checked_add(length)?)?)
                .trim_end_matches('\0')
                .to_owned(),
        );
        at += length;
    }
    let size = crate::ole::u32_at(bytes, at)? as usize;
    at += 4;
    Some((names.swap_remove(0), bytes.get(at..at.saturating_add(size).min(bytes.len()))?))
}

/// A file in an Object Packager package of OLE 1.
fn packaged(data: &[u8]) -> Option<(String, &[u8])> {
    let text_end = |from: usize| Some(from + data.get(from..)?.iter().position(|byte| *byte == 0)?);
    let label_end = text_end(2)?;
    let label = encoding::decode(&data[2..label_end]).into_owned();
    let path_end = text_end(label_end + 1)?;
    let length = crate::ole::u32_at(data, path_end + 5)? as usize;
    let at = (path_end + 9).checked_add(length)?;
    let size = crate::ole::u32_at(data, at)? as usize;
    Some((label, data.get(at + 4..(at + 4).saturating_add(size).min(data.len()))?))
}

impl Reader<'_> {
    fn token(&mut self, token: Token) -> Result<(), ExtractError> {
        match token {
            Token::Open => {
                self.flush_bytes();
                if self.groups.len() >= MAX_GROUPS {
                    return Err(too_complex("The groups of this document are nested too deeply."));
                }
                let mut inner = self.group.clone();
                inner.opened_capture = false;
                if self.group.place == Place::Twice {
                    inner.place = Place::Skip;
                }
                self.groups.push(std::mem::replace(&mut self.group, inner));
                self.fresh = true;
                self.skip = 0;
                return Ok(());
            }
            Token::Close => self.close()?,
            Token::Star => {
                self.starred = true;
                return Ok(());
            }
            Token::Word(word, number) => self.word(word, number)?,
            Token::Hex(byte) => self.byte(byte),
            Token::Text(text) => {
                for byte in text {
                    self.byte(*byte);
                }
            }
            Token::Symbol(symbol) => self.symbol(symbol),
        }
        self.fresh = false;
        self.starred = false;
        Ok(())
    }

    fn close(&mut self) -> Result<(), ExtractError> {
        self.flush_bytes();
        self.skip = 0;
        let Some(outer) = self.groups.pop() else { return Ok(()) };
        let closed = std::mem::replace(&mut self.group, outer);
        if closed.opened_capture {
            self.out.end_capture(closed.place)?;
        }
        Ok(())
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'~' => self.text("\u{a0}"),
            b'_' => self.text("\u{2011}"),
            b'-' => self.text("\u{ad}"),
            b'{' | b'}' | b'\\' => self.byte(symbol),
            _ => {}
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        match self.group.place {
            Place::Skip | Place::Twice => {}
            Place::Object => self.object_byte(byte),
            _ => {
                self.high = None;
                self.bytes.push(byte);
            }
        }
    }

    fn object_byte(&mut self, byte: u8) {
        let Some(digit) = char::from(byte).to_digit(16) else { return };
        match (self.half.take(), self.objects.last_mut()) {
            (Some(high), Some(object)) => object.push(high << 4 | digit as u8),
            _ => self.half = Some(digit as u8),
        }
    }

    fn flush_bytes(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let text = self.group.page.decode_without_bom_handling(&bytes).0.into_owned();
        self.text(&text);
    }

    fn text(&mut self, text: &str) {
        self.flush_bytes();
        match self.group.place {
            Place::Fonts | Place::Skip | Place::Info | Place::Object | Place::Twice => {}
            Place::Styles => {
                let style = self.styles.entry(self.group.defined).or_default();
                style.name.push_str(text);
            }
            Place::Title => self.out.title.push_str(text),
            _ if self.group.hidden || self.group.deleted => {}
            Place::Body | Place::ListText | Place::Note | Place::Margin => self.out.push(text),
        }
    }

    fn unicode(&mut self, number: i32) {
        self.flush_bytes();
        let unit = (number & 0xffff) as u16;
        self.skip = self.group.fallback;
        match (self.high.take(), unit) {
            (_, 0xd800..=0xdbff) => self.high = Some(unit),
            (Some(high), 0xdc00..=0xdfff) => {
                if let Some(Ok(c)) = char::decode_utf16([high, unit]).next() {
                    self.text(c.encode_utf8(&mut [0; 4]));
                }
            }
            // Symbol fonts live in the private range; text in it is Latin.
            (_, 0xf020..=0xf07e) => self.text(&char::from((unit & 0xff) as u8).to_string()),
            _ => {
                if let Some(c) = char::from_u32(u32::from(unit)) {
                    self.text(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) -> Result<(), ExtractError> {
        if word != "u" && !matches!(word, "uc" | "bin") {
            self.flush_bytes();
        }
        if self.skip > 0 && word != "u" && !word.is_empty() {
            // A control word counts as one of the characters for old readers.
            self.skip = 0;
        }
        if self.fresh && self.destination(word) {
            return Ok(());
        }
        let value = number.unwrap_or(0);
        let on = number != Some(0);
        match word {
            "u" => self.unicode(value),
            "uc" => self.group.fallback = value.clamp(0, 16) as usize,
            "ansicpg" => self.set_base(encoding::code_page(value.unsigned_abs())),
            "mac" => self.set_base(encoding_rs::MACINTOSH),
            "f" => self.font(value),
            "fcharset" => {
                if let Some(page) = charset(value) {
                    self.fonts.insert(self.group.defined, page);
                }
            }
            "cpg" if self.group.place == Place::Fonts => {
                self.fonts.insert(self.group.defined, encoding::code_page(value.unsigned_abs()));
            }
            "plain" => {
                self.group.page = self.base;
                self.group.hidden = false;
                self.group.deleted = false;
            }
            "v" => self.group.hidden = on,
            "deleted" => self.group.deleted = on,
            "s" => self.style(value),
            "outlinelevel" => self.outline(value),
            _ if matches!(
                self.group.place,
                Place::Skip | Place::Info | Place::Fonts | Place::Styles | Place::Object
            ) => {}
            _ => self.layout(word)?,
        }
        Ok(())
    }

    fn set_base(&mut self, page: &'static Encoding) {
        self.base = page;
        self.group.page = page;
    }

    fn font(&mut self, number: i32) {
        self.group.defined = number;
        if self.group.place != Place::Fonts {
            self.group.page = self.fonts.get(&number).copied().unwrap_or(self.base);
        }
    }

    fn style(&mut self, number: i32) {
        if self.group.place == Place::Styles {
            self.group.defined = number;
            return;
        }
        let Some(style) = self.styles.get(&number) else { return };
        let name = style.name.trim_end_matches(';').trim().to_lowercase();
        let level = match name.as_str() {
            "title" => Some(1),
            name => name
                .strip_prefix("heading ")
                .and_then(|level| level.trim().parse::<u8>().ok())
                .or(style.outline),
        };
        if self.group.place == Place::Body {
            self.out.heading = level.map(|level| level.clamp(1, 6));
        }
    }

    fn outline(&mut self, value: i32) {
        let level = (0..9).contains(&value).then_some((value as u8 + 1).min(6));
        match self.group.place {
            Place::Styles => self.styles.entry(self.group.defined).or_default().outline = level,
            Place::Body => self.out.heading = level,
            _ => {}
        }
    }

    fn layout(&mut self, word: &str) -> Result<(), ExtractError> {
        match word {
            "par" | "sect" | "page" => self.out.paragraph(),
            "line" | "softline" | "lbr" | "nestrow" => {
                self.out.push("\n");
                Ok(())
            }
            "tab" | "nestcell" => {
                self.out.push("\t");
                Ok(())
            }
            "pard" => {
                self.out.reset_paragraph();
                Ok(())
            }
            "intbl" => {
                self.out.in_table = true;
                Ok(())
            }
            "trowd" => self.out.row_definition(),
            "cell" => {
                self.out.cell();
                Ok(())
            }
            "row" => self.out.row(),
            _ => {
                if let Some(text) = special(word) {
                    self.text(text);
                }
                Ok(())
            }
        }
    }

    /// A word that begins a group may say what the group is. `true`: it was such a word.
    fn destination(&mut self, word: &str) -> bool {
        if matches!(self.group.place, Place::Skip) {
            return false;
        }
        let place = match word {
            "fonttbl" => Place::Fonts,
            "stylesheet" => Place::Styles,
            "title" if self.group.place == Place::Info => Place::Title,
            "info" => Place::Info,
            _ if self.group.place == Place::Info => Place::Skip,
            "listtext" | "pntext" => Place::ListText,
            "footnote" | "annotation" => Place::Note,
            "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl" | "footerr" | "footerf" => {
                Place::Margin
            }
            "objdata" => Place::Object,
            "upr" => Place::Twice,
            "ud" => Place::Body,
            "shpinst" | "shptxt" | "do" | "dptxbxtext" | "moMath" | "mmath" | "mr" | "fldrslt" | "result"
            | "object" | "field" | "shp" | "shpgrp" => return true,
            "pict" | "colortbl" | "fldinst" | "shprslt" | "sp" | "xe" | "tc" | "bkmkstart" | "bkmkend"
            | "nonshppict" | "pntxta" | "pntxtb" | "atnid" | "atnauthor" | "atntime" | "atndate"
            | "atnref" | "atnparent" | "atnicn" | "filetbl" | "revtbl" | "listtable"
            | "listoverridetable" | "template" | "themedata" | "colorschememapping" | "datastore"
            | "latentstyles" | "rsidtbl" | "generator" | "xmlnstbl" | "objclass" | "objname" | "ftnsep"
            | "ftnsepc" | "aftnsep" | "aftnsepc" | "ftncn" | "aftncn" | "private1" | "comment" | "falt"
            | "panose" | "background" => Place::Skip,
            _ if self.starred => Place::Skip,
            _ => return false,
        };
        let capture = matches!(place, Place::Note | Place::Margin | Place::ListText);
        if word == "ud" {
            self.group.place = self
                .groups
                .iter()
                .rev()
                .find(|group| !matches!(group.place, Place::Skip | Place::Twice))
                .map_or(Place::Body, |group| group.place);
            return true;
        }
        self.group.place = place;
        if capture {
            self.group.opened_capture = true;
            self.out.begin_capture();
        }
        if place == Place::Object {
            if self.objects.len() >= MAX_OBJECTS {
                self.group.place = Place::Skip;
            } else {
                self.objects.push(Vec::new());
                self.half = None;
            }
        }
        true
    }
}

fn charset(value: i32) -> Option<&'static Encoding> {
    let page = match value {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    };
    Some(encoding::code_page(page))
}

fn special(word: &str) -> Option<&'static str> {
    Some(match word {
        "emdash" => "—",
        "endash" => "–",
        "emspace" | "enspace" | "qmspace" => " ",
        "bullet" => "•",
        "lquote" => "‘",
        "rquote" => "’",
        "ldblquote" => "“",
        "rdblquote" => "”",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::model::{BlockKind, Limits};
    use crate::testing::read_as;

    #[test]
    fn text_notes_tables_and_encodings() {
        let rtf = br"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}{\f1\fcharset204 Cyr;}{\f2\fcharset128 Jap;}}{\stylesheet{\s1\outlinelevel0 heading 1;}}
{\info{\title The Title}{\author A}}{\header Top of page\par}
\pard\s1 Head\par\pard Caf\'e9 \f1\'cf\'f0\f0  \u-10179?\u-9024? \u8364\'80 {\*\unknown gone}{\v hidden}{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}{\footnote Noted.}\par
{\listtext 1.\tab}item\par
\trowd\intbl a\cell b\par c\cell\row\pard\f2\'93\'8c\'8b\'9e{\*\shppict{\pict ffff}}\par}";
        let out = read_as(rtf, "a.rtf", &Limits::default()).unwrap().1;
        assert_eq!(
            out.text,
            "Top of page\n\nHead\n\nCafé Пр 📀 € link\n\nNoted.\n\n1. item\n\na\tb c\n\n東京"
        );
        assert_eq!(out.title.as_deref(), Some("The Title"));
        assert_eq!(out.blocks[1].kind, BlockKind::Heading);
        assert_eq!(out.blocks[4].kind, BlockKind::ListItem);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{{\\rtf1 {}", "{".repeat(50_000));
        assert!(read_as(deep.as_bytes(), "a.rtf", &Limits::default()).is_err());
    }
}
