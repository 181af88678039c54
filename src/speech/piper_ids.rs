//! From eSpeak's phonemes to the numbers that a Piper voice reads, as Piper makes them.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

const PAD: char = '_';
const BEGIN: char = '^';
const END: char = '$';
/// About a minute of speech; a clause has a tenth of that.
pub(crate) const MAX_IDS: usize = 4_000;

/// The phonemes of a clause as Piper writes them: decomposed, without marks of a change of language, with the sign that
/// ends each part.
pub(crate) fn phonemes(parts: &[(String, Option<char>)], voice: &str) -> String {
    let mut out = String::new();
    for (part, sign) in parts {
        let mut inside = 0usize;
        for c in part.nfd() {
            match c {
                '(' => inside += 1,
                ')' => inside = inside.saturating_sub(1),
                _ if inside > 0 => {}
                // Piper's voices of Brazil were trained so.
                'c' if voice == "pt-br" => out.push('k'),
                c => out.push(c),
            }
        }
        match sign {
            Some(sign @ (',' | ';' | ':')) => out.extend([*sign, ' ']),
            Some(sign) => out.push(*sign),
            None => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Begin, then every phoneme with a pad after it, then end. What the voice does not know is left out.
pub(crate) fn ids(map: &HashMap<char, Vec<i64>>, phonemes: &str) -> Vec<i64> {
    let of = |symbol: char| map.get(&symbol).map(Vec::as_slice).unwrap_or_default();
    let mut ids = [of(BEGIN), of(PAD)].concat();
    for phoneme in phonemes.chars() {
        let known = of(phoneme);
        if !known.is_empty() && ids.len() < MAX_IDS {
            ids.extend(known);
            ids.extend(of(PAD));
        }
    }
    ids.extend(of(END));
    ids
}

/// Whether anything but pauses is in it.
pub(crate) fn says_something(phonemes: &str) -> bool {
    phonemes.chars().any(char::is_alphabetic)
}
