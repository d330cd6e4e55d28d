use chrono_tz::Tz::{
    America__New_York as NEW_YORK, Australia__Lord_Howe as LORD_HOWE,
    Europe__Amsterdam as AMSTERDAM, UTC,
};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::*;

fn timetable(cron: &str, zone: Tz) -> Timetable {
    let schedule = Schedule {
        cron: cron.to_owned(),
        timezone: zone,
    };
    Timetable::new(&schedule).unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{text}Z"))
        .unwrap()
        .to_utc()
}

/// The next `count` occurrences in `zone`, as `08-31 18:00:00 +02:00`.
fn next(cron: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let timetable = timetable(cron, zone);
    std::iter::successors(timetable.next(utc(after)), |last| timetable.next(*last))
        .take(count)
        .map(|at| at.with_timezone(&zone).format("%m-%d %T %:z").to_string())
        .collect()
}

#[test]
fn five_fields_start_with_the_minute_and_six_with_the_second() {
    assert_eq!(
        next("5 4 * * *", UTC, "2026-06-01T00:00:00", 1),
        ["06-01 04:05:00 +00:00"]
    );
    assert_eq!(
        next("5 4 * * * *", UTC, "2026-06-01T00:00:00", 2),
        ["06-01 00:04:05 +00:00", "06-01 01:04:05 +00:00"]
    );
    assert!(parse("0 5 4 * * * 2026").is_err());
    assert!(parse("5 4 * *").is_err());
}

#[test]
fn the_next_occurrence_is_after_the_given_moment() {
    for (after, expected) in [
        ("2026-06-01T17:59:59.999", "06-01 18:00:00 +00:00"),
        ("2026-06-01T18:00:00", "06-02 18:00:00 +00:00"),
        ("2026-06-01T18:00:00.001", "06-02 18:00:00 +00:00"),
    ] {
        assert_eq!(next("0 18 * * *", UTC, after, 1), [expected], "{after}");
    }
    assert_eq!(
        next("* * * * * *", UTC, "2026-06-01T18:00:00.999", 2),
        ["06-01 18:00:01 +00:00", "06-01 18:00:02 +00:00"]
    );
}

#[test]
fn either_day_of_month_or_day_of_week_matches() {
    // 1 June 2026 is a Monday.
    assert_eq!(
        next("0 0 10 * FRI", UTC, "2026-06-01T00:00:00", 4),
        [
            "06-05 00:00:00 +00:00",
            "06-10 00:00:00 +00:00",
            "06-12 00:00:00 +00:00",
            "06-19 00:00:00 +00:00"
        ]
    );
}

#[test]
fn sunday_is_0_and_7() {
    for cron in ["0 0 * * 0", "0 0 * * 7", "0 0 * * SUN", "0 0 * * 7,7"] {
        let after = "2026-06-01T00:00:00";
        assert_eq!(
            next(cron, UTC, after, 1),
            ["06-07 00:00:00 +00:00"],
            "{cron}"
        );
    }
    for cron in ["0 0 * * 0L", "0 0 * * 7L", "0 0 * * SUN#L"] {
        let after = "2026-06-01T00:00:00";
        assert_eq!(
            next(cron, UTC, after, 1),
            ["06-28 00:00:00 +00:00"],
            "{cron}"
        );
    }
    for cron in ["0 0 * * 0#2", "0 0 * * 7#2"] {
        let after = "2026-06-01T00:00:00";
        assert_eq!(
            next(cron, UTC, after, 1),
            ["06-14 00:00:00 +00:00"],
            "{cron}"
        );
    }
}

#[test]
fn a_leap_day_occurs_in_leap_years_only() {
    let leap = timetable("0 12 29 2 *", AMSTERDAM);
    let first = leap.next(utc("2026-01-01T00:00:00")).unwrap();
    assert_eq!(first, utc("2028-02-29T11:00:00"));
    assert_eq!(leap.next(first), Some(utc("2032-02-29T11:00:00")));
    // 2100 is no leap year.
    assert_eq!(
        leap.next(utc("2096-03-01T00:00:00")),
        Some(utc("2104-02-29T11:00:00"))
    );
    let monday = timetable("0 12 29 2 +MON", UTC);
    assert_eq!(
        monday.next(utc("2026-01-01T00:00:00")),
        Some(utc("2044-02-29T12:00:00"))
    );
    let last = next("0 12 L 2 *", UTC, "2027-01-01T00:00:00", 2);
    assert_eq!(last, ["02-28 12:00:00 +00:00", "02-29 12:00:00 +00:00"]);
    let running = timetable("*/10 12 29 2 *", AMSTERDAM);
    assert_eq!(
        running.next(utc("2026-01-01T00:00:00")),
        Some(utc("2028-02-29T11:00:00"))
    );
}

#[test]
fn an_expression_that_never_occurs_has_no_next_occurrence() {
    for cron in ["0 0 30 2 *", "* * 31 4,6,9,11 *"] {
        let after = utc("2026-01-01T00:00:00");
        assert_eq!(timetable(cron, AMSTERDAM).next(after), None, "{cron}");
    }
}

/// Zone, day of a clock change, whether the change skips a time (`true`) or repeats it, and moment of the change.
const CHANGES: [(Tz, &str, bool, &str); 12] = [
    (AMSTERDAM, "2026-03-29", true, "2026-03-29T01:00:00"),
    (AMSTERDAM, "2026-10-25", false, "2026-10-25T01:00:00"),
    (AMSTERDAM, "2027-03-28", true, "2027-03-28T01:00:00"),
    (AMSTERDAM, "2027-10-31", false, "2027-10-31T01:00:00"),
    (NEW_YORK, "2026-03-08", true, "2026-03-08T07:00:00"),
    (NEW_YORK, "2026-11-01", false, "2026-11-01T06:00:00"),
    (NEW_YORK, "2027-03-14", true, "2027-03-14T07:00:00"),
    (NEW_YORK, "2027-11-07", false, "2027-11-07T06:00:00"),
    (LORD_HOWE, "2026-04-05", false, "2026-04-04T15:00:00"),
    (LORD_HOWE, "2026-10-04", true, "2026-10-03T15:30:00"),
    (LORD_HOWE, "2027-04-04", false, "2027-04-03T15:00:00"),
    (LORD_HOWE, "2027-10-03", true, "2027-10-02T15:30:00"),
];

/// A time of day that is skipped or repeated on such a day.
fn odd_minute(zone: Tz, skipped: bool) -> NaiveTime {
    let (hour, minute) = match (zone, skipped) {
        (AMSTERDAM, _) | (NEW_YORK, true) => (2, 30),
        (LORD_HOWE, true) => (2, 15),
        (_, false) => (1, 45),
        _ => unreachable!("no other zone is in the table"),
    };
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
}

#[test]
fn a_time_of_day_stays_the_same_through_clock_changes() {
    for zone in [AMSTERDAM, NEW_YORK, LORD_HOWE] {
        for time in ["18:00", "04:00", "00:00", "23:59"] {
            let (hour, minute) = time.split_once(':').unwrap();
            let daily = timetable(&format!("{minute} {hour} * * *"), zone);
            let start = zone.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
            let mut at = start.to_utc() - TimeDelta::seconds(1);
            for date in start.date_naive().iter_days().take(730) {
                at = daily.next(at).unwrap();
                let local = at.with_timezone(&zone);
                let expected = format!("{date} {time}:00");
                assert_eq!(local.naive_local().to_string(), expected, "{zone}");
            }
        }
    }
}

#[test]
fn a_skipped_fixed_time_moves_to_the_next_minute_that_exists() {
    for (zone, date, skipped, change) in CHANGES {
        if !skipped {
            continue;
        }
        let change = utc(change);
        let time = odd_minute(zone, skipped);
        let (hour, minute) = (time.hour(), time.minute());
        let daily = timetable(&format!("{minute} {hour} * * *"), zone);
        let before = daily.next(change - TimeDelta::hours(30)).unwrap();
        assert_eq!(daily.next(before), Some(change), "{zone} {date}");
        // Also from moments shortly before it.
        for earlier in [1, 60, 1_800, 3_600] {
            let after = change - TimeDelta::seconds(earlier);
            assert_eq!(daily.next(after), Some(change), "{zone} {date}");
        }
        let tomorrow = daily.next(change).unwrap().with_timezone(&zone);
        assert_eq!(tomorrow.time(), time, "{zone} {date}");
        assert_eq!(tomorrow.date_naive().pred_opt().unwrap().to_string(), date);
    }
}

#[test]
fn skipped_times_that_move_to_the_same_minute_occur_once() {
    assert_eq!(
        next("0,20,40 2,3 * * *", AMSTERDAM, "2026-03-29T00:00:00", 4),
        [
            "03-29 03:00:00 +02:00",
            "03-29 03:20:00 +02:00",
            "03-29 03:40:00 +02:00",
            "03-30 02:00:00 +02:00"
        ]
    );
    assert_eq!(
        next("15 30 2 * * *", AMSTERDAM, "2026-03-29T00:00:00", 2),
        ["03-29 03:00:00 +02:00", "03-30 02:30:15 +02:00"]
    );
}

#[test]
fn a_fixed_time_that_exists_twice_occurs_once() {
    for (zone, date, skipped, change) in CHANGES {
        if skipped {
            continue;
        }
        let change = utc(change);
        let time = odd_minute(zone, skipped);
        let daily = timetable(&format!("{} {} * * *", time.minute(), time.hour()), zone);
        let at = daily.next(change - TimeDelta::hours(2)).unwrap();
        assert!(at < change, "{zone} {date}: the first of the two");
        let local = at.with_timezone(&zone).naive_local();
        assert_eq!(local, format!("{date}T{time}").parse().unwrap());
        // It does not occur again within the repeated hour.
        for after in [at, change, change + TimeDelta::minutes(20)] {
            let tomorrow = daily.next(after).unwrap().with_timezone(&zone);
            assert_eq!(tomorrow.date_naive().pred_opt().unwrap().to_string(), date);
            assert_eq!(tomorrow.time(), time, "{zone} {date}");
        }
    }
}

#[test]
fn elapsed_time_has_no_gap_and_no_duplicate_at_a_clock_change() {
    for (zone, date, _, change) in CHANGES {
        let change = utc(change);
        for minutes in [1, 5, 10, 15, 30] {
            let often = timetable(&format!("*/{minutes} * * * *"), zone);
            let mut at = change - TimeDelta::hours(3);
            for _ in 0..(6 * 60 / minutes) {
                let step = TimeDelta::minutes(minutes);
                assert_eq!(often.next(at), Some(at + step), "{zone} {date}");
                at += step;
            }
        }
    }
}

#[test]
fn a_repeated_hour_occurs_twice_for_elapsed_time() {
    assert_eq!(
        next("50 * * * *", AMSTERDAM, "2026-10-25T00:00:00", 4),
        [
            "10-25 02:50:00 +02:00",
            "10-25 02:50:00 +01:00",
            "10-25 03:50:00 +01:00",
            "10-25 04:50:00 +01:00"
        ]
    );
    assert_eq!(
        next("*/20 2 * * *", AMSTERDAM, "2026-03-28T23:00:00", 1),
        ["03-30 02:00:00 +02:00"]
    );
}

/// A field that matches some values below `end`.
fn field(end: u32) -> impl Strategy<Value = String> {
    (any::<u8>(), 0..end, 1..end).prop_map(|(kind, value, step)| match kind % 5 {
        0 => "*".to_owned(),
        1 => format!("*/{step}"),
        2 => format!("{value},{}", (value + step).min(59.min(23.max(value)))),
        _ => value.to_string(),
    })
}

proptest! {
    #[test]
    fn occurrences_ascend_and_match_the_expression(
        second in field(60), minute in field(60), hour in field(24), weekday in 0u32..14,
        zone in 0usize..3, start in 1_767_225_600i64..1_830_297_600, near in any::<bool>(), change in 0usize..12,
    ) {
        let weekday = if weekday > 7 { "*".to_owned() } else { weekday.to_string() };
        let cron = format!("{second} {minute} {hour} * * {weekday}");
        let (zone, start) = if near {
            let (zone, _, _, moment) = CHANGES[change];
            (zone, utc(moment) + TimeDelta::seconds(start % 14_400 - 7_200))
        } else {
            ([AMSTERDAM, NEW_YORK, LORD_HOWE][zone], DateTime::from_timestamp(start, 0).unwrap())
        };
        let Ok(parsed) = parse(&cron) else { return Ok(()) };
        let timetable = timetable(&cron, zone);
        let mut at = start;
        for _ in 0..20 {
            let next = timetable.next(at).unwrap();
            prop_assert!(next > at);
            let local = next.with_timezone(&zone);
            let matches = parsed.is_time_matching(&local).unwrap();
            // A time moved out of a gap does not match; the second before it has another offset.
            let moved = zone.offset_from_utc_datetime(&(next.naive_utc() - TimeDelta::seconds(1))).fix()
                != local.offset().fix();
            prop_assert!(matches || (moved && !timetable.is_elapsed()), "{} {}", cron, local);
            // The next occurrence is the same from a moment in between.
            let between = at + (next - at) / 2;
            prop_assert_eq!(timetable.next(between), Some(next));
            if timetable.is_elapsed() {
                // No matching second in between is left out; at most 2000 are checked.
                let seconds = (next - at).num_seconds();
                for second in 1..seconds.min(2_000) {
                    let local = (at + TimeDelta::seconds(second)).with_timezone(&zone);
                    prop_assert!(!parsed.is_time_matching(&local).unwrap(), "{} {}", cron, local);
                }
            }
            at = next;
        }
    }

    #[test]
    fn parsing_any_text_never_panics(text in "\\PC*") {
        if let Ok(cron) = parse(&text) {
            let timetable = Timetable { cron, zone: LORD_HOWE };
            timetable.next(utc("2026-01-01T00:00:00"));
        }
    }

    #[test]
    fn searching_in_any_expression_never_panics(text in "[-0-9*/,LW#?+ ]{1,8}( [-0-9*/,LW#?+]{1,6}){4,5}") {
        if let Ok(cron) = parse(&text) {
            let timetable = Timetable { cron, zone: LORD_HOWE };
            timetable.next(utc("2026-01-01T00:00:00"));
        }
    }
}
