//! Moments as text.

use std::fmt;

use chrono::{DateTime, Datelike, Timelike, Utc};

const MOMENT: &[u8; 23] = b"0000-00-00 00:00:00.000";

/// A moment as SQLite stores it and as both databases read it from JSON: like
/// `%Y-%m-%d %H:%M:%S%.3f`, in a fraction of the time. A row of `votes` has seven of them.
pub(super) struct MomentText(pub DateTime<Utc>);

impl fmt::Display for MomentText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, time) = (self.0.date_naive(), self.0.time());
        let millis = time.nanosecond() % 1_000_000_000 / 1_000_000;
        let mut text = *MOMENT;
        for (at, digits, value) in [
            (0, 4, u32::try_from(day.year()).unwrap_or(0)),
            (5, 2, day.month()),
            (8, 2, day.day()),
            (11, 2, time.hour()),
            (14, 2, time.minute()),
            (17, 2, time.second()),
            (20, 3, millis),
        ] {
            let mut rest = value;
            for place in text[at..at + digits].iter_mut().rev() {
                *place = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        formatter.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_strftime_writes_them() {
        for millis in [0, 1, 1_784_678_399_999, 253_402_300_799_999] {
            let moment = DateTime::from_timestamp_millis(millis).unwrap();
            let slowly = moment.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
            assert_eq!(MomentText(moment).to_string(), slowly);
        }
        let fine = DateTime::UNIX_EPOCH + chrono::Duration::nanoseconds(1_999_999);
        assert_eq!(MomentText(fine).to_string(), "1970-01-01 00:00:00.001");
    }
}
