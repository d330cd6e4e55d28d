//! The conditions of the rule language that blocks alone can decide.

use serde_json::{Value, json};

use super::recording::{
    Operation, Shape, block, decline, post, post_with, printed, replay, vote, votes,
};
use crate::harness::command::folder;

const RULE: &str = "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = '50%'\n";
const TRAIL: &str = "[[trail]]\nvoters = ['alice']\nleaders = ['curie']\nweight = '10%'\n";

/// Replays `blocks` with `rules` and more arguments; returns the table with its summary.
fn table(rules: &str, blocks: &[(u32, &[Operation])], arguments: &[&str]) -> String {
    let blocks: Vec<Value> = blocks
        .iter()
        .map(|(num, operations)| block(*num, operations, Shape::Condenser))
        .collect();
    let text = Value::from(blocks).to_string();
    let folder = folder(&[("rules/a.toml", rules), ("blocks.json", &text)]);
    let arguments = [&["--blocks", "blocks.json"], arguments].concat();
    printed(&replay(folder.path(), &arguments)).to_owned()
}

/// The permlinks of the votes, in order.
fn voted(rules: &str, blocks: &[(u32, &[Operation])]) -> Vec<String> {
    let permlink = |line: &String| {
        let post = line.split(' ').nth(1).unwrap();
        post.split_once('/').unwrap().1.to_owned()
    };
    votes(rules, blocks).iter().map(permlink).collect()
}

#[test]
fn filters_apply_to_posts_in_the_blocks() {
    let metadata = json!({"tags": ["Art", "nsfw"], "app": "peakd/2024.1"});
    let blocks: &[(u32, &[_])] = &[
        (100, &[post("bob", "plain")]),
        (101, &[post_with("bob", "art", "some more words", metadata)]),
        (102, &[post("bob", "declined"), decline("bob", "declined")]),
    ];
    for (filter, expected) in [
        ("tags = { any = ['art'] }", &["art"][..]),
        ("tags = { all = ['photos', 'art'] }", &["art"]),
        ("tags = { none = ['nsfw'] }", &["plain"]),
        ("communities = { any = ['photos'] }", &["plain", "art"]),
        ("apps = { any = ['peakd'] }", &["art"]),
        ("text = { any = ['MORE'] }", &["art"]),
        ("words = { max = 2 }", &["plain"]),
        (
            "payout = { declined = true }",
            &["plain", "art", "declined"],
        ),
        ("payout = { max = 0 }", &["plain", "art"]),
    ] {
        assert_eq!(
            voted(&format!("{RULE}{filter}\n"), blocks),
            expected,
            "{filter}"
        );
    }
}

#[test]
fn a_post_outside_of_the_blocks_is_unknown() {
    let blocks: &[(u32, &[_])] = &[(100, &[vote("curie", "bob", "unseen", 6000)])];
    for (filter, passes) in [
        ("tags = { any = ['art'] }", false),
        ("tags = { all = ['art'] }", false),
        ("tags = { none = ['art'] }", true),
        ("communities = { any = ['hive-1'] }", false),
        ("apps = { none = ['peakd'] }", true),
        ("text = { any = ['a'] }", false),
        ("text = { none = ['a'] }", true),
        ("words = { min = 1 }", false),
        ("words = { max = 1 }", true),
        ("kind = 'comments'", true),
        ("max_votes = 0", true),
        ("payout = { max = 1 }", true),
    ] {
        let votes = voted(&format!("{TRAIL}{filter}\n"), blocks);
        assert_eq!(!votes.is_empty(), passes, "{filter}");
    }
}

#[test]
fn the_first_trail_whose_filters_match_votes() {
    let art = TRAIL.replace("10%", "20%");
    let rules = format!("{art}tags = {{ any = ['art'] }}\ndelay = '1m'\n{TRAIL}");
    let metadata = json!({"tags": ["art"]});
    let blocks: &[(u32, &[_])] = &[
        (
            100,
            &[post("bob", "a"), post_with("bob", "b", "", metadata)],
        ),
        (
            101,
            &[
                vote("curie", "bob", "a", 100),
                vote("curie", "bob", "b", 100),
            ],
        ),
    ];
    assert_eq!(
        votes(&rules, blocks),
        [
            "alice @bob/a 1000 05-01 12:00:03.000 trail-2 101",
            "alice @bob/b 2000 05-01 12:01:03.000 trail-1 101",
        ]
    );
}

#[test]
fn a_post_that_changes_after_the_leaders_vote_moves_to_no_other_trail() {
    // The first rule declines when the vote is due, since there are two upvotes by then.
    let rules = "voters = ['alice']\n\
        [[trail]]\nleaders = ['curie', 'ocd']\nweight = '10%'\ndelay = '1h'\nmax_votes = 1\n\
        [[trail]]\nleaders = ['curie', 'ocd']\nweight = '20%'\ndelay = '1h'\n";
    let blocks: &[(u32, &[_])] = &[
        (100, &[post("bob", "a")]),
        (101, &[vote("curie", "bob", "a", 100)]),
        (102, &[vote("ocd", "bob", "a", 100)]),
    ];
    assert_eq!(votes(rules, blocks), [""; 0]);
}

#[test]
fn a_vote_returns_to_the_rule_behind_when_the_leader_of_the_one_that_took_it_retracts() {
    // The first trail is for comments, so it does not matter.
    let rules = "voters = ['alice']\n\
        [[trail]]\nleaders = ['curie']\nweight = '10%'\nkind = 'comments'\n\
        [[trail]]\nleaders = ['curie']\nweight = '20%'\ndelay = '1h'\ndownvotes = 'only'\n\
        [[author]]\nauthors = ['bob']\nweight = '50%'\ndelay = '1d'\n";
    for changed_at in [103, 300] {
        let blocks: &[(u32, &[_])] = &[
            (100, &[post("bob", "a")]),
            (102, &[vote("curie", "bob", "a", -5000)]),
            (changed_at, &[vote("curie", "bob", "a", 5000)]),
        ];
        assert_eq!(
            votes(rules, blocks),
            ["alice @bob/a 5000 05-02 12:00:00.000 author-1 100"],
            "{changed_at}"
        );
    }
}

#[test]
fn a_limit_slides_over_days() {
    let day = 28_800;
    let blocks: &[(u32, &[_])] = &[
        (100, &[post("bob", "a")]),
        (200, &[post("bob", "b")]),
        (100 + day - 1, &[post("bob", "c")]),
        (100 + day, &[post("bob", "d")]),
    ];
    let rules = format!("{RULE}limit = {{ per_day = 1 }}\n");
    assert_eq!(voted(&rules, blocks), ["a", "d"]);
    let output = table(&rules, blocks, &[]);
    assert!(
        output.ends_with(
            "\nRULE             NOT CAST BECAUSE  VOTES\na.toml:author-1  limit.per_day         2\n"
        ),
        "{output}"
    );
}

#[test]
fn max_votes_counts_the_upvotes_in_the_blocks() {
    let blocks: &[(u32, &[_])] = &[
        (100, &[post("bob", "a"), post("bob", "b")]),
        (
            101,
            &[vote("dave", "bob", "a", 1), vote("erin", "bob", "b", -1)],
        ),
    ];
    assert_eq!(
        voted(&format!("{RULE}delay = '1m'\nmax_votes = 0\n"), blocks),
        ["b"]
    );
}

#[test]
fn a_vote_due_outside_of_the_window_is_moved() {
    let window = "window = { from = '13:00', to = '14:00' }\n";
    assert_eq!(
        votes(&format!("{RULE}{window}"), &[(100, &[post("bob", "a")])]),
        ["alice @bob/a 5000 05-01 13:00:00.000 author-1 100"]
    );
}

#[test]
fn expired_rules_and_disagreeing_leaders_cast_nothing() {
    let posts: &[(u32, &[_])] = &[(100, &[post("bob", "a")])];
    assert!(voted(&format!("{RULE}expires = 2024-05-01\n"), posts).is_empty());
    let rules = TRAIL.replace("'curie'", "'curie', 'ocd'") + "agree = 2\n";
    let both: &[(u32, &[_])] = &[
        (100, &[vote("curie", "bob", "a", 6000)]),
        (110, &[vote("ocd", "bob", "a", 3000)]),
    ];
    assert!(voted(&rules, &both[..1]).is_empty());
    assert_eq!(
        votes(&rules, both),
        ["alice @bob/a 1000 05-01 12:00:30.000 trail-1 110"]
    );
}

#[test]
fn any_author_and_own_posts_are_voted_on_if_the_rule_allows() {
    let rules = "[[author]]\nvoters = ['alice']\nauthors = '*'\nweight = '1%'\ntags = { any = ['photos'] }\n";
    let blocks: &[(u32, &[_])] = &[(100, &[post("alice", "own"), post("zoe", "other")])];
    assert_eq!(voted(rules, blocks), ["other"]);
    assert_eq!(
        voted(&format!("{rules}self_votes = true\n"), blocks),
        ["own", "other"]
    );
}

#[test]
fn mana_is_spent_by_rules_and_by_hand_and_regenerates() {
    let rules = format!("{}min_mana = '98.5%'\n", RULE.replace("50%", "100%"));
    let by_hand = vote("alice", "carol", "x", 10_000);
    let blocks: &[(u32, &[_])] = &[
        (100, &[by_hand]),
        (101, &[post("bob", "a")]),
        // 0.5 % regenerate in 36 minutes.
        (819, &[post("bob", "b")]),
        (820, &[post("bob", "c")]),
    ];
    assert_eq!(voted(&rules, blocks), ["c"]);
    let waits = format!("{rules}below_min_mana = 'wait'\n");
    assert_eq!(voted(&waits, blocks), ["a", "b", "c"]);

    let output = table(&rules, blocks, &[]);
    assert!(
        output.contains("2024-05-01  alice        96.5%       96.5%"),
        "{output}"
    );
    assert!(
        output.contains("a.toml:author-1  min_mana              2"),
        "{output}"
    );
    // On Steem, a full vote at half of the mana costs half as much.
    let arguments = ["--mana", "100%", "--mana", "alice=50%", "--kind", "steem"];
    let output = table(&rules.replace("98.5%", "10%"), &blocks[..2], &arguments);
    assert!(
        output.contains("alice       48.02%      48.02%"),
        "{output}"
    );
}

#[test]
fn a_schedule_votes_on_the_newest_matching_post_at_its_time() {
    let rules =
        format!("{RULE}schedule = {{ cron = '*/10 * * * *' }}\ntags = {{ any = ['photos'] }}\n");
    let blocks: &[(u32, &[_])] = &[
        (100, &[post("bob", "a")]),
        (110, &[post("bob", "b")]),
        (
            120,
            &[post("bob", "by-hand"), vote("alice", "bob", "by-hand", 1)],
        ),
        // 12:29:57 and 12:30:03.
        (699, &[]),
        (701, &[post("bob", "too-late")]),
    ];
    assert_eq!(
        votes(&rules, blocks),
        [
            "alice @bob/b 5000 05-01 12:10:00.000 author-1 120",
            "alice @bob/a 5000 05-01 12:20:00.000 author-1 120",
        ]
    );
}

#[test]
fn a_scheduled_time_asks_again_for_a_skipped_post_without_a_new_block() {
    let rules = "voters = ['alice']\n\
        [[author]]\nauthors = ['bob']\nweight = '30%'\nschedule = { cron = '0 13 * * *' }\n\
        [[author]]\nauthors = ['bob']\nweight = '20%'\ndelay = '5m'\nlimit = { per_day = 1 }\n";
    let blocks: &[(u32, &[_])] = &[
        (100, &[post("bob", "a")]),
        (110, &[post("bob", "b")]),
        (2000, &[]),
    ];
    assert_eq!(
        votes(rules, blocks),
        [
            "alice @bob/a 2000 05-01 12:05:00.000 author-2 100",
            "alice @bob/b 3000 05-01 13:00:00.000 author-1 110",
        ]
    );
}

#[test]
fn invalid_values_of_mana_are_refused() {
    let folder = folder(&[("rules/a.toml", RULE), ("blocks.json", "[]")]);
    for mana in ["80", "101%", "-1%", "x=80%", "alice="] {
        let arguments = ["--blocks", "blocks.json", "--mana", mana];
        let output = replay(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{mana}");
    }
}
