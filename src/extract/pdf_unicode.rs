//! From a PDF's codes and strings to Unicode. Owns the fallbacks for fonts that do not say what their glyphs mean.

use std::collections::HashMap;

use hayro::hayro_interpret::font::{Glyph, OutlineGlyph};
use hayro::hayro_interpret::hayro_cmap::{self, BfString, CMap, CMapName, CidFamily};
use hayro::hayro_syntax::object::{Array, Dict, Name, Stream, String as PdfString};
use skrifa::MetadataProvider;

/// Says what a glyph means; made once a document, since it remembers what it found out about the fonts.
#[derive(Default)]
pub(crate) struct Decoder {
    /// From glyph to character, read out of embedded font programs that have a character map.
    programs: HashMap<u128, HashMap<u32, char>>,
    /// Composite fonts over a known character collection, by PostScript name.
    collections: HashMap<String, Collection>,
    /// The font of the run that is being drawn; looked up only when a glyph needs it.
    run: Option<RunFont>,
}

struct RunFont {
    name: String,
    program: u128,
    data: hayro::hayro_interpret::font::FontData,
}

struct Collection {
    encoding: CMap,
    unicode: CMap,
}

impl Decoder {
    /// Remember the composite fonts of these resources that lack a `ToUnicode` map but name a known collection.
    pub fn learn(&mut self, fonts: &Dict<'_>) {
        for key in fonts.keys() {
            let Some(font) = fonts.get::<Dict<'_>>(key.as_ref()) else { continue };
            if font.contains_key(b"ToUnicode".as_slice()) {
                continue;
            }
            let Some(name) = font.get::<Name<'_>>(b"BaseFont".as_slice()) else { continue };
            let name = strip_subset(name.as_str()).to_owned();
            if !self.collections.contains_key(&name)
                && let Some(collection) = read_collection(&font)
            {
                self.collections.insert(name, collection);
            }
        }
    }

    /// Note the font of a run; the answer is whether it is bold.
    pub fn start_run(&mut self, first: &Glyph<'_>) -> bool {
        self.run = None;
        let Glyph::Outline(outline) = first else { return false };
        let Some(data) = outline.font_data() else { return false };
        let name = data.postscript_name.unwrap_or_default();
        let lower = name.to_ascii_lowercase();
        let bold = data.weight.is_some_and(|w| w >= 600)
            || ["bold", "black", "heavy", "semibd"].iter().any(|word| lower.contains(word));
        self.run = Some(RunFont { name, program: data.cache_key, data: data.data });
        bold
    }

    /// The text of a glyph; `None` when nothing says what it means.
    pub fn decode(&mut self, glyph: &Glyph<'_>) -> Option<String> {
        let told = match glyph.as_unicode() {
            Some(BfString::Char(c)) if !is_meaningless(c) => return Some(clean_char(c)),
            Some(BfString::String(s)) if !s.chars().all(is_meaningless) => return Some(clean(&s)),
            told => told,
        };
        if let Glyph::Outline(outline) = glyph
            && let Some(c) = self.by_font(outline)
        {
            return Some(clean_char(c));
        }
        match told {
            // Private-use symbols (bullets, mostly) are better than nothing.
            Some(BfString::Char(c)) if is_private(c) => Some(symbol(c).to_string()),
            Some(_) => None,
            None => self.code_itself(glyph),
        }
    }

    /// A font without names: its codes are ASCII as a rule, and in Type 1 fonts Latin-1 letters above that.
    fn code_itself(&self, glyph: &Glyph<'_>) -> Option<String> {
        let code = u8::try_from(glyph.char_code()).ok()?;
        let latin = self.run.is_none() && code >= 0xC0;
        (code == b' ' || code.is_ascii_graphic() || latin).then(|| char::from(code).to_string())
    }

    fn by_font(&mut self, glyph: &OutlineGlyph) -> Option<char> {
        let run = self.run.as_ref()?;
        if let Some(found) = self.collections.get(&run.name).and_then(|c| c.unicode_of(glyph.char_code())) {
            return Some(found);
        }
        let data = &run.data;
        let map = self.programs.entry(run.program).or_insert_with(|| reverse_charmap((**data).as_ref()));
        map.get(&glyph.glyph_id().to_u32()).copied()
    }
}

impl Collection {
    fn unicode_of(&self, code: u32) -> Option<char> {
        let cid = (1..=4).find_map(|len| self.encoding.lookup_cid_code(code, len))?;
        match self.unicode.lookup_bf_string(cid)? {
            BfString::Char(c) => Some(c),
            BfString::String(s) => s.chars().next(),
        }
    }
}

fn read_collection(font: &Dict<'_>) -> Option<Collection> {
    let descendant = font.get::<Array<'_>>(b"DescendantFonts".as_slice())?.iter::<Dict<'_>>().next()?;
    let info = descendant.get::<Dict<'_>>(b"CIDSystemInfo".as_slice())?;
    let registry = info.get::<PdfString<'_>>(b"Registry".as_slice())?;
    let ordering = info.get::<PdfString<'_>>(b"Ordering".as_slice())?;
    let family = CidFamily::from_registry_ordering(registry.as_bytes(), ordering.as_bytes());
    let unicode = CMap::parse(hayro_cmap::load_embedded(family.ucs2_cmap()?)?, hayro_cmap::load_embedded)?;
    let key = b"Encoding".as_slice();
    let encoding = if let Some(name) = font.get::<Name<'_>>(key) {
        match name.as_str() {
            "Identity-H" => CMap::identity_h(),
            "Identity-V" => CMap::identity_v(),
            other => CMap::parse(
                hayro_cmap::load_embedded(CMapName::from_bytes(other.as_bytes()))?,
                hayro_cmap::load_embedded,
            )?,
        }
    } else {
        let stream = font.get::<Stream<'_>>(key)?;
        CMap::parse(&stream.decoded_data().ok()?, hayro_cmap::load_embedded)?
    };
    Some(Collection { encoding, unicode })
}

fn reverse_charmap(data: &[u8]) -> HashMap<u32, char> {
    let Ok(font) = skrifa::FontRef::new(data) else { return HashMap::new() };
    let mut map = HashMap::new();
    for (code, glyph) in font.charmap().mappings().take(0x2_0000) {
        // Symbol fonts keep their codes in F000–F0FF; below that the code is the old 8-bit character.
        let code = if (0xF020..0xF0FF).contains(&code) { code - 0xF000 } else { code };
        if let Some(c) = char::from_u32(code).filter(|c| !is_meaningless(*c)) {
            map.entry(glyph.to_u32()).or_insert(c);
        }
    }
    map
}

fn strip_subset(name: &str) -> &str {
    match name.split_once('+') {
        Some((prefix, rest)) if prefix.len() == 6 && prefix.bytes().all(|b| b.is_ascii_uppercase()) => rest,
        _ => name,
    }
}

fn is_private(c: char) -> bool {
    matches!(u32::from(c), 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFD)
}

fn is_meaningless(c: char) -> bool {
    c == '\u{FFFD}' || c == '\0' || is_private(c) || matches!(u32::from(c), 0xFFFE | 0xFFFF)
}

/// Bullets of the symbol fonts that word processors use.
fn symbol(c: char) -> char {
    match u32::from(c) {
        0xF0FC | 0xF0FE => '✓',
        0xF0D8 | 0xF0E0 | 0xF0E8 | 0xF0F0 => '→',
        0xF020..=0xF07E => char::from_u32(u32::from(c) - 0xF000).unwrap_or('•'),
        _ => '•',
    }
}

/// Whether a character is a form made for printing (ligature, Arabic shape, radical) with a plain spelling.
fn is_print_form(c: char) -> bool {
    matches!(u32::from(c), 0x2E80..=0x2FDF | 0xFB00..=0xFB4F | 0xFB50..=0xFDFF | 0xFE30..=0xFE6F | 0xFE70..=0xFEFC | 0x01C4..=0x01CC)
}

fn plain_form(c: char) -> String {
    let mut buffer = [0_u8; 4];
    let form: &str = c.encode_utf8(&mut buffer);
    icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize(form).into_owned()
}

fn clean_char(c: char) -> String {
    let mut buffer = [0_u8; 4];
    clean(c.encode_utf8(&mut buffer))
}

/// Plain spelling of what a glyph says: ligatures and presentation forms apart, spaces plain, no controls.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{a0}' | '\t' | '\n' | '\r' => out.push(' '),
            '\u{ad}' => out.push(c),
            _ if c.is_whitespace() => out.push(' '),
            _ if c.is_control() || matches!(c, '\u{FEFF}' | '\u{200B}' | '\u{200E}' | '\u{200F}') => {}
            _ if is_print_form(c) => out.extend(plain_form(c).chars().filter(|c| *c != ' ')),
            _ => out.push(c),
        }
    }
    out
}

/// A PDF text string: UTF-16 or UTF-8 by its byte order mark, otherwise PDFDocEncoding (ISO 32000-2, 7.9.2.2).
pub(crate) fn text_string(bytes: &[u8]) -> String {
    let wide = |from: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| from(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match bytes {
        [0xFE, 0xFF, rest @ ..] => wide(u16::from_be_bytes, rest),
        [0xFF, 0xFE, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|byte| pdf_doc_char(*byte)).collect(),
    };
    text.replace('\r', "\n").chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect()
}

/// The inverse for passwords: `None` when a character has no place in PDFDocEncoding.
pub(crate) fn pdf_doc_bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| (0..=255).find(|byte| pdf_doc_char(*byte) == c)).collect()
}

fn pdf_doc_char(byte: u8) -> char {
    const LOW: [char; 8] =
        ['\u{2d8}', '\u{2c7}', '\u{2c6}', '\u{2d9}', '\u{2dd}', '\u{2db}', '\u{2da}', '\u{2dc}'];
    const HIGH: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ',
        'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{FFFD}', '€',
    ];
    match byte {
        0x18..=0x1F => LOW[usize::from(byte - 0x18)],
        0x80..=0xA0 => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings_in_every_encoding() {
        assert_eq!(text_string(b"\xFE\xFF\x00A\x06\x27"), "A\u{627}");
        assert_eq!(text_string(b"\xFF\xFEA\x00"), "A");
        assert_eq!(text_string("\u{feff}é".as_bytes()), "é");
        assert_eq!(text_string(b"\x80 \xA0 \xE9"), "• € é");
    }

    #[test]
    fn print_forms_become_letters() {
        assert_eq!(clean("ﬁ"), "fi");
        assert_eq!(clean("\u{FEFB}"), "لا");
        assert_eq!(clean("\u{2F00}"), "一");
        assert_eq!(clean("½"), "½");
    }

    #[test]
    fn passwords_go_back_to_bytes() {
        assert_eq!(pdf_doc_bytes("é€"), Some(vec![0xE9, 0xA0]));
        assert_eq!(pdf_doc_bytes("ع"), None);
    }
}
