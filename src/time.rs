//! Points in time, as mail and the DNS count them.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

/// Seconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use mailverdict::time::UnixTime;
/// use std::time::{Duration, SystemTime};
/// assert_eq!(UnixTime::from(SystemTime::UNIX_EPOCH + Duration::from_millis(1_999)), UnixTime(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// The system's clock.
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    pub(crate) fn now() -> Self {
        Self::from(SystemTime::now())
    }
}

/// Whole seconds; a time before 1970 is 0.
impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

/// As RFC 3339 writes it, in UTC: `2025-10-06T08:15:05Z`.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400, self.0 % 86_400);
        // Years that begin in March, counted from 0000-03-01, have their leap day at the end; eras of 400 years are alike.
        let days = days + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = year + year_of_era + era * 400;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// A text that is no time of RFC 3339 from 1970 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 2025-10-06T08:15:05Z")]
pub struct TimeError;

/// Reads `date-time` of RFC 3339 §5.6: a fraction of a second is passed over, a leap second is the second after it, and a blank may
/// stand in place of the `T`.
///
/// ```
/// use mailverdict::time::UnixTime;
/// assert_eq!("2025-10-06T10:15:05.25+02:00".parse(), Ok(UnixTime(1_759_738_505)));
/// assert!("2025-10-06".parse::<UnixTime>().is_err());
/// ```
impl FromStr for UnixTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        read(text).ok_or(TimeError)
    }
}

fn read(text: &str) -> Option<UnixTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    if !(1..=days_of(year, month)?).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (rest.len() < fraction.len()).then_some(rest)?
        }
        None => rest,
    };
    let east = match rest {
        "Z" | "z" => 0,
        _ => {
            let (sign, offset) = rest.split_at_checked(1)?;
            let [hours, minutes] = numbers(offset, ':', [2, 2])?;
            let seconds = (hours * 60 + minutes) * 60;
            match sign {
                "+" if hours <= 23 && minutes <= 59 => seconds,
                "-" if hours <= 23 && minutes <= 59 => -seconds,
                _ => return None,
            }
        }
    };
    let seconds = days_before(year, month, day) * 86_400 + (hour * 60 + minute) * 60 + second - east;
    u64::try_from(seconds).ok().map(UnixTime)
}

/// Numbers of so many digits each, with `between` between them.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|octet| octet.is_ascii_digit());
        *number = if is_number { part.parse().ok()? } else { return None };
    }
    parts.next().is_none().then_some(numbers)
}

fn days_of(year: i64, month: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => Some(28 + i64::from(is_leap)),
        4 | 6 | 9 | 11 => Some(30),
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        _ => None,
    }
}

/// Days from 1970-01-01, counted in years that begin in March, as they are shown.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
        - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_759_738_505, "2025-10-06T08:15:05Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(UnixTime(seconds).to_string(), shown);
            assert_eq!(shown.parse(), Ok(UnixTime(seconds)));
        }
        assert!(UnixTime(u64::MAX).to_string().ends_with('Z'));
    }

    #[test]
    fn times_of_rfc_3339_are_read() {
        for (text, seconds) in [
            ("1985-04-12T23:20:50.52Z", Some(482_196_050)),
            ("1996-12-19T16:39:57-08:00", Some(851_042_397)),
            ("1990-12-31T23:59:60Z", Some(662_688_000)),
            ("2025-10-06 10:15:05+02:00", Some(1_759_738_505)),
            ("2025-10-06t08:15:05z", Some(1_759_738_505)),
            ("1969-12-31T23:59:59Z", None),
            ("1970-01-01T00:00:00+00:01", None),
            ("2023-02-29T00:00:00Z", None),
            ("2025-13-01T00:00:00Z", None),
            ("2025-00-01T00:00:00Z", None),
            ("2025-10-32T00:00:00Z", None),
            ("2025-10-00T00:00:00Z", None),
            ("2025-10-06T24:00:00Z", None),
            ("2025-10-06T23:60:00Z", None),
            ("2025-10-06T23:59:61Z", None),
            ("2025-10-06T23:59:59.Z", None),
            ("2025-10-06T23:59:59", None),
            ("2025-10-06T23:59:59+2:00", None),
            ("2025-10-06T23:59:59+24:00", None),
            ("2025-10-06T23:59:59+00:60", None),
            ("2025-10-06T23:59:59Zx", None),
            ("2025-10-6T23:59:59Z", None),
            ("+025-10-06T23:59:59Z", None),
            ("2025-10-06", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), seconds.map(UnixTime), "{text}");
        }
    }
}
