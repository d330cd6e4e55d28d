//! Reads `schedule`: fixed times instead of a delay.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use chrono::DateTime;
use chrono_tz::Tz;
use toml::de::DeValue;

use crate::diagnostic::report::Reported;
use crate::rules::rule::Schedule;
use crate::rules::schedule::{self, Timetable};
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::Table;
use crate::toml_reader::timezone;

/// Reads a schedule. `zone` is its default time zone.
///
/// # Errors
/// `item` is not a valid schedule; every error has been reported.
pub(super) fn read(item: &Item<'_>, zone: Tz) -> Result<Schedule, Reported> {
    const CRON: Wanted = Wanted::new("a cron expression", "\"0 18 * * MON-FRI\"");
    const TABLE: Wanted = Wanted::new("a table", "{ cron = \"0 18 * * MON-FRI\" }");
    if let DeValue::String(text) = item.value {
        let help = item.write(format_args!("{{ cron = {} }}", quoted(text)));
        return Err(item.wrong_type_with(TABLE, help));
    }
    let mut table = Table::of(item, TABLE.example)?.with_keys(&["cron", "timezone"], |_| None);
    let cron = table.require("cron", CRON.example, |item| check(item.text(CRON)?, item));
    let timezone = table.read("timezone", timezone::read);
    table.refuse_the_rest();
    Ok(Schedule {
        cron: cron?,
        timezone: timezone?.unwrap_or(zone),
    })
}

/// Checks a cron expression and finds the field that an error is about.
fn check(text: &str, item: &Item<'_>) -> Result<String, Reported> {
    let text = text.trim();
    let error = match fault(text) {
        None => return Ok(text.to_owned()),
        Some(Fault::Never) => {
            let message = format!("{} never occurs", quoted(text));
            let help = "no year has such a day: change the day or the month";
            return Err(item.refuse(message, help));
        }
        Some(Fault::Invalid(error)) => error,
    };
    if let Some((_, meant)) = NICKNAMES.iter().find(|(name, _)| *name == text) {
        let help = item.write(format_args!("\"{meant}\""));
        return Err(item.refuse(format!("`{text}` is not supported"), help));
    }
    let fields: Vec<_> = text.split_whitespace().collect();
    if let Some((place, meaning)) = wrong_field(&fields) {
        let field = fields[place];
        let message = format!("`{field}` is not {}", meaning.what);
        let meant = meaning.meant(field).map(|meant| {
            let mut fields = fields.clone();
            fields[place] = &meant;
            fields.join(" ")
        });
        let help = match meant.filter(|meant| fault(meant).is_none()) {
            Some(meant) => item.write(quoted(&meant)),
            None => meaning.help(),
        };
        return Err(item.refuse(message, help));
    }
    let why = match fields.len() {
        5 | 6 => error,
        1 => "it has one field".to_owned(),
        fields => format!("it has {fields} fields"),
    };
    let message = format!("{} is not a cron expression: {why}", quoted(text));
    let help = "five fields: minute, hour, day of month, month, day of week; or six with the second first; \
                \"0 18 * * MON-FRI\" is 18:00 on weekdays";
    Err(item.refuse(message, help))
}

/// Names for expressions in other programs, with their fields.
const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * SUN"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// Meaning of a field in an expression.
struct Field {
    what: &'static str,
    range: &'static str,
    example: &'static str,
    least: u32,
    most: u32,
    /// Names of its values, the first that of `named_from`.
    names: &'static [&'static str],
    named_from: u32,
}

impl Field {
    const fn new(
        what: &'static str,
        range: &'static str,
        example: &'static str,
        (least, most): (u32, u32),
    ) -> Self {
        Self {
            what,
            range,
            example,
            least,
            most,
            names: &[],
            named_from: 0,
        }
    }

    const fn named(self, names: &'static [&'static str], named_from: u32) -> Self {
        Self {
            names,
            named_from,
            ..self
        }
    }

    fn help(&self) -> String {
        format!(
            "{} is {}, a list or range of these such as {}, or `*` for every value",
            self.what, self.range, self.example
        )
    }

    /// The value that a number or a name stands for.
    fn value(&self, text: &str) -> Option<u32> {
        let names = (self.named_from..).zip(self.names);
        let mut named = names.filter(|(_, name)| name.eq_ignore_ascii_case(text));
        let number = || {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_number)
        };
        let value = named.next().map(|(value, _)| value).or_else(number)?;
        (self.least..=self.most).contains(&value).then_some(value)
    }

    /// Whether an item of the list in the field is well formed. The parser of cron expressions passes over some that
    /// are not.
    fn takes(&self, item: &str) -> bool {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        if step.is_some_and(|step| !matches!(step.parse::<u32>(), Ok(1..))) {
            return false;
        }
        if matches!(range, "*" | "?") || self.value(range).is_some() {
            return true;
        }
        if let Some((first, last)) = range.split_once('-') {
            let (first, last) = (self.value(first), self.value(last));
            return first.zip(last).is_some_and(|(first, last)| first <= last);
        }
        // The last day of the month, the working day next to a day, the second Monday or the last one.
        let upper = range.to_uppercase();
        match (self.what, step) {
            (_, Some(_)) => false,
            ("a day of the month", _) => {
                matches!(&*upper, "L" | "LW" | "W")
                    || upper
                        .strip_suffix('W')
                        .is_some_and(|day| self.value(day).is_some())
            }
            ("a day of the week", _) => match upper.split_once('#') {
                Some((day, count)) => {
                    self.value(day).is_some() && matches!(count, "1" | "2" | "3" | "4" | "5" | "L")
                }
                None => upper
                    .strip_suffix('L')
                    .is_some_and(|day| self.value(day).is_some()),
            },
            _ => false,
        }
    }

    /// Whether the field is a list of well-formed items, of which `*` is none.
    fn is_well_formed(&self, field: &str) -> bool {
        let items: Vec<_> = field.split(',').collect();
        let is_any = |item: &&str| matches!(*item, "*" | "?");
        items.iter().all(|item| self.takes(item)) && (items.len() == 1 || !items.iter().any(is_any))
    }

    /// The field that was probably meant: without empty items, with `FRI,SAT,SUN,MON` for `FRI-MON`.
    fn meant(&self, field: &str) -> Option<String> {
        let items = field.split([',', ';']).filter(|item| !item.is_empty());
        let items = items.map(|item| {
            let upper = item.to_uppercase();
            // 24 o'clock, and days and months with their whole names.
            let whole = |name: &&&str| upper.len() > 3 && upper.starts_with(**name);
            match item.split_once('-') {
                Some((first, last)) if !self.takes(item) => self.round(first, last),
                _ if self.what == "an hour" && item == "24" => Some("0".to_owned()),
                _ => match self.names.iter().find(whole) {
                    Some(name) => Some((*name).to_owned()),
                    None => Some(item.to_owned()),
                },
            }
        });
        let items = items.collect::<Option<Vec<_>>>()?;
        let meant = match items.iter().any(|item| item == "*") && items.len() > 1 {
            // Which of the two is meant is open.
            true => return None,
            false => items.join(","),
        };
        (!meant.is_empty() && meant != field).then_some(meant)
    }

    /// The values from `first` over the end of the range to `last`.
    fn round(&self, first: &str, last: &str) -> Option<String> {
        let (first, last) = (self.value(first)?, self.value(last)?);
        // Day 7 is day 0.
        let most = if self.names.len() == 7 { 6 } else { self.most };
        let values = (first..=most).chain(self.least..=last);
        let name = |value: u32| {
            let at = value.checked_sub(self.named_from)? as usize;
            self.names.get(at).map(|name| (*name).to_owned())
        };
        let values = values.map(|value| name(value).unwrap_or_else(|| value.to_string()));
        Some(values.collect::<Vec<_>>().join(","))
    }
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The fields in order, including the optional second.
const FIELDS: [Field; 6] = [
    Field::new("a second", "0 to 59", "`0,30`", (0, 59)),
    Field::new("a minute", "0 to 59", "`0,30`", (0, 59)),
    Field::new("an hour", "0 to 23", "`9-17`", (0, 23)),
    Field::new("a day of the month", "1 to 31", "`1,15`", (1, 31)),
    Field::new("a month", "1 to 12, or JAN to DEC", "`4-9`", (1, 12)).named(&MONTHS, 1),
    Field::new(
        "a day of the week",
        "0 to 7, or SUN to SAT",
        "`MON-FRI`",
        (0, 7),
    )
    .named(&WEEKDAYS, 0),
];

/// The first field that is invalid on its own, with its meaning.
fn wrong_field(fields: &[&str]) -> Option<(usize, &'static Field)> {
    if !(5..=6).contains(&fields.len()) {
        return None;
    }
    let meanings = &FIELDS[FIELDS.len() - fields.len()..];
    let is_wrong = |place: &usize| {
        let alone = (0..fields.len()).map(|at| if at == *place { fields[at] } else { "*" });
        !meanings[*place].is_well_formed(fields[*place])
            || schedule::parse(&alone.collect::<Vec<_>>().join(" ")).is_err()
    };
    let place = (0..fields.len()).find(is_wrong)?;
    Some((place, &meanings[place]))
}

/// Why a cron expression cannot be used.
enum Fault {
    /// It matches only days that no year has.
    Never,
    Invalid(String),
}

/// What is wrong with a cron expression, if anything.
fn fault(text: &str) -> Option<Fault> {
    /// Maximum number of valid expressions that are cached. Checking an expression takes longer than reading the rest
    /// of a rule, and thousands of rules can share a few of them.
    const MAX_CACHED: usize = 1_000;
    static GOOD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if text.starts_with('@') {
        return Some(Fault::Invalid("it begins with `@`".to_owned()));
    }
    let good = || GOOD.lock().unwrap_or_else(PoisonError::into_inner);
    if good().contains(text) {
        return None;
    }
    if wrong_field(&text.split_whitespace().collect::<Vec<_>>()).is_some() {
        return Some(Fault::Invalid("it has a wrong field".to_owned()));
    }
    // Whether it ever occurs does not depend on time zone or date.
    let schedule = Schedule {
        cron: text.to_owned(),
        timezone: Tz::UTC,
    };
    match Timetable::new(&schedule) {
        Err(error) => return Some(Fault::Invalid(error.to_string())),
        Ok(times) if times.next(DateTime::UNIX_EPOCH).is_none() => return Some(Fault::Never),
        Ok(_) => {}
    }
    let mut good = good();
    if good.len() >= MAX_CACHED {
        good.clear();
    }
    good.insert(schedule.cron);
    None
}

#[cfg(test)]
mod tests {
    use crate::rules::language::file::read;

    fn problems(cron: &str) -> String {
        let text = format!(
            "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '1%'\nschedule.cron = '{cron}'\n"
        );
        let problems = read("a.toml", &text).problems;
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n").replace("a.toml:5:17: ", "")
    }

    #[test]
    fn a_field_that_is_out_of_range_is_reported_with_its_range() {
        for (cron, what) in [
            (
                "0 25 * * *",
                "`25` is not an hour (an hour is 0 to 23, a list",
            ),
            (
                "60 * * * *",
                "`60` is not a minute (a minute is 0 to 59, a list",
            ),
            (
                "61 0 18 * * *",
                "`61` is not a second (a second is 0 to 59, a list",
            ),
            (
                "0 18 32 * *",
                "`32` is not a day of the month (a day of the month is 1 to 31, a list",
            ),
            (
                "0 18 * 13 *",
                "`13` is not a month (a month is 1 to 12, or JAN to DEC, a list",
            ),
            (
                "0 18 * * FUN",
                "`FUN` is not a day of the week (a day of the week is 0 to 7, or SUN to SAT, a list",
            ),
            (
                "18:00 * * * *",
                "`18:00` is not a minute (a minute is 0 to 59, a list",
            ),
            (
                "0 18 * *",
                "\"0 18 * *\" is not a cron expression: it has 4 fields (five fields",
            ),
        ] {
            let problems = problems(cron);
            assert!(problems.starts_with(what), "{cron}: {problems}");
        }
    }

    #[test]
    fn a_name_for_an_expression_is_refused_with_the_fields_to_write() {
        for (name, _) in super::NICKNAMES {
            let problems = problems(name);
            let message = format!("`{name}` is not supported (write `cron = \"");
            assert!(problems.starts_with(&message), "{problems}");
        }
        assert!(problems("@reboot").contains("is not a cron expression: it has one field"));
        for good in ["0 18 * * MON-FRI", "30 0 18 * * *", "0 0 1 1 *"] {
            assert_eq!(problems(good), "");
        }
    }
}
