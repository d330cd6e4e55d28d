//! Moments as text.

use std::fmt;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::Serializer;

/// A moment as SQLite keeps it and as both read it from JSON.
pub(in crate::store) fn text(moment: DateTime<Utc>) -> String {
    let mut text = String::with_capacity(MOMENT.len());
    // A `String` takes everything.
    let _ = write_moment(&mut text, moment);
    text
}

/// Like `%Y-%m-%d %H:%M:%S%.3f` in a fraction of the time; there are seven moments in a row.
fn write_moment(out: &mut impl fmt::Write, moment: DateTime<Utc>) -> fmt::Result {
    let (day, time) = (moment.date_naive(), moment.time());
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
        let mut left = value;
        for place in text[at..at + digits].iter_mut().rev() {
            *place = b'0' + (left % 10) as u8;
            left /= 10;
        }
    }
    out.write_str(std::str::from_utf8(&text).unwrap_or_default())
}

const MOMENT: &[u8; 23] = b"0000-00-00 00:00:00.000";

struct AsText(DateTime<Utc>);

impl fmt::Display for AsText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_moment(formatter, self.0)
    }
}

pub(super) fn as_text<S: Serializer>(
    moment: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&AsText(*moment))
}

pub(super) fn as_text_if<S: Serializer>(
    moment: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => as_text(moment, serializer),
        None => serializer.serialize_none(),
    }
}
