//! Styles and numbering of WordprocessingML: which paragraphs are headings or list items, and their numbers.

use std::collections::{HashMap, HashSet};

use crate::model::ExtractError;
use crate::numbers;
use crate::xml::Xml;

#[derive(Debug, Clone, Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<u8>,
    number: Option<(Option<String>, Option<u8>)>,
}

#[derive(Debug, Default)]
pub(crate) struct Styles {
    by_id: HashMap<String, Style>,
}

impl Styles {
    pub fn parse(text: &str) -> Result<Self, ExtractError> {
        let mut xml = Xml::new(text);
        let mut styles = Self::default();
        if xml.child()?.is_none() {
            return Ok(styles);
        }
        while let Some(tag) = xml.child()? {
            if tag.name() != "style" {
                xml.skip()?;
                continue;
            }
            let id = tag.attr("styleId").unwrap_or_default();
            let style = parse_style(&mut xml)?;
            styles.by_id.insert(id, style);
        }
        Ok(styles)
    }

    fn chain(&self, id: &str) -> impl Iterator<Item = &Style> {
        let mut next = self.by_id.get(id);
        // A style based on itself must not loop.
        let mut left = 20;
        std::iter::from_fn(move || {
            let style = next?;
            left -= 1;
            next = if left > 0 { style.based_on.as_ref().and_then(|id| self.by_id.get(id)) } else { None };
            Some(style)
        })
    }

    /// Heading level 1–6 of a paragraph style.
    pub fn heading(&self, id: &str) -> Option<u8> {
        let known = self.chain(id).find_map(|style| {
            let name = style.name.to_lowercase();
            match name.as_str() {
                "title" => Some(1),
                "subtitle" => Some(2),
                _ => name
                    .strip_prefix("heading ")
                    .and_then(|level| level.trim().parse::<u8>().ok())
                    .map(|level| level.clamp(1, 6))
                    .or_else(|| style.outline.filter(|level| *level < 9).map(|level| (level + 1).min(6))),
            }
        });
        // Documents without a style sheet still use Word's ids.
        known.or_else(|| {
            let id = id.to_lowercase();
            let level = id.strip_prefix("heading")?.parse::<u8>().ok()?;
            (!self.by_id.contains_key(&id)).then(|| level.clamp(1, 6))
        })
    }

    pub fn is_caption(&self, id: &str) -> bool {
        self.chain(id).any(|style| style.name.eq_ignore_ascii_case("caption"))
    }

    /// Number id and level a style brings with it.
    pub fn number(&self, id: &str) -> (Option<String>, Option<u8>) {
        let mut found = (None, None);
        for (number, level) in self.chain(id).filter_map(|style| style.number.clone()) {
            found = (found.0.or(number), found.1.or(level));
        }
        found
    }
}

fn parse_style(xml: &mut Xml) -> Result<Style, ExtractError> {
    let mut style = Style::default();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "name" => style.name = tag.attr("val").unwrap_or_default(),
            "basedOn" => style.based_on = tag.attr("val"),
            "pPr" => {
                while let Some(tag) = xml.child()? {
                    match tag.name() {
                        "outlineLvl" => {
                            style.outline = tag.number("val").map(|level| level.clamp(0, 9) as u8);
                        }
                        "numPr" => {
                            style.number = Some(parse_number(xml)?);
                            continue;
                        }
                        _ => {}
                    }
                    xml.skip()?;
                }
                continue;
            }
            _ => {}
        }
        xml.skip()?;
    }
    Ok(style)
}

/// The content of a `numPr` element.
pub(crate) fn parse_number(xml: &mut Xml) -> Result<(Option<String>, Option<u8>), ExtractError> {
    let mut found = (None, None);
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "numId" => found.0 = tag.attr("val"),
            "ilvl" => found.1 = tag.number("val").map(|level| level.clamp(0, 8) as u8),
            _ => {}
        }
        xml.skip()?;
    }
    Ok(found)
}

#[derive(Debug, Clone)]
struct Level {
    format: String,
    text: String,
    start: i64,
    legal: bool,
    restart: Option<usize>,
}

impl Default for Level {
    fn default() -> Self {
        Self { format: "decimal".into(), text: String::new(), start: 0, legal: false, restart: None }
    }
}

type Levels = [Option<Level>; 9];

#[derive(Debug, Clone, Default)]
struct Number {
    base: String,
    starts: [Option<i64>; 9],
    levels: Levels,
}

#[derive(Debug, Default)]
pub(crate) struct Numbering {
    bases: HashMap<String, Levels>,
    links: HashMap<String, String>,
    numbers: HashMap<String, Number>,
    counters: HashMap<String, [Option<i64>; 9]>,
    started: HashSet<(String, usize)>,
}

impl Numbering {
    pub fn parse(text: &str) -> Result<Self, ExtractError> {
        let mut xml = Xml::new(text);
        let mut numbering = Self::default();
        let mut named = HashMap::new();
        if xml.child()?.is_none() {
            return Ok(numbering);
        }
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "abstractNum" => {
                    let id = tag.attr("abstractNumId").unwrap_or_default();
                    let mut levels = Levels::default();
                    while let Some(tag) = xml.child()? {
                        match tag.name() {
                            "lvl" => {
                                parse_level(&mut xml, tag.number("ilvl"), &mut levels)?;
                                continue;
                            }
                            "styleLink" => {
                                named.insert(tag.attr("val").unwrap_or_default(), id.clone());
                            }
                            "numStyleLink" => {
                                numbering.links.insert(id.clone(), tag.attr("val").unwrap_or_default());
                            }
                            _ => {}
                        }
                        xml.skip()?;
                    }
                    numbering.bases.insert(id, levels);
                }
                "num" => {
                    let id = tag.attr("numId").unwrap_or_default();
                    let number = parse_instance(&mut xml)?;
                    numbering.numbers.insert(id, number);
                }
                _ => xml.skip()?,
            }
        }
        let named = |style: &String| named.get(style).cloned();
        numbering.links =
            numbering.links.iter().filter_map(|(id, style)| Some((id.clone(), named(style)?))).collect();
        Ok(numbering)
    }

    /// The label of the next item of list `id` at `level`: its number as shown, empty for a bullet; `None` when
    /// there is no such list.
    pub fn next(&mut self, id: &str, level: u8) -> Option<String> {
        let number = self.numbers.get(id)?.clone();
        let base = self.links.get(&number.base).unwrap_or(&number.base).clone();
        let levels = self.bases.get(&base)?;
        let at = usize::from(level.min(8));
        let pick = |at: usize| number.levels[at].clone().or_else(|| levels[at].clone()).unwrap_or_default();
        let current = pick(at);
        let counters = self.counters.entry(base.clone()).or_default();
        let start = number.starts[at].unwrap_or(current.start);
        let fresh = number.starts[at].is_some() && self.started.insert((id.to_owned(), at));
        counters[at] = Some(match counters[at] {
            Some(value) if !fresh => value.saturating_add(1),
            _ => start,
        });
        for (deeper, counter) in counters.iter_mut().enumerate().skip(at + 1) {
            // A level may say that it goes on counting.
            if pick(deeper).restart.is_none_or(|restart| restart > at) {
                *counter = None;
            }
        }
        if current.format == "bullet" || current.format == "none" && !current.text.contains('%') {
            return Some(if current.format == "none" { current.text } else { String::new() });
        }
        let mut label = current.text.clone();
        for (place, counter) in counters.iter_mut().enumerate() {
            let mark = format!("%{}", place + 1);
            if label.contains(&mark) {
                let shown = pick(place);
                let format = if current.legal && place != at { "decimal" } else { shown.format.as_str() };
                let value = counter.unwrap_or(number.starts[place].unwrap_or(shown.start));
                *counter = Some(value);
                label = label.replace(&mark, &numbers::show(format, value));
            }
        }
        Some(label)
    }
}

fn parse_level(xml: &mut Xml, index: Option<i64>, levels: &mut Levels) -> Result<(), ExtractError> {
    let mut level = Level::default();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "start" => level.start = tag.number("val").unwrap_or(1),
            "numFmt" => level.format = tag.attr("val").unwrap_or_default(),
            "lvlText" => level.text = tag.attr("val").unwrap_or_default(),
            "isLgl" => level.legal = tag.flag("val").unwrap_or(true),
            "lvlRestart" => level.restart = tag.number("val").map(|value| value.clamp(0, 9) as usize),
            _ => {}
        }
        xml.skip()?;
    }
    if let Some(slot) = index.and_then(|at| levels.get_mut(usize::try_from(at).ok()?)) {
        *slot = Some(level);
    }
    Ok(())
}

fn parse_instance(xml: &mut Xml) -> Result<Number, ExtractError> {
    let mut number = Number::default();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "abstractNumId" => number.base = tag.attr("val").unwrap_or_default(),
            "lvlOverride" => {
                let index = tag.number("ilvl");
                while let Some(tag) = xml.child()? {
                    match tag.name() {
                        "startOverride" => {
                            let slot = index.and_then(|at| number.starts.get_mut(usize::try_from(at).ok()?));
                            if let Some(slot) = slot {
                                *slot = tag.number("val");
                            }
                        }
                        "lvl" => {
                            parse_level(xml, index, &mut number.levels)?;
                            continue;
                        }
                        _ => {}
                    }
                    xml.skip()?;
                }
                continue;
            }
            _ => {}
        }
        xml.skip()?;
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_and_restart() {
        let mut list = Numbering::parse(
            "<n><abstractNum abstractNumId='0'><lvl ilvl='0'><start val='1'/><numFmt val='decimal'/><lvlText val='%1.'/></lvl>\
             <lvl ilvl='1'><start val='1'/><numFmt val='lowerLetter'/><lvlText val='%1.%2)'/></lvl></abstractNum>\
             <num numId='1'><abstractNumId val='0'/></num>\
             <num numId='2'><abstractNumId val='0'/><lvlOverride ilvl='0'><startOverride val='7'/></lvlOverride></num></n>",
        )
        .unwrap();
        let labels: Vec<_> = [("1", 0), ("1", 1), ("1", 1), ("1", 0), ("1", 1), ("2", 0), ("2", 0)]
            .into_iter()
            .map(|(id, level)| list.next(id, level).unwrap())
            .collect();
        assert_eq!(labels, ["1.", "1.a)", "1.b)", "2.", "2.a)", "7.", "8."]);
        assert_eq!(list.next("9", 0), None);
    }

    #[test]
    fn headings_by_name_outline_and_ancestor() {
        let styles = Styles::parse(
            "<s><style styleId='berschrift2'><name val='heading 2'/></style>\
             <style styleId='Mine'><name val='Mine'/><basedOn val='berschrift2'/></style>\
             <style styleId='Out'><name val='x'/><pPr><outlineLvl val='3'/></pPr></style>\
             <style styleId='Loop'><name val='y'/><basedOn val='Loop'/></style></s>",
        )
        .unwrap();
        assert_eq!(styles.heading("Mine"), Some(2));
        assert_eq!(styles.heading("Out"), Some(4));
        assert_eq!(styles.heading("Loop"), None);
    }
}
