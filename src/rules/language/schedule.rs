//! `schedule`: fixed times instead of a delay.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use chrono::DateTime;
use chrono_tz::Tz;

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::occurrence::Timetable;
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
            .and_then(|text| check(text, &item, report)),
        None => {
            let finding = Finding::at(table.header.clone(), "`schedule` lacks `cron`");
            Err(report.missing(finding.help("write `schedule = { cron = \"0 18 * * MON-FRI\" }`")))
        }
    };
    let zone = table
        .take("timezone")
        .map_or(Ok(zone), |item| timezone::read(&item, report));
    table.refuse_the_rest(report, |_, _| None);
    Ok(Schedule {
        cron: cron?,
        timezone: zone?,
    })
}

/// Five fields, the minute first, or six, the second first; croner judges what is in them.
fn check(text: &str, item: &Item<'_>, report: &mut Report<'_>) -> Result<String, Reported> {
    match Verdict::of(text) {
        Verdict::Good => Ok(text.trim().to_owned()),
        Verdict::Never => {
            let message = format!("{} never comes", quoted(text));
            let help = "no year has such a day: mend the day or the month";
            Err(item.refuse(message, help, report))
        }
        Verdict::Bad(error) => {
            let why = match text.split_whitespace().count() {
                5 | 6 => error,
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

/// What a cron expression is worth.
enum Verdict {
    Good,
    /// It names a day that no year has.
    Never,
    Bad(String),
}

impl Verdict {
    fn of(text: &str) -> Self {
        /// Reading an expression takes longer than reading the rest of a rule, and thousands of rules share a
        /// few of them: so many that were good are remembered.
        const REMEMBERED: usize = 1_000;
        static GOOD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let good = || GOOD.lock().unwrap_or_else(PoisonError::into_inner);
        if good().contains(text) {
            return Self::Good;
        }
        // Whether it ever comes is the same in all zones, and on every day.
        let schedule = Schedule {
            cron: text.to_owned(),
            timezone: Tz::UTC,
        };
        let times = match Timetable::new(&schedule) {
            Ok(times) => times,
            Err(error) => return Self::Bad(error.to_string()),
        };
        if times.next(DateTime::UNIX_EPOCH).is_none() {
            return Self::Never;
        }
        let mut good = good();
        if good.len() >= REMEMBERED {
            good.clear();
        }
        good.insert(schedule.cron);
        Self::Good
    }
}
