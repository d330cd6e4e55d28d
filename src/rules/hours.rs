//! Opening hours of a window.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};

use crate::rules::local_time::moment;
use crate::rules::rule::Window;

impl Window {
    /// The first moment at or after `at` at which the window is open.
    pub fn open_from(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let today = at.with_timezone(&self.timezone).date_naive();
        // Yesterday's window may span midnight. With one day a week, the next window may be a week ahead, and one
        // more day if today's is over.
        let first = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        for date in first.iter_days().take(10) {
            if !self.days.is_empty() && !self.days.contains(&date.weekday()) {
                continue;
            }
            let (opens, closes) = self.on(date);
            if at < closes {
                return at.max(opens);
            }
        }
        at
    }

    /// Opening and closing moment of the window on that day.
    fn on(&self, date: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
        let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
        let closes = match self.to {
            None => next.and_time(NaiveTime::MIN),
            Some(to) if to > self.from => date.and_time(to),
            Some(to) => next.and_time(to),
        };
        (
            moment(date.and_time(self.from), self.timezone),
            moment(closes, self.timezone),
        )
    }
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;
    use chrono_tz::Tz;

    use super::*;

    fn window(from: &str, to: &str, days: &[Weekday], timezone: Tz) -> Window {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        let to = (to != "24:00").then(|| time(to));
        Window {
            from: time(from),
            to,
            days: days.to_vec(),
            timezone,
        }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(&format!("{text}Z"))
            .unwrap()
            .to_utc()
    }

    fn opens(window: &Window, at: &str) -> DateTime<Utc> {
        window.open_from(utc(at))
    }

    #[test]
    fn a_vote_inside_the_window_does_not_wait() {
        let day = window("08:00", "22:00", &[], Tz::UTC);
        for at in [
            "2026-03-01T08:00:00",
            "2026-03-01T15:00:00",
            "2026-03-01T21:59:59",
        ] {
            assert_eq!(opens(&day, at), utc(at));
        }
    }

    #[test]
    fn a_vote_outside_the_window_waits_for_the_opening() {
        let day = window("08:00", "22:00", &[], Tz::UTC);
        assert_eq!(
            opens(&day, "2026-03-01T07:59:59"),
            utc("2026-03-01T08:00:00")
        );
        assert_eq!(
            opens(&day, "2026-03-01T22:00:00"),
            utc("2026-03-02T08:00:00")
        );
    }

    #[test]
    fn a_window_can_span_midnight_and_belongs_to_the_day_on_which_it_opens() {
        let night = window("22:00", "06:00", &[Weekday::Fri], Tz::UTC);
        // 6 March 2026 is a Friday.
        assert_eq!(
            opens(&night, "2026-03-07T05:59:59"),
            utc("2026-03-07T05:59:59")
        );
        assert_eq!(
            opens(&night, "2026-03-07T06:00:00"),
            utc("2026-03-13T22:00:00")
        );
        assert_eq!(
            opens(&night, "2026-03-06T03:00:00"),
            utc("2026-03-06T22:00:00")
        );
    }

    #[test]
    fn a_window_can_end_at_midnight() {
        let late = window("20:00", "24:00", &[], Tz::UTC);
        assert_eq!(
            opens(&late, "2026-03-01T23:59:59"),
            utc("2026-03-01T23:59:59")
        );
        assert_eq!(
            opens(&late, "2026-03-02T00:00:00"),
            utc("2026-03-02T20:00:00")
        );
    }

    #[test]
    fn hours_are_in_the_time_zone_of_the_window() {
        let day = window("08:00", "22:00", &[], Tz::Europe__Amsterdam);
        assert_eq!(
            opens(&day, "2026-01-10T03:00:00"),
            utc("2026-01-10T07:00:00")
        );
        assert_eq!(
            opens(&day, "2026-07-10T03:00:00"),
            utc("2026-07-10T06:00:00")
        );
    }

    #[test]
    fn an_opening_time_skipped_by_the_clock_moves_to_the_next_minute_that_exists() {
        // Amsterdam: 02:00 to 03:00 does not exist on 29 March 2026.
        let skipped = window("02:30", "05:00", &[], Tz::Europe__Amsterdam);
        assert_eq!(
            opens(&skipped, "2026-03-29T00:00:00"),
            utc("2026-03-29T01:00:00")
        );
    }

    #[test]
    fn an_opening_time_that_occurs_twice_is_the_earlier_one() {
        // Amsterdam: 02:30 comes twice on 25 October 2026, first at 00:30 UTC.
        let twice = window("02:30", "05:00", &[], Tz::Europe__Amsterdam);
        assert_eq!(
            opens(&twice, "2026-10-25T00:00:00"),
            utc("2026-10-25T00:30:00")
        );
    }

    proptest::proptest! {
        #[test]
        fn a_window_is_open_at_its_opening(at in 1_700_000_000i64..1_900_000_000, from in 0u32..1440, to in 0u32..1440, days in 0u8..128) {
            let time = |minutes: u32| NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap();
            let days = (0..7u8).filter(|day| days & (1 << day) != 0).map(|day| Weekday::try_from(day).unwrap()).collect();
            let window = Window { from: time(from), to: Some(time(to)), days, timezone: Tz::America__New_York };
            let at = DateTime::from_timestamp(at, 0).unwrap();
            let open = window.open_from(at);
            proptest::prop_assert!(open >= at);
            proptest::prop_assert_eq!(window.open_from(open), open);
        }
    }
}
