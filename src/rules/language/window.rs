//! Reads `window`: the hours in which votes may be cast.

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use toml::de::DeValue;

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
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
pub(super) fn read(item: &Item<'_>, zone: Tz, report: &mut Report<'_>) -> Result<Window, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a table",
        example: "{ from = \"08:00\", to = \"22:00\" }",
    };
    let mut table = item.table(WANTED, report)?;
    let from = time(&mut table, "from", report);
    let to = time(&mut table, "to", report);
    let days = table
        .take("days")
        .map_or(Ok(Vec::new()), |item| days(&item, report));
    let zone = table
        .take("timezone")
        .map_or(Ok(zone), |item| timezone::read(&item, report));
    table.refuse_the_rest(report, |_, _| None);
    let (from, to) = (from?, to?);
    let Some(from) = from else {
        let help = "write `from = \"00:00\"`";
        return Err(item.refuse("a window cannot open at 24:00", help, report));
    };
    if Some(from) == to {
        let message = "the window closes at the time it opens";
        let help = "for the whole day, write `from = \"00:00\", to = \"24:00\"`";
        return Err(item.refuse(message, help, report));
    }
    Ok(Window {
        from,
        to,
        days: days?,
        timezone: zone?,
    })
}

/// Reads a required time of day; `None` is 24:00.
fn time(
    table: &mut Table<'_>,
    key: &'static str,
    report: &mut Report<'_>,
) -> Result<Option<NaiveTime>, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a time in quotes",
        example: "\"08:00\"",
    };
    let Some(item) = table.take(key) else {
        let finding = Finding::at(
            table.header.clone(),
            format!("{} has no `{key}`", table.name),
        );
        let example = if key == "to" { "22:00" } else { "08:00" };
        return Err(report.error(finding.help(format!("add `{key} = \"{example}\"`"))));
    };
    let text = match item.value {
        DeValue::Datetime(written) if written.date.is_none() => {
            let text = written.to_string();
            let help = item.write(quoted(text.get(..5).unwrap_or(&text)));
            return Err(item.wrong_type_with(WANTED, help, report));
        }
        _ => item.text(WANTED, report)?,
    };
    if text == "24:00" {
        return Ok(None);
    }
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b':');
    match NaiveTime::parse_from_str(text, "%H:%M") {
        Ok(time) if is_plain && text.len() <= 5 => Ok(Some(time)),
        _ => {
            let message = format!("{} is not a time of day", quoted(text));
            Err(item.refuse(message, item.write(WANTED.example), report))
        }
    }
}

fn days(item: &Item<'_>, report: &mut Report<'_>) -> Result<Vec<Weekday>, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a list of days",
        example: "[\"mon\", \"tue\"]",
    };
    let mut days = Vec::new();
    let mut failed = None;
    for member in item.list(WANTED, report)? {
        let DeValue::String(text) = member.value else {
            failed = Some(member.wrong_type(WANTED, report));
            continue;
        };
        let lower = text.to_lowercase();
        match DAYS.iter().find(|(name, _)| *name == lower) {
            Some((_, day)) if days.contains(day) => {
                let finding = Finding::at(
                    member.span,
                    format!("\"{lower}\" is listed twice in `days`"),
                );
                report.warning(finding.help("remove one of the two"));
            }
            Some((_, day)) => days.push(*day),
            None => {
                let meant = DAYS.iter().find(|(name, _)| lower.starts_with(name));
                let help = match meant {
                    Some((name, _)) => format!("write \"{name}\""),
                    None => "write mon, tue, wed, thu, fri, sat or sun, in quotes".to_owned(),
                };
                let message = format!("{} is not a day", quoted(text));
                failed = Some(member.refuse(message, help, report));
            }
        }
    }
    failed.map_or(Ok(days), Err)
}
