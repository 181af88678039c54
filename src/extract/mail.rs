//! Internet mail: EML files, MBOX collections and web archives (MHTML). Attachments are read as documents.

use mail_parser::{Address, Encoding, Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use crate::encoding;
use crate::html;
use crate::model::{BlockKind, ExtractError, Source};
use crate::plain;
use crate::read;
use crate::writer::{TextWriter, damaged};

pub(crate) fn extract(bytes: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let Some(message) = MessageParser::default().parse(bytes) else {
        return Err(damaged("The message is damaged and cannot be read."));
    };
    push(&message, None, source, out)
}

/// Every message of a mailbox, under its subject.
pub(crate) fn extract_mbox(bytes: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    for (index, raw) in split(bytes).into_iter().enumerate() {
        if index >= out.limits().members {
            return Err(crate::writer::too_large(format!(
                "The mailbox has more than {} messages.",
                out.limits().members
            )));
        }
        let raw = unescape(raw);
        let Some(message) = MessageParser::default().parse(&raw) else {
            out.warn(format!("Message {} of the mailbox is damaged.", index + 1));
            continue;
        };
        let subject = message.subject().map(str::trim).filter(|subject| !subject.is_empty());
        let label = subject.map_or_else(|| format!("Message {}", index + 1), str::to_owned);
        push(&message, Some(&label), source, out)?;
    }
    Ok(())
}

/// Messages begin with a `From ` line behind an empty one.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let (mut at, mut after_empty) = (0, true);
    while at < bytes.len() {
        let end =
            bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length + 1);
        let line = &bytes[at..end];
        if after_empty && line.starts_with(b"From ") && (starts.is_empty() || is_postmark(line)) {
            starts.push((at, end));
        }
        after_empty = line.iter().all(u8::is_ascii_whitespace);
        at = end;
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([bytes.len()]);
    starts.iter().zip(ends).map(|((_, from), to)| &bytes[*from..to]).collect()
}

/// A `From ` line carries a time; a sentence that begins so does not.
fn is_postmark(line: &[u8]) -> bool {
    line.windows(5).any(|five| matches!(five, [b'0'..=b'9', b'0'..=b'9', b':', b'0'..=b'9', b'0'..=b'9']))
        || line.contains(&b'@') && line.len() < 80
}

/// Takes back the `>` that keeps a line from beginning a message.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let marks = line.iter().take_while(|byte| **byte == b'>').count();
        let escaped = marks > 0 && line[marks..].starts_with(b"From ");
        out.extend_from_slice(if escaped { &line[1..] } else { line });
    }
    out
}

fn push(
    message: &Message,
    label: Option<&str>,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    if let Some(subject) = message.subject() {
        out.set_title(subject);
        out.push_block(BlockKind::Heading, 1, subject, None, label)?;
    }
    out.push_block(BlockKind::Paragraph, 0, &headers(message), None, label)?;
    let mut shown: Vec<u32> = Vec::new();
    // The richest alternative keeps tables and headings.
    let bodies = if has_text(message, &message.html_body) { &message.html_body } else { &message.text_body };
    for id in bodies {
        if let Some(part) = message.part(*id) {
            shown.push(*id);
            push_body(message, part, label, out)?;
        }
    }
    for id in &message.attachments {
        if let Some(part) = message.part(*id).filter(|_| !shown.contains(id)) {
            attachment(part, source, out)?;
        }
    }
    Ok(())
}

fn has_text(message: &Message, parts: &[u32]) -> bool {
    parts.iter().filter_map(|id| message.part(*id)).any(|part| match &part.body {
        PartType::Text(text) | PartType::Html(text) => !text.trim().is_empty(),
        _ => false,
    })
}

fn push_body(
    message: &Message,
    part: &MessagePart,
    label: Option<&str>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    match &part.body {
        PartType::Text(text) => plain::push(&repaired(message, part, text), None, label, out),
        PartType::Html(text) => html::push(&repaired(message, part, text), None, label, out),
        _ => Ok(()),
    }
}

/// Text in eight bits without a charset: its encoding is guessed.
fn repaired(message: &Message, part: &MessagePart, text: &str) -> String {
    let raw = message.raw_message.get(part.offset_body as usize..part.offset_end as usize);
    match raw.filter(|_| text.contains('\u{fffd}') && matches!(part.encoding, Encoding::None)) {
        Some(raw) => encoding::decode(raw).into_owned(),
        None => text.to_owned(),
    }
}

fn headers(message: &Message) -> String {
    let mut lines = Vec::new();
    for (name, address) in [("From", message.from()), ("To", message.to()), ("Cc", message.cc())] {
        if let Some(text) = address.map(addresses).filter(|text| !text.is_empty()) {
            lines.push(format!("{name}: {text}"));
        }
    }
    if let Some(date) = message.date() {
        lines.push(format!(
            "Date: {:04}-{:02}-{:02} {:02}:{:02}",
            date.year, date.month, date.day, date.hour, date.minute
        ));
    }
    lines.join("\n")
}

fn addresses(address: &Address) -> String {
    let shown = address.iter().take(200).map(|entry| match (entry.name(), entry.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn attachment(part: &MessagePart, source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let name = part.attachment_name().unwrap_or("attachment");
    match &part.body {
        PartType::Text(text) | PartType::Html(text) => {
            let name = named(part, name);
            read::embed(text.as_bytes(), &name, source, out)
        }
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            out.spend(bytes.len() as u64)?;
            read::embed(bytes, name, source, out)
        }
        PartType::Message(inner) => {
            let subject = inner.subject().unwrap_or(name).to_owned();
            out.enter(&subject)?;
            let result = push(inner, None, source, out);
            out.leave();
            result
        }
        PartType::Multipart(_) => Ok(()),
    }
}

/// Text parts without a file name still tell their kind.
fn named(part: &MessagePart, name: &str) -> String {
    match (part.attachment_name(), &part.body) {
        (None, PartType::Html(_)) => format!("{name}.html"),
        (None, _) => format!("{name}.txt"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Format, Limits};
    use crate::testing::read_as;

    #[test]
    fn alternatives_and_attachments() {
        let eml = b"From: =?utf-8?q?J=C3=B6rg?= <j@x.org>\r\nTo: b@y.org\r\nSubject: Hi there\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\
Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n--i\r\n\
Content-Type: text/html\r\n\r\n<p>Grusse</p>\r\n--i--\r\n--o\r\nContent-Type: text/csv; name=a.csv\r\n\
Content-Disposition: attachment; filename=a.csv\r\n\r\n1,2\r\n--o--\r\n";
        let (format, out) = read_as(eml, "m.eml", &Limits::default()).unwrap();
        assert_eq!(format, Format::Eml);
        assert_eq!(out.text, "Hi there\n\nFrom: Jörg <j@x.org>\nTo: b@y.org\n\nGrusse\n\na.csv\n\n1\t2");
        assert_eq!(out.title.as_deref(), Some("Hi there"));
        assert_eq!(out.blocks.last().unwrap().label.as_deref(), Some("a.csv"));
    }

    #[test]
    fn mailboxes_split_at_postmarks() {
        let mbox = b"From a@b Mon Jan 1 10:00:00 2024\nSubject: One\nFrom: a@b\n\nbody\n\nFrom here on it is text\n>From escaped\n\nFrom a@b Mon Jan 1 11:00:00 2024\nSubject: Two\n\nlast\n";
        let (format, out) = read_as(mbox, "x.mbox", &Limits::default()).unwrap();
        assert_eq!(format, Format::Mbox);
        assert_eq!(
            out.text,
            "One\n\nFrom: a@b\n\nbody\n\nFrom here on it is text\nFrom escaped\n\nTwo\n\nlast"
        );
        assert_eq!(out.blocks.last().unwrap().label.as_deref(), Some("Two"));
    }
}
