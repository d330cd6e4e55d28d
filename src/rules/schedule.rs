//! When a `schedule` strikes: the times of a cron expression in its own time zone.
//!
//! croner reads the expression and says which dates and which times of day it names. It is not asked for the
//! next occurrence: it reckons with local times alone, so that from within the hour that comes twice it goes
//! back by an hour, and it gives up or skips where a list of times falls into the hour that is left out.
//! What is meant where clocks change:
//!
//! - Fixed times (`30 2 * * *`, `0,30 9-17 * * MON`): each comes once a day. One that clocks skip comes at
//!   the next minute that exists, and those that fall together come once; of one that exists twice the
//!   first counts.
//! - With `*` or `*/n` in the seconds, minutes or hours (`*/10 * * * *`) time runs on: what is skipped is not
//!   there, and what comes twice comes twice.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset};
use chrono::{SubsecRound, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, Direction, TimeComponent};

use crate::rules::local_time::moment;
use crate::rules::rule::Schedule;

/// An expression without an occurrence in so many days has none: 29 February falls on each day of the week
/// within 40 years, also around 2100, which is no leap year.
const FAR: Days = Days::new(41 * 366);

/// croner's bit for the last such day of the week in a month (`component::LAST_BIT`, which is private).
const LAST_BIT: u8 = 1 << 6;

/// Reads a cron expression: five fields, the minute first, or six, the second first.
///
/// # Errors
/// What croner says of it.
pub fn parse(text: &str) -> Result<Cron, CronError> {
    let parser = CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build();
    let mut cron = parser.parse(text)?;
    // croner makes day 7 day 0 everywhere but in `7L`, the last Sunday, which therefore never came.
    let days_of_week = &mut cron.pattern.days_of_week;
    if days_of_week.is_bit_set(7, LAST_BIT)? {
        days_of_week.set_bit(0, LAST_BIT)?;
    }
    Ok(cron)
}

/// The times that a schedule names.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    cron: Cron,
    zone: Tz,
}

impl Timetable {
    /// The times of `schedule`.
    ///
    /// # Errors
    /// When its expression is none; one in a rule that was found good always is.
    pub fn new(schedule: &Schedule) -> Result<Self, CronError> {
        Ok(Self {
            cron: parse(&schedule.cron)?,
            zone: schedule.timezone,
        })
    }

    /// The first occurrence after `after`, on the whole second; `None` where there is none in 40 years,
    /// such as on 30 February.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.runs_on() {
            self.next_running_on(after)
        } else {
            self.next_fixed(after)
        }
    }

    /// Whether it goes by the time that passes, not by what clocks show.
    fn runs_on(&self) -> bool {
        let pattern = &self.cron.pattern;
        [&pattern.seconds, &pattern.minutes, &pattern.hours]
            .iter()
            .any(|field| field.from_wildcard)
    }

    fn next_fixed(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut local = after
            .with_timezone(&self.zone)
            .naive_local()
            .trunc_subsecs(0);
        loop {
            local = self.next_local(local)?;
            let found = moment(local, self.zone);
            // The other way round while clocks show the second of two equal times.
            if found > after {
                return Some(found);
            }
            local += TimeDelta::seconds(1);
        }
    }

    fn next_running_on(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut from = after.trunc_subsecs(0) + TimeDelta::seconds(1);
        loop {
            // As long as the offset stays, local times follow one another as they should.
            let offset = self.offset(from);
            let local = self.next_local(from.naive_utc() + offset)?;
            let found = (local - offset).and_utc();
            match self.change_of_offset(from, found) {
                None => return Some(found),
                Some(change) => from = change,
            }
        }
    }

    /// How far local time is ahead of UTC.
    fn offset(&self, at: DateTime<Utc>) -> TimeDelta {
        let offset = self.zone.offset_from_utc_datetime(&at.naive_utc()).fix();
        TimeDelta::seconds(offset.local_minus_utc().into())
    }

    /// The first second after `from`, up to `to`, with another offset than at `from`.
    fn change_of_offset(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let before = self.offset(from);
        let mut low = from;
        // No zone changes its offset and changes it back within a day.
        let mut high = loop {
            let high = to.min(low + TimeDelta::days(1));
            if self.offset(high) != before {
                break high;
            }
            if high == to {
                return None;
            }
            low = high;
        };
        while high - low > TimeDelta::seconds(1) {
            let middle = low + TimeDelta::seconds((high - low).num_seconds() / 2);
            if self.offset(middle) == before {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// The first time that the expression names from `from` on, on a clock that is never changed.
    fn next_local(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let pattern = &self.cron.pattern;
        let last = from.date().checked_add_days(FAR)?;
        let (mut date, mut time) = (from.date(), from.time());
        while date <= last {
            if !pattern.month_match(date.month()).is_ok_and(|is| is) {
                date = first_of_next_month(date)?;
                time = NaiveTime::MIN;
                continue;
            }
            let named = pattern.day_match(date.year(), date.month(), date.day());
            if named.is_ok_and(|is| is)
                && let Some(time) = self.next_time(time)
            {
                return Some(date.and_time(time));
            }
            date = date.succ_opt()?;
            time = NaiveTime::MIN;
        }
        None
    }

    /// The first time of day that the expression names from `from` on.
    fn next_time(&self, from: NaiveTime) -> Option<NaiveTime> {
        let first = |component, value| {
            let found =
                (self.cron.pattern).find_match_in_component(value, component, Direction::Forward);
            // A value out of range is how it begins after the last one.
            found.ok().flatten()
        };
        let second = |value| first(TimeComponent::Second, value);
        let minute = |value| first(TimeComponent::Minute, value);
        let hour = |value| first(TimeComponent::Hour, value);
        let (h, m, s) = (from.hour(), from.minute(), from.second());

        let same_hour = hour(h) == Some(h);
        if same_hour
            && minute(m) == Some(m)
            && let Some(s) = second(s)
        {
            return NaiveTime::from_hms_opt(h, m, s);
        }
        if same_hour && let Some(m) = minute(m + 1) {
            return NaiveTime::from_hms_opt(h, m, second(0)?);
        }
        NaiveTime::from_hms_opt(hour(h + 1)?, minute(0)?, second(0)?)
    }
}

fn first_of_next_month(date: NaiveDate) -> Option<NaiveDate> {
    match date.month() {
        12 => NaiveDate::from_ymd_opt(date.year() + 1, 1, 1),
        month => NaiveDate::from_ymd_opt(date.year(), month + 1, 1),
    }
}

#[cfg(test)]
mod tests;
