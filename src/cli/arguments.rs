//! Argument types that several commands share: posts, accounts, weights, moments.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::account::Account;
use crate::cli::WrongUsage;
use crate::post::PostId;
use crate::rules::language::percentage;
use crate::weight::Weight;

/// How a post is written.
const POST: &str = "write @author/permlink, or the address of the post";

/// Parses `@author/permlink`, or the address of a post as copied from a browser: `https://peakd.com/@author/permlink`, also
/// with escapes such as `%40`, and `https://3speak.tv/watch?v=author/permlink`. What follows `?` and `#` is ignored, but an
/// address that ends in `#@author/permlink` refers to that comment.
///
/// # Errors
/// A message that says what to write.
pub fn post(text: &str) -> Result<PostId, String> {
    let text = text.trim();
    let (author, permlink) = named(text).ok_or(POST)?;
    let author = Account::parse(&author).map_err(|error| format!("{error}: {POST}"))?;
    if permlink.contains('/') {
        return Err(format!("a permlink cannot contain /: {POST}"));
    }
    if permlink.is_empty() || permlink.len() > 256 || permlink.contains(char::is_whitespace) {
        return Err(format!(
            "a permlink has 1 to 256 bytes and no spaces: {POST}"
        ));
    }
    Ok(PostId::new(author, &permlink))
}

/// The author and the permlink that a text names, without escapes.
fn named(text: &str) -> Option<(String, String)> {
    let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let path = decoded(path)?;
    let host_and_path = path.split_once("://").map(|(_, rest)| rest);
    let fragment = decoded(fragment)?;
    let watched = query.split('&').find_map(|pair| pair.strip_prefix("v="));
    let name = match path.rfind("/@") {
        _ if fragment.starts_with('@') && fragment.contains('/') => fragment,
        Some(at) => path[at + 1..].to_owned(),
        // As on 3speak.tv.
        None if watched.is_some() => decoded(watched?)?,
        // As on inleo.io: the last two parts of the path, without `@`.
        None => match host_and_path.or_else(|| without_scheme(&path)) {
            Some(address) => {
                let address = address.strip_suffix('/').unwrap_or(address);
                let parts: Vec<_> = address.split('/').collect();
                match parts[..] {
                    [_, .., author, permlink] if parts.len() > 2 => format!("{author}/{permlink}"),
                    _ => return None,
                }
            }
            None => path,
        },
    };
    let (author, permlink) = name.split_once('/')?;
    let permlink = permlink.strip_suffix('/').unwrap_or(permlink);
    Some((author.to_owned(), permlink.to_owned()))
}

/// An address such as `inleo.io/threads/view/bob/a-post`; `None` for `bob/a-post`.
fn without_scheme(path: &str) -> Option<&str> {
    let host = path.split('/').next()?;
    (host.contains('.') && path.trim_end_matches('/').matches('/').count() > 1).then_some(path)
}

/// The text without the escapes of addresses; `None` if they are not UTF-8. A `%` that begins no escape stays.
fn decoded(text: &str) -> Option<String> {
    let digit = |at: usize| char::from(*text.as_bytes().get(at)?).to_digit(16);
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        let escaped = (byte == b'%').then(|| Some((digit(at + 1)?, digit(at + 2)?)));
        match escaped.flatten() {
            Some((high, low)) => {
                bytes.push(u8::try_from(16 * high + low).ok()?);
                at += 3;
            }
            None => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Parses the name of an account.
///
/// # Errors
/// A message that says what is wrong.
pub fn account(text: &str) -> Result<Account, String> {
    Account::parse(text).map_err(|error| error.to_string())
}

/// Parses the weight of a vote: -100 % to 100 %, not 0.
///
/// # Errors
/// A message that says what is wrong.
pub fn weight(text: &str) -> Result<Weight, String> {
    let hundredths = percentage::parse(text).map_err(|error| error.to_string())?;
    match Weight::from_hundredths(hundredths.into()) {
        Some(weight) if weight.is_zero() => Err("the weight cannot be 0%".to_owned()),
        Some(weight) => Ok(weight),
        None => Err("the weight must be -100% to 100%".to_owned()),
    }
}

/// A moment as written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With its offset from UTC, or in UTC.
    Exact(DateTime<Utc>),
    /// In the time zone of another argument.
    Local(NaiveDateTime),
}

/// Parses RFC 3339, a local time such as `2026-11-22 18:00` with or without seconds, or a date, which means its start.
///
/// # Errors
/// A message that says what to write.
pub fn when(text: &str) -> Result<When, String> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::Exact(exact.to_utc()));
    }
    for format in ["%F %R", "%FT%R", "%F %T", "%FT%T"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(When::Local(local));
        }
    }
    match NaiveDate::parse_from_str(text, "%F") {
        Ok(date) => Ok(When::Local(date.and_time(NaiveTime::MIN))),
        Err(_) => Err("write \"2026-11-22 18:00\" or 2026-11-22T18:00:00Z".to_owned()),
    }
}

impl When {
    /// The moment in `zone`; the first one if the local time occurs twice.
    ///
    /// # Errors
    /// The clock in `zone` skips this local time.
    pub fn moment(self, zone: Tz) -> Result<DateTime<Utc>, WrongUsage> {
        let local = match self {
            Self::Exact(moment) => return Ok(moment),
            Self::Local(local) => local,
        };
        let moment = zone.from_local_datetime(&local).earliest();
        moment.map(|moment| moment.to_utc()).ok_or_else(|| {
            let local = local.format("%F %R");
            WrongUsage(format!(
                "--at: {local} does not exist in {zone}: the clock is moved forward then"
            ))
        })
    }
}

/// Parses the name of a time zone.
///
/// # Errors
/// There is no such time zone.
pub fn zone(text: &str) -> Result<Tz, String> {
    text.parse()
        .map_err(|_| "write a name such as Europe/Amsterdam, or UTC".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_given_by_name_or_by_address() {
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
            "https://peakd.com/%40bob/my-garden",
            "https://peakd.com/hive-1%2F%40bob%2Fmy-garden",
            "https://hive.blog/hive-1/@carol/a-post#%40bob/my-garden",
            "https://3speak.tv/watch?v=bob/my-garden",
            "https://3speak.tv/watch?ref=x&v=bob%2Fmy-garden",
            "3speak.tv/watch?v=bob/my-garden",
            "https://inleo.io/threads/view/bob/my-garden",
            "https://inleo.io/threads/view/bob/my-garden/?referral=carol",
            "inleo.io/threads/view/bob/my-garden",
            "peakd.com/@bob/my-garden",
            " @bob/my-garden\n",
        ] {
            assert_eq!(post(text).unwrap().to_string(), "@bob/my-garden", "{text}");
        }
        // Old permlinks can contain other characters.
        let old = post("@bob/My_Garden.1").unwrap();
        assert_eq!(old.to_string(), "@bob/My_Garden.1");
        for text in [
            "@bob/caf%C3%A9",
            "@bob/café",
            "https://peakd.com/@bob/caf%c3%a9",
        ] {
            assert_eq!(&*post(text).unwrap().permlink, "café", "{text}");
        }
        assert_eq!(&*post("@bob/100%-true").unwrap().permlink, "100%-true");
        for text in [
            "@bob",
            "@bob/",
            "@bob//",
            "@bob/?x",
            "@b/post",
            "@bob/two words",
            "@bob/post/more",
            "",
            "https://peakd.com/@bob",
            "https://peakd.com/bob",
            "https://3speak.tv/watch?v=bob",
            "@bob/caf%FF",
            "@bob/two%20words",
        ] {
            let error = post(text).unwrap_err();
            assert!(error.ends_with(POST), "{text}: {error}");
        }
    }

    #[test]
    fn a_weight_can_be_negative_but_not_0() {
        let hundredths = |text| weight(text).map(Weight::hundredths);
        assert_eq!(hundredths("50%"), Ok(5_000));
        assert_eq!(hundredths("-12.5%"), Ok(-1_250));
        for text in ["0%", "50", "100.01%", "half"] {
            assert!(weight(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_local_time_is_in_the_given_time_zone() {
        let at = |text, zone| when(text).unwrap().moment(zone).map(|at| at.to_rfc3339());
        let amsterdam = Tz::Europe__Amsterdam;
        let six = |hour| Ok(format!("2026-11-22T{hour}:00:00+00:00"));
        assert_eq!(at("2026-11-22 18:00", Tz::UTC), six(18));
        assert_eq!(at("2026-11-22 18:00", amsterdam), six(17));
        assert_eq!(at("2026-11-22T18:00:00+02:00", amsterdam), six(16));
        assert!(at("2026-03-29 02:30", amsterdam).is_err());
        // The first of two.
        let twice = at("2026-10-25 02:30", amsterdam).unwrap();
        assert_eq!(twice, "2026-10-25T00:30:00+00:00");
        assert!(when("tomorrow").is_err());
    }
}
