//! The stored form of a passage with its document's data: everything a hit shows, and everything needed to write
//! the passage again when the document's title, collection or tags change. It is text, as the index reads back text much
//! faster than bytes: numbers are written in ASCII, six bits a character.

use crate::passage::{BlockKind, Mark, Passage};

/// First byte of every record.
const VERSION: u8 = 3;
/// More of a number follows.
const MORE: u8 = 0x40;

/// What the index knows of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentMeta {
    pub id: String,
    pub title: String,
    pub collection: Option<String>,
    pub tags: Vec<String>,
    /// Short format: `pdf`, `docx` …
    pub format: String,
    /// ISO 639-1 code; decides the stemmer.
    pub language: Option<String>,
    /// Seconds since 1970-01-01 UTC.
    pub created: i64,
    /// Who sees it, when it has a list of its own: ids of people and groups, without order. An empty list is nobody.
    pub readers: Option<Vec<String>>,
}

const KINDS: [BlockKind; 7] = [
    BlockKind::Paragraph,
    BlockKind::Heading,
    BlockKind::ListItem,
    BlockKind::TableRow,
    BlockKind::Code,
    BlockKind::Note,
    BlockKind::Caption,
];

pub(crate) fn encode(meta: &DocumentMeta, passage: &Passage) -> String {
    let mut out = Out(String::with_capacity(passage.text.len() + 160));
    out.byte(VERSION);
    out.text(&meta.id);
    out.text(&meta.title);
    out.option(meta.collection.as_deref());
    out.number(meta.tags.len() as u64);
    meta.tags.iter().for_each(|tag| out.text(tag));
    out.text(&meta.format);
    out.option(meta.language.as_deref());
    out.number(meta.created.cast_unsigned());
    out.number(meta.readers.as_ref().map_or(0, |readers| readers.len() as u64 + 1));
    meta.readers.iter().flatten().for_each(|reader| out.text(reader));
    for number in
        [passage.ordinal, passage.start, passage.end, passage.page.map_or(0, |page| page.saturating_add(1))]
    {
        out.number(number.into());
    }
    out.option(passage.label.as_deref());
    out.text(&passage.heading);
    out.text(&passage.text);
    out.number(passage.marks.len() as u64);
    for mark in &passage.marks {
        out.number(mark.start.into());
        out.byte(KINDS.iter().position(|kind| *kind == mark.kind).unwrap_or(0) as u8);
        out.number(mark.page.map_or(0, |page| u64::from(page) + 1));
    }
    out.0
}

/// `None` when the text is not a record.
pub(crate) fn decode(text: &str) -> Option<(DocumentMeta, Passage)> {
    let mut input = In(text);
    if input.byte()? != VERSION {
        return None;
    }
    let (id, title, collection) = (input.text()?, input.text()?, input.option()?);
    let tags = (0..input.count()?).map(|_| input.text()).collect::<Option<_>>()?;
    let (format, language, created) = (input.text()?, input.option()?, input.number()?.cast_signed());
    let readers = match input.count()? {
        0 => None,
        count => Some((1..count).map(|_| input.text()).collect::<Option<_>>()?),
    };
    let meta = DocumentMeta { id, title, collection, tags, format, language, created, readers };
    let (ordinal, start, end, page) =
        (input.small()?, input.small()?, input.small()?, input.small()?.checked_sub(1));
    let (label, heading, text) = (input.option()?, input.text()?, input.text()?);
    let marks = (0..input.count()?).map(|_| input.mark()).collect::<Option<_>>()?;
    Some((meta, Passage { ordinal, start, end, page, label, heading, text, marks }))
}

struct Out(String);

impl Out {
    /// Below 128.
    fn byte(&mut self, byte: u8) {
        self.0.push(char::from(byte));
    }

    fn number(&mut self, mut value: u64) {
        while value >= MORE.into() {
            self.byte((value as u8 % MORE) | MORE);
            value /= u64::from(MORE);
        }
        self.byte(value as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.push_str(text);
    }

    fn option(&mut self, text: Option<&str>) {
        self.byte(text.is_some().into());
        if let Some(text) = text {
            self.text(text);
        }
    }
}

struct In<'a>(&'a str);

impl In<'_> {
    /// Below 128: anything else is a piece of a character.
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_at_checked(1)?;
        self.0 = rest;
        first.bytes().next()
    }

    fn number(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte % MORE).checked_shl(shift)?;
            if byte < MORE {
                return Some(value);
            }
            shift += MORE.trailing_zeros();
        }
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// A count of things that take at least a byte each.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())
    }

    fn text(&mut self) -> Option<String> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text.to_owned())
    }

    #[allow(clippy::option_option, reason = "outer: readable, inner: present")]
    fn option(&mut self) -> Option<Option<String>> {
        if self.byte()? == 0 { Some(None) } else { self.text().map(Some) }
    }

    fn mark(&mut self) -> Option<Mark> {
        let start = self.small()?;
        let kind = *KINDS.get(usize::from(self.byte()?))?;
        Some(Mark { start, kind, page: self.small()?.checked_sub(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was_and_never_panics_on_other_bytes() {
        let meta = DocumentMeta {
            id: "doc_1".into(),
            title: "Títle".into(),
            tags: vec!["a".into(), "b c".into()],
            format: "pdf".into(),
            language: Some("en".into()),
            created: i64::MIN,
            readers: Some(vec!["usr_1".into(), String::new()]),
            ..DocumentMeta::default()
        };
        let marks = vec![
            Mark { start: 0, kind: BlockKind::TableRow, page: Some(3) },
            Mark { start: 9, kind: BlockKind::Caption, page: None },
        ];
        let passage = Passage {
            ordinal: 7,
            start: 300,
            end: 400,
            page: Some(0),
            text: "漢字 text".into(),
            marks,
            ..Passage::default()
        };
        let record = encode(&meta, &passage);
        assert_eq!(decode(&record), Some((meta, passage)));
        for cut in 0..record.len() {
            assert_eq!(record.get(..cut).and_then(decode), None);
        }
        let mut random = crate::testing::Random::new(5);
        for _ in 0..2000 {
            let mut broken = record.clone().into_bytes();
            let at = random.below(broken.len());
            broken[at] = random.below(256) as u8;
            let _ = str::from_utf8(&broken).ok().and_then(decode);
        }
    }
}
