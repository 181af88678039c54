//! Serial day numbers as dates and times, by a parsed format.

use crate::number_format::Token;

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
const DAYS: [&str; 7] = ["Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub weekday: usize,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub micros: u32,
}

/// The moment of a serial number: days since 1899-12-30 (with the 29 February 1900 that never was), or since 1904.
pub(crate) fn moment(serial: f64, epoch_1904: bool, decimals: usize) -> Option<Moment> {
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let serial = if epoch_1904 { serial + 1462.0 } else { serial };
    let unit = 10f64.powi(decimals as i32);
    let ticks = (serial * 86_400.0 * unit).round();
    let seconds = (ticks / unit).floor();
    let micros = ((ticks / unit - seconds) * 1e6).round() as u32;
    let days = (seconds / 86_400.0).floor() as i64;
    let rest = (seconds - days as f64 * 86_400.0) as u32;
    let shifted = if days < 60 { days + 1 } else { days };
    let (year, month, day) = civil(shifted - 25_569);
    // The weekday counts the day that never was.
    Some(Moment {
        year,
        month,
        day,
        weekday: (days % 7) as usize,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
        micros,
    })
}

/// Year, month and day of a count of days since 1970-01-01 (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms).
fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `None` when the number is no date.
pub(crate) fn date(tokens: &[Token], value: f64, epoch_1904: bool) -> Option<String> {
    let decimals = tokens.iter().find_map(|token| match token {
        Token::Fraction(digits) => Some(*digits),
        _ => None,
    });
    let at = moment(value.abs(), epoch_1904, decimals.unwrap_or(0))?;
    let half = tokens.iter().any(|token| matches!(token, Token::HalfDay(_)));
    let mut out = String::new();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Literal(text) => out.push_str(text),
            Token::Date(letters) => out.push_str(&piece(letters, at, half, is_minute(tokens, index))),
            Token::Elapsed(letter) => {
                let seconds = (value.abs() * 86_400.0).round();
                let shown = match letter {
                    'h' => seconds / 3600.0,
                    'm' => seconds / 60.0,
                    _ => seconds,
                };
                out.push_str(&shown.floor().to_string());
            }
            Token::Fraction(digits) => {
                let micros = format!("{:06}", at.micros);
                out.push('.');
                out.push_str(&micros[..*digits]);
            }
            Token::HalfDay(long) => out.push_str(match (at.hour < 12, long) {
                (true, true) => "AM",
                (false, true) => "PM",
                (true, false) => "A",
                (false, false) => "P",
            }),
            Token::Point => out.push('.'),
            Token::Comma => out.push(','),
            Token::Slash => out.push('/'),
            _ => {}
        }
    }
    Some(out)
}

/// `m` is a minute next to an hour or a second.
fn is_minute(tokens: &[Token], index: usize) -> bool {
    let time = |token: &Token| match token {
        Token::Date(letters) => letters.chars().next(),
        Token::Elapsed(letter) => Some(*letter),
        _ => None,
    };
    let before = tokens[..index].iter().rev().find_map(time);
    let after = tokens[index + 1..].iter().find_map(time);
    before == Some('h') || after == Some('s')
}

fn piece(letters: &str, at: Moment, half: bool, minute: bool) -> String {
    let hour = match (half, at.hour % 12) {
        (false, _) => at.hour,
        (true, 0) => 12,
        (true, hour) => hour,
    };
    let month = MONTHS[at.month.clamp(1, 12) as usize - 1];
    let weekday = DAYS[at.weekday % 7];
    match letters {
        "y" | "yy" => format!("{:02}", at.year % 100),
        "m" if minute => at.minute.to_string(),
        "mm" if minute => format!("{:02}", at.minute),
        "m" => at.month.to_string(),
        "mm" => format!("{:02}", at.month),
        "mmm" => month[..3].to_owned(),
        "mmmmm" => month[..1].to_owned(),
        "d" => at.day.to_string(),
        "dd" => format!("{:02}", at.day),
        "ddd" => weekday[..3].to_owned(),
        "h" => hour.to_string(),
        "hh" => format!("{hour:02}"),
        "s" => at.second.to_string(),
        "ss" => format!("{:02}", at.second),
        _ if letters.starts_with('y') || letters.starts_with('e') => at.year.to_string(),
        _ if letters.starts_with('m') => month.to_owned(),
        _ if letters.starts_with('d') => weekday.to_owned(),
        _ => String::new(),
    }
}
