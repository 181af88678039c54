//! Numbers laid into the digit places of a parsed format.

use crate::number_format::{Token, general};

/// A plain, grouped, percent or scientific number.
pub(crate) fn number(tokens: &[Token], value: f64) -> String {
    let exponent = tokens.iter().position(|token| matches!(token, Token::Exponent(_)));
    match exponent {
        Some(at) => scientific(tokens, at, value),
        None => decimal(tokens, value),
    }
}

fn decimal(tokens: &[Token], value: f64) -> String {
    let percent = tokens.iter().filter(|token| **token == Token::Percent).count().min(3);
    let last_digit = tokens.iter().rposition(|token| matches!(token, Token::Digit(_)));
    let Some(last_digit) = last_digit else { return literals_only(tokens, value) };
    let scale =
        tokens[last_digit..].iter().skip(1).take_while(|token| **token == Token::Comma).count().min(4);
    let value = value * 100f64.powi(percent as i32) / 1000f64.powi(scale as i32);
    let point = tokens.iter().position(|token| *token == Token::Point).unwrap_or(tokens.len());
    let decimals = count_digits(&tokens[point.min(tokens.len())..]).min(30);
    let grouped = tokens[..point.min(last_digit + 1)].contains(&Token::Comma);
    let text = format!("{:.*}", decimals, value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let negative = value < 0.0 && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let mut out = if negative { "-".to_owned() } else { String::new() };
    out.push_str(&whole_part(&tokens[..point], whole, grouped));
    if point < tokens.len() {
        out.push_str(&decimal_part(&tokens[point..], part));
    }
    out
}

fn count_digits(tokens: &[Token]) -> usize {
    tokens.iter().filter(|token| matches!(token, Token::Digit(_))).count()
}

fn literals_only(tokens: &[Token], value: f64) -> String {
    let text: String = tokens.iter().map(shown).collect();
    if text.is_empty() && tokens.is_empty() {
        String::new()
    } else if text.is_empty() {
        general(value)
    } else {
        text
    }
}

fn shown(token: &Token) -> &str {
    match token {
        Token::Literal(text) => text,
        Token::Percent => "%",
        _ => "",
    }
}

/// Digits go into their places from the right; the first place takes what is left over.
fn whole_part(tokens: &[Token], whole: &str, grouped: bool) -> String {
    let whole = if whole == "0" { "" } else { whole };
    let mut digits: Vec<char> = whole.chars().collect();
    let places = count_digits(tokens);
    let (mut reversed, mut place, mut written) = (Vec::new(), 0, 0);
    let push_digit = |reversed: &mut Vec<String>, digit: char, written: &mut usize| {
        if grouped && *written > 0 && written.is_multiple_of(3) {
            reversed.push(",".to_owned());
        }
        reversed.push(digit.to_string());
        *written += 1;
    };
    for token in tokens.iter().rev() {
        match token {
            Token::Digit(kind) => {
                place += 1;
                match (digits.pop(), kind) {
                    (Some(digit), _) => push_digit(&mut reversed, digit, &mut written),
                    (None, '0') => push_digit(&mut reversed, '0', &mut written),
                    _ => {}
                }
                while place == places && !digits.is_empty() {
                    let digit = digits.pop().unwrap_or('0');
                    push_digit(&mut reversed, digit, &mut written);
                }
            }
            other => reversed.push(shown(other).to_owned()),
        }
    }
    reversed.iter().rev().map(String::as_str).collect()
}

fn decimal_part(tokens: &[Token], part: &str) -> String {
    let mut digits = part.chars();
    let mut pending = String::new();
    let mut out = String::new();
    let significant = part.trim_end_matches('0').len();
    for (index, token) in tokens.iter().filter(|token| matches!(token, Token::Digit(_))).enumerate() {
        let Some(digit) = digits.next() else { break };
        if index < significant || *token == Token::Digit('0') {
            pending.push(digit);
        }
    }
    if !pending.is_empty() {
        out.push('.');
        out.push_str(&pending);
    }
    out.extend(tokens.iter().map(shown));
    out
}

fn scientific(tokens: &[Token], at: usize, value: f64) -> String {
    let point = tokens[..at].iter().position(|token| *token == Token::Point).unwrap_or(at);
    let decimals = count_digits(&tokens[point..at]).min(20);
    let text = format!("{value:.decimals$e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let width = count_digits(&tokens[at..]).clamp(1, 4);
    let sign = match (exponent < 0, &tokens[at]) {
        (true, _) => "-",
        (false, Token::Exponent('+')) => "+",
        _ => "",
    };
    let before: String =
        tokens[..at].iter().take_while(|token| !matches!(token, Token::Digit(_))).map(shown).collect();
    let after: String = tokens[at..].iter().map(shown).collect();
    format!("{before}{digits}E{sign}{:0width$}{after}", exponent.abs())
}

/// A number as whole and fraction, with the best denominator of as many digits as the format has.
pub(crate) fn fraction(tokens: &[Token], value: f64) -> String {
    let slash = tokens.iter().position(|token| *token == Token::Slash).unwrap_or(tokens.len());
    let fixed: String = tokens[slash..]
        .iter()
        .filter_map(|token| match token {
            Token::Literal(text) => Some(text.as_str()),
            Token::Digit('0') => Some("0"),
            _ => None,
        })
        .filter(|text| text.chars().all(|c| c.is_ascii_digit()))
        .collect();
    let places = count_digits(&tokens[slash..]).clamp(1, 3) as u32;
    let size = value.abs();
    let whole = size.trunc();
    let rest = size - whole;
    let (numerator, denominator) = match fixed.parse::<u32>() {
        Ok(fixed) if (1..10_000).contains(&fixed) => ((rest * f64::from(fixed)).round() as u32, fixed),
        _ => closest(rest, 10u32.pow(places) - 1),
    };
    let sign = if value < 0.0 { "-" } else { "" };
    let has_whole = tokens[..slash].iter().filter(|token| matches!(token, Token::Digit(_))).count() > 1
        || tokens[..slash].iter().any(|token| matches!(token, Token::Literal(text) if text == " "));
    match (numerator, whole) {
        (0, _) => format!("{sign}{whole}"),
        (n, _) if n == denominator => format!("{sign}{}", whole + 1.0),
        (n, w) if !has_whole => format!("{sign}{}/{denominator}", w * f64::from(denominator) + f64::from(n)),
        (n, 0.0) => format!("{sign}{n}/{denominator}"),
        (n, w) => format!("{sign}{w} {n}/{denominator}"),
    }
}

fn closest(rest: f64, most: u32) -> (u32, u32) {
    let error = |d: u32| ((rest * f64::from(d)).round() / f64::from(d) - rest).abs();
    let mut best = 1;
    for denominator in 2..=most {
        if error(denominator) + 1e-12 < error(best) {
            best = denominator;
        }
    }
    ((rest * f64::from(best)).round() as u32, best)
}
