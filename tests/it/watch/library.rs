//! The library of rules over time, without a file system.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use curatord::rules::files::folder::{FolderError, ReadError};
use curatord::rules::files::library::{Change, Library, News, Parsed, Reload};
use curatord::rules::files::snapshot::{FileNow, Snapshot};
use curatord::rules::language::lists::Lists;
use curatord::rules::rule::RuleId;

use super::watched::{names, parse};

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn file(relative: &str, contents: Result<&str, ReadError>) -> FileNow {
    FileNow {
        relative: relative.to_owned(),
        contents: contents.map(Arc::from),
    }
}

fn files(files: &[(&str, &str)]) -> Snapshot {
    Ok(files
        .iter()
        .map(|(relative, text)| file(relative, Ok(text)))
        .collect())
}

fn missing() -> Snapshot {
    Err(FolderError::Missing("rules".into()))
}

fn seconds(seconds: i64) -> DateTime<Utc> {
    START + TimeDelta::seconds(seconds)
}

/// The rules of a reload, which must have a new set.
fn rules(reload: &Reload) -> Vec<String> {
    names(reload.set.as_deref().expect("a new set"))
}

/// Number of invalid contents that a reload reports for the first time.
fn reports(reload: &Reload) -> usize {
    let bad = |news: &News| matches!(news, News::Bad(bad) if bad.first_time);
    reload
        .changes
        .iter()
        .filter(|change| bad(&change.news))
        .count()
}

#[test]
fn rules_are_in_the_order_of_the_files() {
    let mut library = Library::new(parse);
    let given = files(&[
        ("a.toml", "one"),
        ("a/z.toml", "one\ntwo"),
        ("a-b.toml", "one"),
    ]);
    assert_eq!(
        rules(&library.update(&given, START)),
        ["a/z.toml:one", "a/z.toml:two", "a-b.toml:one", "a.toml:one"]
    );
}

#[test]
fn only_a_file_that_changed_is_parsed() {
    static PARSED: AtomicUsize = AtomicUsize::new(0);
    fn counted(path: &str, text: &str, lists: &Lists) -> Parsed {
        PARSED.fetch_add(1, Ordering::Relaxed);
        parse(path, text, lists)
    }
    let mut library = Library::new(counted);
    library.update(
        &files(&[("a.toml", "one"), ("b.toml", "one"), ("c.toml", "!")]),
        START,
    );
    assert_eq!(PARSED.swap(0, Ordering::Relaxed), 3);
    library.update(
        &files(&[("a.toml", "one"), ("b.toml", "two"), ("c.toml", "!")]),
        START,
    );
    assert_eq!(PARSED.load(Ordering::Relaxed), 1);
}

#[test]
fn a_new_set_is_built_only_when_rules_differ() {
    let mut library = Library::new(parse);
    assert!(library.update(&files(&[]), START).set.is_some());
    assert!(library.update(&files(&[]), START).set.is_none());
    assert!(
        library
            .update(&files(&[("a.toml", "one")]), START)
            .set
            .is_some()
    );
    let commented = library.update(&files(&[("a.toml", "# new\none")]), START);
    assert!(commented.set.is_none());
    assert_eq!(commented.changes.len(), 1);
    let bad = library.update(&files(&[("a.toml", "!")]), START);
    assert!(bad.set.is_none());
    assert!(
        library
            .update(&files(&[("a.toml", "one")]), START)
            .set
            .is_none()
    );
}

#[test]
fn each_invalid_content_is_reported_once() {
    let mut library = Library::new(parse);
    for (content, expected) in [
        ("!1", 1),
        ("!1", 0),
        ("!2", 1),
        ("!1", 0),
        ("one", 0),
        ("!2", 0),
    ] {
        let reload = library.update(&files(&[("a.toml", content)]), START);
        assert_eq!(reports(&reload), expected, "{content}");
    }
}

#[test]
fn the_fingerprint_depends_on_file_and_content() {
    let print = |path: &str, content: &str| {
        let reload = Library::new(parse).update(&files(&[(path, content)]), START);
        match &reload.changes[0].news {
            News::Bad(bad) => bad.fingerprint.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(print("a.toml", "!"), print("a.toml", "!"));
    assert_ne!(print("a.toml", "!"), print("b.toml", "!"));
    assert_ne!(print("a.toml", "!"), print("a.toml", "!!"));
    assert_eq!(print("a.toml", "!").len(), 64);
}

#[test]
fn an_empty_or_commented_file_is_valid_and_has_no_rules() {
    let mut library = Library::new(parse);
    let reload = library.update(&files(&[("a.toml", ""), ("b.toml", "# later")]), START);
    assert_eq!(rules(&reload), [""; 0]);
    assert_eq!(reports(&reload), 0);
    let known = RuleId::new("a.toml", "x");
    assert!(!reload.set.unwrap().is_unreadable(&known));
    let mut library = Library::new(parse);
    library.update(&files(&[("a.toml", "one")]), START);
    let commented = library.update(&files(&[("a.toml", "# one")]), START);
    assert_eq!(rules(&commented), [""; 0]);
}

#[test]
fn an_emptied_file_keeps_its_rules_for_two_seconds() {
    let mut library = Library::new(parse);
    library.update(&files(&[("a.toml", "one")]), START);
    let empty = files(&[("a.toml", "")]);
    let reload = library.update(&empty, seconds(10));
    assert!(reload.set.is_none() && reload.changes.is_empty());
    assert_eq!(reload.look_again_at, Some(seconds(12)));
    let almost = seconds(12) - TimeDelta::milliseconds(1);
    assert!(library.update(&empty, almost).set.is_none());
    assert_eq!(rules(&library.update(&empty, seconds(12))), [""; 0]);
}

#[test]
fn a_file_emptied_twice_keeps_its_rules_for_two_seconds_each_time() {
    let mut library = Library::new(parse);
    library.update(&files(&[("a.toml", "one")]), START);
    library.update(&files(&[("a.toml", "")]), seconds(10));
    library.update(&files(&[("a.toml", "one")]), seconds(11));
    let reload = library.update(&files(&[("a.toml", "")]), seconds(20));
    assert_eq!(reload.look_again_at, Some(seconds(22)));
}

#[test]
fn a_clock_set_back_does_not_extend_the_two_seconds() {
    let mut library = Library::new(parse);
    library.update(&files(&[("a.toml", "one")]), seconds(100));
    library.update(&files(&[("a.toml", "")]), seconds(100));
    let reload = library.update(&files(&[("a.toml", "")]), seconds(50));
    assert_eq!(rules(&reload), [""; 0]);
}

#[test]
fn an_unreadable_file_keeps_its_last_valid_rules() {
    let mut library = Library::new(parse);
    library.update(&files(&[("a.toml", "one")]), START);
    let denied = || ReadError::Io("Permission denied".to_owned());
    let reload = library.update(&Ok(vec![file("a.toml", Err(denied()))]), START);
    assert!(reload.set.is_none());
    match &reload.changes[0].news {
        News::Bad(bad) => {
            assert_eq!(bad.errors, ["a.toml: cannot be read: Permission denied"]);
            assert_eq!(bad.kept, 1);
        }
        other => panic!("{other:?}"),
    }
    // The old content counts as changed.
    let again = library.update(&files(&[("a.toml", "one")]), START);
    assert!(matches!(again.changes[0].news, News::Good { rules: 1, .. }));
}

#[test]
fn an_unreadable_folder_keeps_its_files() {
    let mut library = Library::new(parse);
    library.update(&files(&[("a.toml", "one"), ("sub/b.toml", "one")]), START);
    let closed = file("sub/", Err(ReadError::Io("Permission denied".to_owned())));
    let reload = library.update(&Ok(vec![file("a.toml", Ok("two")), closed]), START);
    assert_eq!(rules(&reload), ["a.toml:two", "sub/b.toml:one"]);
    let set = reload.set.unwrap();
    assert!(set.is_unreadable(&RuleId::new("sub/new.toml", "one")));
    assert!(!set.is_unreadable(&RuleId::new("subtle.toml", "one")));
    let reload = library.update(&files(&[("a.toml", "two")]), START);
    assert_eq!(rules(&reload), ["a.toml:two"]);
    assert_eq!(reload.changes.len(), 1);
}

#[test]
fn a_missing_folder_is_reported_once_and_keeps_its_last_valid_rules() {
    let mut library = Library::new(parse);
    library.update(&files(&[("a.toml", "one"), ("b.toml", "one")]), START);
    let reload = library.update(&missing(), seconds(10));
    assert!(reload.set.is_none() && reload.look_again_at.is_none());
    match &reload.changes[..] {
        [
            Change {
                news: News::Bad(bad),
                ..
            },
        ] => assert_eq!(bad.kept, 2),
        other => panic!("{other:?}"),
    }
    for hours in 1..3 {
        let reload = library.update(&missing(), seconds(3_600 * hours));
        assert!(reload.set.is_none() && reload.changes.is_empty());
    }
    // A file that is missing when the folder returns has been removed.
    let reload = library.update(&files(&[("b.toml", "one")]), seconds(9_000));
    assert_eq!(rules(&reload), ["b.toml:one"]);
}

#[test]
fn an_unreadable_rules_folder_keeps_all_rules() {
    let mut library = Library::new(parse);
    library.update(&files(&[("a.toml", "one")]), START);
    let closed = Err(FolderError::Unreadable {
        path: "rules".into(),
        reason: "Permission denied".to_owned(),
    });
    for hours in 1..3 {
        let reload = library.update(&closed, seconds(3_600 * hours));
        assert!(reload.set.is_none() && reload.look_again_at.is_none());
    }
}

#[test]
fn all_rules_are_unknown_before_the_folder_is_read() {
    let mut library = Library::new(parse);
    assert!(library.update(&missing(), START).set.is_none());
    let before = curatord::rules::set::RuleSet::not_read_yet();
    assert!(before.is_unreadable(&RuleId::new("sub/a.toml", "one")));
    let set = library.update(&files(&[]), START).set.unwrap();
    assert!(!set.is_unreadable(&RuleId::new("sub/a.toml", "one")));
}
