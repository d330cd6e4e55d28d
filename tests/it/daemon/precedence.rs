//! Which rule has a vote, and the rules as they are when it is due.

use curatord::votes::status::Status;
use curatord::votes::vote::Vote;

use crate::harness::{Database, Installation, on_each_database};

on_each_database! {
    the_first_rule_in_the_order_of_the_files_has_the_vote,
    an_earlier_rules_later_event_takes_a_queued_vote_over,
    an_earlier_rule_that_does_not_want_the_post_leaves_the_vote_to_the_one_that_had_it,
    a_later_rules_event_does_not_touch_a_queued_vote,
    a_rule_that_is_gone_or_no_longer_wants_it_withdraws_its_queued_vote,
    a_weight_changed_while_the_vote_is_queued_is_the_weight_cast,
}

async fn the_first_rule_in_the_order_of_the_files_has_the_vote(database: &Database) {
    let site = Installation::new(database).await;
    let rule = |weight: &str| {
        format!("voters = [\"alice\"]\n[[author]]\nauthors = [\"bob\"]\nweight = \"{weight}\"\n")
    };
    site.rules("b.toml", &rule("20%"));
    site.rules(
        "a.toml",
        &format!(
            "{}\n[[author]]\nauthors = [\"bob\"]\nweight = \"30%\"\n",
            rule("10%")
        ),
    );
    // A capital comes before small letters in the order of bytes; this rule does not match.
    site.rules("Z.toml", &rule("40%").replace("bob", "carol"));
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    let row = site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(row.ask().rule.as_str(), "a.toml:author-1");
    assert_eq!(row.ask().weight.hundredths(), 1_000);
    site.next_block_is_read().await;
    assert_eq!(site.votes_in_blocks("alice", &post), [1_000]);
    assert_eq!(site.broadcasts("alice", &post).len(), 1);
    daemon.stop().await;
}

const TRAIL: &str = r#"
    voters = ["alice"]
    [[trail]]
    leaders = ["curie"]
    weight = "15%"
    delay = "20s"
"#;
const AUTHOR: &str = r#"
    voters = ["alice"]
    [[author]]
    authors = ["bob"]
    weight = "25%"
    delay = "60s"
"#;

async fn an_earlier_rules_later_event_takes_a_queued_vote_over(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("1.toml", TRAIL);
    site.rules("2.toml", AUTHOR);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    let first = site.row_is("alice", &post, Status::Queued).await;
    assert_eq!(first.ask().rule.as_str(), "2.toml:author-1");
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    let taken = |row: &Vote| row.ask().rule.as_str() == "1.toml:trail-1";
    let row = site
        .row_where("alice", &post, "is the trail's", taken)
        .await;
    assert_eq!(row.ask().weight.hundredths(), 1_500);
    assert_eq!(row.status, Status::Queued);
    assert!(row.ask().due_at < first.ask().due_at);
    assert!(row.ask().block > first.ask().block);
    daemon.stop().await;
}

async fn an_earlier_rule_that_does_not_want_the_post_leaves_the_vote_to_the_one_that_had_it(
    database: &Database,
) {
    let site = Installation::new(database).await;
    site.rules("1.toml", &format!("{TRAIL}tags = {{ any = [\"art\"] }}\n"));
    site.rules("2.toml", &AUTHOR.replace("60s", "5s"));
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    let first = site.row_is("alice", &post, Status::Queued).await;
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    let row = site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(row.ask().rule.as_str(), "2.toml:author-1");
    assert_eq!(
        (row.ask().weight, row.ask().due_at),
        (first.ask().weight, first.ask().due_at)
    );
    daemon.stop().await;
}

async fn a_later_rules_event_does_not_touch_a_queued_vote(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("1.toml", AUTHOR);
    site.rules("2.toml", TRAIL);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    let first = site.row_is("alice", &post, Status::Queued).await;
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    site.next_block_is_read().await;
    let row = site.row("alice", &post).await.unwrap();
    assert_eq!(row.ask().rule.as_str(), "1.toml:author-1");
    assert_eq!(
        (row.ask().weight, row.ask().due_at),
        (first.ask().weight, first.ask().due_at)
    );
    daemon.stop().await;
}

/// A rule by itself in a file.
fn rule(name: &str, author: &str, more: &str) -> String {
    format!(
        "voters = [\"alice\"]\n[[author]]\nname = \"{name}\"\nauthors = [\"{author}\"]\n\
         weight = \"10%\"\ndelay = \"3s\"\n{more}\n"
    )
}

async fn a_rule_that_is_gone_or_no_longer_wants_it_withdraws_its_queued_vote(database: &Database) {
    let site = Installation::new(database).await;
    let authors = [
        "removed",
        "disabled",
        "renamed",
        "deserted",
        "voterless",
        "kept",
    ];
    for author in authors {
        site.rules(&format!("{author}.toml"), &rule("rule", author, ""));
    }
    site.voter("alice").await;
    let daemon = site.start().await;
    let posts = authors.map(|author| site.sandbox.publish(author, "a-post"));
    for post in &posts {
        site.row_is("alice", post, Status::Queued).await;
    }
    std::fs::remove_file(site.rule_file("removed.toml")).unwrap();
    site.rules(
        "disabled.toml",
        &rule("rule", "disabled", "enabled = false"),
    );
    site.rules("renamed.toml", &rule("other", "renamed", ""));
    site.rules("deserted.toml", &rule("rule", "somebody", ""));
    let voterless = rule("rule", "voterless", "").replace("alice", "carol");
    site.rules("voterless.toml", &voterless);

    site.row_is("alice", &posts[5], Status::Confirmed).await;
    for post in &posts[..5] {
        let row = site.row_is("alice", post, Status::Withdrawn).await;
        assert!(
            row.reason
                .unwrap()
                .to_string()
                .contains(&format!("{}.toml:rule", post.author))
        );
        assert_eq!(site.broadcasts("alice", post).len(), 0, "{post}");
    }
    daemon.stop().await;
}

async fn a_weight_changed_while_the_vote_is_queued_is_the_weight_cast(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", &rule("rule", "bob", ""));
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    let queued = site.row_is("alice", &post, Status::Queued).await;
    // A new delay is for later posts.
    let changed = rule("rule", "bob", "")
        .replace("10%", "-7.25%")
        .replace("3s", "1h");
    site.rules("friends.toml", &changed);
    assert_eq!(site.cast_weight("alice", &post).await, -725);
    assert!(site.broadcasts("alice", &post)[0].arrived >= queued.ask().due_at);
    let row = site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(row.ask().weight.hundredths(), -725);
    assert_eq!(row.ask().due_at, queued.ask().due_at);
    daemon.stop().await;
}
