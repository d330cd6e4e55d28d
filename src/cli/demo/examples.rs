//! The example rules, with shorter delays.

use std::time::Duration;

use crate::rules::language;
use crate::rules::rule::{Authors, Downvotes, Rule, RuleId, Trigger};
use crate::toml_reader::duration;

/// Rule files of the story, from the folder `rules` of the repository, in order of precedence.
pub const FILES: [(&str, &str); 3] = [
    (
        "downvotes.toml",
        include_str!("../../../rules/downvotes.toml"),
    ),
    (
        "favourites.toml",
        include_str!("../../../rules/favourites.toml"),
    ),
    ("trail.toml", include_str!("../../../rules/trail.toml")),
];

/// Shortens a delay: a minute becomes a second, within 5 to 8 seconds. The minimum leaves the story enough time to act
/// before a vote is due, even on a busy computer.
fn shorter(delay: Duration) -> Duration {
    (delay / 60).clamp(Duration::from_secs(5), Duration::from_secs(8))
}

/// The text of a rule file with shorter delays.
pub fn with_short_delays(text: &str) -> String {
    let mut shortened = String::new();
    for line in text.lines() {
        let delay = line.strip_prefix("delay = \"");
        let delay = delay.and_then(|rest| rest.strip_suffix('"'));
        match delay.and_then(|delay| duration::parse(delay).ok().map(|parsed| (delay, parsed))) {
            Some((written, delay)) => {
                let delay = shorter(delay).as_secs();
                shortened += &format!("delay = \"{delay}s\" # in the file: \"{written}\"\n");
            }
            None => shortened += &format!("{line}\n"),
        }
    }
    shortened
}

/// An example rule, described for people.
#[derive(Debug, PartialEq)]
pub struct Lesson {
    pub rule: RuleId,
    pub says: String,
    /// Delay in the demo, and delay in the file.
    pub delay: Option<(Duration, Duration)>,
}

/// The enabled example rules.
pub fn lessons() -> Vec<Lesson> {
    let rules_of = |path, text: &str| language::file::read(path, text).rules;
    let mut lessons = Vec::new();
    for (path, text) in FILES {
        let here = rules_of(path, &with_short_delays(text));
        for (rule, written) in here.iter().zip(rules_of(path, text)) {
            if rule.enabled {
                lessons.push(Lesson {
                    rule: rule.id.clone(),
                    says: sentence(rule),
                    delay: (!rule.delay.is_zero()).then_some((rule.delay, written.delay)),
                });
            }
        }
    }
    lessons
}

/// A short description of a rule.
fn sentence(rule: &Rule) -> String {
    match &rule.trigger {
        Trigger::Author(author) => {
            let whose = match &author.authors {
                Authors::Listed(names) => list(names),
                Authors::Anyone => "anyone".to_owned(),
            };
            format!("{} of {} to {whose}", author.weight, list(&rule.voters))
        }
        Trigger::Trail(trail) => {
            let what = match trail.downvotes {
                Downvotes::Only => "downvotes of ",
                Downvotes::Ignore | Downvotes::Follow => "",
            };
            format!(
                "{} follows {what}{}",
                list(&rule.voters),
                list(&trail.leaders)
            )
        }
    }
}

fn list(names: &[crate::account::Account]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("@{name}")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_with_shorter_delays_are_valid() {
        for (path, text) in FILES {
            let file = language::file::read(path, &with_short_delays(text));
            assert!(file.is_valid(), "{path}: {:?}", file.problems);
        }
    }

    #[test]
    fn delays_are_shorter_and_the_rest_is_as_written() {
        let text = "delay = \"5m\"\nweight = \"50%\"\n# delay = \"5m\"\n";
        assert_eq!(
            with_short_delays(text),
            "delay = \"5s\" # in the file: \"5m\"\nweight = \"50%\"\n# delay = \"5m\"\n"
        );
        for (minutes, seconds) in [(1, 5), (6, 6), (30, 8)] {
            let delay = Duration::from_secs(60 * minutes);
            assert_eq!(shorter(delay), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn lessons_describe_the_rules() {
        let lessons = lessons();
        let says: Vec<&str> = lessons.iter().map(|lesson| &*lesson.says).collect();
        assert!(
            says.contains(&"50% of @alice, @alice.art to @bob, @carol"),
            "{says:?}"
        );
        assert!(
            says.contains(&"@alice follows downvotes of @spam.watch"),
            "{says:?}"
        );
    }
}
