//! What several commands read from their command line: posts, accounts, weights, moments.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::account::Account;
use crate::post::PostId;
use crate::rules::language::percentage;
use crate::weight::Weight;

/// `@author/permlink`, also as the end of a post's address: `https://peakd.com/@author/permlink`, whatever follows
/// there behind `?` and `#`. An address that ends in `#@author/permlink` is that of this comment.
///
/// # Errors
/// What to write instead.
pub fn post(text: &str) -> Result<PostId, String> {
    let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
    let address = address.split('?').next().unwrap_or_default();
    let comment = fragment.starts_with('@') && fragment.contains('/');
    let address = if comment { fragment } else { address };
    let name = match address.rfind("/@") {
        Some(at) => &address[at + 1..],
        None => address,
    };
    let Some((author, permlink)) = name.split_once('/') else {
        return Err("write @author/permlink".to_owned());
    };
    let author = Account::parse(author).map_err(|error| error.to_string())?;
    let permlink = permlink.strip_suffix('/').unwrap_or(permlink);
    if permlink.contains('/') {
        return Err("a permlink holds no /: write @author/permlink".to_owned());
    }
    if permlink.is_empty() || permlink.len() > 256 || permlink.contains(char::is_whitespace) {
        return Err("a permlink has 1 to 256 characters and no blanks".to_owned());
    }
    Ok(PostId::new(author, permlink))
}

/// The name of an account.
///
/// # Errors
/// What is wrong with it.
pub fn account(text: &str) -> Result<Account, String> {
    Account::parse(text).map_err(|error| error.to_string())
}

/// The weight of a vote: -100 % to 100 %, not 0.
///
/// # Errors
/// What to write instead.
pub fn weight(text: &str) -> Result<Weight, String> {
    let hundredths = percentage::parse(text).map_err(|error| error.to_string())?;
    match Weight::from_hundredths(hundredths.into()) {
        Some(weight) if weight.is_zero() => Err("a vote of 0% is none".to_owned()),
        Some(weight) => Ok(weight),
        None => Err("a weight is -100% to 100%".to_owned()),
    }
}

/// A moment as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With its offset from UTC, or in UTC.
    Exact(DateTime<Utc>),
    /// In the time zone that is named beside it.
    Local(NaiveDateTime),
}

/// RFC 3339, `2026-11-22 18:00`, with or without seconds, or a date alone for its beginning.
///
/// # Errors
/// What to write instead.
pub fn when(text: &str) -> Result<When, String> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::Exact(exact.to_utc()));
    }
    for format in [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
    ] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(When::Local(local));
        }
    }
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) => Ok(When::Local(date.and_time(NaiveTime::MIN))),
        Err(_) => Err("write \"2026-11-22 18:00\" or 2026-11-22T18:00:00Z".to_owned()),
    }
}

impl When {
    /// The moment; of a local time that comes twice the first.
    ///
    /// # Errors
    /// The clocks of `zone` skip that local time.
    pub fn moment(self, zone: Tz) -> Result<DateTime<Utc>, String> {
        match self {
            Self::Exact(moment) => Ok(moment),
            Self::Local(local) => match zone.from_local_datetime(&local) {
                LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => {
                    Ok(moment.to_utc())
                }
                LocalResult::None => Err(format!(
                    "{} does not exist in {zone}: clocks are put forward then",
                    local.format("%F %R")
                )),
            },
        }
    }
}

/// The name of a time zone.
///
/// # Errors
/// There is none of that name.
pub fn zone(text: &str) -> Result<Tz, String> {
    text.parse()
        .map_err(|_| "write its name as in Europe/Amsterdam, or UTC".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_named_by_itself_or_by_its_address() {
        for text in [
            "@bob/my-garden",
            "bob/my-garden",
            "@Bob/my-garden",
            "https://peakd.com/hive-1/@bob/my-garden",
            "https://peakd.com/hive-1/@bob/my-garden?ref=1#c",
            "https://peakd.com/@bob/my-garden?from=https://x.example/@carol/y",
            "https://peakd.com/@bob/my-garden#comments",
            "https://peakd.com/@bob/my-garden/",
            "https://hive.blog/hive-1/@carol/a-post#@bob/my-garden",
        ] {
            assert_eq!(post(text).unwrap().to_string(), "@bob/my-garden", "{text}");
        }
        // As old ones are.
        let old = post("@bob/My_Garden.1").unwrap();
        assert_eq!(old.to_string(), "@bob/My_Garden.1");
        for text in [
            "@bob",
            "@bob/",
            "@bob//",
            "@bob/?x",
            "@b/post",
            "@bob/two words",
            "@bob/post/more",
            "",
        ] {
            assert!(post(text).is_err(), "{text}");
        }
    }

    #[test]
    fn weights_may_be_negative_but_not_nothing() {
        let hundredths = |text| weight(text).map(Weight::hundredths);
        assert_eq!(hundredths("50%"), Ok(5_000));
        assert_eq!(hundredths("-12.5%"), Ok(-1_250));
        for text in ["0%", "50", "100.01%", "half"] {
            assert!(weight(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_local_time_is_meant_in_its_zone() {
        let at = |text, zone| when(text).unwrap().moment(zone).map(|at| at.to_rfc3339());
        let amsterdam = Tz::Europe__Amsterdam;
        let six = |hour| Ok(format!("2026-11-22T{hour}:00:00+00:00"));
        assert_eq!(at("2026-11-22 18:00", Tz::UTC), six(18));
        assert_eq!(at("2026-11-22 18:00", amsterdam), six(17));
        assert_eq!(at("2026-11-22T18:00:00+02:00", amsterdam), six(16));
        assert!(at("2026-03-29 02:30", amsterdam).is_err());
        // It comes twice: the first.
        let twice = at("2026-10-25 02:30", amsterdam).unwrap();
        assert_eq!(twice, "2026-10-25T00:30:00+00:00");
        assert!(when("tomorrow").is_err());
    }
}
