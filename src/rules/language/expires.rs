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
        DeValue::String(text) => {
            let ways: Vec<_> = meanings(text)
                .into_iter()
                .map(|date| (date.clone(), named(&date)))
                .collect();
            let help = item.write_one_of(&ways);
            return Err(item.wrong_type_with(WANTED, help.unwrap_or_else(|| item.such_as(WANTED))));
        }
        DeValue::Integer(digits) => {
            let date = NaiveDate::parse_from_str(digits.as_str(), "%Y%m%d");
            let help = date.map_or_else(|_| item.such_as(WANTED), |date| item.write(date));
            return Err(item.wrong_type_with(WANTED, help));
        }
        _ => return Err(item.wrong_type(WANTED)),
    };
    moment(written, zone).ok_or_else(|| {
        let last = written
            .date
            .and_then(|date| last_day(date.year, date.month));
        let help = last.map_or_else(|| item.such_as(WANTED), |last| item.write(last));
        item.refuse("there is no such day", help)
    })
}

/// The last day of a month.
fn last_day(year: u16, month: u8) -> Option<NaiveDate> {
    let days = (28..=31).rev();
    days.into_iter()
        .find_map(|day| NaiveDate::from_ymd_opt(year.into(), month.into(), day))
}

/// `1 February 2030`
fn named(date: &str) -> String {
    let date = date.get(..10).unwrap_or(date);
    NaiveDate::parse_from_str(date, "%Y-%m-%d").map_or_else(
        |_| date.to_owned(),
        |date| date.format("%-d %B %Y").to_string(),
    )
}

/// The dates that a text may mean, as TOML. Of 01/02/2030 both the day first and the month first.
fn meanings(text: &str) -> Vec<String> {
    const DATES: [&str; 9] = [
        "%Y-%m-%d",
        "%d-%m-%Y",
        "%m-%d-%Y",
        "%d %B %Y",
        "%B %d %Y",
        "%Y %B %d",
        "%d-%B-%Y",
        "%Y%m%d",
        "%a %d %B %Y",
    ];
    const TIMES: [&str; 3] = ["%H:%M", "%H:%M:%S", "%I:%M %p"];
    let text = text.trim().trim_end_matches('.');
    if text
        .parse::<Datetime>()
        .is_ok_and(|date| date.date.is_some())
    {
        return vec![text.to_owned()];
    }
    let (date, time) = match text
        .split_once([' ', 'T'])
        .filter(|(_, time)| time.contains(':'))
    {
        Some((date, time)) => (date, Some(time)),
        // `31 December 2030`
        None => match text.rsplit_once(' ').filter(|(_, time)| time.contains(':')) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        },
    };
    let time = match time {
        Some(time) => {
            let utc = time.strip_suffix('Z');
            let plain = utc.unwrap_or(time).trim().to_uppercase();
            let read = TIMES
                .iter()
                .find_map(|form| NaiveTime::parse_from_str(&plain, form).ok());
            let Some(read) = read else {
                return Vec::new();
            };
            format!(
                "T{}{}",
                read.format("%H:%M:%S"),
                if utc.is_some() { "Z" } else { "" }
            )
        }
        None => String::new(),
    };
    let plain = date.replace(['.', '/'], "-").replace(',', " ");
    let plain = plain
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("- ", "-");
    let mut dates = Vec::new();
    for form in DATES {
        // A year has four digits, or two if the day is first.
        let short = form.replace("%Y", "%y");
        for form in [form, &short] {
            if let Ok(date) = NaiveDate::parse_from_str(&plain, form) {
                let is_year = (2000..=2099).contains(&chrono::Datelike::year(&date));
                let date = format!("{}{time}", date.format("%Y-%m-%d"));
                if is_year && !dates.contains(&date) {
                    dates.push(date);
                }
            }
        }
        // What begins with a year has one reading.
        if form == "%Y-%m-%d" && plain.split('-').next().is_some_and(|year| year.len() == 4) {
            break;
        }
    }
    dates
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
