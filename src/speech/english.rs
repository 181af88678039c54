//! What English text writes short and a voice would read wrong: dates, money, percentages, units,
//! ranges, short forms; then all other numbers.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::numbers::{in_words, ordinal, speak_numbers, whole_part};

const MONTHS: [&str; 12] = [
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
/// Sign, one, many, a hundredth, hundredths.
const CURRENCIES: &[(&str, &str, &str, &str, &str)] = &[
    ("$", "dollar", "dollars", "cent", "cents"),
    ("€", "euro", "euros", "cent", "cents"),
    ("£", "pound", "pounds", "penny", "pence"),
    ("¥", "yen", "yen", "sen", "sen"),
    ("₹", "rupee", "rupees", "paisa", "paise"),
    ("USD", "US dollar", "US dollars", "cent", "cents"),
    ("EUR", "euro", "euros", "cent", "cents"),
    ("GBP", "pound", "pounds", "penny", "pence"),
    ("CHF", "Swiss franc", "Swiss francs", "centime", "centimes"),
];
const UNITS: &[(&str, &str, &str)] = &[
    ("km/h", "kilometer per hour", "kilometers per hour"),
    ("m/s", "meter per second", "meters per second"),
    ("mph", "mile per hour", "miles per hour"),
    ("km²", "square kilometer", "square kilometers"),
    ("m²", "square meter", "square meters"),
    ("m³", "cubic meter", "cubic meters"),
    ("km", "kilometer", "kilometers"),
    ("cm", "centimeter", "centimeters"),
    ("mm", "millimeter", "millimeters"),
    ("µm", "micrometer", "micrometers"),
    ("nm", "nanometer", "nanometers"),
    ("m", "meter", "meters"),
    ("kg", "kilogram", "kilograms"),
    ("mg", "milligram", "milligrams"),
    ("µg", "microgram", "micrograms"),
    ("g", "gram", "grams"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("ft", "foot", "feet"),
    ("ml", "milliliter", "milliliters"),
    ("mL", "milliliter", "milliliters"),
    ("l", "liter", "liters"),
    ("L", "liter", "liters"),
    ("°C", "degree Celsius", "degrees Celsius"),
    ("°F", "degree Fahrenheit", "degrees Fahrenheit"),
    ("°", "degree", "degrees"),
    ("ms", "millisecond", "milliseconds"),
    ("kHz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"),
    ("GHz", "gigahertz", "gigahertz"),
    ("Hz", "hertz", "hertz"),
    ("KB", "kilobyte", "kilobytes"),
    ("kB", "kilobyte", "kilobytes"),
    ("MB", "megabyte", "megabytes"),
    ("GB", "gigabyte", "gigabytes"),
    ("TB", "terabyte", "terabytes"),
    ("kWh", "kilowatt hour", "kilowatt hours"),
    ("kW", "kilowatt", "kilowatts"),
    ("MW", "megawatt", "megawatts"),
    ("W", "watt", "watts"),
    ("mA", "milliampere", "milliamperes"),
    ("kV", "kilovolt", "kilovolts"),
    ("V", "volt", "volts"),
    ("bar", "bar", "bar"),
    ("kPa", "kilopascal", "kilopascals"),
    ("min", "minute", "minutes"),
    ("h", "hour", "hours"),
    ("%", "percent", "percent"),
    ("‰", "per mille", "per mille"),
];
const SHORT_FORMS: &[(&str, &str)] = &[
    ("e.g.", "for example"),
    ("i.e.", "that is"),
    ("etc.", "et cetera"),
    ("vs.", "versus"),
    ("approx.", "approximately"),
    ("cf.", "compare"),
    ("w/o", "without"),
    ("et al.", "and others"),
];
const NUMBER: &str = r"\d+(?:,\d{3})*(?:\.\d+)?";

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern")
}

fn any<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(regex::escape).collect::<Vec<_>>().join("|")
}

static ISO_DATE: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\b(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b")
});
static MONTH_DAY: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(r"\b({})\.? (\d{{1,2}})(, \d{{4}})?\b", any_month())));
static DAY_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(r"(\b[Tt]he )?\b(\d{{1,2}})(?:st|nd|rd|th)?\.? ({})\b", MONTHS.join("|")))
});
static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(r"(^|[\s:($€£¥₹])({NUMBER})([%°]?[CF]?)\s?([-–—])\s?([$€£¥₹]?)({NUMBER})($|[^\w-])"))
});
static MONEY_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    let signs = any(CURRENCIES.iter().map(|c| c.0));
    regex(&format!(r"({signs})\s?({NUMBER})(?:\s?(million|billion|trillion|thousand|bn|[kKMmBb])\b)?"))
});
static MONEY_AFTER: LazyLock<Regex> = LazyLock::new(|| {
    let signs = any(CURRENCIES.iter().map(|c| c.0).filter(|sign| *sign != "$"));
    regex(&format!(
        r"(^|[\s(])({NUMBER})(?:\s?(million|billion|trillion|thousand))?\s?({signs})($|[\s.,;:!?)])"
    ))
});
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    let mut units: Vec<&str> = UNITS.iter().map(|unit| unit.0).collect();
    units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
    regex(&format!(
        r"(^|[\s(~≈±−-])({NUMBER})[ \u{{a0}}\u{{202f}}]?({})($|[\s.,;:!?)])",
        any(units.into_iter())
    ))
});
static NUMBER_SIGN: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:\bNo\. ?|\bno\. |\bNr\. ?|#|№ ?)(\d)"));
static SECTION: LazyLock<Regex> = LazyLock::new(|| regex(r"§+ ?(\d)"));
static FIGURE: LazyLock<Regex> = LazyLock::new(|| regex(r"\b(Fig|fig|Sec|sec|Vol|vol|Ch|ch|pp|p)\. ?(\d)"));
static ABOUT: LazyLock<Regex> = LazyLock::new(|| regex(r"(^|[\s(])[~≈] ?(\d)"));
static AND: LazyLock<Regex> = LazyLock::new(|| regex(r" & "));

fn any_month() -> String {
    // "Mar", "Mar.", "March"; May is its own short form.
    MONTHS.iter().map(|month| format!("{}(?:{})?", &month[..3], &month[3..])).collect::<Vec<_>>().join("|")
}

/// English text as it is read aloud.
pub(crate) fn read_aloud(text: &str) -> String {
    let text = ISO_DATE.replace_all(text, iso_date);
    let text = MONTH_DAY.replace_all(&text, month_day);
    let text = DAY_MONTH.replace_all(&text, day_month);
    let text = RANGE.replace_all(&text, range);
    let text = MONEY_BEFORE.replace_all(&text, |found: &Captures<'_>| {
        money(&found[1], &found[2], found.get(3).map(|scale| scale.as_str()))
            .unwrap_or_else(|| found[0].to_owned())
    });
    let text = twice(&MONEY_AFTER, &text, |found| {
        let words = money(&found[4], &found[2], found.get(3).map(|scale| scale.as_str()))?;
        Some(format!("{}{words}{}", &found[1], &found[5]))
    });
    let text = twice(&UNIT, &text, unit);
    let text = NUMBER_SIGN.replace_all(&text, "number $1");
    let text = SECTION.replace_all(&text, "section $1");
    let text = FIGURE.replace_all(&text, figure);
    let text = ABOUT.replace_all(&text, "${1}about $2");
    let text = AND.replace_all(&text, " and ");
    speak_numbers(&short_forms(&text))
}

/// Matches share the space between them, so neighbours need a second pass.
fn twice(pattern: &Regex, text: &str, change: impl Fn(&Captures<'_>) -> Option<String>) -> String {
    let one = |text: &str| {
        pattern
            .replace_all(text, |found: &Captures<'_>| change(found).unwrap_or_else(|| found[0].to_owned()))
            .into_owned()
    };
    one(&one(text))
}

fn iso_date(found: &Captures<'_>) -> String {
    let month = found[2].parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    let day = found[3].parse::<u32>().ok().filter(|day| (1..=31).contains(day));
    let (Some(month), Some(day)) = (month, day) else { return found[0].to_owned() };
    let time = found.get(4).map_or_else(String::new, |time| format!(" at {}", time.as_str()));
    format!("{month} {}, {}{time}", ordinal(day), &found[1])
}

fn month_day(found: &Captures<'_>) -> String {
    let month = MONTHS.iter().find(|month| month.starts_with(&found[1][..3]));
    match (month, found[2].parse()) {
        (Some(month), Ok(day @ 1..=31)) => {
            format!("{month} {}{}", ordinal(day), found.get(3).map_or("", |year| year.as_str()))
        }
        _ => found[0].to_owned(),
    }
}

fn day_month(found: &Captures<'_>) -> String {
    match found[2].parse() {
        Ok(day @ 1..=31) => {
            let article = found.get(1).map_or("the ", |article| article.as_str());
            format!("{article}{} of {}", ordinal(day), &found[3])
        }
        _ => found[0].to_owned(),
    }
}

/// `10–20`, `1998–99`. A dash of its own kind also joins a score, `20–18`; a hyphen only goes upwards,
/// so that a phone number or a subtraction stays what it is.
fn range(found: &Captures<'_>) -> String {
    let value = |text: &str| text.replace(',', "").parse::<f64>().unwrap_or(f64::NAN);
    let (from, to) = (&found[2], &found[6]);
    let century = from.len() == 4 && to.len() == 2 && from[2..] < *to;
    let alike = from.len() == to.len() || to.len() <= 3;
    if &found[4] == "–" || century || (alike && value(from) < value(to)) {
        format!("{}{from}{} to {}{to}{}", &found[1], &found[3], &found[5], &found[7])
    } else {
        found[0].to_owned()
    }
}

fn money(sign: &str, number: &str, scale: Option<&str>) -> Option<String> {
    let (_, one, many, cent, cents) = CURRENCIES.iter().find(|currency| currency.0 == sign)?;
    let scale = scale.map(|scale| match scale {
        "k" | "K" => "thousand",
        "m" | "M" => "million",
        "b" | "B" | "bn" => "billion",
        word => word,
    });
    if let Some(scale) = scale {
        return Some(format!("{} {scale} {many}", in_words(number)?));
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole_value = whole_part(whole)?;
    let head = format!("{} {}", in_words(whole)?, if whole_value == 1 { one } else { many });
    match (fraction.len(), fraction.trim_start_matches('0')) {
        (_, "") => Some(head),
        (2, digits) if whole_value == 0 => Some(hundredths(digits, cent, cents)?),
        (2, digits) => Some(format!("{head} and {}", hundredths(digits, cent, cents)?)),
        _ => Some(format!("{} {many}", in_words(number)?)),
    }
}

fn hundredths(digits: &str, one: &str, many: &str) -> Option<String> {
    Some(format!("{} {}", in_words(digits)?, if digits == "1" { one } else { many }))
}

fn unit(found: &Captures<'_>) -> Option<String> {
    let (_, one, many) = UNITS.iter().find(|unit| unit.0 == &found[3])?;
    let words = in_words(&found[2])?;
    let lead = match &found[1] {
        "-" | "−" => "minus ",
        "~" | "≈" => "about ",
        "±" => "plus or minus ",
        other => other,
    };
    Some(format!("{lead}{words} {}{}", if &found[2] == "1" { one } else { many }, &found[4]))
}

fn figure(found: &Captures<'_>) -> String {
    let word = match found[1].to_lowercase().as_str() {
        "fig" => "figure",
        "sec" => "section",
        "vol" => "volume",
        "ch" => "chapter",
        "pp" => "pages",
        _ => "page",
    };
    format!("{word} {}", &found[2])
}

fn short_forms(text: &str) -> String {
    SHORT_FORMS.iter().fold(text.to_owned(), |text, (short, long)| replace_word(&text, short, long))
}

/// Replaces `short` where a word begins; its point stays when it also ends the text.
fn replace_word(text: &str, short: &str, long: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(short) {
        let begins = !rest[..at].ends_with(char::is_alphanumeric);
        out.push_str(&rest[..at]);
        out.push_str(if begins { long } else { short });
        rest = &rest[at + short.len()..];
        if begins && short.ends_with('.') && rest.trim().is_empty() {
            out.push('.');
        }
    }
    out.push_str(rest);
    out
}
