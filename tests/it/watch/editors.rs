//! Changes of files and folders by editors, people and scripts.

use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

use curatord::rules::files::watch::Pace;
use tokio::time::sleep;

use super::watched::{EVENTS_ONLY, Watched, names, with_files};

#[tokio::test]
async fn a_file_written_in_place_takes_effect() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml"])).await;
    rules.write("a.toml", "two");
    rules.shows(&["a.toml:two"]).await;
    rules.write("a.toml", "one\ntwo");
    rules.shows(&["a.toml:one", "a.toml:two"]).await;
    rules.stop().await;
}

#[tokio::test]
async fn a_temporary_file_renamed_over_the_old_one_takes_effect() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml"])).await;
    for (temporary, name) in [
        (".a.toml.swp", "two"),
        ("a.toml~", "three"),
        ("4913", "four"),
    ] {
        rules.write(temporary, name);
        fs::rename(rules.path(temporary), rules.path("a.toml")).unwrap();
        rules.shows(&[&format!("a.toml:{name}")]).await;
    }
}

#[tokio::test]
async fn a_file_moved_away_and_rewritten_is_one_change() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml"])).await;
    fs::rename(rules.path("a.toml"), rules.path("a.toml~")).unwrap();
    rules.write("a.toml", "two");
    assert_eq!(names(&*rules.next().await), ["a.toml:two"]);
}

#[tokio::test]
async fn a_file_written_in_two_parts_is_read_when_complete() {
    // Long enough that the pause is shorter even on a busy computer.
    let pace = Pace {
        quiet: Duration::from_millis(600),
        longest: Duration::from_secs(6),
        ..EVENTS_ONLY
    };
    let mut rules = Watched::start(pace, with_files(&["a.toml"])).await;
    let mut file = File::create(rules.path("a.toml")).unwrap();
    file.write_all(b"two\n! not yet who").unwrap();
    // The pause is tested here.
    sleep(Duration::from_millis(60)).await;
    fs::write(rules.path("a.toml"), "two\nthree").unwrap();
    assert_eq!(names(&*rules.next().await), ["a.toml:two", "a.toml:three"]);
    assert!(rules.reports.try_recv().is_err());
}

#[tokio::test]
async fn a_file_written_without_a_pause_takes_effect() {
    let rules = Watched::start(EVENTS_ONLY, with_files(&[])).await;
    let mut written = 0;
    while !rules.set.has_changed().unwrap() {
        written += 1;
        rules.write("a.toml", &format!("rule-{written}"));
        assert!(written < 1_000, "it is never read");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn removing_a_file_removes_its_rules_and_a_new_file_adds_its_rules() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml", "b.toml"])).await;
    fs::remove_file(rules.path("a.toml")).unwrap();
    rules.shows(&["b.toml:one"]).await;
    rules.write("c.toml", "one");
    rules.shows(&["b.toml:one", "c.toml:one"]).await;
}

#[tokio::test]
async fn a_renamed_file_renames_its_rules() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml", "b.toml"])).await;
    fs::rename(rules.path("a.toml"), rules.path("z.toml")).unwrap();
    rules.shows(&["b.toml:one", "z.toml:one"]).await;
    fs::rename(rules.path("z.toml"), rules.path("z.toml.off")).unwrap();
    rules.shows(&["b.toml:one"]).await;
}

#[tokio::test]
async fn sub_folders_can_be_added_and_removed() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&[])).await;
    fs::create_dir_all(rules.path("sub/deep")).unwrap();
    rules.write("sub/deep/a.toml", "one");
    rules.shows(&["sub/deep/a.toml:one"]).await;
    rules.write("sub/deep/a.toml", "two");
    rules.shows(&["sub/deep/a.toml:two"]).await;
    fs::rename(rules.path("sub"), rules.path("other")).unwrap();
    rules.shows(&["other/deep/a.toml:two"]).await;
    rules.write("other/deep/a.toml", "three");
    rules.shows(&["other/deep/a.toml:three"]).await;
    fs::remove_dir_all(rules.path("other")).unwrap();
    rules.shows(&[]).await;
    // A new folder with the same name is another folder, even with the same inode.
    fs::create_dir_all(rules.path("other/deep")).unwrap();
    rules.write("other/deep/a.toml", "four");
    rules.shows(&["other/deep/a.toml:four"]).await;
    rules.write("other/deep/a.toml", "five");
    rules.shows(&["other/deep/a.toml:five"]).await;
}

#[tokio::test]
async fn a_sub_folder_moved_into_the_rules_folder_is_watched() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&[])).await;
    let elsewhere = rules.home.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("a.toml"), "one").unwrap();
    fs::rename(&elsewhere, rules.path("sub")).unwrap();
    rules.shows(&["sub/a.toml:one"]).await;
    rules.write("sub/a.toml", "two");
    rules.shows(&["sub/a.toml:two"]).await;
}

#[tokio::test]
async fn the_rules_folder_itself_can_be_replaced() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml"])).await;
    let home = rules.home.path().to_owned();
    fs::create_dir(home.join("new")).unwrap();
    fs::write(home.join("new/b.toml"), "one").unwrap();
    fs::rename(home.join("rules"), home.join("old")).unwrap();
    fs::rename(home.join("new"), home.join("rules")).unwrap();
    rules.shows(&["b.toml:one"]).await;
    rules.write("b.toml", "two");
    rules.shows(&["b.toml:two"]).await;
    fs::write(home.join("old/a.toml"), "two").unwrap();
    rules.write("c.toml", "one");
    rules.shows(&["b.toml:two", "c.toml:one"]).await;
}

#[tokio::test]
async fn a_missing_folder_takes_effect_when_it_appears() {
    let mut rules = Watched::start(EVENTS_ONLY, |_| ()).await;
    assert!(rules.report().await.message.contains("does not exist"));
    fs::create_dir(rules.path("")).unwrap();
    rules.write("a.toml", "one");
    rules.shows(&["a.toml:one"]).await;
    rules.write("a.toml", "two");
    rules.shows(&["a.toml:two"]).await;
}

#[tokio::test]
async fn two_hundred_files_written_at_once_take_effect() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&[])).await;
    let mut expected = Vec::new();
    for number in 100..300 {
        rules.write(&format!("{number}.toml"), "one");
        expected.push(format!("{number}.toml:one"));
    }
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    rules.shows(&expected).await;
}

#[tokio::test]
async fn a_file_emptied_before_it_is_written_keeps_its_rules() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml"])).await;
    rules.write("a.toml", "");
    // Longer than the reaction to events.
    sleep(Duration::from_millis(300)).await;
    rules.write("a.toml", "two");
    assert_eq!(names(&*rules.next().await), ["a.toml:two"]);
}

#[tokio::test]
async fn a_file_that_stays_empty_loses_its_rules_without_another_event() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&["a.toml"])).await;
    rules.write("a.toml", "");
    rules.shows(&[]).await;
}

#[tokio::test]
async fn one_change_among_a_thousand_files_takes_effect() {
    let mut rules = Watched::start(EVENTS_ONLY, |home| {
        with_files(&[])(home);
        for number in 0..1_000 {
            fs::write(home.join(format!("rules/{number}.toml")), "one").unwrap();
        }
    })
    .await;
    rules.write("500.toml", "two");
    let changed = names(&*rules.next().await);
    assert!(changed.contains(&"500.toml:two".to_owned()));
}
