//! Builds blocks from posts and votes.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::chain::block::{Block, Comment, CommentOptions, Operation, OperationBody, Vote};
use crate::ruletest::{Event, Post, What};

/// Parent permlink of a post without tags and community.
const NO_CATEGORY: &str = "uncategorized";

/// Builds one block for each moment with events. The operations are in the order of the file.
pub fn of_events(events: &[Event]) -> Vec<Block> {
    let mut moments: BTreeMap<DateTime<Utc>, Vec<Operation>> = BTreeMap::new();
    for event in events {
        let bodies = operations(&event.what).into_iter();
        let operations = bodies.map(|body| Operation {
            trx_id: Arc::from(""),
            body,
        });
        moments.entry(event.at).or_default().extend(operations);
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

fn operations(what: &What) -> Vec<OperationBody> {
    match what {
        What::Vote {
            voter,
            post,
            weight,
        } => vec![OperationBody::Vote(Vote {
            voter: voter.clone(),
            post: post.clone(),
            weight: *weight,
        })],
        What::Post(post) => {
            let mut operations = vec![OperationBody::Comment(comment(post))];
            if post.declined {
                operations.push(OperationBody::CommentOptions(CommentOptions {
                    post: post.id.clone(),
                    max_accepted_payout: 0,
                    allow_votes: true,
                }));
            }
            operations
        }
    }
}

fn comment(post: &Post) -> Comment {
    let (parent_author, parent_permlink) = match &post.parent {
        Some(parent) => (parent.author.to_string(), parent.permlink.to_string()),
        None => {
            let category = post.community.as_ref().or(post.tags.first());
            let category = category.map_or(NO_CATEGORY, String::as_str);
            (String::new(), category.to_owned())
        }
    };
    let mut metadata = Map::new();
    if !post.tags.is_empty() {
        metadata.insert("tags".to_owned(), json!(post.tags));
    }
    if let Some(app) = &post.app {
        metadata.insert("app".to_owned(), json!(app));
    }
    Comment {
        post: post.id.clone(),
        parent_author,
        parent_permlink,
        title: post.title.clone(),
        body: post.body.clone(),
        json_metadata: Value::from(metadata).to_string(),
    }
}
