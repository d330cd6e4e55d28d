//! What people do in a sandbox, and waiting for what comes of it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::chain::operation::{Comment, NO_PAYOUT_LIMIT, Operation, Vote};
use super::chain::refusal::Refusal;
use super::chain::{Chain, USUAL_STAKE};
use super::running::Sandbox;
use super::signer::IssuedTokens;
use crate::account::Account;
use crate::post::PostId;

/// A post to be published.
#[derive(Debug, Clone)]
pub struct NewPost {
    pub post: PostId,
    /// Its tag or community.
    pub category: String,
    pub title: String,
    pub body: String,
    /// For `json_metadata`.
    pub tags: Vec<String>,
    pub declines_payout: bool,
}

impl NewPost {
    /// A post about nothing in particular.
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

/// A vote that stands on a post in a block.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenVote {
    /// In hundredths of a percent.
    pub weight: i16,
    /// The number of the block that holds it.
    pub block: u32,
    /// The time of that block.
    pub block_time: DateTime<Utc>,
}

impl Sandbox {
    /// Opens an account, unless there is one of that name.
    pub fn add_account(&self, name: &str) -> Account {
        let name = Account::from_chain(name);
        self.world.chain().create_account(&name, USUAL_STAKE);
        name
    }

    /// Opens an account that trusts the application, and issues its first tokens.
    pub fn add_voter(&self, name: &str) -> IssuedTokens {
        let name = self.add_account(name);
        let app = Account::from_chain(self.client_id());
        let trust = |account: &mut super::chain::state::AccountState| {
            account.posting = vec![app.clone()];
        };
        self.world.chain().alter_account(&name, trust);
        self.signer().issue_tokens(&name)
    }

    /// New tokens for a voter.
    pub fn issue_tokens(&self, voter: &str) -> IssuedTokens {
        self.signer().issue_tokens(&Account::from_chain(voter))
    }

    /// Publishes a post with the next block; opens the author's account where there is none.
    pub fn publish(&self, author: &str, permlink: &str) -> PostId {
        self.publish_post(&NewPost::new(author, permlink))
    }

    /// Publishes a post with the next block.
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
        // Nothing can speak against it: the account is there.
        let _ = self.submit(operations);
        new.post.clone()
    }

    /// Writes a comment under a post, with the next block.
    ///
    /// # Errors
    /// The chain's refusal: there is no such post.
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

    /// Edits a post with the next block: the same operation on the same permlink. Nothing happens to
    /// one that is not in a block yet.
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

    /// Deletes a post with the next block.
    ///
    /// # Errors
    /// The chain's refusal: it has votes or replies.
    pub fn delete(&self, post: &PostId) -> Result<(), Refusal> {
        self.submit(vec![Operation::DeleteComment(post.clone())])
    }

    /// Allows upvotes on a post, or not, with the next block.
    ///
    /// # Errors
    /// The chain's refusal: there is no such post.
    pub fn allow_votes(&self, post: &PostId, allow: bool) -> Result<(), Refusal> {
        self.submit(vec![Operation::CommentOptions {
            post: post.clone(),
            max_accepted_payout: NO_PAYOUT_LIMIT,
            allow_votes: allow,
        }])
    }

    /// Votes by hand, as a person with a wallet does, with the next block. Weight in hundredths of a
    /// percent; 0 takes the vote back. Opens the voter's account where there is none.
    ///
    /// # Errors
    /// The chain's refusal.
    pub fn vote(&self, voter: &str, post: &PostId, weight: i16) -> Result<(), Refusal> {
        let voter = self.add_account(voter);
        self.submit(vec![Operation::Vote(Vote {
            voter,
            post: post.clone(),
            weight,
        })])
    }

    /// Takes posting authority from every application, with the next block.
    ///
    /// # Errors
    /// The chain's refusal: there is no such account.
    pub fn revoke_authority(&self, account: &str) -> Result<(), Refusal> {
        self.submit(vec![Operation::AccountUpdate {
            account: Account::from_chain(account),
            posting: Vec::new(),
        }])
    }

    /// Puts a transaction of these operations into the next block.
    ///
    /// # Errors
    /// The chain's refusal.
    pub fn submit(&self, operations: Vec<Operation>) -> Result<(), Refusal> {
        self.world.chain().submit(operations, None).map(drop)
    }

    /// The vote of `voter` on `post` as of the head block; one taken back has weight 0.
    pub fn vote_on(&self, voter: &str, post: &PostId) -> Option<SeenVote> {
        vote_in(&self.world.chain(), &Account::from_chain(voter), post)
    }

    /// Waits until a block holds a vote of `voter` on `post`. `None` when `timeout` passed first.
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

    /// Waits until the chain has block `num`. False when `timeout` passed first.
    pub async fn wait_for_block(&self, num: u32, timeout: Duration) -> bool {
        let there = |chain: &Chain| (chain.head().num >= num).then_some(());
        self.wait_for(timeout, there).await.is_some()
    }

    /// Waits until `look` finds something; it is asked after every block. `None` when `timeout` passed
    /// first.
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
