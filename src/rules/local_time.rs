//! Conversion of local times to moments.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// Longest gap in local time, in minutes. Clocks move forward by two hours at most, but a time zone can skip a whole
/// day, as Samoa did in 2011.
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// Converts `local` in `zone` to a moment: the earlier one if the time occurs twice, the start of the next minute that
/// exists if the clock skips it.
pub fn moment(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    if let Some(moment) = zone.from_local_datetime(&local).earliest() {
        return moment.to_utc();
    }
    let minute = local.with_second(0).unwrap_or(local);
    let later = (1..=LONGEST_GAP_MINUTES).map(|minutes| minute + TimeDelta::minutes(minutes));
    later
        .filter_map(|local| zone.from_local_datetime(&local).earliest())
        .map(|moment| moment.to_utc())
        .next()
        .unwrap_or_else(|| local.and_utc())
}
