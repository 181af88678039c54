//! Numbers as English words.

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(u64, &str); 4] = [
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];
/// Longer rows of digits are names (of orders, cards, parts), not quantities.
const MAX_DIGITS: usize = 15;

pub(crate) fn cardinal(number: u64) -> String {
    for (scale, name) in SCALES {
        if number >= scale {
            return joined(format!("{} {name}", cardinal(number / scale)), number % scale, " ");
        }
    }
    match number as usize {
        small @ 0..20 => ONES[small].to_owned(),
        tens @ 20..100 => joined(TENS[tens / 10].to_owned(), number % 10, "-"),
        hundreds => joined(format!("{} hundred", ONES[hundreds / 100]), number % 100, " "),
    }
}

fn joined(head: String, rest: u64, with: &str) -> String {
    if rest == 0 { head } else { format!("{head}{with}{}", cardinal(rest)) }
}

/// `5` as `5th`: short, and every voice says it right.
pub(crate) fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A number as written (`1,234.50`) in words; None when it is not a plain quantity.
pub(crate) fn in_words(written: &str) -> Option<String> {
    let (whole, fraction) =
        written.split_once('.').map_or((written, None), |(whole, rest)| (whole, Some(rest)));
    let whole = whole_part(whole)?;
    let Some(fraction) = fraction else { return Some(cardinal(whole)) };
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: Vec<&str> = fraction.bytes().map(|b| ONES[usize::from(b - b'0')]).collect();
    Some(format!("{} point {}", cardinal(whole), digits.join(" ")))
}

/// `1,234` or `1234`; groups must be of three, and `007` is a name.
pub(crate) fn whole_part(written: &str) -> Option<u64> {
    let mut groups = written.split(',');
    let first = groups.next()?;
    let grouped = written.contains(',');
    let well_formed = groups.all(|group| group.len() == 3) && (!grouped || (1..=3).contains(&first.len()));
    let digits: String = written.chars().filter(|c| *c != ',').collect();
    let plain =
        !digits.is_empty() && digits.len() <= MAX_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    if !well_formed || !plain || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    digits.parse().ok()
}

/// Every number that stands alone, in words. Left as they are: years, and numbers that are part of a
/// name, a time, a version or an address.
pub(crate) fn speak_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    while let Some(offset) = text[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + offset;
        let run = text[start..].find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.');
        let end = run.map_or(text.len(), |run| start + run);
        let number = text[start..end].trim_end_matches([',', '.']);
        let end = start + number.len();
        out.push_str(&text[at..start]);
        push_number(&mut out, number, &text[end..]);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

fn push_number(out: &mut String, number: &str, after: &str) {
    let words = if is_name(out, after) || is_year(number) { None } else { in_words(number) };
    let Some(words) = words else { return out.push_str(number) };
    if let Some(sign) = out.strip_suffix(['-', '−']).map(str::len) {
        out.truncate(sign);
        out.push_str("minus ");
    }
    out.push_str(&words);
}

/// Part of something written together: `A4`, `COVID-19`, `14:30`, `1/2`, `#7`, `2nd`.
fn is_name(before: &str, after: &str) -> bool {
    let mut back = before.chars().rev();
    let attached = match (back.next(), back.next()) {
        // `17(1)`
        (Some('('), Some(previous)) => previous.is_ascii_digit(),
        (Some('-' | '−'), previous) => previous.is_some_and(|c| !c.is_whitespace() && c != '('),
        (Some(c), _) => c.is_alphanumeric() || "_/:.,#@+".contains(c),
        (None, _) => false,
    };
    let mut ahead = after.chars();
    let continued = match (ahead.next(), ahead.next()) {
        (Some(':' | '-' | '.' | ',' | '('), Some(c)) => c.is_ascii_digit(),
        (Some('/'), Some(c)) => c.is_alphanumeric(),
        (Some(c), _) => c.is_alphanumeric() || c == '_',
        (None, _) => false,
    };
    attached || continued
}

fn is_year(number: &str) -> bool {
    number.len() == 4 && number.parse::<u32>().is_ok_and(|number| (1100..2100).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (number, words) in [
            (0, "zero"),
            (13, "thirteen"),
            (40, "forty"),
            (99, "ninety-nine"),
            (100, "one hundred"),
            (342, "three hundred forty-two"),
            (1_000, "one thousand"),
            (1_000_001, "one million one"),
            (12_345_678, "twelve million three hundred forty-five thousand six hundred seventy-eight"),
        ] {
            assert_eq!(cardinal(number), words);
        }
        assert!(cardinal(u64::MAX).ends_with("six hundred fifteen"));
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal),
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]
        );
    }

    #[test]
    fn only_quantities() {
        assert_eq!(
            in_words("1,234.50").as_deref(),
            Some("one thousand two hundred thirty-four point five zero")
        );
        for name in ["12,34", "007", "1.2.3", "1234,567", "1234567890123456", ""] {
            assert_eq!(in_words(name), None, "{name}");
        }
    }

    #[test]
    fn in_sentences() {
        assert_eq!(
            speak_numbers("In 1999 we had 25 people, 3.5 rooms and -4 degrees; 1,000,000."),
            "In 1999 we had twenty-five people, three point five rooms and minus four degrees; one million."
        );
        for same in [
            "A4",
            "COVID-19",
            "14:30",
            "1/2",
            "#7",
            "2nd",
            "v1.2.3",
            "x_5",
            "1/p",
            "17(1)",
            "10.0.0.1",
            "0049",
            "3,5,7.1.2",
        ] {
            assert_eq!(speak_numbers(same), same);
        }
        assert_eq!(speak_numbers("a 5-year plan"), "a five-year plan");
    }
}
