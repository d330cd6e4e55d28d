//! Invalid files: the rules that stay in force, and the reports.

use std::fs;

use curatord::rules::rule::RuleId;

use super::watched::{EVENTS_ONLY, Watched, with_files};

#[tokio::test]
async fn an_invalid_file_keeps_its_last_valid_rules_until_it_is_removed() {
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
async fn the_rules_of_a_file_that_was_never_valid_are_unknown() {
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
async fn a_panic_in_the_parser_makes_only_that_file_invalid() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml", "b.toml"])).await;
    rules.write("a.toml", "panic");
    assert!(rules.report().await.message.contains("please report"));
    rules.write("b.toml", "two");
    rules.shows(&["a.toml:one", "b.toml:two"]).await;
    rules.stop().await;
}

#[tokio::test]
async fn a_full_report_channel_does_not_delay_reloads() {
    let mut rules = Watched::start_with_reports(EVENTS_ONLY, 1, |home| {
        with_files(&["good.toml"])(home);
        for number in 0..5 {
            fs::write(home.join(format!("rules/{number}.toml")), "!").unwrap();
        }
    })
    .await;
    rules.write("good.toml", "two");
    rules.shows(&["good.toml:two"]).await;
    let mut messages = Vec::new();
    for _ in 0..5 {
        messages.push(rules.report().await.message);
    }
    messages.sort();
    assert_eq!(
        messages,
        [
            "0.toml:1:1: !",
            "1.toml:1:1: !",
            "2.toml:1:1: !",
            "3.toml:1:1: !",
            "4.toml:1:1: !"
        ]
    );
}
