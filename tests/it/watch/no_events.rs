//! File systems without events: periodic checks of all files.

use std::fs;
use std::os::unix::fs::symlink;

use super::watched::{EVENTS_ONLY, NO_EVENTS, Watched, with_files};

#[tokio::test]
async fn every_kind_of_change_is_noticed_without_events() {
    let mut rules = Watched::start(NO_EVENTS, with_files(&["a.toml", "sub/b.toml"])).await;
    rules.write("a.toml", "two");
    rules.shows(&["a.toml:two", "sub/b.toml:one"]).await;
    rules.write("new", "six");
    fs::rename(rules.path("new"), rules.path("a.toml")).unwrap();
    rules.shows(&["a.toml:six", "sub/b.toml:one"]).await;
    fs::remove_file(rules.path("a.toml")).unwrap();
    rules.shows(&["sub/b.toml:one"]).await;
    fs::rename(rules.path("sub"), rules.path("other")).unwrap();
    rules.shows(&["other/b.toml:one"]).await;
    rules.stop().await;
}

#[tokio::test]
async fn a_replaced_link_is_noticed_without_events() {
    let mut rules = Watched::start(NO_EVENTS, |home| {
        for version in ["1", "2"] {
            fs::create_dir(home.join(version)).unwrap();
            fs::write(home.join(version).join("a.toml"), version).unwrap();
        }
        symlink("1", home.join("rules")).unwrap();
    })
    .await;
    rules.shows(&["a.toml:1"]).await;
    let home = rules.home.path();
    symlink("2", home.join("next")).unwrap();
    fs::rename(home.join("next"), home.join("rules")).unwrap();
    rules.shows(&["a.toml:2"]).await;
}

#[tokio::test]
async fn a_missing_folder_keeps_its_last_valid_rules_until_it_returns() {
    let mut rules = Watched::start(NO_EVENTS, with_files(&["a.toml"])).await;
    fs::rename(rules.path(""), rules.home.path().join("away")).unwrap();
    let report = rules.report().await.message;
    assert!(report.contains("does not exist"), "{report}");
    assert!(
        report.ends_with("(its last good rule stays in force)"),
        "{report}"
    );
    rules.shows(&["a.toml:one"]).await;
    with_files(&["b.toml"])(rules.home.path());
    rules.shows(&["b.toml:one"]).await;
}

#[tokio::test]
async fn a_requested_reload_reads_the_files_at_once() {
    let pace = curatord::rules::files::watch::Pace {
        events: false,
        ..EVENTS_ONLY
    };
    let mut rules = Watched::start(pace, with_files(&["a.toml"])).await;
    rules.write("a.toml", "two");
    rules.reload_now.notify_one();
    rules.shows(&["a.toml:two"]).await;
}
