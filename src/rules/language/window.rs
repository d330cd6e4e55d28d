//! Reads `window`: the hours in which votes may be cast.

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use toml::de::DeValue;

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
    let mut table = Table::of(item, "{ from = \"08:00\", to = \"22:00\" }")?;
    let from = table.require("from", "\"08:00\"", time);
    let to = table.require("to", "\"22:00\"", time);
    let days = table.read("days", days);
    let timezone = table.read("timezone", timezone::read);
    table.refuse_the_rest();
    let (from, to) = (from?, to?);
    let Some(from) = from else {
        let help = "write `from = \"00:00\"`";
        return Err(item.refuse("a window cannot open at 24:00", help));
    };
    if Some(from) == to {
        let message = "the window closes at the time it opens";
        let help = "for the whole day, write `from = \"00:00\", to = \"24:00\"`";
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
fn time(item: &Item<'_>) -> Result<Option<NaiveTime>, Reported> {
    const WANTED: Wanted = Wanted::new("a time in quotes", "\"08:00\"");
    if let DeValue::Datetime(written) = item.value
        && written.date.is_none()
    {
        let text = written.to_string();
        let help = item.write(quoted(text.get(..5).unwrap_or(&text)));
        return Err(item.wrong_type_with(WANTED, help));
    }
    let text = item.text(WANTED)?;
    if text == "24:00" {
        return Ok(None);
    }
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b':';
    match NaiveTime::parse_from_str(text, "%H:%M") {
        Ok(time) if text.bytes().all(is_plain) && text.len() <= 5 => Ok(Some(time)),
        _ => {
            let message = format!("{} is not a time of day", quoted(text));
            Err(item.refuse(message, item.write(WANTED.example)))
        }
    }
}

fn days(item: &Item<'_>) -> Result<Vec<Weekday>, Reported> {
    const WANTED: Wanted = Wanted::new("a list of days", "[\"mon\", \"tue\"]");
    let mut days = Vec::new();
    item.each(WANTED, |member| {
        let text = member.text(WANTED)?;
        let lower = text.to_lowercase();
        let Some((_, day)) = DAYS.iter().find(|(name, _)| *name == lower) else {
            let meant = DAYS.iter().find(|(name, _)| lower.starts_with(name));
            let help = match meant {
                Some((name, _)) => format!("write \"{name}\""),
                None => "write mon, tue, wed, thu, fri, sat or sun, in quotes".to_owned(),
            };
            let message = format!("{} is not a day", quoted(text));
            return Err(member.refuse(message, help));
        };
        if days.contains(day) {
            let message = format!("\"{lower}\" is listed twice in `days`");
            member.warn(message, "remove one of the two");
        } else {
            days.push(*day);
        }
        Ok(())
    })?;
    Ok(days)
}
