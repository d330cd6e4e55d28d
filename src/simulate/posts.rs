//! The posts that the blocks have shown, as a node would tell of them.

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::block::{Block, Comment, CommentOptions, OperationBody, Vote};
use crate::chain::content::{Content, StandingVotes};
use crate::post::PAYOUT_AFTER;
use crate::post::PostId;
use crate::votes::schedules::choice::NEWEST;

/// How often what posts that were paid out hold is forgotten.
const FORGET_EVERY: TimeDelta = TimeDelta::hours(1);

/// Every post so far; of those that were paid out not much more than their age.
#[derive(Debug, Default)]
pub struct Posts {
    /// `None` once deleted.
    known: HashMap<PostId, Option<Content>>,
    /// Authors whose newest posts will be asked for, and these, oldest first.
    newest: HashMap<Account, VecDeque<PostId>>,
    forgot_at: DateTime<Utc>,
}

impl Posts {
    /// No posts yet; the newest ones of `watched` can be asked for.
    pub fn new(watched: HashSet<Account>) -> Self {
        Self {
            newest: watched
                .into_iter()
                .map(|author| (author, VecDeque::new()))
                .collect(),
            ..Self::default()
        }
    }

    /// The post: `None` where no block has shown it, `None` within where it was deleted.
    pub fn get(&self, post: &PostId) -> Option<Option<&Content>> {
        self.known.get(post).map(Option::as_ref)
    }

    /// The newest posts of `author`, comments left out.
    pub fn newest_of(&self, author: &Account) -> Vec<Content> {
        let posts = self.newest.get(author).into_iter().flatten();
        posts
            .filter_map(|post| self.known.get(post).cloned().flatten())
            .collect()
    }

    /// Takes in what `block` tells of posts.
    pub fn block(&mut self, block: &Block) {
        for operation in &block.operations {
            match &operation.body {
                OperationBody::Comment(comment) => self.comment(comment, block.timestamp),
                OperationBody::CommentOptions(options) => self.options(options),
                OperationBody::DeleteComment(post) => {
                    self.known.insert(post.clone(), None);
                }
                OperationBody::Vote(vote) => self.vote(vote),
            }
        }
        if block.timestamp - self.forgot_at >= FORGET_EVERY {
            self.forgot_at = block.timestamp;
            for content in self.known.values_mut().flatten() {
                if content.created + PAYOUT_AFTER <= block.timestamp {
                    forget(content);
                }
            }
        }
    }

    fn comment(&mut self, comment: &Comment, at: DateTime<Utc>) {
        match self.known.get_mut(&comment.post) {
            Some(Some(content)) => edit(content, comment, at),
            // An edit of a post from before the recording, of which the rest is not known.
            None if comment.is_patch() => {}
            _ => {
                self.known
                    .insert(comment.post.clone(), Some(content_of(comment, at)));
                let newest = self.newest.get_mut(&comment.post.author);
                if let Some(newest) = newest.filter(|_| comment.is_post()) {
                    newest.retain(|post| *post != comment.post);
                    newest.push_back(comment.post.clone());
                    if newest.len() > NEWEST {
                        newest.pop_front();
                    }
                }
            }
        }
    }

    fn options(&mut self, options: &CommentOptions) {
        if let Some(Some(content)) = self.known.get_mut(&options.post) {
            content.max_accepted_payout = options.max_accepted_payout;
            content.allow_votes = options.allow_votes;
        }
    }

    fn vote(&mut self, vote: &Vote) {
        if let Some(Some(content)) = self.known.get_mut(&vote.post) {
            content.votes.set(vote.voter.clone(), vote.weight);
        }
    }
}

/// What is empty in an edit stays as it was. So does a body that is only patched: what the patch makes of it is
/// not worked out.
fn edit(content: &mut Content, comment: &Comment, at: DateTime<Utc>) {
    content.last_update = Some(at);
    let fields = [
        (&mut content.title, &comment.title),
        (&mut content.json_metadata, &comment.json_metadata),
    ];
    for (field, new) in fields.into_iter().filter(|(_, new)| !new.is_empty()) {
        field.clone_from(new);
    }
    if !comment.is_patch() && !comment.body.is_empty() {
        content.body.clone_from(&comment.body);
    }
}

/// Too old for any rule: its age decides before anything else that votes depend on is missed.
fn forget(content: &mut Content) {
    content.body = String::new();
    content.votes = StandingVotes::default();
}

/// A new post as a node would tell of it.
fn content_of(comment: &Comment, created: DateTime<Utc>) -> Content {
    Content {
        post: comment.post.clone(),
        created,
        last_update: Some(created),
        parent_author: comment.parent_author.clone(),
        parent_permlink: comment.parent_permlink.clone(),
        title: comment.title.clone(),
        body: comment.body.clone(),
        json_metadata: comment.json_metadata.clone(),
        // No block tells it: as long as it is 0, `payout.max` lets everything pass.
        pending_payout: 0,
        max_accepted_payout: i64::MAX,
        allow_votes: true,
        votes: StandingVotes::default(),
    }
}
