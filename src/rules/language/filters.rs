//! Reads `tags`, `communities`, `apps` and `text`: words of which any, all or none must be present.

use toml::de::DeValue;

use crate::diagnostic::report::Reported;
use crate::rules::language::lists::{Scope, word};
use crate::rules::rule::Words;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::Table;

/// Reads the words of a filter, in lower case and without a leading `#`.
///
/// # Errors
/// `item` is not a valid filter; every error has been reported.
pub(super) fn read(item: &Item<'_>, scope: &Scope<'_>) -> Result<Words, Reported> {
    let of = match item.key {
        "text" => Of::Texts,
        "apps" => Of::Apps,
        _ => Of::Tags,
    };
    let mut table = Table::filled(item, "{ none = [\"nsfw\"] }")?;
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

/// Kind of words in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Tags or communities.
    Tags,
    Apps,
    Texts,
}

fn list(item: &Item<'_>, of: Of, scope: &Scope<'_>) -> Result<Vec<String>, Reported> {
    const WANTED: Wanted = Wanted::new("a list of texts", "[\"photography\"]");
    let mut words = Vec::new();
    let mut listed = Vec::new();
    item.each(WANTED, |member| {
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
        return Err(member.refuse(message, "write it in quotes: \"photography\""));
    };
    if of != Of::Texts {
        let word = word(text, of == Of::Apps);
        return word.map_err(|mistake| member.refuse(mistake.message, mistake.help));
    }
    match text.is_empty() {
        true => Err(member.refuse("an empty text is in every post", "remove it")),
        false => Ok(text.to_lowercase()),
    }
}
