//! Reads `expires`: the moment from which a rule is off.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use toml::de::DeValue;

use crate::diagnostic::report::{Report, Reported};
use crate::rules::local_time;
use crate::toml_reader::item::{Item, Wanted};

const WANTED: Wanted = Wanted {
    what: "a date or a date with a time",
    example: "2027-12-31",
};

/// Reads a date, which means the start of that day, or a date with a time. Without an offset it is in `zone`.
///
/// # Errors
/// `item` is not a valid date; the error has been reported.
pub fn read(item: &Item<'_>, zone: Tz, report: &mut Report<'_>) -> Result<DateTime<Utc>, Reported> {
    let written = match item.value {
        DeValue::Datetime(written) => written,
        DeValue::String(text) if text.parse::<toml::value::Datetime>().is_ok() => {
            return Err(item.wrong_type_with(WANTED, item.write(text), report));
        }
        _ => return Err(item.wrong_type(WANTED, report)),
    };
    let impossible = |report: &mut Report<'_>| {
        item.refuse("there is no such day", item.write(WANTED.example), report)
    };
    let Some(date) = written.date else {
        return Err(item.wrong_type(WANTED, report));
    };
    let (year, month, day) = (date.year.into(), date.month.into(), date.day.into());
    let Some(date) = NaiveDate::from_ymd_opt(year, month, day) else {
        return Err(impossible(report));
    };
    let time = match written.time {
        // A leap second counts as second 59.
        Some(time) => NaiveTime::from_hms_nano_opt(
            time.hour.into(),
            time.minute.into(),
            time.second.unwrap_or(0).min(59).into(),
            time.nanosecond.unwrap_or(0),
        ),
        None => Some(NaiveTime::MIN),
    };
    let Some(local) = time.map(|time| date.and_time(time)) else {
        return Err(impossible(report));
    };
    let moment = match written.offset {
        Some(toml::value::Offset::Z) => Some(local.and_utc()),
        Some(toml::value::Offset::Custom { minutes }) => local
            .and_utc()
            .checked_sub_signed(Duration::minutes(minutes.into())),
        None => Some(local_time::moment(local, zone)),
    };
    moment.ok_or_else(|| impossible(report))
}
