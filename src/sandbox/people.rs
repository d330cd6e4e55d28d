//! The actions of people in a sandbox, and waits for their effects.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::chain::operation::{Comment, Operation, Vote};
use super::chain::refusal::Refusal;
use super::chain::{Chain, USUAL_STAKE};
use super::running::Sandbox;
use super::signer::IssuedTokens;
use crate::account::Account;
use crate::post::PostId;

/// A post to publish.
#[derive(Debug, Clone)]
pub struct NewPost {
    /// Its author and permlink.
    pub post: PostId,
    /// A tag or a community.
    pub category: String,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// The tags in `json_metadata`.
    pub tags: Vec<String>,
    /// Whether `comment_options` with a payout of 0 follow.
    pub declines_payout: bool,
}

impl NewPost {
    /// A post with default contents.
    pub fn new(author: &str, permlink: &str) -> Self {
        Self {
            post: PostId::new(Account::from_chain(author), permlink),
            category: "photo".to_owned(),
            title: permlink.replace('-', " "),
            body: "Words and pictures.".to_owned(),
            tags: vec!["photo".to_owned()],
            declines_payout: false,
        }
    }

    fn comment(&self, parent: Option<PostId>) -> Operation {
        let metadata = serde_json::json!({"tags": self.tags, "app": "sandbox/1.0"});
        Operation::Comment(Comment {
            post: self.post.clone(),
            parent,
            category: self.category.clone(),
            title: self.title.clone(),
            body: self.body.clone(),
            json_metadata: metadata.to_string(),
        })
    }
}

/// A vote on a post that is in a block.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenVote {
    /// In hundredths of a percent.
    pub weight: i16,
    /// The number of its block.
    pub block: u32,
    /// The timestamp of its block.
    pub block_time: DateTime<Utc>,
}

impl Sandbox {
    /// Creates an account unless it exists.
    pub fn add_account(&self, name: &str) -> Account {
        let name = Account::from_chain(name);
        self.world.chain().create_account(&name, USUAL_STAKE);
        name
    }

    /// Creates an account that authorises the application, and issues its first tokens.
    pub fn add_voter(&self, name: &str) -> IssuedTokens {
        let name = self.add_account(name);
        let app = Account::from_chain(&self.config.client_id);
        self.world
            .chain()
            .alter_account(&name, |account| account.posting = vec![app.clone()]);
        self.signer().issue_tokens(&name)
    }

    /// Issues new tokens for a voter.
    pub fn issue_tokens(&self, voter: &str) -> IssuedTokens {
        self.signer().issue_tokens(&Account::from_chain(voter))
    }

    /// Publishes a post in the next block. Creates the account of the author if needed.
    pub fn publish(&self, author: &str, permlink: &str) -> PostId {
        self.publish_post(&NewPost::new(author, permlink))
    }

    /// Publishes a post in the next block. Creates the account of the author if needed.
    pub fn publish_post(&self, new: &NewPost) -> PostId {
        self.add_account(new.post.author.as_str());
        let mut operations = vec![new.comment(None)];
        if new.declines_payout {
            operations.push(Operation::CommentOptions {
                post: new.post.clone(),
                max_accepted_payout: 0,
                allow_votes: true,
            });
        }
        // The chain accepts a post of an existing account.
        let _ = self.submit(operations);
        new.post.clone()
    }

    /// Comments on a post in the next block. Creates the account of the author if needed.
    ///
    /// # Errors
    /// If the chain refuses it: the post does not exist.
    pub fn comment(
        &self,
        parent: &PostId,
        author: &str,
        permlink: &str,
    ) -> Result<PostId, Refusal> {
        self.add_account(author);
        let new = NewPost::new(author, permlink);
        self.submit(vec![new.comment(Some(parent.clone()))])?;
        Ok(new.post)
    }

    /// Edits a post in the next block, by the same operation on the same permlink. Does nothing if the
    /// post is not in a block yet.
    pub fn edit(&self, post: &PostId, body: &str) {
        let edited = self.world.chain().post(post).map(|state| {
            Operation::Comment(Comment {
                post: post.clone(),
                parent: state.parent.clone(),
                category: state.category.clone(),
                title: state.title.clone(),
                body: body.to_owned(),
                json_metadata: state.json_metadata.clone(),
            })
        });
        if let Some(edited) = edited {
            let _ = self.submit(vec![edited]);
        }
    }

    /// Deletes a post in the next block.
    ///
    /// # Errors
    /// If the chain refuses it: the post has votes or replies, or does not exist.
    pub fn delete(&self, post: &PostId) -> Result<(), Refusal> {
        self.submit(vec![Operation::DeleteComment(post.clone())])
    }

    /// Votes by hand in the next block, without the signer. `weight` is in hundredths of a percent; 0
    /// takes a vote back. Creates the account of the voter if needed.
    ///
    /// # Errors
    /// If the chain refuses the vote.
    pub fn vote(&self, voter: &str, post: &PostId, weight: i16) -> Result<(), Refusal> {
        let voter = self.add_account(voter);
        self.submit(vec![Operation::Vote(Vote {
            voter,
            post: post.clone(),
            weight,
        })])
    }

    /// Puts a transaction with these operations into the next block.
    ///
    /// # Errors
    /// If the chain refuses one of them.
    pub fn submit(&self, operations: Vec<Operation>) -> Result<(), Refusal> {
        self.world.chain().submit(operations, None).map(drop)
    }

    /// The vote of `voter` on `post` as of the head block, with weight 0 if taken back.
    pub fn vote_on(&self, voter: &str, post: &PostId) -> Option<SeenVote> {
        vote_in(&self.world.chain(), &Account::from_chain(voter), post)
    }

    /// Waits until a block holds a vote of `voter` on `post`; `None` after `timeout`.
    pub async fn wait_for_vote(
        &self,
        voter: &str,
        post: &PostId,
        timeout: Duration,
    ) -> Option<SeenVote> {
        let voter = Account::from_chain(voter);
        self.wait_for(timeout, |chain| vote_in(chain, &voter, post))
            .await
    }

    /// Waits until the chain has block `num`; false after `timeout`.
    pub async fn wait_for_block(&self, num: u32, timeout: Duration) -> bool {
        let exists = |chain: &Chain| (chain.head().num >= num).then_some(());
        self.wait_for(timeout, exists).await.is_some()
    }

    /// Waits until `look` returns a value and calls it after every block; `None` after `timeout`.
    pub async fn wait_for<T>(
        &self,
        timeout: Duration,
        look: impl Fn(&Chain) -> Option<T>,
    ) -> Option<T> {
        self.world.wait_for(timeout, look).await
    }
}

fn vote_in(chain: &Chain, voter: &Account, post: &PostId) -> Option<SeenVote> {
    let vote = chain.post(post)?.vote_of(voter)?;
    Some(SeenVote {
        weight: vote.weight,
        block: vote.block,
        block_time: chain.block(vote.block)?.timestamp,
    })
}
