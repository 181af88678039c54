//! From the order on the page (left to right) to the order of reading, for lines with Arabic or Hebrew in them.

pub(crate) fn is_rtl(c: char) -> bool {
    matches!(u32::from(c), 0x0590..=0x08FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFC | 0x1_0800..=0x1_0FFF | 0x1_E800..=0x1_EFFF)
        && !is_arabic_digit(c)
}

fn is_arabic_digit(c: char) -> bool {
    matches!(u32::from(c), 0x0660..=0x0669 | 0x06F0..=0x06F9)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    /// Digits: read left to right, but they do not turn the text around them.
    Number,
    Neutral,
}

fn side(part: &str) -> Side {
    if part.chars().any(is_rtl) {
        Side::Right
    } else if part.chars().any(char::is_numeric) {
        Side::Number
    } else if part.chars().any(char::is_alphabetic) {
        Side::Left
    } else {
        Side::Neutral
    }
}

/// Whether a line is mostly written from right to left.
pub(crate) fn reads_left(parts: &[&str]) -> bool {
    let count = |wanted| parts.iter().filter(|part| side(part) == wanted).count();
    count(Side::Right) > count(Side::Left)
}

/// Join parts given from left to right. What is inside a part is in logical order already.
pub(crate) fn logical(parts: &[&str]) -> String {
    let sides: Vec<Side> = parts.iter().map(|part| side(part)).collect();
    if !sides.contains(&Side::Right) {
        return parts.concat();
    }
    let base = if reads_left(parts) { Side::Right } else { Side::Left };
    let sides = resolve(&sides, base);
    let mut runs: Vec<(Side, Vec<&str>)> = Vec::new();
    for (part, side) in parts.iter().zip(sides) {
        match runs.last_mut() {
            Some((last, run)) if *last == side => run.push(part),
            _ => runs.push((side, vec![part])),
        }
    }
    if base == Side::Right {
        runs.reverse();
    }
    let mut out = String::new();
    for (side, mut run) in runs {
        if side == Side::Right {
            run.reverse();
        }
        for part in run {
            out.push_str(if side == Side::Right { mirrored(part) } else { part });
        }
    }
    out
}

/// Neutrals take the side of both neighbours when these agree, otherwise that of the line. A single separator between two
/// numbers belongs to the number.
fn resolve(sides: &[Side], base: Side) -> Vec<Side> {
    let strong = |side: Side| if side == Side::Number { Side::Left } else { side };
    let mut out: Vec<Side> = Vec::with_capacity(sides.len());
    let mut i = 0;
    while i < sides.len() {
        if sides[i] != Side::Neutral {
            out.push(strong(sides[i]));
            i += 1;
            continue;
        }
        let end = sides[i..].iter().position(|s| *s != Side::Neutral).map_or(sides.len(), |n| i + n);
        let before = i.checked_sub(1).map(|at| sides[at]);
        let after = sides.get(end).copied();
        let fill = match (before, after) {
            (Some(Side::Number), Some(Side::Number)) if end - i > 1 => base,
            (Some(a), Some(b)) if strong(a) == strong(b) => strong(a),
            _ => base,
        };
        out.extend(std::iter::repeat_n(fill, end - i));
        i = end;
    }
    out
}

fn mirrored(part: &str) -> &str {
    match part {
        "(" => ")",
        ")" => "(",
        "[" => "]",
        "]" => "[",
        "{" => "}",
        "}" => "{",
        "«" => "»",
        "»" => "«",
        "<" => ">",
        ">" => "<",
        _ => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latin_word_keeps_its_order_inside_arabic() {
        // On the page, left to right: "ب" "ا" " " "R" "1" " " "ت" "ي"
        let parts = ["ب", "ا", " ", "R", "1", " ", "ت", "ي"];
        assert_eq!(logical(&parts), "يت R1 اب");
    }

    #[test]
    fn brackets_turn_round() {
        // What opens on the right of the page looks like a closing bracket there.
        assert_eq!(logical(&["(", "ب", "ا", ")"]), "(اب)");
    }

    #[test]
    fn latin_lines_stay() {
        assert_eq!(logical(&["a", " ", "b"]), "a b");
    }
}
