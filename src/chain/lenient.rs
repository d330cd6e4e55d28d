//! Numbers, texts, amounts and times in all forms that nodes write them.
//!
//! These types deserialize from JSON text only ([`serde_json::from_str`]), since they inspect it.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny};
use serde_json::value::RawValue;

use crate::weight::Weight;

/// An integer, written as a number or as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer(pub i64);

/// An amount of money or VESTS: `"1.000 HBD"`, `{"amount": "1000", "precision": 3, "nai": …}` or
/// `["1000", 3, "@@000000013"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    units: i64,
    decimals: u32,
}

/// An amount in units of 10^-`precision`. The token that follows is not needed.
#[derive(serde::Deserialize)]
struct Nai {
    amount: Integer,
    precision: Integer,
    #[serde(rename = "nai")]
    _token: Option<IgnoredAny>,
}

/// A time in UTC, usually without a zone suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub DateTime<Utc>);

impl Amount {
    /// The amount in units of 10^-`decimals`: 3 for thousandths, 6 for micro-VESTS. Saturates at the
    /// bounds of `i64`.
    pub fn with_decimals(self, decimals: u32) -> i64 {
        let units = i128::from(self.units);
        let factor = 10_i128.checked_pow(decimals.abs_diff(self.decimals));
        let scaled = factor.and_then(|factor| match decimals >= self.decimals {
            true => units.checked_mul(factor),
            false => Some(units / factor),
        });
        let bounded = |scaled: i128| scaled.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        scaled.map_or(0, bounded)
    }

    fn parse(raw: &str) -> Option<Self> {
        match raw.as_bytes().first()? {
            b'"' => Self::from_text(&serde_json::from_str::<String>(raw).ok()?),
            // A derived structure is read from an object and from a list.
            _ => {
                let nai: Nai = serde_json::from_str(raw).ok()?;
                Some(Self {
                    units: nai.amount.0,
                    decimals: u32::try_from(nai.precision.0).ok()?,
                })
            }
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let number = text.split_ascii_whitespace().next()?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let sign = if whole.starts_with('-') { -1 } else { 1 };
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if digits.is_empty() || !is_number(digits) || !is_number(part) {
            return None;
        }
        Some(Self {
            units: sign * format!("{digits}{part}").parse::<i64>().ok()?,
            decimals: u32::try_from(part.len()).ok()?,
        })
    }
}

fn integer(raw: &str) -> Option<i64> {
    let text = raw.trim_matches('"').trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    // A float is exact up to 2^53, and nodes write no larger number as one.
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number.abs() < 9e15 && number.fract() == 0.0).then_some(number as i64)
}

/// Parses `2016-03-24T17:00:06`, with or without a fraction and a zone.
fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some(time.and_utc());
    }
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&Utc))
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let number = integer(raw.get()).map(Self);
        number.ok_or_else(|| D::Error::custom("expected an integer"))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).ok_or_else(|| D::Error::custom("expected an amount"))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = time(&text).map(Self);
        time.ok_or_else(|| D::Error::custom("expected a time such as 2016-03-24T17:00:06"))
    }
}

/// Reads a text. `null` is an empty text. Any other value, such as the object that some nodes write for
/// `json_metadata`, becomes its JSON text.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match <&RawValue>::deserialize(deserializer)?.get() {
        "null" => Ok(String::new()),
        raw if raw.starts_with('"') => serde_json::from_str(raw).map_err(D::Error::custom),
        other => Ok(other.to_owned()),
    }
}

/// Reads an amount of money in thousandths.
pub fn thousandths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Amount::deserialize(deserializer).map(|amount| amount.with_decimals(3))
}

/// Reads a weight, cut to the range of weights.
pub fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weight, D::Error> {
    Integer::deserialize(deserializer).map(|Integer(hundredths)| Weight::clamped(hundredths))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn thousandths(json: &str) -> Option<i64> {
        let amount: Amount = serde_json::from_str(json).ok()?;
        Some(amount.with_decimals(3))
    }

    #[test]
    fn an_amount_is_parsed_in_every_form() {
        for json in [
            r#""1.000 HBD""#,
            r#""1 HBD""#,
            r#""1.000000 VESTS""#,
            r#"{"amount":"1000","precision":3,"nai":"@@000000013"}"#,
            r#"{"amount":1000000,"precision":"6","nai":"@@000000037"}"#,
            r#"["1000",3,"@@000000013"]"#,
        ] {
            assert_eq!(thousandths(json), Some(1000), "{json}");
        }
        assert_eq!(thousandths(r#""-0.500 HBD""#), Some(-500));
    }

    #[test]
    fn a_value_that_is_not_an_amount_is_an_error() {
        for json in [
            r#""""#,
            r#"" HBD""#,
            r#""1.2.3 HBD""#,
            r#""99999999999999999999 HBD""#,
            r#"{"amount":"x","precision":3}"#,
            r#"{"amount":"1","precision":-3}"#,
            "[]",
            "1",
            "null",
        ] {
            assert_eq!(thousandths(json), None, "{json}");
        }
    }

    #[test]
    fn an_amount_that_does_not_fit_saturates() {
        assert_eq!(thousandths(r#""9223372036854775807 HBD""#), Some(i64::MAX));
        assert_eq!(
            thousandths(r#"{"amount":"5","precision":4000000000}"#),
            Some(0)
        );
    }

    #[test]
    fn integers_are_parsed_from_numbers_and_strings() {
        for json in ["10000", r#""10000""#, "10000.0", "1e4"] {
            let Integer(number) = serde_json::from_str(json).unwrap();
            assert_eq!(number, 10_000, "{json}");
        }
        for json in ["1.5", "\"\"", "null", "[]", "1e300", "\"NaN\"", "true"] {
            assert!(serde_json::from_str::<Integer>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn times_are_utc_with_and_without_a_zone() {
        let expected = DateTime::from_timestamp(1_458_838_806, 0).unwrap();
        for text in [
            "2016-03-24T17:00:06",
            "2016-03-24T17:00:06Z",
            "2016-03-24T18:00:06+01:00",
            "2016-03-24T17:00:06.000",
        ] {
            assert_eq!(time(text), Some(expected), "{text}");
        }
        assert_eq!(time("yesterday"), None);
    }

    #[test]
    fn a_value_that_is_not_a_string_is_kept_as_json() {
        for (json, text) in [
            (r#""a\nb""#, "a\nb"),
            ("null", ""),
            (r#"{"app": "x"}"#, r#"{"app": "x"}"#),
        ] {
            let mut deserializer = serde_json::Deserializer::from_str(json);
            assert_eq!(super::text(&mut deserializer).unwrap(), text, "{json}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in any::<String>()) {
            let _ = Amount::from_text(&text);
            let _ = Amount::parse(&text);
            let _ = integer(&text);
            let _ = time(&text);
        }

        #[test]
        fn every_amount_is_parsed_as_it_was_written(units in any::<i32>()) {
            let sign = if units < 0 { "-" } else { "" };
            let size = units.unsigned_abs();
            let text = format!("{sign}{}.{:03} HBD", size / 1000, size % 1000);
            let amount = Amount::from_text(&text).unwrap();
            prop_assert_eq!(amount.with_decimals(3), i64::from(units));
        }
    }
}
