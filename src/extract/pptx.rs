//! PowerPoint presentations (OOXML): slides in their order with notes and comments, then what masters add.

use std::collections::{HashMap, HashSet};

use crate::model::{BlockKind, ExtractError, Source};
use crate::ooxml;
use crate::package::{Package, Relation};
use crate::pptx_shapes::{Item, Place, Shapes};
use crate::writer::{TextWriter, damaged};
use crate::xml::Xml;

pub(crate) fn extract(
    bytes: &[u8],
    source: &Source,
    progress: &mut dyn FnMut(u8),
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let mut package = Package::open(bytes)?;
    let main = ooxml::main_part(&mut package, "ppt/presentation.xml", out)?;
    let Some(text) = package.read_xml(&main, out)? else {
        return Err(damaged("The file is damaged: it has no presentation part."));
    };
    ooxml::properties(&mut package, out)?;
    let relations = package.relations(&main, out)?;
    let slides = slides(&text, &relations)?;
    let authors = authors(&mut package, &relations, out)?;
    let mut deck = Deck {
        authors,
        package: &mut package,
        source,
        seen_objects: Vec::new(),
        seen_texts: HashSet::new(),
        masters: Vec::new(),
    };
    for relation in &relations {
        if matches!(relation.kind.as_str(), "slideMaster" | "handoutMaster" | "notesMaster") {
            deck.masters.push(relation.target.clone());
        }
    }
    for (index, slide) in slides.iter().take(out.limits().pages).enumerate() {
        progress((index * 100 / slides.len()) as u8);
        deck.slide(slide, index as u32 + 1, out)?;
    }
    out.set_pages(slides.len() as u32);
    deck.masters(out)?;
    ooxml::push_keywords(&mut package, out)
}

/// Parts of the slides, in order.
fn slides(text: &str, relations: &[Relation]) -> Result<Vec<String>, ExtractError> {
    let mut xml = Xml::new(text);
    let mut found = Vec::new();
    while let Some(tag) = xml.seek("sldId")? {
        let id = tag.attr_exact("r:id").or_else(|| tag.attr("rId"));
        let target = relations.iter().find(|relation| Some(&relation.id) == id.as_ref());
        found.extend(target.map(|relation| relation.target.clone()));
    }
    if found.is_empty() {
        found.extend(
            relations
                .iter()
                .filter(|relation| relation.kind == "slide")
                .map(|relation| relation.target.clone()),
        );
    }
    Ok(found)
}

struct Deck<'a, 'p> {
    package: &'a mut Package<'p>,
    source: &'a Source,
    seen_objects: Vec<String>,
    /// Texts of footers and masters, which repeat from slide to slide.
    seen_texts: HashSet<String>,
    masters: Vec<String>,
    authors: HashMap<String, String>,
}

impl Deck<'_, '_> {
    fn slide(&mut self, part: &str, number: u32, out: &mut TextWriter) -> Result<(), ExtractError> {
        let Some(text) = self.package.read_xml(part, out)? else { return Ok(()) };
        let relations = self.package.relations(part, out)?;
        let items = Shapes::read(&mut Xml::new(&text))?;
        let title = items.iter().find_map(|item| match item {
            Item::Text { place: Place::Title, text, .. } => Some(text.clone()),
            _ => None,
        });
        let label = title.as_deref();
        out.suggest_title(label.unwrap_or_default());
        for item in &items {
            self.item(item, &relations, Some(number), label, out)?;
        }
        for relation in &relations {
            match relation.kind.as_str() {
                "notesSlide" => self.notes(&relation.target, number, label, out)?,
                "comments" | "comment" => self.comments(&relation.target, number, label, out)?,
                "slideLayout" if !self.masters.contains(&relation.target) => {
                    self.masters.push(relation.target.clone());
                }
                _ => {}
            }
        }
        ooxml::embed_objects(self.package, &relations, &mut self.seen_objects, self.source, out)
    }

    fn item(
        &mut self,
        item: &Item,
        relations: &[Relation],
        page: Option<u32>,
        label: Option<&str>,
        out: &mut TextWriter,
    ) -> Result<(), ExtractError> {
        let target = |id: &str| {
            relations.iter().find(|relation| relation.id == id).map(|relation| relation.target.clone())
        };
        match item {
            Item::Text { place: Place::Footer, text, .. } => {
                if text.chars().any(char::is_alphabetic) && self.seen_texts.insert(text.clone()) {
                    out.push_block(BlockKind::Note, 0, text, page, label)?;
                }
                Ok(())
            }
            Item::Text { kind, level, text, .. } => out.push_block(*kind, *level, text, page, label),
            Item::Row(cells) => out.push_row(cells, page, label),
            Item::Chart(id) => match target(id) {
                Some(part) => ooxml::push_chart(self.package, &part, page, label, out),
                None => Ok(()),
            },
            Item::Diagram(id) => match target(id) {
                Some(part) => ooxml::push_diagram(self.package, &part, page, label, out),
                None => Ok(()),
            },
        }
    }

    fn notes(
        &mut self,
        part: &str,
        number: u32,
        label: Option<&str>,
        out: &mut TextWriter,
    ) -> Result<(), ExtractError> {
        let Some(text) = self.package.read_xml(part, out)? else { return Ok(()) };
        for item in Shapes::read(&mut Xml::new(&text))? {
            match item {
                Item::Text { place: Place::Footer, .. } => self.item(&item, &[], Some(number), label, out)?,
                Item::Text { text, .. } => out.push_block(BlockKind::Note, 0, &text, Some(number), label)?,
                item => self.item(&item, &[], Some(number), label, out)?,
            }
        }
        let relations = self.package.relations(part, out)?;
        ooxml::embed_objects(self.package, &relations, &mut self.seen_objects, self.source, out)
    }

    fn comments(
        &mut self,
        part: &str,
        number: u32,
        label: Option<&str>,
        out: &mut TextWriter,
    ) -> Result<(), ExtractError> {
        let Some(text) = self.package.read_xml(part, out)? else { return Ok(()) };
        let mut xml = Xml::new(&text);
        let mut author = String::new();
        // A comment, its replies, and the text of each, in their order.
        while let Some(tag) = xml.seek_any(&["cm", "reply", "text", "txBody"])? {
            if matches!(tag.name(), "cm" | "reply") {
                let name =
                    tag.attr("authorId").and_then(|id| self.authors.get(&id).cloned()).unwrap_or_default();
                author = ooxml::signed(&name, tag.attr("dt").or_else(|| tag.attr("created")).as_deref());
                continue;
            }
            let comment =
                if tag.name() == "text" { xml.text()? } else { ooxml::drawing_text(&mut xml)?.join("\n") };
            let lead = if author.is_empty() { String::new() } else { format!("{author}: ") };
            out.push_block(BlockKind::Note, 0, &format!("{lead}{}", comment.trim()), Some(number), label)?;
        }
        Ok(())
    }

    /// What masters and layouts show on every slide: not the prompts of their empty places.
    fn masters(&mut self, out: &mut TextWriter) -> Result<(), ExtractError> {
        for part in std::mem::take(&mut self.masters).iter().take(500) {
            let Some(text) = self.package.read_xml(part, out)? else { continue };
            for item in Shapes::read(&mut Xml::new(&text))? {
                let Item::Text { place, text, .. } = &item else { continue };
                let shows = matches!(place, Place::Free | Place::Footer);
                if shows && text.chars().any(char::is_alphabetic) && self.seen_texts.insert(text.clone()) {
                    out.push_block(BlockKind::Note, 0, text, None, Some("Slide master"))?;
                }
            }
        }
        Ok(())
    }
}

/// Names of the people who comment, by id; older and newer files keep them in parts of different names.
fn authors(
    package: &mut Package,
    relations: &[Relation],
    out: &mut TextWriter,
) -> Result<HashMap<String, String>, ExtractError> {
    let mut found = HashMap::new();
    let lists =
        relations.iter().filter(|relation| matches!(relation.kind.as_str(), "commentAuthors" | "authors"));
    for relation in lists {
        let Some(text) = package.read_xml(&relation.target, out)? else { continue };
        let mut xml = Xml::new(&text);
        while let Some(tag) = xml.seek_any(&["cmAuthor", "author"])? {
            found.insert(tag.attr("id").unwrap_or_default(), tag.attr("name").unwrap_or_default());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::model::{BlockKind, Limits};
    use crate::testing::{office, read_as};

    #[test]
    fn slides_notes_and_masters() {
        let slide = "<p:sld><p:cSld><p:spTree>\
            <p:sp><p:nvSpPr><p:nvPr><p:ph type='title'/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Title </a:t></a:r><a:r><a:t>here</a:t></a:r></a:p></p:txBody></p:sp>\
            <p:sp><p:nvSpPr><p:nvPr><p:ph idx='1'/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:pPr lvl='1'><a:buAutoNum type='alphaLcParenR'/></a:pPr><a:r><a:t>point</a:t></a:r></a:p></p:txBody></p:sp>\
            <p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>1</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>2</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>\
            </p:spTree></p:cSld></p:sld>";
        let master = "<p:m><p:sp><p:nvSpPr><p:nvPr><p:ph type='body'/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Click to edit</a:t></a:r></a:p></p:txBody></p:sp>\
            <p:sp><p:nvSpPr><p:nvPr/></p:nvSpPr><p:txBody><a:p><a:r><a:t>On all slides</a:t></a:r></a:p></p:txBody></p:sp></p:m>";
        let notes = "<p:n><p:sp><p:nvSpPr><p:nvPr><p:ph type='body'/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Say this</a:t></a:r></a:p></p:txBody></p:sp></p:n>";
        let bytes = office(&[
            ("[Content_Types].xml", "<Types/>"),
            (
                "ppt/presentation.xml",
                "<p:presentation><p:sldIdLst><p:sldId id='256' r:id='r1'/></p:sldIdLst></p:presentation>",
            ),
            (
                "ppt/_rels/presentation.xml.rels",
                "<R><Relationship Id='r1' Type='x/slide' Target='slides/s.xml'/><Relationship Id='r2' Type='x/slideMaster' Target='m.xml'/></R>",
            ),
            ("ppt/slides/s.xml", slide),
            (
                "ppt/slides/_rels/s.xml.rels",
                "<R><Relationship Id='r1' Type='x/notesSlide' Target='../n.xml'/></R>",
            ),
            ("ppt/m.xml", master),
            ("ppt/n.xml", notes),
        ]);
        let out = read_as(&bytes, "a.pptx", &Limits::default()).unwrap().1;
        assert_eq!(out.text, "Title here\n\na) point\n\n1\t2\n\nSay this\n\nOn all slides");
        assert_eq!(out.title.as_deref(), Some("Title here"));
        assert_eq!(
            (out.blocks[1].kind, out.blocks[1].level, out.blocks[1].page),
            (BlockKind::ListItem, 2, Some(1))
        );
        assert_eq!(out.blocks[2].label.as_deref(), Some("Title here"));
    }
}
