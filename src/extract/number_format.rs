//! Numbers and dates as a spreadsheet shows them, from its format codes (ECMA-376 part 1, 18.8.31).

use crate::number_render::{fraction, number};

/// A parsed format code.
#[derive(Debug, Clone, Default)]
pub(crate) struct NumberFormat {
    sections: Vec<Section>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Section {
    condition: Option<(String, f64)>,
    pub tokens: Vec<Token>,
    is_date: bool,
    is_general: bool,
    is_text: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Literal(String),
    /// A digit place: `0`, `#` or `?`.
    Digit(char),
    Point,
    Comma,
    Percent,
    Exponent(char),
    Slash,
    Text,
    /// Letters of a date, all alike, in lower case.
    Date(String),
    /// Hours, minutes or seconds that do not wrap.
    Elapsed(char),
    /// Digits of a second's fraction.
    Fraction(usize),
    HalfDay(bool),
}

impl NumberFormat {
    /// The format with this built-in id; those that vary by country as an ISO date.
    pub fn built_in(id: u32) -> Option<Self> {
        let code = match id {
            0 => "General",
            1 => "0",
            2 => "0.00",
            3 => "#,##0",
            4..=8 | 37..=44 => "#,##0.00",
            9 => "0%",
            10 => "0.00%",
            11 => "0.00E+00",
            12 => "# ?/?",
            13 => "# ??/??",
            14 | 27..=31 | 36 | 50..=54 | 57 | 58 => "yyyy-mm-dd",
            15 => "d-mmm-yy",
            16 => "d-mmm",
            17 => "mmm-yy",
            18 => "h:mm AM/PM",
            19 => "h:mm:ss AM/PM",
            20 | 32 | 34 | 55 => "h:mm",
            21 | 33 | 35 | 56 => "h:mm:ss",
            22 => "yyyy-mm-dd h:mm",
            45 => "mm:ss",
            46 => "[h]:mm:ss",
            47 => "mm:ss.0",
            48 => "##0.0E+0",
            49 => "@",
            _ => return None,
        };
        Some(Self::parse(code))
    }

    pub fn parse(code: &str) -> Self {
        let sections = split_sections(code).iter().take(4).map(|part| parse_section(part)).collect();
        Self { sections }
    }

    /// `value` as shown; `epoch_1904` for workbooks that count days as old Macs did.
    pub fn show(&self, value: f64, epoch_1904: bool) -> String {
        let Some((section, value)) = self.pick(value) else { return general(value) };
        if section.is_general
            || (section.is_text && !section.tokens.iter().any(|t| matches!(t, Token::Digit(_))))
        {
            return with_literals(section, &general(value));
        }
        if section.is_date {
            return crate::date_render::date(&section.tokens, value, epoch_1904)
                .unwrap_or_else(|| general(value));
        }
        if section.tokens.contains(&Token::Slash) {
            return fraction(&section.tokens, value);
        }
        number(&section.tokens, value)
    }

    /// The section for a value, and the value as that section shows it: one for negatives has its own sign.
    fn pick(&self, value: f64) -> Option<(&Section, f64)> {
        let first = self.sections.first()?;
        if self.sections.iter().any(|section| section.condition.is_some()) {
            let fits = |section: &&Section| match &section.condition {
                Some((operator, bound)) => holds(operator, value, *bound),
                None => true,
            };
            return Some((self.sections.iter().find(fits).unwrap_or(first), value));
        }
        let numeric =
            self.sections.iter().take(3).filter(|section| !section.is_text || section.is_general).count();
        Some(match (numeric, value) {
            (2.., value) if value < 0.0 => (&self.sections[1], -value),
            (3.., 0.0) => (&self.sections[2], value),
            _ => (first, value),
        })
    }
}

fn holds(operator: &str, value: f64, bound: f64) -> bool {
    match operator {
        "<" => value < bound,
        "<=" => value <= bound,
        ">" => value > bound,
        ">=" => value >= bound,
        "<>" => (value - bound).abs() > f64::EPSILON,
        _ => (value - bound).abs() <= f64::EPSILON,
    }
}

fn with_literals(section: &Section, shown: &str) -> String {
    let mut out = String::new();
    let mut placed = false;
    for token in &section.tokens {
        match token {
            Token::Literal(text) => out.push_str(text),
            Token::Text if !placed => {
                out.push_str(shown);
                placed = true;
            }
            _ => {}
        }
    }
    if placed { out } else { shown.to_owned() }
}

/// A number with no format: as many digits as mean something.
pub(crate) fn general(value: f64) -> String {
    if !value.is_finite() {
        return "#NUM!".to_owned();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-9..1e20).contains(&size) {
        let text = format!("{value:.14E}");
        let Some((digits, exponent)) = text.split_once('E') else { return text };
        let digits =
            if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
        let exponent: i32 = exponent.parse().unwrap_or(0);
        return format!("{digits}E{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    // Fifteen significant digits, as spreadsheets keep.
    let whole = size.log10().floor().max(0.0) as usize + 1;
    let text = format!("{value:.*}", 15usize.saturating_sub(whole));
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn split_sections(code: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let (mut quoted, mut escaped, mut bracket) = (false, false, false);
    for c in code.chars().take(1000) {
        let ends = c == ';' && !quoted && !escaped && !bracket;
        if ends {
            sections.push(String::new());
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '"' => quoted = !quoted,
            '\\' | '_' | '*' if !quoted => escaped = true,
            '[' if !quoted => bracket = true,
            ']' => bracket = false,
            _ => {}
        }
        if let Some(last) = sections.last_mut() {
            last.push(c);
        }
    }
    sections
}

fn parse_section(code: &str) -> Section {
    let mut section = Section::default();
    let lower = code.to_lowercase();
    let chars: Vec<char> = code.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        at += token(&chars, at, &mut section);
    }
    section.is_general = lower.contains("general");
    section.is_date = section
        .tokens
        .iter()
        .any(|token| matches!(token, Token::Date(_) | Token::Elapsed(_) | Token::HalfDay(_)));
    section.is_text = section.tokens.contains(&Token::Text);
    if section.is_general {
        section.is_date = false;
        section.tokens.retain(|token| matches!(token, Token::Literal(_) | Token::Text));
    }
    section
}

/// Reads one token; the answer is how many characters it took.
fn token(chars: &[char], at: usize, section: &mut Section) -> usize {
    let rest = &chars[at..];
    let has_digits = section.tokens.iter().any(|token| matches!(token, Token::Digit(_)));
    let mut literal = |text: String| section.tokens.push(Token::Literal(text));
    match rest[0] {
        '"' => {
            let length = rest[1..].iter().position(|c| *c == '"').unwrap_or(rest.len() - 1);
            literal(rest[1..=length].iter().collect());
            length + 2
        }
        '\\' => {
            literal(rest.get(1).map(char::to_string).unwrap_or_default());
            2
        }
        '_' => {
            literal(" ".to_owned());
            2
        }
        '*' => 2,
        '[' => {
            let length = rest.iter().position(|c| *c == ']').unwrap_or(rest.len() - 1);
            let inner: String = rest[1..length.max(1)].iter().collect();
            bracket(&inner, section);
            length + 1
        }
        '0' | '#' | '?' => {
            section.tokens.push(Token::Digit(rest[0]));
            1
        }
        '.' => {
            let zeros = rest[1..].iter().take_while(|c| **c == '0').count();
            let after_seconds = section.tokens.iter().rev().find_map(|token| match token {
                Token::Date(letters) => Some(letters.starts_with('s')),
                Token::Elapsed(letter) => Some(*letter == 's'),
                _ => None,
            });
            if zeros > 0 && after_seconds == Some(true) {
                section.tokens.push(Token::Fraction(zeros.min(6)));
                return 1 + zeros;
            }
            section.tokens.push(Token::Point);
            1
        }
        ',' => {
            section.tokens.push(Token::Comma);
            1
        }
        '%' => {
            section.tokens.push(Token::Percent);
            1
        }
        'E' | 'e' if matches!(rest.get(1), Some('+' | '-')) => {
            section.tokens.push(Token::Exponent(rest[1]));
            2
        }
        '/' if has_digits => {
            section.tokens.push(Token::Slash);
            1
        }
        '@' => {
            section.tokens.push(Token::Text);
            1
        }
        'A' | 'a' => half_day(rest, section),
        c @ ('y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' | 'e' | 'g' | 'b') => {
            let length = rest.iter().take_while(|other| other.eq_ignore_ascii_case(&c)).count();
            section.tokens.push(Token::Date(c.to_lowercase().collect::<String>().repeat(length)));
            length
        }
        c => {
            literal(c.to_string());
            1
        }
    }
}

fn half_day(rest: &[char], section: &mut Section) -> usize {
    let head: String = rest.iter().take(5).collect::<String>().to_lowercase();
    if head.starts_with("am/pm") {
        section.tokens.push(Token::HalfDay(true));
        return 5;
    }
    if head.starts_with("a/p") {
        section.tokens.push(Token::HalfDay(false));
        return 3;
    }
    section.tokens.push(Token::Literal(rest[0].to_string()));
    1
}

/// Conditions, currencies and elapsed time; colours and locales show nothing.
fn bracket(inner: &str, section: &mut Section) {
    if let Some(currency) = inner.strip_prefix('$') {
        let sign = currency.split('-').next().unwrap_or_default();
        section.tokens.push(Token::Literal(sign.to_owned()));
    } else if inner.starts_with(['<', '>', '=']) {
        let operator: String = inner.chars().take_while(|c| "<>=".contains(*c)).collect();
        if let Ok(bound) = inner[operator.len()..].trim().parse() {
            section.condition = Some((operator, bound));
        }
    } else if let Some(letter) = inner.chars().next().map(|c| c.to_ascii_lowercase()) {
        let same = inner.chars().all(|c| c.eq_ignore_ascii_case(&letter));
        if same && matches!(letter, 'h' | 'm' | 's') {
            section.tokens.push(Token::Elapsed(letter));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_displayed() {
        for (code, value, expected) in [
            ("General", 0.1 + 0.2, "0.3"),
            ("General", 123_456_789_012_345.0, "123456789012345"),
            ("General", 1e-12, "1E-12"),
            ("0.00", 2.5, "2.50"),
            ("#,##0", 1_234_567.4, "1,234,567"),
            ("#,##0.00;[Red](#,##0.00)", -1234.5, "(1,234.50)"),
            ("0%", 0.256, "26%"),
            ("0.00E+00", 12345.0, "1.23E+04"),
            ("# ?/?", 2.75, "2 3/4"),
            ("yyyy-mm-dd", 43363.0, "2018-09-20"),
            ("d. mmmm yyyy", 35287.0, "10. August 1996"),
            ("h:mm AM/PM", 0.75, "6:00 PM"),
            ("[h]:mm:ss", 1.5, "36:00:00"),
            ("mm:ss.0", 0.000_694_5, "01:00.0"),
            ("000-00-0000", 123_456_789.0, "123-45-6789"),
            ("[$€-407] #,##0.00", 5.0, "€ 5.00"),
            ("\"No \"0", 7.0, "No 7"),
            ("[<1]0.0%;0", 0.5, "50.0%"),
            ("0,", 12_000.0, "12"),
            ("@", 5.0, "5"),
        ] {
            assert_eq!(NumberFormat::parse(code).show(value, false), expected, "{code}");
        }
    }
}
