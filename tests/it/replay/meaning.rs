//! Meaning of rules, tested with recordings in both formats of blocks.

use super::recording::{comment, delete, patch, post, vote, votes};

const BOB: &str =
    "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = '50%'\ndelay = '5m'\n";
const CURIE: &str = "[[trail]]\nvoters = ['alice']\nleaders = ['curie', 'ocd']\nweight = { scale = '50%' }\ndelay = '30s'\n";

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_post_is_voted_on_by_all_voters_even_after_the_last_block() {
    let rules = "[[author]]\nvoters = ['alice', 'dave']\nauthors = ['bob']\nweight = '12.5%'\ndelay = '1d'\n";
    assert_eq!(
        votes(
            rules,
            &[(100, &[post("bob", "a"), post("carol", "a")]), (101, &[])]
        ),
        [
            "alice @bob/a 1250 05-02 12:00:00.000 author-1 100",
            "dave @bob/a 1250 05-02 12:00:00.000 author-1 100",
        ]
    );
}

#[test]
fn edits_are_not_posts() {
    assert_eq!(
        votes(
            BOB,
            &[
                (100, &[patch("bob", "old")]),
                (101, &[post("bob", "a")]),
                (102, &[post("bob", "a")]),
                (103, &[patch("bob", "a")]),
            ]
        ),
        ["alice @bob/a 5000 05-01 12:05:03.000 author-1 101"]
    );
}

#[test]
fn a_deleted_post_gets_no_vote_and_one_published_again_is_new() {
    let deleted = [post("bob", "a"), delete("bob", "a")];
    assert_eq!(votes(BOB, &[(100, &deleted), (300, &[])]), none());
    assert_eq!(
        votes(BOB, &[(100, &deleted), (110, &[post("bob", "a")])]),
        ["alice @bob/a 5000 05-01 12:05:30.000 author-1 110"]
    );
}

#[test]
fn the_first_rule_that_matches_votes() {
    let rules = format!(
        "{BOB}{}",
        BOB.replace("50%", "10%")
            .replace("'alice'", "'alice', 'dave'")
    );
    assert_eq!(
        votes(&rules, &[(100, &[post("bob", "a")])]),
        [
            "alice @bob/a 5000 05-01 12:05:00.000 author-1 100",
            "dave @bob/a 1000 05-01 12:05:00.000 author-2 100",
        ]
    );
}

#[test]
fn a_later_event_replaces_a_queued_vote_only_for_an_earlier_rule() {
    let blocks = |leader_at| {
        [
            (100, [post("bob", "a")]),
            (leader_at, [vote("curie", "bob", "a", 6000)]),
        ]
    };
    let play = |rules: &str, leader_at| {
        let blocks = blocks(leader_at);
        let blocks: Vec<(u32, &[_])> = blocks.iter().map(|(num, all)| (*num, &all[..])).collect();
        votes(rules, &blocks)
    };
    let by_author = ["alice @bob/a 5000 05-01 12:05:00.000 author-1 100"];
    assert_eq!(
        play(&format!("{CURIE}{BOB}"), 110),
        ["alice @bob/a 3000 05-01 12:01:00.000 trail-1 110"]
    );
    assert_eq!(play(&format!("{BOB}{CURIE}"), 110), by_author);
    // Too late: the vote has been cast.
    assert_eq!(play(&format!("{CURIE}{BOB}"), 201), by_author);
}

#[test]
fn a_leader_who_changes_a_vote_changes_ours_but_not_its_time() {
    assert_eq!(
        votes(
            CURIE,
            &[
                (100, &[vote("curie", "bob", "a", 6000)]),
                (105, &[vote("curie", "bob", "a", 8000)]),
                (120, &[vote("curie", "bob", "a", 10000)]),
            ]
        ),
        ["alice @bob/a 4000 05-01 12:00:30.000 trail-1 100"]
    );
}

#[test]
fn a_leader_who_retracts_a_vote_withdraws_ours() {
    let withdrawn = [
        (100, [vote("curie", "bob", "a", 6000)]),
        (105, [vote("curie", "bob", "a", 0)]),
        (140, [vote("curie", "bob", "a", 2000)]),
    ];
    let play = |count: usize| {
        let blocks: Vec<(u32, &[_])> = withdrawn[..count]
            .iter()
            .map(|(num, all)| (*num, &all[..]))
            .collect();
        votes(CURIE, &blocks)
    };
    assert_eq!(play(2), none());
    assert_eq!(
        play(3),
        ["alice @bob/a 1000 05-01 12:02:30.000 trail-1 140"]
    );
}

#[test]
fn another_leader_of_the_rule_keeps_our_vote() {
    assert_eq!(
        votes(
            CURIE,
            &[
                (100, &[vote("curie", "bob", "a", 6000)]),
                (101, &[vote("ocd", "bob", "a", 3000)]),
                (102, &[vote("curie", "bob", "a", 0)]),
            ]
        ),
        ["alice @bob/a 1500 05-01 12:00:30.000 trail-1 100"]
    );
}

#[test]
fn two_leaders_in_one_block_are_followed_by_the_earlier_rule() {
    let rules = "[[trail]]\nvoters = ['alice']\nleaders = ['curie']\nweight = '1%'\n\
        [[trail]]\nvoters = ['alice']\nleaders = ['ocd']\nweight = '2%'\n";
    let both = [
        vote("ocd", "bob", "a", 3000),
        vote("curie", "bob", "a", 3000),
    ];
    assert_eq!(
        votes(rules, &[(100, &both)]),
        ["alice @bob/a 100 05-01 12:00:00.000 trail-1 100"]
    );
}

#[test]
fn downvotes_are_followed_if_the_rule_says_so() {
    let blocks: &[(u32, &[_])] = &[
        (100, &[vote("curie", "bob", "a", -6000)]),
        (101, &[vote("curie", "bob", "b", 6000)]),
    ];
    let down = "alice @bob/a -3000 05-01 12:00:30.000 trail-1 100";
    let up = "alice @bob/b 3000 05-01 12:00:33.000 trail-1 101";
    for (downvotes, expected) in [
        ("ignore", &[up][..]),
        ("follow", &[down, up]),
        ("only", &[down]),
    ] {
        let rules = format!("{CURIE}downvotes = '{downvotes}'\n");
        assert_eq!(votes(&rules, blocks), expected, "{downvotes}");
    }
}

#[test]
fn a_vote_by_hand_before_ours_is_due_skips_ours() {
    let by_hand = [vote("alice", "bob", "a", 100)];
    let taken_back = [vote("alice", "bob", "a", 0)];
    assert_eq!(
        votes(BOB, &[(100, &[post("bob", "a")]), (199, &by_hand)]),
        none()
    );
    assert_eq!(
        votes(
            BOB,
            &[
                (100, &[post("bob", "a")]),
                (110, &by_hand),
                (120, &taken_back)
            ]
        ),
        none()
    );
    assert_eq!(
        votes(
            CURIE,
            &[(100, &by_hand), (110, &[vote("curie", "bob", "a", 6000)])]
        ),
        none()
    );
    // A vote in a block after ours is due is too late.
    assert_eq!(
        votes(BOB, &[(100, &[post("bob", "a")]), (201, &by_hand)]),
        ["alice @bob/a 5000 05-01 12:05:00.000 author-1 100"]
    );
}

#[test]
fn max_age_counts_from_publication() {
    let rules = format!("{CURIE}max_age = '10m'\n");
    let leader = |permlink| vote("curie", "bob", permlink, 6000);
    assert_eq!(
        votes(
            &rules,
            &[
                (100, &[post("bob", "a"), post("bob", "b")]),
                // Due after exactly ten minutes, and three seconds later.
                (290, &[leader("a"), leader("unseen")]),
                (291, &[leader("b")]),
            ]
        ),
        [
            "alice @bob/a 3000 05-01 12:10:00.000 trail-1 290",
            "alice @bob/unseen 3000 05-01 12:10:00.000 trail-1 290",
        ]
    );
}

#[test]
fn kind_filters_known_posts_and_passes_unknown_ones() {
    let blocks: &[(u32, &[_])] = &[
        (100, &[post("bob", "a"), comment("bob", "re")]),
        (
            101,
            &[
                vote("curie", "bob", "a", 6000),
                vote("curie", "bob", "re", 6000),
                vote("curie", "bob", "unseen", 6000),
            ],
        ),
    ];
    for (kind, expected) in [
        ("posts", &["author-1 a", "trail-1 a", "trail-1 unseen"][..]),
        ("comments", &["author-1 re", "trail-1 re", "trail-1 unseen"]),
        (
            "all",
            &[
                "author-1 a",
                "author-1 re",
                "trail-1 a",
                "trail-1 re",
                "trail-1 unseen",
            ],
        ),
    ] {
        let rules =
            format!("{BOB}kind = '{kind}'\n{CURIE}kind = '{kind}'\n").replacen("alice", "dave", 1);
        let mut found: Vec<String> = votes(&rules, blocks)
            .iter()
            .map(|line| {
                let words: Vec<_> = line.split(' ').collect();
                format!("{} {}", words[5], words[1].strip_prefix("@bob/").unwrap())
            })
            .collect();
        found.sort();
        assert_eq!(found, expected, "{kind}");
    }
}

#[test]
fn disabled_rules_and_excluded_authors_get_no_votes() {
    let rules =
        format!("{BOB}enabled = false\n{CURIE}authors = ['bob', 'carol']\nexcept = ['carol']\n");
    let leader = |author| vote("curie", author, "a", 6000);
    assert_eq!(
        votes(
            &rules,
            &[(
                100,
                &[
                    post("bob", "x"),
                    leader("bob"),
                    leader("carol"),
                    leader("dave")
                ]
            )]
        ),
        ["alice @bob/a 3000 05-01 12:00:30.000 trail-1 100"]
    );
}

#[test]
fn voters_do_not_vote_on_their_own_posts_or_follow_themselves() {
    let rules = "voters = ['alice', 'curie']\n[[author]]\nauthors = ['alice']\nweight = '1%'\n\
        [[trail]]\nleaders = ['curie', 'ocd']\nweight = '2%'\n";
    let folder_warns = votes(
        rules,
        &[
            (100, &[post("alice", "a")]),
            (101, &[vote("curie", "bob", "b", 1)]),
        ],
    );
    assert_eq!(
        folder_warns,
        [
            "curie @alice/a 100 05-01 12:00:00.000 author-1 100",
            "alice @bob/b 200 05-01 12:00:03.000 trail-1 101",
        ]
    );
}
