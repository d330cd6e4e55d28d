//! Percentages as people write them: `"50%"`, `"-12.5%"`. In hundredths of a percent, as the chain has
//! weights.

use std::fmt;
use std::ops::RangeInclusive;

use toml::de::DeValue;

use crate::diagnostic::report::{Report, Reported};
use crate::toml_reader::item::{Item, Wanted, quoted};

/// Why a text is no percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PercentageError {
    /// It is a number without `%`.
    #[error("it lacks its `%`")]
    NoSign,
    /// It has more than two decimals.
    #[error("it may have at most two decimals")]
    Decimals,
    /// What stands before `%` is not a number.
    #[error("it is a number with `%`, such as 50% or -12.5%")]
    Number,
}

/// Reads an optional sign, digits, at most two decimals, and `%` with or without a blank before it;
/// in hundredths of a percent.
///
/// # Errors
/// What is wrong with it.
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
    let (negative, digits) = match number.as_bytes().first() {
        Some(b'-') => (true, &number[1..]),
        Some(b'+') => (false, &number[1..]),
        _ => (false, number),
    };
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
    let value: i32 = format!("{whole}{decimals:0<2}")
        .parse()
        .map_err(|_| PercentageError::Number)?;
    Ok(if negative { -value } else { value })
}

/// Hundredths of a percent as they are written in files: `12.5%`.
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

/// The percentage that `item` holds, in hundredths of a percent, within `range`.
///
/// # Errors
/// It is none, or out of range; both have been reported.
pub fn read(
    item: &Item<'_>,
    range: RangeInclusive<i32>,
    report: &mut Report<'_>,
) -> Result<i32, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a percentage in quotes",
        example: "\"50%\"",
    };
    let text = match item.value {
        DeValue::String(text) => &**text,
        DeValue::Integer(_) | DeValue::Float(_) => {
            let help = match bare_number_meant(item.value) {
                Some(meant) if range.contains(&meant) => {
                    item.write(format_args!("\"{}\"", Written(meant)))
                }
                _ => item.write(WANTED.example),
            };
            return Err(item.wrong_type_with(WANTED, help, report));
        }
        _ => return Err(item.wrong_type(WANTED, report)),
    };
    let value = parse(text).map_err(|error| {
        // Many write decimals with a comma.
        let shortened = text
            .replacen(',', ".", 1)
            .trim()
            .trim_end_matches('%')
            .trim_end()
            .parse::<f64>()
            .ok();
        let meant = match (error, shortened) {
            (_, Some(number)) if number.abs() < 10_000.0 => Some((number * 100.0).round() as i32),
            _ => None,
        };
        let help = match meant {
            Some(meant) if range.contains(&meant) => {
                item.write(format_args!("\"{}\"", Written(meant)))
            }
            _ => item.write(WANTED.example),
        };
        item.refuse(
            format!("{} is not a percentage: {error}", quoted(text)),
            help,
            report,
        )
    })?;
    if range.contains(&value) {
        return Ok(value);
    }
    let (start, end) = (*range.start(), *range.end());
    let message = format!(
        "`{}` must be {} to {}",
        item.key,
        Written(start),
        Written(end)
    );
    let nearest = Written(value.clamp(start, end));
    Err(item.refuse(message, item.write(format_args!("\"{nearest}\"")), report))
}

/// What a number without quotes means: percent; above a hundred, hundredths as the chain has them.
fn bare_number_meant(value: &DeValue<'_>) -> Option<i32> {
    let number: f64 = match value {
        DeValue::Integer(digits) => digits.to_string().parse().ok()?,
        DeValue::Float(digits) => digits.as_str().parse().ok()?,
        _ => return None,
    };
    let is_chain_weight =
        matches!(value, DeValue::Integer(_)) && (101.0..=10_000.0).contains(&number.abs());
    let hundredths = if is_chain_weight {
        number
    } else {
        number * 100.0
    };
    (hundredths.abs() <= 100_000.0).then_some(hundredths.round() as i32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentages_have_a_sign_and_at_most_two_decimals() {
        for (text, value) in [
            ("50%", Ok(5000)),
            ("12.5%", Ok(1250)),
            ("12.50%", Ok(1250)),
            ("-10%", Ok(-1000)),
            ("+0.01 %", Ok(1)),
            ("1000%", Ok(100_000)),
            ("33.333%", Err(PercentageError::Decimals)),
            // A third decimal is one too many whatever it is.
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
        fn a_percentage_reads_back_as_it_was_written(value in -100_000i32..=100_000) {
            prop_assert_eq!(parse(&Written(value).to_string()), Ok(value));
        }

        #[test]
        fn no_text_upsets_the_parser(text in "[-+0-9.% é]{0,20}") {
            let _ = parse(&text);
        }
    }
}
