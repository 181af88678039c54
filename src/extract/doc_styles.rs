//! Style sheet and paragraph properties of a Word document, as far as they tell headings, lists and tables.

use crate::ole::u16_at;

#[derive(Debug, Clone, Default)]
pub(crate) struct Properties {
    pub style: u16,
    pub in_table: bool,
    pub row_end: bool,
    pub outline: Option<u8>,
    pub list: Option<bool>,
    pub list_level: u8,
}

impl Properties {
    /// Applies property modifiers (sprm): operation, then its operand of a size the operation tells.
    pub fn apply(&mut self, data: &[u8]) {
        let mut at = 0;
        while let Some(operation) = u16_at(data, at) {
            at += 2;
            let byte = data.get(at).copied().unwrap_or(0);
            match operation {
                0x2416 => self.in_table = byte != 0,
                0x2417 => self.row_end = byte != 0,
                // Paragraph marks of inner tables stand in for their rows.
                0x244c => self.row_end = self.row_end || byte != 0,
                0x2640 => self.outline = (byte < 9).then(|| (byte + 1).min(6)),
                0x260a => self.list_level = byte.min(8),
                0x460b => self.list = Some(u16_at(data, at).unwrap_or(0) != 0),
                _ => {}
            }
            at += match operation >> 13 {
                0 | 1 => 1,
                2 | 4 | 5 => 2,
                3 => 4,
                7 => 3,
                _ if operation == 0xd608 => usize::from(u16_at(data, at).unwrap_or(0)) + 1,
                _ => usize::from(byte) + 1,
            };
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Style {
    /// Built-in meaning: 1–9 are headings, 62 is the title.
    built_in: u16,
    base: u16,
    properties: Properties,
}

#[derive(Debug, Default)]
pub(crate) struct Styles(Vec<Style>);

impl Styles {
    pub fn read(stsh: &[u8]) -> Self {
        let mut styles = Vec::new();
        let header = usize::from(u16_at(stsh, 0).unwrap_or(0));
        let count = u16_at(stsh, 2).unwrap_or(0).min(4096);
        let base_size = usize::from(u16_at(stsh, 4).unwrap_or(10));
        let mut at = 2 + header;
        for _ in 0..count {
            let Some(size) = u16_at(stsh, at) else { break };
            let data = stsh.get(at + 2..at + 2 + usize::from(size)).unwrap_or_default();
            styles.push(style(data, base_size));
            at += 2 + usize::from(size);
        }
        Self(styles)
    }

    fn chain(&self, style: u16) -> impl Iterator<Item = &Style> {
        let mut next = self.0.get(usize::from(style));
        let mut left = 20;
        std::iter::from_fn(move || {
            let style = next?;
            left -= 1;
            next = if left > 0 && style.base != 0xfff { self.0.get(usize::from(style.base)) } else { None };
            Some(style)
        })
    }

    pub fn heading(&self, style: u16) -> Option<u8> {
        self.chain(style).find_map(|style| match style.built_in {
            1..=9 => Some((style.built_in as u8).min(6)),
            62 => Some(1),
            _ => style.properties.outline,
        })
    }

    pub fn is_list(&self, style: u16) -> bool {
        self.chain(style).find_map(|style| style.properties.list).unwrap_or(false)
    }
}

fn style(data: &[u8], base_size: usize) -> Style {
    let word = |at: usize| u16_at(data, at).unwrap_or(0);
    let mut style =
        Style { built_in: word(0) & 0x0fff, base: word(2) >> 4, properties: Properties::default() };
    let kind = word(2) & 0xf;
    if data.is_empty() || kind != 1 {
        return Style { base: 0xfff, built_in: 0xfff, ..Style::default() };
    }
    // The name: its length, UTF-16, a zero. Then paragraph properties: size, style, modifiers.
    let mut at = base_size + 2 + usize::from(word(base_size)) * 2 + 2;
    at += at % 2;
    let size = usize::from(word(at));
    if let Some(properties) = data.get(at + 4..(at + 2 + size).min(data.len())) {
        style.properties.apply(properties);
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_of_all_sizes() {
        let mut properties = Properties::default();
        properties.apply(&[0x16, 0x24, 1, 0x0b, 0x46, 3, 0, 0x15, 0xc6, 2, 9, 9, 0x40, 0x26, 1, 0x0a, 0x26]);
        assert!(properties.in_table && properties.list == Some(true) && properties.outline == Some(2));
    }
}
