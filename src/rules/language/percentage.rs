//! Percentages as written in files: `"50%"`, `"-12.5%"`. Values are in hundredths of a percent, like weights on the
//! chain.

use std::fmt;
use std::ops::RangeInclusive;

use toml::de::DeValue;

use crate::diagnostic::report::Reported;
use crate::toml_reader::item::{Item, Wanted, quoted};

/// Why a text is not a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PercentageError {
    /// It is a number without `%`.
    #[error("it has no `%`")]
    NoSign,
    /// It has more than two decimals.
    #[error("it has more than two decimals")]
    Decimals,
    /// It is not a number with `%`.
    #[error("a percentage is a number with `%`, such as 50% or -12.5%")]
    Number,
}

/// Parses a percentage into hundredths of a percent: an optional sign, digits, at most two decimals, and `%` with or
/// without a space before it.
///
/// # Errors
/// `text` has another form.
pub fn parse(text: &str) -> Result<i32, PercentageError> {
    let Some(number) = text.strip_suffix('%') else {
        return Err(match hundredths(text) {
            Ok(_) | Err(PercentageError::Decimals) => PercentageError::NoSign,
            Err(error) => error,
        });
    };
    hundredths(number.trim_end())
}

fn hundredths(number: &str) -> Result<i32, PercentageError> {
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, decimals) = match digits.split_once('.') {
        Some((_, "")) => return Err(PercentageError::Number),
        Some(parts) => parts,
        None => (digits, ""),
    };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || !is_number(whole) || !is_number(decimals) {
        return Err(PercentageError::Number);
    }
    if decimals.len() > 2 {
        return Err(PercentageError::Decimals);
    }
    let sign = if number.starts_with('-') { "-" } else { "" };
    format!("{sign}{whole}{decimals:0<2}")
        .parse()
        .map_err(|_| PercentageError::Number)
}

/// Displays hundredths of a percent as written in files: `12.5%`.
#[derive(Debug, Clone, Copy)]
pub struct Written(pub i32);

impl fmt::Display for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        let decimals = format!(".{part:02}");
        let decimals = decimals.trim_end_matches('0').trim_end_matches('.');
        write!(formatter, "{sign}{whole}{decimals}%")
    }
}

/// Reads a percentage within `range`; both are in hundredths of a percent.
///
/// # Errors
/// `item` is not a percentage, or out of range; the error has been reported.
pub fn read(item: &Item<'_>, range: RangeInclusive<i32>) -> Result<i32, Reported> {
    const WANTED: Wanted = Wanted::new("a percentage in quotes", "\"50%\"");
    let help = || {
        let ways = meanings(item.value, &range);
        let help = item.write_one_of(&ways);
        help.unwrap_or_else(|| item.such_as(WANTED))
    };
    if let DeValue::Integer(_) | DeValue::Float(_) = item.value {
        return Err(item.wrong_type_with(WANTED, help()));
    }
    let text = item.text(WANTED)?;
    let value = parse(text).map_err(|error| {
        let message = format!("{} is not a percentage: {error}", quoted(text));
        item.refuse(message, help())
    })?;
    if range.contains(&value) {
        return Ok(value);
    }
    let (start, end) = (*range.start(), *range.end());
    let (least, most) = (Written(start), Written(end));
    let message = format!("`{}` must be {least} to {most}", item.key);
    let help = match value {
        0 => item.such_as(WANTED),
        _ => item.write(format_args!("\"{}\"", Written(value.clamp(start, end)))),
    };
    Err(item.refuse(message, help))
}

/// The number that a value without quotes or without `%` holds.
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    number_and_sign(value).map(|(number, _)| number)
}

/// The number in a value, and whether the value says that it is in percent.
fn number_and_sign(value: &DeValue<'_>) -> Option<(f64, bool)> {
    const SIGNS: [&str; 9] = [
        "percent", "per cent", "pct", "prozent", "procent", "%", "％", "٪", "perc",
    ];
    let text = match value {
        DeValue::Integer(digits) => digits.to_string(),
        DeValue::Float(digits) => digits.as_str().to_owned(),
        DeValue::String(text) => text.to_lowercase(),
        _ => return None,
    };
    let mut number = text.trim().replace('−', "-");
    match number.trim_end_matches('%').trim() {
        "half" => return Some((50.0, true)),
        "full" | "all" | "max" | "everything" => return Some((100.0, true)),
        "quarter" | "a quarter" => return Some((25.0, true)),
        _ => {}
    }
    let mut has_sign = false;
    while let Some(sign) = SIGNS
        .iter()
        .find(|sign| number.ends_with(**sign) || number.starts_with(**sign))
    {
        number = number
            .trim_end_matches(sign)
            .trim_start_matches(sign)
            .trim()
            .to_owned();
        has_sign = true;
    }
    let number = number.replacen(',', ".", 1).replace(['_', ' '], "");
    let is_plain = |c: char| c.is_ascii_digit() || "-+.".contains(c);
    let plain = Some(&number).filter(|number| number.chars().all(is_plain))?;
    let number = plain.parse::<f64>().ok()?;
    Some((number, has_sign)).filter(|(number, _)| number.abs() < 1e6)
}

/// The percentages in `range` that a value may mean, as TOML with their meanings: a number up to 1 is a share or a
/// percentage, one above 100 a percentage or a weight as on the chain.
fn meanings(value: &DeValue<'_>, range: &RangeInclusive<i32>) -> Vec<(String, String)> {
    let Some((number, has_sign)) = number_and_sign(value) else {
        return Vec::new();
    };
    let percent = (number * 100.0, format!("{number} percent"));
    let share = (number * 10_000.0, format!("the factor {number}"));
    let of_chain = (number, format!("a weight of {number} as on the chain"));
    let size = number.abs();
    let is_scale = *range.end() > 10_000;
    let readings = match size {
        _ if has_sign => vec![percent],
        _ if size <= 1.0 || (is_scale && size <= 10.0) => vec![percent, share],
        _ if size <= 100.0 => vec![percent],
        _ if is_scale && size <= 1_000.0 => vec![percent, of_chain],
        _ => vec![of_chain],
    };
    let readings = readings.into_iter().filter_map(|(hundredths, meaning)| {
        let hundredths = hundredths.round() as i32;
        let is_lost = hundredths == 0 && number != 0.0;
        (range.contains(&hundredths) && !is_lost)
            .then(|| (format!("\"{}\"", Written(hundredths)), meaning))
    });
    readings.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentages_have_a_percent_sign_and_at_most_two_decimals() {
        for (text, value) in [
            ("50%", Ok(5000)),
            ("12.5%", Ok(1250)),
            ("12.50%", Ok(1250)),
            ("-10%", Ok(-1000)),
            ("+0.01 %", Ok(1)),
            ("1000%", Ok(100_000)),
            ("33.333%", Err(PercentageError::Decimals)),
            // A third decimal is refused even if it is 0.
            ("50.000%", Err(PercentageError::Decimals)),
            ("12.500", Err(PercentageError::NoSign)),
            ("50", Err(PercentageError::NoSign)),
            ("50 percent", Err(PercentageError::Number)),
            (".5%", Err(PercentageError::Number)),
            ("5.%", Err(PercentageError::Number)),
            ("--5%", Err(PercentageError::Number)),
            ("%", Err(PercentageError::Number)),
            ("", Err(PercentageError::Number)),
            ("９%", Err(PercentageError::Number)),
            ("99999999999%", Err(PercentageError::Number)),
        ] {
            assert_eq!(parse(text), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_displayed_percentage_parses_to_the_same_value(value in -100_000i32..=100_000) {
            prop_assert_eq!(parse(&Written(value).to_string()), Ok(value));
        }

        #[test]
        fn parsing_any_text_never_panics(text in "[-+0-9.% é]{0,20}") {
            let _ = parse(&text);
        }
    }
}
