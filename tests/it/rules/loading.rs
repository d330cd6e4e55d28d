//! `curatord check` and the daemon accept the same files.

use std::fs;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use curatord::diagnostic::Problem;
use curatord::rules::files::library::{Library, News, parse};
use curatord::rules::files::snapshot::FileNow;
use curatord::rules::files::{folder, read, snapshot};
use curatord::rules::rule::Rule;
use proptest::prelude::*;

use super::generated;

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The rules in force after the daemon has read these files, and the errors it reports.
fn loaded(files: &[(String, String)]) -> (Vec<Arc<Rule>>, Vec<String>) {
    let snapshot: snapshot::Snapshot = Ok(files
        .iter()
        .map(|(relative, text)| FileNow {
            relative: relative.clone(),
            contents: Ok(text.as_str().into()),
        })
        .collect());
    let reload = Library::new(parse).update(&snapshot, START);
    let mut errors = Vec::new();
    for change in reload.changes {
        if let News::Bad(bad) = change.news {
            errors.extend(bad.errors);
        }
    }
    (reload.set.expect("a set").rules().to_vec(), errors)
}

/// The same for `curatord check` without paths.
fn checked(files: &[(String, String)]) -> (Vec<Arc<Rule>>, Vec<String>) {
    let root = tempfile::tempdir().unwrap();
    for (relative, text) in files {
        fs::write(root.path().join(relative), text).unwrap();
    }
    let listed: Vec<_> = folder::list(root.path()).unwrap();
    assert_eq!(listed.len(), files.len());
    let read = read::read(root.path());
    let errors = read.problems.iter().filter(|problem| problem.is_error());
    let root = format!("{}/", root.path().display());
    let errors = errors
        .map(Problem::to_string)
        .map(|error| error.replace(&root, ""));
    (read.rules, errors.collect())
}

fn some_files() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(generated::rules(), 0..4).prop_map(|files| {
        let numbered = files.into_iter().enumerate();
        let files = numbered.map(|(number, rules)| {
            (
                format!("{number}.toml"),
                format!("voters = ['alice']\n{rules}"),
            )
        });
        files
            .chain([("lists.toml".to_owned(), generated::LISTS.to_owned())])
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn check_and_the_daemon_accept_the_same_files(files in some_files()) {
        let (of_check, errors) = checked(&files);
        let (of_daemon, daemon_errors) = loaded(&files);
        prop_assert_eq!(&errors, &daemon_errors);
        prop_assert_eq!(of_check, of_daemon);
    }
}
