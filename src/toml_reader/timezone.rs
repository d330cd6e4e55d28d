//! Time zones by their names in the tz database: `Europe/Amsterdam`.

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::diagnostic::report::{Report, Reported};
use crate::diagnostic::suggestion::closest;
use crate::toml_reader::item::{Item, Wanted, quoted};

/// The time zone that `item` names.
///
/// # Errors
/// There is none of that name, which has been reported.
pub fn read(item: &Item<'_>, report: &mut Report<'_>) -> Result<Tz, Reported> {
    const WANTED: Wanted = Wanted {
        what: "the name of a time zone",
        example: "\"Europe/Amsterdam\"",
    };
    let text = item.text(WANTED, report)?;
    text.parse().map_err(|_| {
        let help = match meant(text) {
            Some(zone) => item.write(quoted(zone)),
            None => format!("{}, or \"UTC\"", item.write(WANTED.example)),
        };
        item.refuse(
            format!("there is no time zone {}", quoted(text)),
            help,
            report,
        )
    })
}

/// The zone whose name, or whose city, is most like `text`.
fn meant(text: &str) -> Option<&'static str> {
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let city_of = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let city = text
        .rsplit('/')
        .next()
        .unwrap_or(text)
        .trim()
        .replace(' ', "_");
    names()
        .find(|name| name.eq_ignore_ascii_case(text))
        .or_else(|| names().find(|name| city_of(name).eq_ignore_ascii_case(&city)))
        .or_else(|| closest(text, names()))
        .or_else(|| {
            let city = closest(&city, names().map(city_of))?;
            names().find(|name| city_of(name) == city)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_city_or_a_slip_leads_to_the_zone() {
        for (text, zone) in [
            ("Amsterdam", "Europe/Amsterdam"),
            ("europe/amsterdam", "Europe/Amsterdam"),
            ("Europe/Amsterdm", "Europe/Amsterdam"),
            ("new york", "America/New_York"),
            ("utc", "UTC"),
        ] {
            assert_eq!(meant(text), Some(zone), "{text}");
        }
    }
}
