//! How a marked piece of text is read: letter by letter, digit by digit, as a place in an order, as a date.

use crate::{english, numbers};

const MONTHS: &[(&str, [&str; 12])] = &[
    (
        "de",
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
    ),
    (
        "fr",
        [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
    ),
    (
        "es",
        [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
    ),
    (
        "it",
        [
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ],
    ),
    (
        "pt",
        [
            "janeiro",
            "fevereiro",
            "março",
            "abril",
            "maio",
            "junho",
            "julho",
            "agosto",
            "setembro",
            "outubro",
            "novembro",
            "dezembro",
        ],
    ),
    (
        "nl",
        [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ],
    ),
];

/// The text as `interpret-as` asks; as it stands when it is of another kind.
pub(crate) fn say_as(text: &str, kind: &str, format: Option<&str>, language: &str) -> String {
    let base = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    match kind {
        "characters" | "spell-out" | "verbatim" => characters(text),
        "digits" => digits(text),
        "telephone" => telephone(text),
        "ordinal" => ordinal(text, &base),
        "cardinal" | "number" => cardinal(text, &base),
        "date" => date(text, format, &base).unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

fn spaced(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" ")
}

/// Capitals are read by their names; a small `a` would be read as a word.
fn characters(text: &str) -> String {
    let name = |c: char| {
        let mut upper = c.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(one), None) => one.to_string(),
            _ => c.to_string(),
        }
    };
    spaced(text.chars().filter(|c| !c.is_whitespace()).map(name))
}

fn digits(text: &str) -> String {
    spaced(text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_string()))
}

/// Digit by digit, with a short rest where the number is written in groups.
fn telephone(text: &str) -> String {
    let plus = if text.starts_with('+') { "+ " } else { "" };
    let groups = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    format!("{plus}{}", groups.map(digits).collect::<Vec<_>>().join(", "))
}

fn ordinal(text: &str, language: &str) -> String {
    let number: String = text.chars().take_while(char::is_ascii_digit).collect();
    match (language, number.parse::<u32>()) {
        ("en", Ok(number)) => numbers::ordinal(number),
        // Where a point makes the number an ordinal, the voice knows it.
        ("de" | "da" | "fi" | "nb" | "pl" | "cs" | "sk" | "hu" | "et" | "tr", Ok(number)) => {
            format!("{number}.")
        }
        ("fr", Ok(1)) => "premier".to_owned(),
        ("es" | "it" | "pt", Ok(number)) => format!("{number}º"),
        ("fr" | "nl", Ok(number)) => format!("{number}e"),
        _ => text.to_owned(),
    }
}

fn cardinal(text: &str, language: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’')).collect();
    if language == "en" { numbers::in_words(&plain).unwrap_or(plain) } else { plain }
}

/// `format` is a row of d, m and y as in SSML; without it the year stands first or last.
fn date(text: &str, format: Option<&str>, language: &str) -> Option<String> {
    let numbers: Vec<u32> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|n| !n.is_empty())
        .filter_map(|n| n.parse().ok())
        .collect();
    let order = match format {
        Some(format) if numbers.len() == format.len() && format.chars().all(|c| "dmy".contains(c)) => format,
        None if numbers.len() == 3 && numbers[0] > 31 => "ymd",
        None if numbers.len() == 3 && language == "en" => "mdy",
        None if numbers.len() == 3 => "dmy",
        _ => return None,
    };
    let part = |wanted: char| order.chars().position(|c| c == wanted).map(|at| numbers[at]);
    let (day, month, year) = (part('d'), part('m')?, part('y'));
    if !(1..=12).contains(&month) || day.is_some_and(|day| !(1..=31).contains(&day)) {
        return None;
    }
    if language == "en" {
        let (Some(day), Some(year)) = (day, year) else { return Some(english_date(day, month, year)) };
        return Some(english::read_aloud(&format!("{year:04}-{month:02}-{day:02}")));
    }
    let names = &MONTHS.iter().find(|(code, _)| *code == language)?.1;
    let point = if language == "de" { "." } else { "" };
    let day = day.map(|day| format!("{day}{point} ")).unwrap_or_default();
    let of = |after: &str| {
        if matches!(language, "es" | "pt") { format!(" de {after}") } else { format!(" {after}") }
    };
    let month = names[month as usize - 1];
    let month = if day.is_empty() || !matches!(language, "es" | "pt") {
        month.to_owned()
    } else {
        format!("de {month}")
    };
    Some(format!("{day}{month}{}", year.map(|year| of(&year.to_string())).unwrap_or_default()))
}

fn english_date(day: Option<u32>, month: u32, year: Option<u32>) -> String {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let month = NAMES[month as usize - 1];
    match (day, year) {
        (Some(day), _) => format!("{month} {}", numbers::ordinal(day)),
        (None, Some(year)) => format!("{month} {year}"),
        (None, None) => month.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::say_as;

    #[test]
    fn letters_digits_and_telephones() {
        assert_eq!(say_as("Ab c1", "characters", None, "en"), "A B C 1");
        assert_eq!(say_as("straße", "spell-out", None, "de"), "S T R A ß E");
        assert_eq!(say_as("2024", "digits", None, "en"), "2 0 2 4");
        assert_eq!(say_as("+49 (0)30-123", "telephone", None, "de"), "+ 4 9, 0, 3 0, 1 2 3");
    }

    #[test]
    fn numbers_by_language() {
        assert_eq!(say_as("3rd", "ordinal", None, "en-GB"), "3rd");
        assert_eq!(say_as("3", "ordinal", None, "de"), "3.");
        assert_eq!(say_as("1", "ordinal", None, "fr"), "premier");
        assert_eq!(say_as("twelve", "ordinal", None, "en"), "twelve");
        assert_eq!(say_as("1 200", "cardinal", None, "en"), "one thousand two hundred");
        assert_eq!(say_as("1'200", "cardinal", None, "de"), "1200");
    }

    #[test]
    fn dates() {
        assert_eq!(say_as("2024-03-05", "date", None, "en"), "March 5th, 2024");
        assert_eq!(say_as("05.03.2024", "date", Some("dmy"), "de"), "5. März 2024");
        assert_eq!(say_as("5/3/2024", "date", Some("dmy"), "es"), "5 de marzo de 2024");
        assert_eq!(say_as("3/2024", "date", Some("my"), "fr"), "mars 2024");
        assert_eq!(say_as("3/5", "date", Some("md"), "en"), "March 5th");
        for odd in ["", "today", "99/99/9999", "1/2/3/4"] {
            assert_eq!(say_as(odd, "date", None, "en"), odd);
            assert_eq!(say_as(odd, "date", Some("ymd"), "xx"), odd);
        }
    }
}
