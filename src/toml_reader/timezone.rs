//! Time zones by their names in the tz database: `Europe/Amsterdam`.

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::diagnostic::report::Reported;
use crate::diagnostic::suggestion::closest;
use crate::toml_reader::item::{Item, Wanted, quoted};

/// Reads the time zone that `item` names.
///
/// # Errors
/// There is no such time zone; the error has been reported.
pub fn read(item: &Item<'_>) -> Result<Tz, Reported> {
    const WANTED: Wanted = Wanted::new("the name of a time zone", "\"Europe/Amsterdam\"");
    let text = item.text(WANTED)?;
    text.parse().map_err(|_| {
        let help = match meant(text) {
            Some(zone) => item.write(quoted(zone)),
            None if is_abbreviation(text) => format!(
                "{}: abbreviations mean other hours in other places",
                item.such_as(WANTED)
            ),
            None => format!("{}, or \"UTC\"", item.such_as(WANTED)),
        };
        let message = match item.report.quotable(text) {
            Some(text) => format!("there is no time zone {}", quoted(text)),
            None => format!("`{}` names no time zone", item.key),
        };
        item.refuse(message, help)
    })
}

/// The zone whose name or city is most similar to `text`.
fn meant(text: &str) -> Option<&'static str> {
    let all = || TZ_VARIANTS.iter().map(|zone| zone.name());
    // Nobody who writes CEST means EST, and Etc/GMT+2 is two hours behind, not ahead.
    let names = || all().filter(|name| name.contains('/') && !name.starts_with("Etc/"));
    let city_of = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let city = text.rsplit('/').next().unwrap_or(text);
    let city = city.trim().replace(' ', "_");
    let exact = all()
        .find(|name| name.eq_ignore_ascii_case(text))
        .or_else(|| names().find(|name| city_of(name).eq_ignore_ascii_case(&city)));
    if exact.is_some() || is_abbreviation(text) {
        return exact;
    }
    closest(text, names()).or_else(|| {
        let city = closest(&city, names().map(city_of))?;
        names().find(|name| city_of(name) == city)
    })
}

/// Whether `text` looks like `CEST` or `GMT+2`.
fn is_abbreviation(text: &str) -> bool {
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit() || "+-:".contains(c));
    match letters.len() {
        2..=4 if letters.to_lowercase().ends_with('t') => {
            letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        }
        2..=5 => letters.bytes().all(|byte| byte.is_ascii_uppercase()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_city_or_a_mistyped_name_suggests_the_zone() {
        for (text, zone) in [
            ("Amsterdam", "Europe/Amsterdam"),
            ("europe/amsterdam", "Europe/Amsterdam"),
            ("Europe/Amsterdm", "Europe/Amsterdam"),
            ("new york", "America/New_York"),
            ("utc", "UTC"),
            ("ROME", "Europe/Rome"),
            ("Etc/utc", "Etc/UTC"),
            ("est", "EST"),
        ] {
            assert_eq!(meant(text), Some(zone), "{text}");
        }
    }

    #[test]
    fn an_abbreviation_suggests_no_zone_with_other_hours() {
        for text in ["CEST", "BST", "GMT+2", "UTC+2", "PDT", "cest"] {
            assert_eq!(meant(text), None, "{text}");
        }
    }
}
