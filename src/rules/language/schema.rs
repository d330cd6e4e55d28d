//! JSON Schema of rule files, for completion and checks in editors: draft 7, as used by Taplo and Even Better TOML.
//! The schema accepts every file that [`super::file::read_with_lists`] accepts, and some that it refuses.

use serde_json::{Map, Value, json};

use crate::rules::language::keys::{self, Holds, Key, Kind};

/// The schema, built from the tables in [`keys`].
pub fn schema() -> Value {
    let mut schema = table(keys::FILE.iter().map(|key| (key, property(key))));
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("curatord rule file");
    schema["description"] = json!("Rules by which curatord casts votes on Hive and Steem.");
    let shared = keys::BOTH
        .iter()
        .map(|key| (key.name.to_owned(), property(key)));
    schema["definitions"] = Value::Object(shared.collect());
    schema
}

/// A table with these keys and no others.
fn table<'k>(keys: impl Iterator<Item = (&'k Key, Value)>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (key, value) in keys {
        properties.insert(key.name.to_owned(), value);
        if key.required {
            required.push(key.name);
        }
    }
    let mut table = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

/// The type of a key's value, with all that an editor can show about it.
fn property(key: &Key) -> Value {
    let mut property = holds(&key.holds);
    let mut about = key.about.to_owned();
    if !key.default.is_empty() {
        let is_toml = key.default.starts_with(['"', '{']) || parsed(key.default).is_some();
        about += &match is_toml {
            true => format!("\n\nDefault: `{}`", key.default),
            false => format!("\n\nDefault: {}", key.default),
        };
    }
    about += &match key.holds {
        Holds::Rules(kind) => format!("\n\nEach rule starts with a line `[[{}]]`.", kind.key()),
        _ => format!("\n\nExample: `{} = {}`", key.name, key.example),
    };
    property["description"] = json!(about);
    if let Some(example) = parsed(key.example) {
        property["examples"] = json!([example]);
    }
    if let Some(default) = parsed(key.default) {
        property["default"] = default;
    }
    property
}

fn holds(holds: &Holds) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match holds {
        Holds::Accounts => list(text(ACCOUNT)),
        Holds::AccountsOrAnyone => json!({ "anyOf": [list(text(ACCOUNT)), { "const": "*" }] }),
        Holds::Words | Holds::Texts => list(json!({ "type": "string", "minLength": 1 })),
        // Upper case is accepted, but editors offer lower case.
        Holds::Days => list(json!({ "anyOf": [{ "enum": DAYS }, text(DAY)] })),
        Holds::Percentage => text(PERCENTAGE),
        Holds::Duration => text(DURATION),
        Holds::Text => json!({ "type": "string" }),
        Holds::Flag => json!({ "type": "boolean" }),
        Holds::Count(least) => json!({ "type": "integer", "minimum": least, "maximum": u32::MAX }),
        Holds::Amount => json!({ "type": "number", "minimum": 0 }),
        // Editors pass a date to the schema as a string.
        Holds::Date => text("^[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        Holds::TimeOfDay => text("^[0-9]{1,2}:[0-9]{1,2}$"),
        Holds::Timezone => text("^[A-Za-z0-9/_+-]+$"),
        Holds::Choice(words) => json!({ "enum": words }),
        Holds::Table(keys) => inner(keys),
        Holds::PercentageOrTable(keys) => json!({ "anyOf": [text(PERCENTAGE), inner(keys)] }),
        Holds::Rules(kind) => json!({ "type": "array", "items": rule(*kind) }),
        Holds::Lists => {
            let members = list(json!({ "type": "string", "minLength": 1 }));
            json!({ "type": "object", "additionalProperties": members })
        }
    }
}

/// An account, or a list of them.
const ACCOUNT: &str =
    r"^list:|^@?[A-Za-z][A-Za-z0-9-]+[A-Za-z0-9](\.[A-Za-z][A-Za-z0-9-]+[A-Za-z0-9])*$";

/// `-12.5%`
const PERCENTAGE: &str = r"^[-+]?[0-9]{1,6}(\.[0-9]{1,2})?\s*%$";

/// `1h 30m`
const DURATION: &str = r"^\s*([0-9]+\s*(w|d|h|m|s|ms)\s*)+$";

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const DAY: &str = "^([Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]|[Ss][Uu][Nn])$";

fn list(items: Value) -> Value {
    json!({ "type": "array", "minItems": 1, "items": items })
}

fn inner(keys: &[Key]) -> Value {
    let mut table = table(keys.iter().map(|key| (key, property(key))));
    table["minProperties"] = json!(1);
    table
}

fn rule(kind: Kind) -> Value {
    let is_shared = |key: &Key| keys::BOTH.iter().any(|shared| shared.name == key.name);
    table(kind.keys().map(|key| match is_shared(key) {
        true => (
            key,
            json!({ "$ref": format!("#/definitions/{}", key.name) }),
        ),
        false => (key, property(key)),
    }))
}

/// The value of TOML text; `None` if the text is not TOML but prose.
fn parsed(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(&format!("value = {text}")).ok()?;
    table.get("value").map(as_json)
}

/// A value as editors pass it to a schema.
fn as_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(values) => values.iter().map(as_json).collect(),
        toml::Value::Table(entries) => {
            let entries = entries.iter();
            Value::Object(
                entries
                    .map(|(key, value)| (key.clone(), as_json(value)))
                    .collect(),
            )
        }
    }
}
