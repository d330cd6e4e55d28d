//! Tests of the example rule files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::command::curatord_test;

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".toml")).collect()
}

#[test]
fn every_example_has_tests_and_passes_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = names(&root.join("tests/examples"));
    assert_eq!(tests, names(&root.join("rules")));
    let tests: Vec<String> = tests
        .iter()
        .map(|name| format!("tests/examples/{name}"))
        .collect();
    let arguments: Vec<&str> = tests.iter().map(String::as_str).collect();
    let output = curatord_test(root, &arguments);
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{errors}");
    assert!(said.ends_with("all ok\n"), "{said}");
}
