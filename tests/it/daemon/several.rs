//! Several daemons on one MariaDB or MySQL.

use curatord::post::PostId;
use curatord::votes::status::Status;

use crate::harness::{Database, Installation, run};

#[tokio::test]
async fn two_daemons_cast_every_vote_once_and_one_goes_on_without_the_other() {
    run(Database::mysql().await, two_daemons).await;
}

async fn two_daemons(database: &Database) {
    let site = Installation::new(database).await;
    let voters: Vec<String> = (10..30).map(|number| format!("voter-{number}")).collect();
    let voters: Vec<&str> = voters.iter().map(String::as_str).collect();
    site.rules(
        "friends.toml",
        &format!(
            "voters = {voters:?}\n[[author]]\nauthors = [\"bob\"]\nweight = \"10%\"\n\
             [[author]]\nauthors = [\"carol\"]\nweight = \"10%\"\ndelay = \"2s\"\n"
        ),
    );
    site.voters(&voters).await;
    let reader = site.start().await;
    let other = site.spawn(&[]);
    other.says("standing by").await;

    let posts: Vec<PostId> = (0..5)
        .map(|number| site.sandbox.publish("bob", &format!("post-{number}")))
        .collect();
    for post in &posts {
        each_has_voted_once(&site, &voters, post).await;
    }

    // The one that reads the chain dies with votes in its hands.
    let held = site.sandbox.publish("carol", "held");
    site.next_block_is_read().await;
    site.row_is(voters[0], &held, Status::Queued).await;
    reader.kill();
    let unseen = site.sandbox.publish("bob", "unseen");
    each_has_voted_once(&site, &voters, &unseen).await;
    each_has_voted_once(&site, &voters, &held).await;
    assert_eq!(site.errors("vote").await, []);
    other.stop().await;
}

async fn each_has_voted_once(site: &Installation<'_>, voters: &[&str], post: &PostId) {
    for voter in voters {
        site.row_is(voter, post, Status::Confirmed).await;
        assert_eq!(
            site.votes_in_blocks(voter, post),
            [1_000],
            "{voter} on {post}"
        );
        assert_eq!(site.broadcasts(voter, post).len(), 1, "{voter} on {post}");
    }
}
