//! What `RUST_LOG` may say: levels of curatord, and of the libraries in it that are named.

use tracing_subscriber::EnvFilter;

use crate::diagnostic::suggestion::{alternatives, closest};

/// The levels, from nothing to everything.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// Most that is logged of libraries that are not named.
const OF_LIBRARIES: usize = 2;
/// Most that is logged of the file watcher, which warns of a folder that is gone before its watch: how folders go.
const OF_WATCHER: usize = 1;

/// What `given` asks for. A level is that of curatord alone; without one, `usual` holds for all that is not named.
///
/// # Errors
/// A message that says what to write.
pub fn filter(given: &str, usual: &str) -> Result<EnvFilter, String> {
    let mut directives = Vec::new();
    let parts = |text: &str| text.split(',').any(|part| level(part.trim()).is_some());
    let texts = match parts(given) {
        true => vec![given],
        false => vec![usual, given],
    };
    for part in texts.iter().flat_map(|text| text.split(',')) {
        let part = part.trim();
        match (level(part), part.rsplit_once('=')) {
            (Some(own), _) => directives.extend([
                LEVELS[own.min(OF_LIBRARIES)].to_owned(),
                format!("notify={}", LEVELS[own.min(OF_WATCHER)]),
                format!("curatord={}", LEVELS[own]),
            ]),
            (None, Some((name, word))) => {
                let own = level(word.trim()).ok_or_else(|| no_level(word.trim()))?;
                directives.push(format!("{}={}", named(name.trim())?, LEVELS[own]));
            }
            (None, None) if part.is_empty() => {}
            (None, None) => return Err(no_level(part)),
        }
    }
    let list = directives.join(",");
    EnvFilter::try_new(list).map_err(|error| format!("{error}: {}", advice()))
}

/// The index in [`LEVELS`] of a level, in whatever case it is written.
fn level(word: &str) -> Option<usize> {
    LEVELS
        .iter()
        .position(|level| level.eq_ignore_ascii_case(word))
}

fn no_level(word: &str) -> String {
    // Such as `warning`.
    let longer = |level: &&str| word.to_ascii_lowercase().starts_with(level);
    match closest(word, LEVELS).or_else(|| LEVELS.into_iter().find(longer)) {
        Some(meant) => format!("`{word}` is not a level: did you mean `{meant}`?"),
        None => format!("`{word}` is not a level: {}", advice()),
    }
}

fn advice() -> String {
    let levels = alternatives(LEVELS);
    format!("write {levels}, or a part of the program with its level, as in `info,sqlx=debug`")
}

/// The name of a part of the program.
fn named(name: &str) -> Result<&str, String> {
    let in_a_name = |c: char| c.is_ascii_alphanumeric() || "_:-".contains(c);
    if name.is_empty() || !name.chars().all(in_a_name) {
        return Err(format!(
            "`{name}` is not a part of the program: {}",
            advice()
        ));
    }
    let root = name.split("::").next().unwrap_or(name);
    match closest(root, ["curatord"]) {
        Some(meant) if meant != root => Err(format!("`{root}`: did you mean `{meant}`?")),
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(given: &str) -> Vec<String> {
        let filter = filter(given, "info,hyper=off").unwrap().to_string();
        let mut directives: Vec<_> = filter.split(',').map(str::to_owned).collect();
        directives.sort();
        directives
    }

    #[test]
    fn a_level_is_that_of_curatord_and_libraries_stay_quiet() {
        let usual = ["curatord=info", "hyper=off", "notify=error", "warn"];
        for given in ["", " ", ","] {
            assert_eq!(shown(given), usual, "{given}");
        }
        for given in ["debug", "DEBUG", " debug ,"] {
            assert_eq!(
                shown(given),
                ["curatord=debug", "notify=error", "warn"],
                "{given}"
            );
        }
        assert_eq!(shown("error"), ["curatord=error", "error", "notify=error"]);
        assert_eq!(shown("off"), ["curatord=off", "notify=off", "off"]);
    }

    #[test]
    fn libraries_that_are_named_say_what_is_asked_of_them() {
        assert_eq!(
            shown("debug,sqlx=trace"),
            ["curatord=debug", "notify=error", "sqlx=trace", "warn"]
        );
        // The rest is as without it.
        assert_eq!(
            shown("sqlx=debug"),
            [
                "curatord=info",
                "hyper=off",
                "notify=error",
                "sqlx=debug",
                "warn"
            ]
        );
        assert!(shown("curatord::chain=debug").contains(&"curatord::chain=debug".to_owned()));
    }

    #[test]
    fn what_is_no_level_is_refused_with_what_to_write() {
        for (given, why) in [
            (
                "bananas",
                "`bananas` is not a level: write off, error, warn, info, debug or trace, or a part of the program \
                 with its level, as in `info,sqlx=debug`",
            ),
            ("debgu", "`debgu` is not a level: did you mean `debug`?"),
            ("warning", "`warning` is not a level: did you mean `warn`?"),
            ("curatord=loud", "`loud` is not a level: write off"),
            ("curatrod=debug", "`curatrod`: did you mean `curatord`?"),
            ("info,=debug", "`` is not a part of the program"),
            ("=,=", "`` is not a level"),
            ("curatord:debug", "`curatord:debug` is not a level"),
        ] {
            let error = filter(given, "info").unwrap_err();
            assert!(error.starts_with(why), "{given}: {error}");
        }
    }
}
