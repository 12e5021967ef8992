//! `date-time` of RFC 5322 §3.3, with the obsolete forms of §4.3.

use crate::{
    lex::{
        SyntaxError,
        structured::{Scanner, Unterminated},
    },
    time::UnixTime,
};

/// Reads a date, with comments and folding wherever they may stand; dates before 1970 are no [`UnixTime`].
///
/// # Errors
/// Where the text is no date: the octet, and the rule that was wanted there.
///
/// ```
/// use mailverdict::{received::date_time, time::UnixTime};
/// assert_eq!(date_time(b"Thu, 1 Jan 1970 01:00:07 +0100 (CET)")?, UnixTime(7));
/// assert!(date_time(b"Thu, 32 Jan 1970 01:00:07 +0100").is_err());
/// # Ok::<(), mailverdict::SyntaxError>(())
/// ```
pub fn date_time(text: &[u8]) -> Result<UnixTime, SyntaxError> {
    let mut words = Words::new(text);
    // day-of-week is optional, and says nothing that the date does not.
    let mut first = words.next("day")?;
    if first.text.bytes().next().is_some_and(|octet| octet.is_ascii_alphabetic()) {
        let name = first.text.trim_end_matches(',').get(..3).unwrap_or_default();
        if !DAYS.iter().any(|day| day.eq_ignore_ascii_case(name)) {
            return Err(first.expected("day-name"));
        }
        first = words.next("day")?;
        if first.text == "," {
            first = words.next("day")?;
        }
    }
    let day = first.number(1, 2, "day")?;
    let month = words.next("month")?;
    let month_index = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(&month.text));
    let month_index = month_index.ok_or_else(|| month.expected("month-name"))?;
    let year = words.next("year")?;
    let full_year = match (year.number(2, 4, "year")?, year.text.len()) {
        // RFC 5322 §4.3, obs-year.
        (short @ 0..=49, 2) => 2000 + short,
        (short, 2 | 3) => 1900 + short,
        (full, _) => full,
    };
    let leap = full_year % 4 == 0 && (full_year % 100 != 0 || full_year % 400 == 0);
    let month_days = match month_index {
        1 => 28 + u32::from(leap),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    if day == 0 || day > month_days {
        return Err(first.expected("day"));
    }
    let seconds = words.time_of_day()?;
    let zone = words.next("zone")?;
    let offset = zone_offset(&zone)?;
    if let Some(more) = words.optional() {
        return Err(more.expected("end of date"));
    }
    let days = days_before(full_year, month_index, leap).map(|days| days + i64::from(day) - 1);
    days.map(|days| days * 86_400 + i64::from(seconds) - i64::from(offset))
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map(UnixTime)
        .ok_or_else(|| year.expected("a year from 1970 on"))
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Days from 1970-01-01 to the first of the month; `None` before 1900, where RFC 5322 has no years.
fn days_before(year: u32, month_index: usize, leap: bool) -> Option<i64> {
    let before = [0_i64, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let year = i64::from(year);
    let leap_years_until = |year: i64| year / 4 - year / 100 + year / 400;
    let leap_days = leap_years_until(year - 1) - leap_years_until(1969) + i64::from(leap && month_index > 1);
    let this_year = before.get(month_index)?;
    (year >= 1900).then(|| (year - 1970) * 365 + leap_days + this_year)
}

/// Seconds east of UTC.
fn zone_offset(zone: &Word) -> Result<i32, SyntaxError> {
    let text = zone.text.as_str();
    if let Some(digits) = text.strip_prefix(['+', '-']) {
        let digits = Word { text: digits.to_owned(), offset: zone.offset };
        let number = i32::try_from(digits.number(4, 4, "zone")?).map_err(|_| zone.expected("zone"))?;
        let (hours, minutes) = (number / 100, number % 100);
        if minutes > 59 {
            return Err(zone.expected("zone"));
        }
        let seconds = (hours * 60 + minutes) * 60;
        return Ok(if text.starts_with('-') { -seconds } else { seconds });
    }
    let hours = match text.to_ascii_uppercase().as_str() {
        "UT" | "GMT" | "UTC" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        // RFC 5322 §4.3: military zones, and all that are not known, mean no more than UTC.
        other if other.bytes().all(|octet| octet.is_ascii_alphabetic()) => 0,
        _ => return Err(zone.expected("zone")),
    };
    Ok(hours * 3600)
}

/// The words of a date.
struct Words<'t> {
    scanner: Scanner<'t>,
}

struct Word {
    text: String,
    offset: usize,
}

impl Word {
    fn expected(&self, expected: &'static str) -> SyntaxError {
        SyntaxError::new(self.offset, expected)
    }

    fn number(&self, least: usize, most: usize, expected: &'static str) -> Result<u32, SyntaxError> {
        let digits = self.text.bytes().all(|octet| octet.is_ascii_digit());
        let number = if digits && (least..=most).contains(&self.text.len()) { self.text.parse().ok() } else { None };
        number.ok_or_else(|| self.expected(expected))
    }
}

impl<'t> Words<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self { scanner: Scanner::new(text) }
    }

    fn optional(&mut self) -> Option<Word> {
        let mut comments = Vec::new();
        let skipped: Result<bool, Unterminated> = self.scanner.cfws(&mut comments);
        let offset = self.scanner.offset();
        match (skipped, self.scanner.word()) {
            (Ok(_), Ok(text)) if !text.is_empty() => Some(Word { text, offset }),
            (Ok(_), _) if self.scanner.at_end() => None,
            // What cannot be read is a word that no rule accepts.
            _ => Some(Word { text: String::new(), offset }),
        }
    }

    fn next(&mut self, expected: &'static str) -> Result<Word, SyntaxError> {
        let offset = self.scanner.offset();
        self.optional().ok_or(SyntaxError::new(offset, expected))
    }

    /// `hour ":" minute [ ":" second ]`, in seconds; white space around the colons is obsolete and allowed.
    fn time_of_day(&mut self) -> Result<u32, SyntaxError> {
        let first = self.next("hour")?;
        let mut text = first.text.clone();
        // At most five more words: a colon and a number, twice.
        for _ in 0..5 {
            let before = self.scanner;
            match self.optional() {
                Some(word) if word.text.starts_with(':') || text.ends_with(':') => text.push_str(&word.text),
                Some(_) | None => {
                    self.scanner = before;
                    break;
                }
            }
        }
        let part = |text: &str, limit: u32, expected| {
            let word = Word { text: text.to_owned(), offset: first.offset };
            let number = word.number(1, 2, expected)?;
            if number > limit { Err(word.expected(expected)) } else { Ok(number) }
        };
        let mut parts = text.split(':');
        let hour = part(parts.next().unwrap_or_default(), 23, "hour")?;
        let minute = part(parts.next().unwrap_or_default(), 59, "minute")?;
        // 60 is a leap second.
        let second = parts.next().map_or(Ok(0), |text| part(text, 60, "second"))?;
        if parts.next().is_some() {
            return Err(first.expected("time-of-day"));
        }
        Ok((hour * 60 + minute) * 60 + second)
    }
}
