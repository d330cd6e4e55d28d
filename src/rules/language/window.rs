//! Reads `window`: the hours in which votes may be cast.

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use toml::de::DeValue;

use crate::diagnostic::Finding;
use crate::diagnostic::report::Reported;
use crate::rules::rule::Window;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::Table;
use crate::toml_reader::timezone;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

/// Reads a window. `zone` is its default time zone.
///
/// # Errors
/// `item` is not a valid window; every error has been reported.
pub(super) fn read(item: &Item<'_>, zone: Tz) -> Result<Window, Reported> {
    const TABLE: Wanted = Wanted::new("a table", "{ from = \"08:00\", to = \"22:00\" }");
    if let Some([from, to]) = hours(item) {
        let help = item.write(format_args!("{{ from = \"{from}\", to = \"{to}\" }}"));
        return Err(item.wrong_type_with(TABLE, help));
    }
    let keys = ["from", "to", "days", "timezone"];
    let mut table = Table::of(item, TABLE.example)?.with_keys(&keys, |_| None);
    let from = table.require("from", "\"08:00\"", |item| time(item, "00:00"));
    let to = table.require("to", "\"22:00\"", |item| time(item, "24:00"));
    let days = table.read("days", days);
    let timezone = table.read("timezone", timezone::read);
    table.refuse_the_rest();
    let (from, to) = (from?, to?);
    let Some(from) = from else {
        let span = item.value.as_table().and_then(|table| table.get("from"));
        let span = span.map_or_else(|| item.span.clone(), |from| from.span());
        let finding = Finding::at(span, "a window cannot open at 24:00");
        return Err(item.report.error(finding.help("write `from = \"00:00\"`")));
    };
    if Some(from) == to {
        let message = "the window closes at the time it opens";
        let help = "the whole day is `from = \"00:00\", to = \"24:00\"`";
        return Err(item.refuse(message, help));
    }
    Ok(Window {
        from,
        to,
        days: days?.unwrap_or_default(),
        timezone: timezone?.unwrap_or(zone),
    })
}

/// Reads a time of day; `None` is 24:00.
fn time(item: &Item<'_>, midnight: &str) -> Result<Option<NaiveTime>, Reported> {
    const WANTED: Wanted = Wanted::new("a time in quotes", "\"08:00\"");
    let text = match item.value {
        DeValue::String(text) => text,
        value => {
            let text = match value {
                DeValue::Datetime(written) if written.date.is_none() => written.to_string(),
                DeValue::Integer(digits) => digits.as_str().to_owned(),
                DeValue::Float(digits) => digits.as_str().to_owned(),
                _ => return Err(item.wrong_type(WANTED)),
            };
            let help = match time_meant(&text, midnight) {
                Some(meant) => item.write(quoted(&meant)),
                None => item.such_as(WANTED),
            };
            return Err(item.wrong_type_with(WANTED, help));
        }
    };
    if text == "24:00" {
        return Ok(None);
    }
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b':';
    match NaiveTime::parse_from_str(text, "%H:%M") {
        Ok(time) if text.bytes().all(is_plain) && text.len() <= 5 => Ok(Some(time)),
        _ => {
            let message = format!("{} is not a time of day", quoted(text));
            let help = match time_meant(text, midnight) {
                Some(meant) => item.write(quoted(&meant)),
                None => item.such_as(WANTED),
            };
            Err(item.refuse(message, help))
        }
    }
}

/// `09:00` for `9am`, `9`, `9h`, `9.00` or `0900`; `midnight` for midnight.
fn time_meant(text: &str, midnight: &str) -> Option<String> {
    let lower = text
        .trim()
        .to_lowercase()
        .replace("o'clock", "")
        .replace("uhr", "");
    let lower = lower.trim();
    match lower {
        "midnight" => return Some(midnight.to_owned()),
        "noon" | "midday" => return Some("12:00".to_owned()),
        _ => {}
    }
    let plain = lower.replace(['.', ' '], "");
    let half = ["am", "pm"].into_iter().find(|half| plain.ends_with(half));
    let number = match half {
        Some(_) => lower.trim_end_matches(['a', 'p', 'm', '.', ' ']),
        None => lower,
    };
    let number = number.replace(['.', 'h', '-', ','], ":");
    let (hour, minute) = match number.trim_end_matches(':').split_once(':') {
        Some((hour, rest)) => (hour.to_owned(), rest.get(..2).unwrap_or(rest).to_owned()),
        // 0900 and 1730
        None if number.len() >= 3 => {
            let at = number.len().checked_sub(2)?;
            (number.get(..at)?.to_owned(), number.get(at..)?.to_owned())
        }
        None => (number.trim_end_matches(':').to_owned(), "00".to_owned()),
    };
    let hour: u32 = hour.trim().parse().ok()?;
    let hour = match half {
        Some("am") if hour == 12 => 0,
        Some("pm") if hour < 12 => hour + 12,
        _ => hour,
    };
    let time = NaiveTime::from_hms_opt(hour, minute.trim().parse().ok()?, 0);
    match time {
        Some(time) => Some(time.format("%H:%M").to_string()),
        None => (hour == 24 && minute == "00").then(|| midnight.to_owned()),
    }
}

/// From and to of `"08:00-22:00"` or `["08:00", "22:00"]`.
fn hours(item: &Item<'_>) -> Option<[String; 2]> {
    let texts = item.quotable_texts()?;
    let [from, to] = match texts[..] {
        [from, to] => [from, to],
        [only] => {
            let (from, to) = (only.split_once('-')).or_else(|| only.split_once(" to "))?;
            [from, to]
        }
        _ => return None,
    };
    Some([time_meant(from, "00:00")?, time_meant(to, "24:00")?]).filter(|[from, to]| from != to)
}

const WANTED_DAYS: Wanted = Wanted::new("a list of days", "[\"mon\", \"tue\"]");

fn days(item: &Item<'_>) -> Result<Vec<Weekday>, Reported> {
    if let DeValue::String(text) = item.value {
        let help = match days_meant(text) {
            Some(days) => item.write(format_args!("[{days}]")),
            None => item.such_as(WANTED_DAYS),
        };
        return Err(item.wrong_type_with(WANTED_DAYS, help));
    }
    let mut days = Vec::new();
    item.each(WANTED_DAYS, |member| {
        let day = day(&member)?;
        if days.contains(&day) {
            let message = format!("\"{}\" is listed twice in `days`", short(day));
            member.warn(message, "remove one of the two");
        } else {
            days.push(day);
        }
        Ok(())
    })?;
    Ok(days)
}

fn day(member: &Item<'_>) -> Result<Weekday, Reported> {
    const ALL: &str =
        "the days are \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" and \"sun\"";
    let message = match member.value {
        DeValue::String(text) => {
            let lower = text.to_lowercase();
            if let Some((_, day)) = DAYS.iter().find(|(name, _)| *name == lower) {
                return Ok(*day);
            }
            format!("{} is not a day", quoted(text))
        }
        _ => format!("`days` lists days, not {}", member.type_name()),
    };
    let text = match member.value {
        DeValue::Integer(digits) => digits.as_str(),
        value => value.as_str().unwrap_or(""),
    };
    let help = match days_meant(text) {
        Some(days) => format!("write {days}"),
        None => ALL.to_owned(),
    };
    Err(member.refuse(message, help))
}

fn short(day: Weekday) -> &'static str {
    DAYS[day.num_days_from_monday() as usize].0
}

/// `"mon", "tue"` for `monday and Tue`, `mon-tue` or `1,2`. Days are numbered as in cron.
fn days_meant(text: &str) -> Option<String> {
    let lower = text
        .to_lowercase()
        .replace(" and ", ",")
        .replace(" to ", "-");
    let lower = lower
        .replace(['–', '—', '…'], "-")
        .replace("..", "-")
        .replace(" - ", "-");
    let one = |word: &str| {
        let number = word.parse::<usize>().ok().filter(|number| *number <= 7);
        let by_number = number.map(|number| (number + 6) % 7);
        by_number.or_else(|| {
            let is_long = |name: &str| word.starts_with(name) && "day".len() + 6 >= word.len();
            DAYS.iter().position(|(name, _)| is_long(name))
        })
    };
    let mut days: Vec<&str> = Vec::new();
    for part in lower
        .split([',', ';', ' ', '/', '+', '&'])
        .filter(|part| !part.is_empty())
    {
        let (first, last) = match part {
            "weekday" | "weekdays" | "workdays" => (0, 4),
            "weekend" | "weekends" => (5, 6),
            "daily" | "all" | "always" | "everyday" | "*" => (0, 6),
            _ => match part.split_once('-') {
                Some((first, last)) => (one(first)?, one(last)?),
                None => (one(part)?, one(part)?),
            },
        };
        let count = (last + 7 - first) % 7;
        days.extend((first..=first + count).map(|day| DAYS[day % 7].0));
    }
    let mut seen = Vec::new();
    days.retain(|day| {
        let is_new = !seen.contains(day);
        seen.push(*day);
        is_new
    });
    let days: Vec<_> = days.into_iter().map(quoted).collect();
    (!days.is_empty()).then(|| days.join(", "))
}
