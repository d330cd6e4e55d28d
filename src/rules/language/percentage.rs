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
    let help = |meant: Option<i32>| match meant {
        Some(meant) if range.contains(&meant) => item.write(format_args!("\"{}\"", Written(meant))),
        _ => item.write(WANTED.example),
    };
    if let DeValue::Integer(_) | DeValue::Float(_) = item.value {
        return Err(item.wrong_type_with(WANTED, help(bare_number(item.value))));
    }
    let text = item.text(WANTED)?;
    let value = parse(text).map_err(|error| {
        // Some write decimals with a comma.
        let number = text.replacen(',', ".", 1);
        let number = number.trim().trim_end_matches('%').trim_end();
        let number = number.parse::<f64>().ok();
        let number = number.filter(|number| number.abs() < 10_000.0);
        let message = format!("{} is not a percentage: {error}", quoted(text));
        let meant = number.map(|number| (number * 100.0).round() as i32);
        item.refuse(message, help(meant))
    })?;
    if range.contains(&value) {
        return Ok(value);
    }
    let (start, end) = (*range.start(), *range.end());
    let (least, most) = (Written(start), Written(end));
    let message = format!("`{}` must be {least} to {most}", item.key);
    Err(item.refuse(message, help(Some(value.clamp(start, end)))))
}

/// The probable meaning of a number without quotes, in hundredths of a percent: an integer above 100 is a weight as on
/// the chain, other numbers are percent.
fn bare_number(value: &DeValue<'_>) -> Option<i32> {
    let hundredths = match value {
        DeValue::Integer(digits) => match digits.to_string().parse::<f64>().ok()? {
            weight if (101.0..=10_000.0).contains(&weight.abs()) => weight,
            percent => percent * 100.0,
        },
        DeValue::Float(digits) => digits.as_str().parse::<f64>().ok()? * 100.0,
        _ => return None,
    };
    (hundredths.abs() <= 100_000.0).then_some(hundredths.round() as i32)
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
