//! Files that cannot be used: what stays in force, and what is told.

use std::fs;

use curatord::rules::rule::RuleId;

use super::watched::{EVENTS_ONLY, Watched, with_files};

#[tokio::test]
async fn a_bad_file_keeps_its_last_good_rules_until_it_is_removed() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml", "b.toml"])).await;
    rules.write("a.toml", "two\n! what is this");
    let report = rules.report().await;
    assert_eq!(
        report.message,
        "a.toml:2:1: ! what is this (its last good rule stays in force)"
    );
    rules.write("b.toml", "two");
    rules.shows(&["a.toml:one", "b.toml:two"]).await;
    fs::remove_file(rules.path("a.toml")).unwrap();
    rules.shows(&["b.toml:two"]).await;
}

#[tokio::test]
async fn a_file_that_is_bad_from_the_start_leaves_its_rules_unknown_until_it_is_good() {
    let mut rules = Watched::start(EVENTS_ONLY, |home| {
        with_files(&["b.toml"])(home);
        fs::write(home.join("rules/a.toml"), "!").unwrap();
    })
    .await;
    rules.shows(&["b.toml:one"]).await;
    let (of_bad, of_good) = (RuleId::new("a.toml", "x"), RuleId::new("b.toml", "x"));
    let set = rules.set.borrow().clone();
    assert!(set.is_unreadable(&of_bad) && !set.is_unreadable(&of_good));
    rules.write("a.toml", "one");
    rules.shows(&["a.toml:one", "b.toml:one"]).await;
    assert!(!rules.set.borrow().is_unreadable(&of_bad));
}

#[tokio::test]
async fn a_file_that_breaks_the_reader_is_a_bad_file_and_nothing_more() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml", "b.toml"])).await;
    rules.write("a.toml", "panic");
    assert!(rules.report().await.message.contains("please report"));
    rules.write("b.toml", "two");
    rules.shows(&["a.toml:one", "b.toml:two"]).await;
    rules.stop().await;
}

#[tokio::test]
async fn reports_that_nobody_takes_hold_up_no_reload() {
    let mut rules = Watched::start_with_reports(EVENTS_ONLY, 1, |home| {
        with_files(&["good.toml"])(home);
        for number in 0..5 {
            fs::write(home.join(format!("rules/{number}.toml")), "!").unwrap();
        }
    })
    .await;
    rules.write("good.toml", "two");
    rules.shows(&["good.toml:two"]).await;
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(rules.report().await.message);
    }
    told.sort();
    assert_eq!(
        told,
        [
            "0.toml:1:1: !",
            "1.toml:1:1: !",
            "2.toml:1:1: !",
            "3.toml:1:1: !",
            "4.toml:1:1: !"
        ]
    );
}
