//! Reads `tags`, `communities`, `apps` and `text`: words of which any, all or none must be present.

use toml::de::DeValue;

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::language::limit::open;
use crate::rules::language::lists::Scope;
use crate::rules::rule::Words;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::Table;

const TABLE: Wanted = Wanted {
    what: "a table",
    example: "{ none = [\"nsfw\"] }",
};

/// Reads the words of a filter, in lower case and without a leading `#`.
///
/// # Errors
/// `item` is not a valid filter; every error has been reported.
pub(super) fn read(
    item: &Item<'_>,
    scope: &Scope<'_>,
    report: &mut Report<'_>,
) -> Result<Words, Reported> {
    let of = match item.key {
        "text" => Of::Texts,
        "apps" => Of::Apps,
        _ => Of::Tags,
    };
    let mut table = open(item, TABLE, report)?;
    let any = list(&mut table, "any", of, scope, report);
    // `text` has no `all`.
    let all = match of {
        Of::Texts => Ok(Vec::new()),
        _ => list(&mut table, "all", of, scope, report),
    };
    let none = list(&mut table, "none", of, scope, report);
    table.refuse_the_rest(report, |_, _| None);
    Ok(Words {
        any: any?,
        all: all?,
        none: none?,
    })
}

/// Kind of words in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Tags or communities.
    Tags,
    Apps,
    Texts,
}

fn list(
    table: &mut Table<'_>,
    key: &'static str,
    of: Of,
    scope: &Scope<'_>,
    report: &mut Report<'_>,
) -> Result<Vec<String>, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a list of texts",
        example: "[\"photography\"]",
    };
    let Some(item) = table.take(key) else {
        return Ok(Vec::new());
    };
    let mut words = Vec::new();
    let mut listed = Vec::new();
    let mut failed = None;
    for member in item.list(WANTED, report)? {
        let named = match of {
            Of::Texts => None,
            _ => scope.words(&member, of == Of::Apps, report),
        };
        match named {
            Some(Ok(of_list)) => listed.extend(of_list),
            Some(Err(reported)) => failed = Some(reported),
            None => match read_one(&member, of, report) {
                Ok(word) if words.contains(&word) => {
                    let message = format!("{} is listed twice in `{key}`", quoted(&word));
                    let finding = Finding::at(member.span, message);
                    report.warning(finding.help("remove one of the two"));
                }
                Ok(word) => words.push(word),
                Err(reported) => failed = Some(reported),
            },
        }
    }
    for word in listed {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    failed.map_or(Ok(words), Err)
}

fn read_one(member: &Item<'_>, of: Of, report: &mut Report<'_>) -> Result<String, Reported> {
    let DeValue::String(text) = member.value else {
        let message = format!("`{}` lists texts, not {}", member.key, member.type_name());
        return Err(member.refuse(message, "write it in quotes: \"photography\"", report));
    };
    if of != Of::Texts {
        return word(text, of == Of::Apps)
            .map_err(|mistake| member.refuse(mistake.message, mistake.help, report));
    }
    match text.is_empty() {
        true => Err(member.refuse("an empty text is in every post", "remove it", report)),
        false => Ok(text.to_lowercase()),
    }
}

/// Why a text is not a word for a filter.
pub(super) struct Mistake {
    pub message: String,
    pub help: String,
}

/// Normalises a tag, a community or an application: lower case, without `#`.
///
/// # Errors
/// `text` is not one word, or names an application with its version.
pub(super) fn word(text: &str, as_app: bool) -> Result<String, Mistake> {
    let lower = text.to_lowercase();
    if as_app && let Some((app, _)) = lower.split_once('/') {
        return Err(Mistake {
            message: format!("{} names an app with its version", quoted(text)),
            help: format!("write {}", quoted(app)),
        });
    }
    let word = lower.trim().trim_start_matches('#');
    if word.is_empty() || word.contains(char::is_whitespace) {
        return Err(Mistake {
            message: format!("{} is not one word", quoted(text)),
            help: "write each word in quotes of its own".to_owned(),
        });
    }
    Ok(word.to_owned())
}
