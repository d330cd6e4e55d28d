//! Durations as people write them: `1h 30m`.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use crate::diagnostic::report::{Report, Reported};
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

/// Seven days, the longest delay of a rule: posts pay out then.
pub const WEEK: Duration = Duration::from_secs(604_800);

/// Why a text is not a duration, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct DurationError {
    why: String,
    /// The same duration, written correctly.
    pub meant: Option<String>,
}

/// Reads whole numbers with the units `w d h m s ms`, largest first, blanks allowed: `6d 12h`.
///
/// # Errors
/// What is wrong, and what was probably meant.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let error = |why: &str, meant: Option<String>| DurationError {
        why: why.to_owned(),
        meant,
    };
    let mut parts = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(error("it is empty", None));
    }
    let mut as_written = true;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        rest = after.trim_start();
        if number.is_empty() {
            return Err(error(
                "it needs whole numbers, each followed by its unit",
                None,
            ));
        }
        if unit.is_empty() && rest.starts_with(['.', ',']) {
            return Err(error("its numbers must be whole", fraction(text)));
        }
        if unit.is_empty() {
            let meant = (parts.is_empty() && rest.is_empty()).then(|| format!("{number}s"));
            return Err(error("it needs a unit: w, d, h, m, s or ms", meant));
        }
        let Some(known) = unit_meant(unit) else {
            let why = "it has an unknown unit: the units are w, d, h, m, s and ms";
            return Err(error(why, None));
        };
        as_written &= UNITS[known].0 == unit;
        let milliseconds = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(UNITS[known].1))
            .ok_or_else(|| error("it is too long", None))?;
        parts.push((known, milliseconds));
    }
    let total = parts
        .iter()
        .try_fold(0u64, |sum, (_, part)| sum.checked_add(*part))
        .map(Duration::from_millis)
        .ok_or_else(|| error("it is too long", None))?;
    if !as_written {
        let why = "the units are w, d, h, m, s and ms";
        return Err(error(why, Some(Written(total).to_string())));
    }
    if !parts.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        let why = "the units must come largest first, each once";
        return Err(error(why, Some(Written(total).to_string())));
    }
    Ok(total)
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
    // Larger values are not meant, and are not exact any more.
    (milliseconds < 1e12)
        .then(|| Written(Duration::from_millis(milliseconds.round() as u64)).to_string())
}

/// A duration as it is written in files: `1h 30m`.
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
            // Seven days are a longer word than a week, but the one people use.
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

/// The duration that `item` holds, within `range`.
///
/// # Errors
/// The value is not a duration or is out of range; either has been reported.
pub fn read(
    item: &Item<'_>,
    range: RangeInclusive<Duration>,
    report: &mut Report<'_>,
) -> Result<Duration, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a duration",
        example: "\"5m\"",
    };
    let text = match item.value {
        DeValue::Integer(number) => {
            let number = number.to_string();
            let number = report.quotable(&*number).unwrap_or("5");
            let help = format!(
                "write `{key} = \"{number}s\"` for seconds, `{key} = \"{number}m\"` for minutes",
                key = item.key
            );
            return Err(item.wrong_type_with(WANTED, help, report));
        }
        _ => item.text(WANTED, report)?,
    };
    let duration = parse(text).map_err(|error| {
        let help = match error
            .meant
            .as_ref()
            .and_then(|meant| report.quotable(meant))
        {
            Some(meant) => item.write(quoted(meant)),
            None => item.write("\"1h 30m\""),
        };
        let message = match report.quotable(text) {
            Some(text) => format!("{} is not a duration: {error}", quoted(text)),
            None => format!("`{}` is not a duration: {error}", item.key),
        };
        item.refuse(message, help, report)
    })?;
    let (least, most) = (*range.start(), *range.end());
    if duration < least {
        let message = format!("`{}` must be at least {}", item.key, Written(least));
        return Err(item.refuse(
            message,
            item.write(quoted(&Written(least).to_string())),
            report,
        ));
    }
    if duration > most {
        let message = format!("`{}` must be at most {}", item.key, Written(most));
        return Err(item.refuse(
            message,
            item.write(quoted(&Written(most).to_string())),
            report,
        ));
    }
    Ok(duration)
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
    fn what_is_no_duration_is_answered_with_the_one_that_was_meant() {
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
        fn a_duration_reads_back_as_it_was_written(milliseconds in 0u64..10_000_000_000) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse(&Written(duration).to_string()), Ok(duration));
        }

        #[test]
        fn no_text_upsets_the_parser(text in "[0-9.,a-zµ ]{0,30}") {
            let _ = parse(&text);
        }
    }
}
