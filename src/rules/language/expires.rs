//! `expires`: the moment from which a rule is off.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use toml::de::DeValue;

use crate::diagnostic::report::{Report, Reported};
use crate::toml_reader::item::{Item, Wanted};

const WANTED: Wanted = Wanted {
    what: "a date or a date with a time",
    example: "2027-12-31",
};

/// The moment that `item` names. A date is the start of that day; without an offset it is in `zone`.
///
/// # Errors
/// It is none, which has been reported.
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
        // A leap second is the start of the next minute to us.
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
        None => in_zone(local, zone),
    };
    moment.ok_or_else(|| impossible(report))
}

/// A local time as a moment: the first of two, and where the clocks jump over it, the first after it.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    // Zones have jumped over a whole day.
    (0..=25 * 60).find_map(|minutes| {
        let local = local.checked_add_signed(Duration::minutes(minutes))?;
        match zone.from_local_datetime(&local) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => {
                Some(moment.with_timezone(&Utc))
            }
            LocalResult::None => None,
        }
    })
}
