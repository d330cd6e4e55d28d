//! `schedule`: fixed times instead of a delay.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::occurrence::{self, Timetable};
use crate::rules::rule::Schedule;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::timezone;

/// The times that `item` names; in `zone` unless it names its own.
///
/// # Errors
/// What is wrong with it has been reported.
pub(super) fn read(
    item: &Item<'_>,
    zone: Tz,
    report: &mut Report<'_>,
) -> Result<Schedule, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a table",
        example: "{ cron = \"0 18 * * MON-FRI\" }",
    };
    const CRON: Wanted = Wanted {
        what: "a cron expression",
        example: "\"0 18 * * MON-FRI\"",
    };
    if let toml::de::DeValue::String(text) = item.value {
        let help = item.write(format_args!("{{ cron = {} }}", quoted(text)));
        return Err(item.wrong_type_with(WANTED, help, report));
    }
    let mut table = item.table(WANTED, report)?;
    let cron = match table.take("cron") {
        Some(item) => item
            .text(CRON, report)
            .and_then(|text| check(text, &item, report))
            .map(|cron| (cron, item)),
        None => {
            let finding = Finding::at(table.header.clone(), "`schedule` lacks `cron`");
            Err(report.missing(finding.help("write `schedule = { cron = \"0 18 * * MON-FRI\" }`")))
        }
    };
    let zone = table
        .take("timezone")
        .map_or(Ok(zone), |item| timezone::read(&item, report));
    table.refuse_the_rest(report, |_, _| None);
    let (cron, item) = cron?;
    let schedule = Schedule {
        cron,
        timezone: zone?,
    };
    if Timetable::new(&schedule).is_ok_and(|times| times.next(ANY_DAY).is_none()) {
        let message = format!("{} never comes", quoted(&schedule.cron));
        let help = "no year has such a day: mend the day or the month";
        return Err(item.refuse(message, help, report));
    }
    Ok(schedule)
}

/// An expression without a time after any one day has none at all.
const ANY_DAY: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// Five fields, the minute first, or six, the second first; croner judges what is in them.
fn check(text: &str, item: &Item<'_>, report: &mut Report<'_>) -> Result<String, Reported> {
    match occurrence::parse(text) {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(error) => {
            let why = match text.split_whitespace().count() {
                5 | 6 => error.to_string(),
                1 => "it has one field".to_owned(),
                fields => format!("it has {fields} fields"),
            };
            let message = format!("{} is not a cron expression: {why}", quoted(text));
            let help = "five fields: minute, hour, day of month, month, day of week; or six with \
                        the second first; \"0 18 * * MON-FRI\" is 18:00 on weekdays";
            Err(item.refuse(message, help, report))
        }
    }
}
