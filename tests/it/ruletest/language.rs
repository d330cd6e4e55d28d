//! Test files can test every part of the rule language.

use super::command::{curatord_test, stdout};
use crate::harness::command::folder;

/// Runs one test of `rules`.
fn check(rules: &str, test: &str) {
    let file = format!("rules = 'rules'\n[[test]]\nname = 'x'\n{test}");
    let folder = folder(&[("rules/a.toml", rules), ("test.toml", &file)]);
    let output = curatord_test(folder.path(), &["test.toml"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        stdout(&output),
        "ok      test.toml: x\n1 test, all ok\n",
        "{errors}"
    );
}

fn post(permlink: &str, at: &str, more: &str) -> String {
    format!(
        "[[test.post]]\nauthor = 'bob'\npermlink = '{permlink}'\nat = 2026-03-01T{at}Z\n{more}\n"
    )
}

fn expect(permlink: &str, weight: &str, due: &str) -> String {
    format!(
        "[[test.expect]]\nvoter = 'alice'\npost = '@bob/{permlink}'\nweight = '{weight}'\ndue = 2026-03-{due}Z\n"
    )
}

#[test]
fn every_property_of_a_post_can_be_filtered() {
    let rules = "[[author]]\nvoters = ['alice']\nauthors = '*'\nweight = '10%'\ntags = { any = ['photo'], none = ['nsfw'] }\n\
        communities = { any = ['hive-1'] }\napps = { any = ['peakd'] }\ntext = { none = ['giveaway'] }\nwords = { min = 2 }\n";
    let good = "tags = ['photo']\ncommunity = 'hive-1'\napp = 'peakd/1'\nbody = 'two words'";
    let test = [
        post("good", "12:00:00", good),
        post(
            "tags",
            "12:00:01",
            &good.replace("'photo'", "'photo', 'nsfw'"),
        ),
        post("community", "12:00:02", &good.replace("hive-1", "hive-2")),
        post("app", "12:00:03", &good.replace("peakd", "ecency")),
        post("words", "12:00:04", &good.replace("two ", "")),
        post("declined", "12:00:05", &format!("{good}\ndeclined = true")),
        post("title", "12:00:06", &format!("{good}\ntitle = 'Giveaway!'")),
        post(
            "parent",
            "12:00:07",
            &format!("{good}\nparent = '@carol/x'"),
        ),
        expect("good", "10%", "01T12:00:00"),
    ];
    check(rules, &test.concat());
}

#[test]
fn mana_starts_as_given_and_regenerates() {
    let rules =
        "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = '100%'\nmin_mana = '80%'\n";
    let test = [
        "mana = { alice = '80%' }\n".to_owned(),
        post("a", "12:00:00", ""),
        // A vote spends 2 %, which regenerate in 2.4 hours.
        post("b", "14:23:00", ""),
        post("c", "14:24:00", ""),
        expect("a", "100%", "01T12:00:00"),
        expect("c", "100%", "01T14:24:00"),
    ];
    check(rules, &test.concat());
}

#[test]
fn schedules_run_until_the_last_moment_in_the_test() {
    let rules = "timezone = 'Europe/Amsterdam'\n[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = '100%'\n\
        schedule = { cron = '0 18 * * *' }\n";
    let posts = [post("a", "12:00:00", ""), post("b", "13:00:00", "")].concat();
    // The newest post first; the older one on the next day.
    let first = expect("b", "100%", "01T17:00:00");
    check(rules, &format!("{posts}{first}"));
    let second = expect("a", "100%", "02T17:00:00");
    check(
        rules,
        &format!("until = 2026-03-04\n{posts}{first}{second}"),
    );
}
