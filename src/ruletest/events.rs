//! Reads the posts and votes of a test, and builds blocks from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::chain::block::{Block, Comment, CommentOptions, Operation, OperationBody, Vote};
use crate::diagnostic::report::Reported;
use crate::post::PostId;
use crate::ruletest::fields::{MOMENT, account, moment, post, text, texts, weight};
use crate::toml_reader::item::Item;
use crate::toml_reader::table::Table;

/// Parent permlink of a post without tags and community.
const NO_CATEGORY: &str = "uncategorized";

/// Operations at a moment.
pub(super) type Event = (DateTime<Utc>, Vec<OperationBody>);

/// Builds one block for each moment with events. The operations of a block are in the order of `events`.
pub(super) fn blocks(events: impl IntoIterator<Item = Event>) -> Vec<Block> {
    let mut moments: BTreeMap<DateTime<Utc>, Vec<Operation>> = BTreeMap::new();
    for (at, bodies) in events {
        let operations = bodies.into_iter().map(|body| Operation {
            trx_id: Arc::from(""),
            body,
        });
        moments.entry(at).or_default().extend(operations);
    }
    let block = |(num, (timestamp, operations))| Block {
        num,
        id: String::new(),
        previous: String::new(),
        timestamp,
        operations,
    };
    (1..).zip(moments).map(block).collect()
}

/// Reads `[[test.post]]`: a new post or comment.
pub(super) fn read_post(mut table: Table<'_>) -> Result<Event, Reported> {
    let author = table.require("author", "\"bob\"", account);
    let permlink = table.require("permlink", "\"a-post\"", text);
    let at = table.require("at", MOMENT, moment);
    let title = table.read("title", text);
    let body = table.read("body", text);
    let tags = table.read("tags", texts);
    let app = table.read("app", text);
    let community = table.read("community", text);
    let parent = table.read("parent", post);
    let declined = table.read("declined", Item::boolean);
    table.refuse_the_rest();
    let id = PostId::new(author?, &permlink?);
    let (tags, community) = (tags?.unwrap_or_default(), community?);
    let (parent_author, parent_permlink) = match parent? {
        Some(parent) => (
            parent.author.as_str().to_owned(),
            parent.permlink.to_string(),
        ),
        None => {
            let category = community.as_ref().or(tags.first());
            let category = category.map_or(NO_CATEGORY, String::as_str);
            (String::new(), category.to_owned())
        }
    };
    let mut operations = vec![OperationBody::Comment(Comment {
        post: id.clone(),
        parent_author,
        parent_permlink,
        title: title?.unwrap_or_default(),
        body: body?.unwrap_or_default(),
        json_metadata: json!({ "tags": tags, "app": app? }).to_string(),
    })];
    if declined? == Some(true) {
        operations.push(OperationBody::CommentOptions(CommentOptions {
            post: id,
            max_accepted_payout: 0,
            allow_votes: true,
        }));
    }
    Ok((at?, operations))
}

/// Reads `[[test.vote]]`: a vote by hand.
pub(super) fn read_vote(mut table: Table<'_>) -> Result<Event, Reported> {
    let voter = table.require("voter", "\"curie\"", account);
    let post = table.require("post", "\"@bob/a-post\"", post);
    let weight = table.require("weight", "\"60%\"", weight);
    let at = table.require("at", MOMENT, moment);
    table.refuse_the_rest();
    let vote = OperationBody::Vote(Vote {
        voter: voter?,
        post: post?,
        weight: weight?,
    });
    Ok((at?, vec![vote]))
}
