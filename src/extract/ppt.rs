//! PowerPoint before OOXML ([MS-PPT]): the persistent objects of the last edit, slides in their order.

use std::collections::HashMap;
use std::io::Read as _;

use crate::crypt;
use crate::crypt_rc4::Key;
use crate::model::{BlockKind, ExtractError, Source};
use crate::ole::{self, Ole, u32_at};
use crate::package::MAX_PART;
use crate::ppt_records::{Record, Records, inside};
use crate::ppt_text::{TextKind, TextRun, texts};
use crate::writer::{TextWriter, damaged};

const DOCUMENT: u16 = 1000;
const SLIDE: u16 = 1006;
const NOTES: u16 = 1008;
const MAIN_MASTER: u16 = 1016;
const SLIDE_LIST: u16 = 4080;
const SLIDE_PERSIST: u16 = 1011;
const OLE_STORAGE: u16 = 4113;
const CRYPT_SESSION: u16 = 12052;

pub(crate) fn extract(bytes: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut file = Ole::open(bytes)?;
    // A presentation saved for two versions has the newer one in a storage of its own.
    let (document, user) = match file.stream("/PP97_DUALSTORAGE/PowerPoint Document") {
        Some(document) => (document, file.stream("/PP97_DUALSTORAGE/Current User").unwrap_or_default()),
        None => (
            file.stream("/PowerPoint Document")
                .ok_or_else(|| damaged("The file is damaged: it has no presentation stream."))?,
            file.stream("/Current User").unwrap_or_default(),
        ),
    };
    let last_edit = u32_at(&user, 16).unwrap_or(0) as usize;
    let document = unlock(document, last_edit, source)?;
    presentation(&mut file, &document, last_edit, source, out)
}

/// Opens a locked presentation: every persistent object is a block of the cipher, with its id as number.
fn unlock(mut document: Vec<u8>, last_edit: usize, source: &Source) -> Result<Vec<u8>, ExtractError> {
    let session = Record::at(&document, last_edit)
        .filter(|record| record.kind == 4085)
        .and_then(|record| u32_at(record.body(&document), 28))
        .filter(|id| *id > 0);
    let Some(session) = session else { return Ok(document) };
    let persisted = persisted(&document, last_edit);
    let header = persisted
        .get(&session)
        .and_then(|offset| Record::at(&document, *offset))
        .filter(|record| record.kind == CRYPT_SESSION);
    let Some(header) = header.map(|record| record.body(&document).to_vec()) else { return Ok(document) };
    let key = crypt::with_passwords(source.password.as_deref(), |password| Key::find(&header, password))?;
    for (id, offset) in persisted.iter().filter(|(id, _)| **id != session) {
        let Some(head) = document.get(*offset..offset.saturating_add(8)) else { continue };
        let mut head = head.to_vec();
        key.apply(*id, &mut head);
        let Some(record) = Record::at(&head, 0) else { continue };
        let length = u32_at(&head, 4).unwrap_or(0) as usize;
        let end = offset.saturating_add(record.start).saturating_add(length).min(document.len());
        key.apply(*id, &mut document[*offset..end]);
    }
    Ok(document)
}

fn presentation(
    file: &mut Ole,
    document: &[u8],
    last_edit: usize,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    ole::set_title(file, out);
    let persisted = persisted(document, last_edit);
    let slides = slides(document, &persisted);
    if slides.is_empty() {
        unordered(document, out)?;
    } else {
        ordered(document, &persisted, &slides, out)?;
    }
    masters(document, out)?;
    ole::push_summary(file, out)?;
    embedded(document, source, out)
}

/// A slide of the list: its text in the outline, and where its own record is.
#[derive(Debug, Default)]
struct Slide {
    object: u32,
    id: u32,
    outline: Vec<TextRun>,
}

/// Offsets of the persistent objects, newest first: every save appends a directory that names the one before.
fn persisted(document: &[u8], last_edit: usize) -> HashMap<u32, usize> {
    let mut found = HashMap::new();
    let mut edit = last_edit;
    for _ in 0..1000 {
        let Some(atom) = Record::at(document, edit).filter(|record| record.kind == 4085) else { break };
        let body = atom.body(document);
        let (before, directory) = (u32_at(body, 8).unwrap_or(0), u32_at(body, 12).unwrap_or(0));
        if let Some(record) = Record::at(document, directory as usize).filter(|record| record.kind == 6002) {
            read_directory(record.body(document), &mut found);
        }
        if before == 0 || before as usize >= edit {
            break;
        }
        edit = before as usize;
    }
    found
}

fn read_directory(body: &[u8], found: &mut HashMap<u32, usize>) {
    let mut at = 0;
    while let Some(head) = u32_at(body, at) {
        at += 4;
        let (first, count) = (head & 0x000f_ffff, head >> 20);
        for index in 0..count {
            let Some(offset) = u32_at(body, at) else { return };
            found.entry(first + index).or_insert(offset as usize);
            at += 4;
        }
    }
}

fn document_record(document: &[u8]) -> impl Iterator<Item = Record> + '_ {
    Records::new(document, 0, document.len()).filter(|record| record.kind == DOCUMENT)
}

fn slides(document: &[u8], persisted: &HashMap<u32, usize>) -> Vec<Slide> {
    let newest = persisted
        .values()
        .filter_map(|offset| Record::at(document, *offset))
        .find(|record| record.kind == DOCUMENT);
    let Some(root) = newest.or_else(|| document_record(document).last()) else { return Vec::new() };
    // Instance 0 lists the slides, 1 the masters, 2 the notes.
    let Some(list) = inside(document, &root).find(|record| record.kind == SLIDE_LIST && record.instance == 0)
    else {
        return Vec::new();
    };
    let mut slides: Vec<Slide> = Vec::new();
    for record in inside(document, &list) {
        if record.kind == SLIDE_PERSIST {
            let body = record.body(document);
            let (object, id) = (u32_at(body, 0).unwrap_or(0), u32_at(body, 12).unwrap_or(0));
            slides.push(Slide { object, id, outline: Vec::new() });
        } else if let Some(slide) = slides.last_mut() {
            crate::ppt_text::append(document, &record, &mut slide.outline);
        }
    }
    slides
}

fn ordered(
    document: &[u8],
    persisted: &HashMap<u32, usize>,
    slides: &[Slide],
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let notes = notes_by_slide(document, persisted);
    for (index, slide) in slides.iter().take(out.limits().pages).enumerate() {
        let page = Some(index as u32 + 1);
        let record = persisted
            .get(&slide.object)
            .and_then(|offset| Record::at(document, *offset))
            .filter(|r| r.kind == SLIDE);
        let own = record.map(|record| texts(document, &record, &slide.outline)).unwrap_or_default();
        // Text of placeholders stands in the outline, everything else on the slide.
        let mut runs: Vec<&TextRun> =
            slide.outline.iter().filter(|run| !own.iter().any(|other| other.text == run.text)).collect();
        runs.extend(&own);
        let title = runs
            .iter()
            .find(|run| run.kind == TextKind::Title)
            .map(|run| run.text.trim().replace(['\r', '\u{b}'], " "));
        out.suggest_title(title.as_deref().unwrap_or_default());
        for run in runs {
            push_run(run, page, title.as_deref(), out)?;
        }
        for run in notes.get(&slide.id).into_iter().flatten() {
            out.push_block(BlockKind::Note, 0, &run.text, page, title.as_deref())?;
        }
    }
    out.set_pages(slides.len() as u32);
    Ok(())
}

fn push_run(
    run: &TextRun,
    page: Option<u32>,
    label: Option<&str>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    if run.kind == TextKind::Title {
        return out.push_block(BlockKind::Heading, 1, &run.text.replace(['\r', '\u{b}'], " "), page, label);
    }
    if run.kind == TextKind::Cells {
        return out.push_row(&run.text.split('\t').collect::<Vec<_>>(), page, label);
    }
    for (index, line) in run.text.split('\r').enumerate() {
        let (kind, level) = match run.kind {
            TextKind::Body => (BlockKind::ListItem, run.levels.get(index).copied().unwrap_or(0) + 1),
            _ => (BlockKind::Paragraph, 0),
        };
        out.push_block(kind, level, line, page, label)?;
    }
    Ok(())
}

fn notes_by_slide(document: &[u8], persisted: &HashMap<u32, usize>) -> HashMap<u32, Vec<TextRun>> {
    let mut found = HashMap::new();
    for record in persisted
        .values()
        .filter_map(|offset| Record::at(document, *offset))
        .filter(|record| record.kind == NOTES)
    {
        let atom = inside(document, &record).find(|record| record.kind == 1009);
        if let Some(slide) = atom.and_then(|atom| u32_at(atom.body(document), 0)) {
            found.insert(slide, texts(document, &record, &[]));
        }
    }
    found
}

/// Without a directory every slide record counts, in the order of the stream.
fn unordered(document: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut page = 0;
    for record in Records::new(document, 0, document.len()) {
        match record.kind {
            SLIDE => {
                page += 1;
                for run in texts(document, &record, &[]) {
                    push_run(&run, Some(page), None, out)?;
                }
            }
            DOCUMENT | NOTES => {
                for run in texts(document, &record, &[]) {
                    out.push_block(BlockKind::Paragraph, 0, &run.text, None, None)?;
                }
            }
            _ => {}
        }
    }
    out.set_pages(page);
    Ok(())
}

/// What masters show on every slide; the prompts of their placeholders do not count.
fn masters(document: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut seen: Vec<String> = Vec::new();
    for record in Records::new(document, 0, document.len()) {
        let shown = match record.kind {
            MAIN_MASTER | 4041 => texts(document, &record, &[]),
            DOCUMENT | SLIDE | NOTES => crate::ppt_text::margins(document, &record),
            _ => continue,
        };
        for run in shown {
            let text = run.text.trim().to_owned();
            let prompt = record.kind == MAIN_MASTER && run.kind != TextKind::Other;
            if !prompt && text.chars().any(char::is_alphabetic) && !seen.contains(&text) {
                out.push_block(BlockKind::Note, 0, &text, None, Some("Slide master"))?;
                seen.push(text);
            }
        }
    }
    Ok(())
}

/// OLE objects stand in the stream, deflated or as they are.
fn embedded(document: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut number = 0;
    for record in
        Records::new(document, 0, document.len()).filter(|record| record.kind == OLE_STORAGE).take(1000)
    {
        number += 1;
        let body = record.body(document);
        let bytes = if record.instance == 1 {
            let mut plain = Vec::new();
            let most = out.unpack_budget().min(MAX_PART);
            let stream = flate2::read::ZlibDecoder::new(body.get(4..).unwrap_or_default());
            if stream.take(most).read_to_end(&mut plain).is_err() {
                out.warn(format!("The embedded object {number} is damaged."));
            }
            plain
        } else {
            body.to_vec()
        };
        out.spend(bytes.len() as u64)?;
        if ole::is_ole(&bytes) {
            ole::embed_object(&bytes, &format!("object {number}"), source, out)?;
        }
    }
    Ok(())
}
