//! Vote weights, in hundredths of a percent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The weight of a vote in hundredths of a percent, -10000 (-100 %) to 10000 (100 %), as in a
/// `vote` operation. 0 takes a vote back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weight(i16);

impl Weight {
    /// 100 %.
    pub const FULL: Weight = Weight(10_000);

    /// A weight in hundredths of a percent; `None` outside -10000 to 10000.
    pub fn from_hundredths(hundredths: i64) -> Option<Self> {
        (-10_000..=10_000)
            .contains(&hundredths)
            .then_some(Self(hundredths as i16))
    }

    /// A weight in hundredths of a percent, clamped to -10000 to 10000.
    pub fn clamped(hundredths: i64) -> Self {
        Self(hundredths.clamp(-10_000, 10_000) as i16)
    }

    /// The weight in hundredths of a percent, -10000 to 10000.
    pub fn hundredths(self) -> i16 {
        self.0
    }

    /// The weight without its sign, in hundredths of a percent, 0 to 10000.
    pub fn magnitude(self) -> u16 {
        self.0.unsigned_abs()
    }

    /// The weight in whole percent, rounded half away from zero, for `error_log.weight`.
    pub fn whole_percent(self) -> i32 {
        let hundredths = i32::from(self.0);
        (hundredths + 50 * hundredths.signum()) / 100
    }

    /// Whether this weight takes a vote back.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Weight {
    /// `50%`, `-12.5%`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.magnitude() / 100, self.magnitude() % 100);
        let text = match part {
            0 => format!("{sign}{whole}%"),
            _ if part % 10 == 0 => format!("{sign}{whole}.{}%", part / 10),
            _ => format!("{sign}{whole}.{part:02}%"),
        };
        formatter.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_percent_rounds_half_away_from_zero() {
        for (hundredths, whole) in [
            (3330, 33),
            (3350, 34),
            (-3350, -34),
            (49, 0),
            (50, 1),
            (-50, -1),
        ] {
            assert_eq!(
                Weight::clamped(hundredths).whole_percent(),
                whole,
                "{hundredths}"
            );
        }
    }

    #[test]
    fn weights_print_as_people_write_them() {
        for (hundredths, text) in [
            (5000, "50%"),
            (1250, "12.5%"),
            (-1205, "-12.05%"),
            (5, "0.05%"),
        ] {
            assert_eq!(Weight::clamped(hundredths).to_string(), text);
        }
    }
}
