//! The schema for editors: it accepts every file that `curatord check` accepts, and finds most errors.

use std::fs;
use std::sync::LazyLock;

use curatord::rules::language::file::read;
use curatord::rules::language::schema::schema;
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::{files, folder, generated};
use crate::harness::command::curatord;

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft7::new(&schema()).unwrap());

/// The value that an editor validates; `None` if the text is not TOML.
fn as_json(text: &str) -> Option<Value> {
    fn value(of: &DeValue<'_>) -> Value {
        match of {
            DeValue::String(text) => json!(text),
            DeValue::Integer(digits) => {
                json!(i64::from_str_radix(digits.as_str(), digits.radix()).unwrap_or(i64::MAX))
            }
            DeValue::Float(digits) => json!(digits.as_str().parse::<f64>().unwrap()),
            DeValue::Boolean(flag) => json!(flag),
            DeValue::Datetime(date) => json!(date.to_string()),
            DeValue::Array(values) => values.iter().map(|one| value(one.get_ref())).collect(),
            DeValue::Table(entries) => table(entries),
        }
    }
    fn table(entries: &DeTable<'_>) -> Value {
        let entry = |(key, one): (
            &toml::Spanned<std::borrow::Cow<'_, str>>,
            &toml::Spanned<DeValue<'_>>,
        )| { (key.get_ref().to_string(), value(one.get_ref())) };
        Value::Object(entries.iter().map(entry).collect())
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    DeTable::parse(text).ok().map(|root| table(root.get_ref()))
}

/// Errors of the schema in a TOML text.
fn complaints(text: &str) -> Vec<String> {
    let instance = as_json(text).expect("TOML");
    let errors = VALIDATOR.iter_errors(&instance);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_schema_is_valid() {
    assert!(jsonschema::draft7::meta::is_valid(&schema()));
}

#[test]
fn examples_and_valid_files_match_the_schema() {
    for of in ["rules", "tests/rules/good", "tests/rules/doubtful"] {
        for (name, _, text) in files(of) {
            assert_eq!(complaints(&text), [""; 0], "{name}");
        }
    }
}

#[test]
fn the_schema_finds_most_errors() {
    let mut told = String::new();
    for (name, _, text) in files("tests/rules/bad") {
        let verdict = match as_json(&text) {
            None => "is no TOML",
            Some(_) if complaints(&text).is_empty() => "passes",
            Some(_) => "is found",
        };
        told += &format!("{name}: {verdict}\n");
    }
    insta::assert_snapshot!("schema", told);
}

#[test]
fn every_example_names_the_schema_in_its_folder() {
    for (name, _, text) in files("rules") {
        assert!(text.starts_with("#:schema ./rules.schema.json\n"), "{name}");
    }
}

#[test]
fn the_schema_file_of_the_examples_is_up_to_date() {
    let output = curatord(&folder("."), &["schema"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let path = folder("rules/rules.schema.json");
    let lies_there = fs::read_to_string(path).unwrap_or_default();
    assert!(
        printed == lies_there,
        "rules/rules.schema.json is out of date: cargo run -- schema > rules/rules.schema.json"
    );
}

proptest! {
    #[test]
    fn the_schema_accepts_every_file_that_check_accepts(text in generated::file()) {
        if read("a.toml", &text).is_valid() {
            let complaints = complaints(&text);
            prop_assert!(complaints.is_empty(), "{complaints:?}\n{text}");
        }
    }
}
