//! Numbers as lists show them: letters, roman numerals, ordinals and the counting of East Asia.

/// The number of a list item in the way its format name says. The names are those of OOXML.
pub(crate) fn show(format: &str, value: i64) -> String {
    let positive = value.clamp(0, 100_000) as u32;
    match format {
        "none" | "bullet" => String::new(),
        "decimalZero" => format!("{value:02}"),
        "upperLetter" | "alphaUc" => letters(positive).to_uppercase(),
        "lowerLetter" | "alphaLc" => letters(positive),
        "upperRoman" | "romanUc" => roman(positive).to_uppercase(),
        "lowerRoman" | "romanLc" => roman(positive),
        "ordinal" => ordinal(value),
        "decimalEnclosedCircle" if (1..=20).contains(&positive) => {
            char::from_u32(0x245f + positive).map(String::from).unwrap_or_default()
        }
        "decimalFullWidth" | "decimalFullWidth2" => value
            .to_string()
            .chars()
            .map(|c| c.to_digit(10).and_then(|d| char::from_u32(0xff10 + d)).unwrap_or(c))
            .collect(),
        "chineseCounting"
        | "japaneseCounting"
        | "chineseCountingThousand"
        | "taiwaneseCounting"
        | "ideographDigital"
        | "taiwaneseCountingThousand"
        | "koreanCounting" => ideographs(positive),
        "russianLower" => cyrillic(positive).to_lowercase(),
        "russianUpper" => cyrillic(positive),
        _ => value.to_string(),
    }
}

/// a … z, aa, bb …, as word processors count.
fn letters(value: u32) -> String {
    let Some(index) = value.checked_sub(1) else { return String::new() };
    let letter = char::from(b'a' + (index % 26) as u8);
    std::iter::repeat_n(letter, (index / 26 + 1).min(50) as usize).collect()
}

fn cyrillic(value: u32) -> String {
    const LETTERS: [char; 29] = [
        'А', 'Б', 'В', 'Г', 'Д', 'Е', 'Ж', 'З', 'И', 'К', 'Л', 'М', 'Н', 'О', 'П', 'Р', 'С', 'Т', 'У', 'Ф',
        'Х', 'Ц', 'Ч', 'Ш', 'Щ', 'Ы', 'Э', 'Ю', 'Я',
    ];
    let Some(index) = value.checked_sub(1) else { return String::new() };
    std::iter::repeat_n(LETTERS[index as usize % 29], (index / 29 + 1).min(50) as usize).collect()
}

fn roman(value: u32) -> String {
    const STEPS: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let (mut rest, mut out) = (value.min(9999), String::new());
    for (step, text) in STEPS {
        while rest >= step {
            out.push_str(text);
            rest -= step;
        }
    }
    out
}

fn ordinal(value: i64) -> String {
    let suffix = match (value % 10, value % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{value}{suffix}")
}

fn ideographs(value: u32) -> String {
    const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let digit = |d: u32| DIGITS[(d % 10) as usize];
    match value {
        0..=9 => digit(value).to_string(),
        10..=99 => {
            let mut out = String::new();
            if value >= 20 {
                out.push(digit(value / 10));
            }
            out.push('十');
            if !value.is_multiple_of(10) {
                out.push(digit(value % 10));
            }
            out
        }
        _ => value.to_string().chars().filter_map(|c| c.to_digit(10)).map(digit).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        for (format, value, expected) in [
            ("lowerLetter", 28, "bb"),
            ("upperRoman", 1994, "MCMXCIV"),
            ("ordinal", 112, "112th"),
            ("ordinal", 22, "22nd"),
            ("decimalZero", 7, "07"),
            ("chineseCounting", 23, "二十三"),
            ("decimalEnclosedCircle", 3, "③"),
            ("anything", -4, "-4"),
        ] {
            assert_eq!(show(format, value), expected);
        }
    }
}
