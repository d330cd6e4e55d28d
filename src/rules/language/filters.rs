//! `tags`, `communities`, `apps` and `text`: words of which any, all or none must be there.

use toml::de::DeValue;

use crate::diagnostic::report::{Report, Reported};
use crate::rules::language::limit::open;
use crate::rules::rule::Words;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::Table;

const TABLE: Wanted = Wanted {
    what: "a table",
    example: "{ none = [\"nsfw\"] }",
};

/// Words of one kind of filter, lower case; a leading `#` is dropped.
///
/// # Errors
/// What is wrong with it has been reported.
pub(super) fn read(item: &Item<'_>, report: &mut Report<'_>) -> Result<Words, Reported> {
    let mut table = open(item, TABLE, report)?;
    let any = list(&mut table, "any", report);
    // A title that holds all of several texts is asked for by several rules or not at all.
    let all = match item.key {
        "text" => Ok(Vec::new()),
        _ => list(&mut table, "all", report),
    };
    let none = list(&mut table, "none", report);
    table.refuse_the_rest(report, |_, _| None);
    Ok(Words {
        any: any?,
        all: all?,
        none: none?,
    })
}

fn list(
    table: &mut Table<'_>,
    key: &'static str,
    report: &mut Report<'_>,
) -> Result<Vec<String>, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a list of texts",
        example: "[\"photography\"]",
    };
    let in_text = table.name == "`text`";
    let in_apps = table.name == "`apps`";
    let Some(item) = table.take(key) else {
        return Ok(Vec::new());
    };
    let mut words = Vec::new();
    let mut failed = None;
    for member in item.list(WANTED, report)? {
        let read = match member.value {
            DeValue::String(text) => word(&member, text, in_text, in_apps, report),
            _ => {
                let message = format!("`{key}` lists texts, not {}", member.type_name());
                Err(member.refuse(message, "write it in quotes: \"photography\"", report))
            }
        };
        match read {
            Ok(word) if words.contains(&word) => {
                let message = format!("{} stands twice in `{key}`", quoted(&word));
                let finding = crate::diagnostic::Finding::at(member.span, message);
                report.warning(finding.help("once is enough: take one out"));
            }
            Ok(word) => words.push(word),
            Err(reported) => failed = Some(reported),
        }
    }
    failed.map_or(Ok(words), Err)
}

fn word(
    member: &Item<'_>,
    text: &str,
    in_text: bool,
    in_apps: bool,
    report: &mut Report<'_>,
) -> Result<String, Reported> {
    let lower = text.to_lowercase();
    if in_text {
        return match lower.is_empty() {
            true => Err(member.refuse("an empty text is in every post", "take it out", report)),
            false => Ok(lower),
        };
    }
    if lower.starts_with("list:") {
        let message = format!("{} is not supported yet", quoted(text));
        let help = "this version has no lists: write the words themselves";
        return Err(member.refuse(message, help, report));
    }
    if in_apps && let Some((app, _)) = lower.split_once('/') {
        let help = format!("write {}", quoted(app));
        return Err(member.refuse("apps are named without their version", help, report));
    }
    let word = lower.trim().trim_start_matches('#');
    if word.is_empty() || word.contains(char::is_whitespace) {
        let message = format!("{} is not one word", quoted(text));
        return Err(member.refuse(message, "write each word by itself, in quotes", report));
    }
    Ok(word.to_owned())
}
