//! Times of a `schedule`: the occurrences of a cron expression in its time zone.
//!
//! croner parses the expression and says which dates and times of day match. Its own search for the next occurrence
//! is not used: it works on local times alone, so it goes back by an hour inside an hour that occurs twice, and it
//! stops or skips if a list of times falls into an hour that the clock skips. When clocks change:
//!
//! - Fixed times (`30 2 * * *`, `0,30 9-17 * * MON`) occur once a day. A skipped time moves to the next minute that
//!   exists; several that move to the same minute occur once. Of a time that exists twice, the first counts.
//! - Expressions with `*` or `*/n` in the seconds, minutes or hours (`*/10 * * * *`) follow elapsed time: a skipped
//!   time does not occur, and a repeated time occurs twice.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset};
use chrono::{SubsecRound, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, Direction, TimeComponent};

use crate::rules::local_time::moment;
use crate::rules::rule::Schedule;

/// Period after which an expression without an occurrence has none, in days: 41 years. 29 February falls on each day
/// of the week within 40 years, even around 2100, which is not a leap year.
const SEARCH_LIMIT: Days = Days::new(41 * 366);

/// croner's bit for "last such day of the week in the month" (`component::LAST_BIT`, which is private).
const LAST_BIT: u8 = 1 << 6;

/// Parses a cron expression: five fields starting with the minute, or six starting with the second.
///
/// # Errors
/// The error of croner if the expression is not valid.
pub fn parse(text: &str) -> Result<Cron, CronError> {
    let parser = CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build();
    let mut cron = parser.parse(text)?;
    // croner treats day 7 as day 0 except in `7L`, the last Sunday, which would never occur.
    let days_of_week = &mut cron.pattern.days_of_week;
    if days_of_week.is_bit_set(7, LAST_BIT)? {
        days_of_week.set_bit(0, LAST_BIT)?;
    }
    Ok(cron)
}

/// The occurrences of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    cron: Cron,
    zone: Tz,
}

impl Timetable {
    /// The occurrences of `schedule`.
    ///
    /// # Errors
    /// If its cron expression is not valid; in a valid rule it always is.
    pub fn new(schedule: &Schedule) -> Result<Self, CronError> {
        Ok(Self {
            cron: parse(&schedule.cron)?,
            zone: schedule.timezone,
        })
    }

    /// The first occurrence after `after`, at a whole second; `None` if there is none in 40 years, as for
    /// 30 February.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.is_elapsed() {
            self.next_elapsed(after)
        } else {
            self.next_fixed(after)
        }
    }

    /// Whether occurrences follow elapsed time instead of the local clock.
    fn is_elapsed(&self) -> bool {
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
            // Not so while the clock shows a local time for the second time.
            if found > after {
                return Some(found);
            }
            local += TimeDelta::seconds(1);
        }
    }

    fn next_elapsed(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut from = after.trunc_subsecs(0) + TimeDelta::seconds(1);
        loop {
            // While the offset stays the same, local times are in order.
            let offset = self.offset(from);
            let local = self.next_local(from.naive_utc() + offset)?;
            let found = (local - offset).and_utc();
            match self.change_of_offset(from, found) {
                None => return Some(found),
                Some(change) => from = change,
            }
        }
    }

    /// Offset of local time from UTC.
    fn offset(&self, at: DateTime<Utc>) -> TimeDelta {
        let offset = self.zone.offset_from_utc_datetime(&at.naive_utc()).fix();
        TimeDelta::seconds(offset.local_minus_utc().into())
    }

    /// The first second after `from`, up to `to`, with a different offset than at `from`.
    fn change_of_offset(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let before = self.offset(from);
        let mut low = from;
        // No time zone changes its offset and reverts it within a day.
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

    /// The first matching local time at or after `from`, ignoring clock changes.
    fn next_local(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let pattern = &self.cron.pattern;
        let last = from.date().checked_add_days(SEARCH_LIMIT)?;
        let (mut date, mut time) = (from.date(), from.time());
        while date <= last {
            if !pattern.month_match(date.month()).is_ok_and(|is| is) {
                date = first_of_next_month(date)?;
                time = NaiveTime::MIN;
                continue;
            }
            let matches = pattern.day_match(date.year(), date.month(), date.day());
            if matches.is_ok_and(|is| is)
                && let Some(time) = self.next_time(time)
            {
                return Some(date.and_time(time));
            }
            date = date.succ_opt()?;
            time = NaiveTime::MIN;
        }
        None
    }

    /// The first matching time of day at or after `from`.
    fn next_time(&self, from: NaiveTime) -> Option<NaiveTime> {
        let first = |component, value| {
            let found =
                (self.cron.pattern).find_match_in_component(value, component, Direction::Forward);
            // croner returns an error for a value beyond the field's range, such as minute 60.
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
