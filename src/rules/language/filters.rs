//! Reads `tags`, `communities`, `apps` and `text`: words of which any, all or none must be present.

use toml::de::DeValue;

use crate::diagnostic::report::Reported;
use crate::rules::language::lists::{PREFIX, Scope, word};
use crate::rules::rule::Words;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::{Meant, Table};

/// Reads the words of a filter, in lower case and without a leading `#`.
///
/// # Errors
/// `item` is not a valid filter; every error has been reported.
pub(super) fn read(item: &Item<'_>, scope: &Scope<'_>) -> Result<Words, Reported> {
    let of = match item.key {
        "text" => Of::Texts,
        "apps" => Of::Apps,
        "communities" => Of::Communities,
        _ => Of::Tags,
    };
    let keys: &[&str] = match of {
        Of::Texts => &["any", "none"],
        _ => &["any", "all", "none"],
    };
    if !item.value.is_table() {
        return Err(refuse_bare(item, of));
    }
    let mut table = Table::filled(item, "{ any = [\"photography\"] }")?;
    table = table.with_keys(keys, |name| match name {
        "not" | "exclude" | "without" | "except" | "no" => Some(Meant::Key("none")),
        "include" | "with" | "or" | "some" | "one" => Some(Meant::Key("any")),
        "and" if of != Of::Texts => Some(Meant::Key("all")),
        _ => None,
    });
    let any = table.read("any", |item| list(item, of, scope));
    // `text` has no `all`.
    let all = match of {
        Of::Texts => Ok(None),
        _ => table.read("all", |item| list(item, of, scope)),
    };
    let none = table.read("none", |item| list(item, of, scope));
    table.refuse_the_rest();
    Ok(Words {
        any: any?.unwrap_or_default(),
        all: all?.unwrap_or_default(),
        none: none?.unwrap_or_default(),
    })
}

/// Reports words in place of the table. Whether posts must have them or must not is open.
fn refuse_bare(item: &Item<'_>, of: Of) -> Reported {
    const TABLE: Wanted = Wanted::new("a table", "{ any = [\"photography\"] }");
    let words = item.quotable_texts().and_then(|texts| {
        let words = texts.iter().map(|text| words_in(text, of));
        Some(words.collect::<Option<Vec<_>>>()?.concat())
    });
    let ways = words.into_iter().flat_map(|words| {
        let list = list_of(&words);
        [
            (
                format!("{{ any = {list} }}"),
                "posts with one of them".to_owned(),
            ),
            (
                format!("{{ none = {list} }}"),
                "posts without them".to_owned(),
            ),
        ]
    });
    let help = item.write_one_of(&ways.collect::<Vec<_>>());
    item.wrong_type_with(TABLE, help.unwrap_or_else(|| item.such_as(TABLE)))
}

/// The words that one text may stand for; `None` if it is not a list of words.
fn words_in(text: &str, of: Of) -> Option<Vec<String>> {
    let is_list = text.starts_with(PREFIX);
    let parts: Vec<_> = match of {
        _ if is_list => vec![text.trim()],
        Of::Texts => text.split([',', ';']).map(str::trim).collect(),
        _ => text.split([',', ';', ' ']).collect(),
    };
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let parts = parts.map(|part| match of {
        Of::Texts => Some(part.to_owned()),
        _ if is_list => Some(part.to_owned()),
        _ => word(part.split('/').next().unwrap_or(part), of == Of::Apps).ok(),
    });
    let parts = parts.collect::<Option<Vec<_>>>()?;
    (!parts.is_empty()).then_some(parts)
}

fn list_of(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// Kind of words in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Tags,
    Communities,
    Apps,
    Texts,
}

fn list(item: &Item<'_>, of: Of, scope: &Scope<'_>) -> Result<Vec<String>, Reported> {
    let wanted = match of {
        Of::Communities => Wanted::new("a list of communities", "[\"hive-174578\"]"),
        Of::Apps => Wanted::new("a list of apps", "[\"peakd\"]"),
        Of::Tags | Of::Texts => Wanted::new("a list of texts", "[\"photography\"]"),
    };
    if let Some(text) = item.quotable_text() {
        let mut ways = Vec::new();
        if let Some(words) = words_in(text, of) {
            ways.push((list_of(&words), format!("{} of them", words.len())));
            if of == Of::Texts && words.len() > 1 {
                ways.push((list_of(&[text.to_owned()]), "one text".to_owned()));
            }
        }
        let help = item
            .write_one_of(&ways)
            .unwrap_or_else(|| item.such_as(wanted));
        return Err(item.wrong_type_with(wanted, help));
    }
    let mut words = Vec::new();
    let mut listed = Vec::new();
    item.each(wanted, |member| {
        if of != Of::Texts
            && let Some(of_list) = scope.words(&member, of == Of::Apps)
        {
            listed.extend(of_list?);
            return Ok(());
        }
        let word = read_one(&member, of)?;
        if words.contains(&word) {
            let message = format!("{} is listed twice in `{}`", quoted(&word), item.key);
            member.warn(message, "remove one of the two");
        } else {
            words.push(word);
        }
        Ok(())
    })?;
    for word in listed {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}

fn read_one(member: &Item<'_>, of: Of) -> Result<String, Reported> {
    let DeValue::String(text) = member.value else {
        let message = format!("`{}` lists texts, not {}", member.key, member.type_name());
        let help = match member.value {
            DeValue::Integer(digits) => format!("write {}", quoted(digits.as_str())),
            _ => "each of them is a text in quotes, such as \"photography\"".to_owned(),
        };
        return Err(member.refuse(message, help));
    };
    if of != Of::Texts {
        let word = word(text, of == Of::Apps);
        return word.map_err(|mistake| member.refuse(mistake.message, mistake.help));
    }
    match text.is_empty() {
        true => Err(member.refuse(
            "an empty text is in every post",
            "put the text to look for between the quotes",
        )),
        false => Ok(text.to_lowercase()),
    }
}
