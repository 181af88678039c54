//! The piece table of a Word document: which bytes hold which characters.

use std::ops::Range;

use crate::encoding;
use crate::model::ExtractError;
use crate::ole::{u16_at, u32_at};
use crate::writer::damaged;

#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u32,
    end: u32,
    offset: usize,
    /// One byte a character in Windows-1252, else UTF-16.
    narrow: bool,
}

#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    main: &'a [u8],
    pieces: Vec<Piece>,
}

impl<'a> Pieces<'a> {
    pub fn read(main: &'a [u8], table: &[u8]) -> Result<Self, ExtractError> {
        let clx =
            pair(main, 33).and_then(|(at, length)| table.get(at..at.saturating_add(length).min(table.len())));
        let pieces = clx.and_then(pieces).filter(|pieces| !pieces.is_empty());
        let pieces = match pieces {
            Some(pieces) => pieces,
            // Without a piece table the text is one run.
            None => {
                vec![whole(main).ok_or_else(|| damaged("The file is damaged: its text cannot be found."))?]
            }
        };
        Ok(Self { main, pieces })
    }

    /// The text of character positions, one `char` or surrogate pair each as stored.
    pub fn text(&self, range: Range<u32>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            let (start, end) = (piece.start.max(range.start), piece.end.min(range.end));
            if start < end {
                text.push_str(&piece.decode(self.main, start, end));
            }
        }
        text
    }

    /// The runs of a range: character positions with the byte offset of the first and the width of a character.
    pub fn runs(&self, range: &Range<u32>) -> Vec<(Range<u32>, usize, usize)> {
        let cut = |piece: &Piece| {
            let (start, end) = (piece.start.max(range.start), piece.end.min(range.end));
            let width = if piece.narrow { 1 } else { 2 };
            (start < end).then(|| (start..end, piece.offset + (start - piece.start) as usize * width, width))
        };
        self.pieces.iter().filter_map(cut).collect()
    }
}

impl Piece {
    fn decode(&self, main: &[u8], start: u32, end: u32) -> String {
        let (from, count) = ((start - self.start) as usize, (end - start) as usize);
        let width = if self.narrow { 1 } else { 2 };
        let at = self.offset.saturating_add(from * width).min(main.len());
        let bytes = &main[at..at.saturating_add(count * width).min(main.len())];
        if self.narrow {
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
        } else {
            encoding::utf16le(bytes)
        }
    }
}

/// Offset and length number `index` of the FIB's table of parts.
pub(crate) fn pair(main: &[u8], index: usize) -> Option<(usize, usize)> {
    let at = 0x9a + index * 8;
    Some((u32_at(main, at)? as usize, u32_at(main, at + 4)? as usize))
}

fn pieces(clx: &[u8]) -> Option<Vec<Piece>> {
    let mut at = 0;
    // Property modifiers come before the piece table.
    while clx.get(at) == Some(&1) {
        at += 3 + usize::from(u16_at(clx, at + 1)?);
    }
    if clx.get(at) != Some(&2) {
        return None;
    }
    let length = u32_at(clx, at + 1)? as usize;
    let plc = clx.get(at + 5..(at + 5).saturating_add(length).min(clx.len()))?;
    let count = plc.len().checked_sub(4)? / 12;
    let mut pieces = Vec::new();
    for index in 0..count {
        let start = u32_at(plc, index * 4)?;
        let end = u32_at(plc, index * 4 + 4)?;
        let descriptor = (count + 1) * 4 + index * 8;
        let position = u32_at(plc, descriptor + 2)?;
        let narrow = position & 0x4000_0000 != 0;
        let offset = (position & 0x3fff_ffff) as usize;
        if start < end {
            pieces.push(Piece { start, end, offset: if narrow { offset / 2 } else { offset }, narrow });
        }
    }
    // Pieces that overlap would give the same text again and again.
    pieces.sort_by_key(|piece| piece.start);
    let mut reached = 0;
    pieces.retain(|piece| {
        let fits = piece.start >= reached;
        reached = reached.max(piece.end);
        fits
    });
    Some(pieces)
}

fn whole(main: &[u8]) -> Option<Piece> {
    let offset = u32_at(main, 0x18)? as usize;
    let end = u32_at(main, 0x1c)? as usize;
    let length = end.min(main.len()).checked_sub(offset)?;
    Some(Piece { start: 0, end: length as u32, offset, narrow: true })
}
