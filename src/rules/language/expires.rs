//! Reads `expires`: the moment from which a rule is off.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use toml::de::DeValue;
use toml::value::{Datetime, Offset};

use crate::diagnostic::report::Reported;
use crate::rules::local_time;
use crate::toml_reader::item::{Item, Wanted};

const WANTED: Wanted = Wanted::new("a date or a date with a time", "2027-12-31");

/// Reads a date, which means the start of that day, or a date with a time. Without an offset it is in `zone`.
///
/// # Errors
/// `item` is not a valid date; the error has been reported.
pub fn read(item: &Item<'_>, zone: Tz) -> Result<DateTime<Utc>, Reported> {
    let written = match item.value {
        DeValue::Datetime(written) if written.date.is_some() => written,
        DeValue::String(text) if text.parse::<Datetime>().is_ok() => {
            return Err(item.wrong_type_with(WANTED, item.write(text)));
        }
        _ => return Err(item.wrong_type(WANTED)),
    };
    moment(written, zone)
        .ok_or_else(|| item.refuse("there is no such day", item.write(WANTED.example)))
}

/// The moment that a date means; `None` if it does not exist.
fn moment(written: &Datetime, zone: Tz) -> Option<DateTime<Utc>> {
    let date = written.date?;
    let date = NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())?;
    let time = match written.time {
        // A leap second counts as second 59.
        Some(time) => NaiveTime::from_hms_nano_opt(
            time.hour.into(),
            time.minute.into(),
            time.second.unwrap_or(0).min(59).into(),
            time.nanosecond.unwrap_or(0),
        )?,
        None => NaiveTime::MIN,
    };
    let local = date.and_time(time);
    match written.offset {
        Some(Offset::Z) => Some(local.and_utc()),
        Some(Offset::Custom { minutes }) => {
            let offset = Duration::minutes(minutes.into());
            local.and_utc().checked_sub_signed(offset)
        }
        None => Some(local_time::moment(local, zone)),
    }
}
