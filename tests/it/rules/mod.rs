//! The rule language for its users: valid, doubtful and invalid files, each named after its subject; lists shared
//! between files; and the schema for editors.

mod diagnostics;
pub mod generated;
mod lists;
mod loading;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};

/// A folder of this repository.
fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The rule files of a folder of this repository: name without `.toml`, path and text.
fn files(path: &str) -> Vec<(String, PathBuf, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder(path)).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            files.push((name, path, text));
        }
    }
    assert!(!files.is_empty());
    files.sort();
    files
}
