//! Periods of counting: days and months in UTC.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use lectern_kernel::Timestamp;

fn date(at: Timestamp) -> NaiveDate {
    DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default().date_naive()
}

/// `2026-11`
pub(crate) fn month(at: Timestamp) -> String {
    date(at).format("%Y-%m").to_string()
}

/// `2026-11-26`
pub(crate) fn day(at: Timestamp) -> String {
    date(at).format("%Y-%m-%d").to_string()
}

/// When the month after begins.
pub(crate) fn next_month(at: Timestamp) -> Timestamp {
    let today = date(at);
    let (year, month) =
        if today.month() == 12 { (today.year() + 1, 1) } else { (today.year(), today.month() + 1) };
    let first = NaiveDate::from_ymd_opt(year, month, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
    Timestamp(first.map_or(i64::MAX, |first| first.and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_where_the_calendar_says() {
        let at = |text: &str| Timestamp(text.parse::<DateTime<Utc>>().expect("a time").timestamp_millis());
        assert_eq!(month(at("2026-02-28T23:59:59Z")), "2026-02");
        assert_eq!(day(at("2024-02-29T00:00:00Z")), "2024-02-29");
        assert_eq!(next_month(at("2026-11-26T10:00:00Z")), at("2026-12-01T00:00:00Z"));
        assert_eq!(next_month(at("2026-12-31T23:59:59Z")), at("2027-01-01T00:00:00Z"));
    }
}
