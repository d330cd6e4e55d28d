//! Durations as people write them: `1h 30m`.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use crate::diagnostic::report::Reported;
use crate::toml_reader::item::{Item, Wanted, quoted};

/// Milliseconds in each unit, largest first: the order in which they are written.
const UNITS: [(&str, u64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Maximum delay of a rule: 7 days, after which posts pay out.
pub const WEEK: Duration = Duration::from_secs(604_800);

/// Why a text is not a duration, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct DurationError {
    why: &'static str,
    /// The same duration, written correctly.
    pub meant: Option<String>,
}

/// Parses whole numbers with the units `w d h m s ms`, largest first, with or without spaces: `6d 12h`.
///
/// # Errors
/// What is wrong, and what was probably meant.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let error = |why: &'static str, meant: Option<String>| DurationError { why, meant };
    let too_long = || error("it is too long", None);
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(error("it is empty", None));
    }
    let mut total = 0u64;
    let mut units = Vec::new();
    let mut as_written = true;
    while !rest.is_empty() {
        let (number, after) = split_while(rest, |c| c.is_ascii_digit());
        let (unit, after) = split_while(after, char::is_alphabetic);
        rest = after;
        if number.is_empty() {
            let why = "it needs whole numbers, each followed by its unit";
            return Err(error(why, None));
        }
        if unit.is_empty() && rest.starts_with(['.', ',']) {
            return Err(error("its numbers must be whole", fraction(text)));
        }
        if unit.is_empty() {
            let meant = (units.is_empty() && rest.is_empty()).then(|| format!("{number}s"));
            return Err(error("it needs a unit: w, d, h, m, s or ms", meant));
        }
        let Some(known) = unit_meant(unit) else {
            let why = "it has an unknown unit: the units are w, d, h, m, s and ms";
            return Err(error(why, None));
        };
        as_written &= UNITS[known].0 == unit;
        units.push(known);
        let number = number.parse::<u64>().ok();
        let part = number.and_then(|number| number.checked_mul(UNITS[known].1));
        let sum = part.and_then(|part| total.checked_add(part));
        total = sum.ok_or_else(too_long)?;
    }
    let total = Duration::from_millis(total);
    let why = if !as_written {
        "the units are w, d, h, m, s and ms"
    } else if !units.is_sorted_by(|left, right| left < right) {
        "the units must come largest first, each once"
    } else {
        return Ok(total);
    };
    Err(error(why, Some(Written(total).to_string())))
}

/// Splits `text` after the characters that fit, and skips the spaces that follow.
fn split_while(text: &str, fits: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !fits(c)).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// The unit that a word means, as an index of [`UNITS`].
fn unit_meant(word: &str) -> Option<usize> {
    let word = word.to_lowercase();
    let unit = match word
        .strip_suffix('s')
        .filter(|stem| stem.len() > 1)
        .unwrap_or(&word)
    {
        "week" | "wk" => "w",
        "day" => "d",
        "hour" | "hr" => "h",
        "minute" | "min" => "m",
        "second" | "sec" => "s",
        "millisecond" | "milli" | "msec" => "ms",
        _ => &word,
    };
    UNITS.iter().position(|(name, _)| *name == unit)
}

/// `1h 30m` for `1.5h`.
fn fraction(text: &str) -> Option<String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_alphabetic())?;
    let number: f64 = text[..unit_at].trim().replace(',', ".").parse().ok()?;
    let unit = UNITS[unit_meant(&text[unit_at..])?].1 as f64;
    let milliseconds = number * unit;
    // Larger values are not exact, and are not meant.
    (milliseconds < 1e12)
        .then(|| Written(Duration::from_millis(milliseconds.round() as u64)).to_string())
}

/// `5m` for `five minutes`, `1h 30m` for `1 hour and 30 minutes`.
fn in_words(text: &str) -> Option<String> {
    const NUMBERS: [(&str, &str); 15] = [
        ("a", "1"),
        ("an", "1"),
        ("one", "1"),
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("five", "5"),
        ("six", "6"),
        ("seven", "7"),
        ("eight", "8"),
        ("nine", "9"),
        ("ten", "10"),
        ("fifteen", "15"),
        ("twenty", "20"),
        ("thirty", "30"),
    ];
    let lower = text.to_lowercase().replace([',', '+', '&'], " ");
    let words = lower.split_whitespace().filter(|word| *word != "and");
    let words = words.map(|word| {
        let number = NUMBERS.iter().find(|(name, _)| *name == word);
        number.map_or(word, |(_, digits)| digits)
    });
    let plain = words.collect::<Vec<_>>().join(" ");
    match parse(&plain) {
        Ok(duration) => Some(Written(duration).to_string()),
        Err(error) => error.meant.filter(|_| plain.contains(char::is_alphabetic)),
    }
}

/// Displays a duration as written in files: `1h 30m`.
#[derive(Debug, Clone, Copy)]
pub struct Written(pub Duration);

impl fmt::Display for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if left == 0 {
            return formatter.write_str("0s");
        }
        let mut blank = "";
        for (unit, size) in UNITS {
            // People write 7d rather than 1w.
            if unit == "w" || left < size {
                continue;
            }
            write!(formatter, "{blank}{}{unit}", left / size)?;
            left %= size;
            blank = " ";
        }
        Ok(())
    }
}

/// Reads the duration in `item`, within `range`.
///
/// # Errors
/// The value is not a duration or is out of range; the error has been reported.
pub fn read(item: &Item<'_>, range: RangeInclusive<Duration>) -> Result<Duration, Reported> {
    const WANTED: Wanted = Wanted::new("a duration", "\"5m\"");
    let either = |number: &str| {
        let number = number.trim_start_matches('0');
        let ways = [("s", "seconds"), ("m", "minutes")]
            .map(|(unit, meaning)| (format!("{number}{unit}"), meaning.to_owned()));
        let fits = |text: &str| parse(text).is_ok_and(|duration| range.contains(&duration));
        let ways = ways.into_iter().filter(|(text, _)| fits(text));
        let ways: Vec<_> = ways
            .map(|(text, meaning)| (quoted(&text), meaning))
            .collect();
        item.write_one_of(&ways)
            .unwrap_or_else(|| item.such_as(WANTED))
    };
    if let DeValue::Integer(number) = item.value {
        let number = number.to_string();
        let help = match item.report.quotable(&*number) {
            Some(number) => either(number),
            None => item.such_as(WANTED),
        };
        return Err(item.wrong_type_with(WANTED, help));
    }
    let text = item.text(WANTED)?;
    let duration = parse(text).map_err(|error| {
        let message = match item.report.quotable(text) {
            Some(text) => format!("{} is not a duration: {error}", quoted(text)),
            None => format!("`{}` is not a duration: {error}", item.key),
        };
        let is_number = text.trim().bytes().all(|byte| byte.is_ascii_digit());
        let help = match item.report.quotable(text) {
            Some(text) if is_number => either(text.trim()),
            Some(text) => match error.meant.or_else(|| in_words(text)) {
                Some(meant) if parse(&meant).is_ok_and(|meant| range.contains(&meant)) => {
                    item.write(quoted(&meant))
                }
                _ => item.such_as(WANTED),
            },
            None => item.such_as(WANTED),
        };
        item.refuse(message, help)
    })?;
    if range.contains(&duration) {
        return Ok(duration);
    }
    let (bound, nearest) = match duration < *range.start() {
        true => ("least", Written(*range.start())),
        false => ("most", Written(*range.end())),
    };
    let message = format!("`{}` must be at {bound} {nearest}", item.key);
    Err(item.refuse(message, item.write(format_args!("\"{nearest}\""))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_units() {
        for (text, milliseconds) in [
            ("0s", 0),
            ("5m", 300_000),
            ("6d 12h", 561_600_000),
            ("1h30m", 5_400_000),
            ("1w", 604_800_000),
            ("1 h  30 m", 5_400_000),
            ("1d 1h 1m 1s 1ms", 90_061_001),
            ("90m", 5_400_000),
        ] {
            assert_eq!(
                parse(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn an_error_suggests_the_duration_that_was_meant() {
        for (text, meant) in [
            ("", None),
            ("5", Some("5s")),
            ("m", None),
            ("5min", Some("5m")),
            ("2 Hours", Some("2h")),
            ("30m 1h", Some("1h 30m")),
            ("1h 1h", Some("2h")),
            ("1.5h", Some("1h 30m")),
            ("5 parsecs", None),
            ("-5m", None),
            ("99999999999999999999w", None),
            ("5M", Some("5m")),
            ("5m,", None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.meant.as_deref(), meant, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_written_duration_parses_to_the_same_value(milliseconds in 0u64..10_000_000_000) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse(&Written(duration).to_string()), Ok(duration));
        }

        #[test]
        fn parsing_any_text_never_panics(text in "[0-9.,a-zµ ]{0,30}") {
            let _ = parse(&text);
        }
    }
}
