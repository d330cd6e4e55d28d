//! The effect of each operation on accounts and posts.

use chrono::{DateTime, Utc};

use super::block::Transaction;
use super::operation::{Comment, Operation};
use super::refusal::Refusal;
use super::state::{AccountState, Draft, Layer, PostState};
use super::vote;
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;

/// The evaluation of one transaction.
pub(super) struct Evaluation<'a> {
    pub draft: Draft<'a>,
    /// New posts, whose creation time will be that of the next block.
    pub created: &'a mut Vec<PostId>,
    pub last_id: &'a mut u32,
    pub kind: ChainKind,
    /// The time of the head block, which the rules of the chain refer to.
    pub now: DateTime<Utc>,
}

impl Evaluation<'_> {
    /// Checks that the voter has authorised `signed_by`, directly or through an application.
    pub fn authorise(
        &self,
        operation: &Operation,
        signed_by: Option<&Account>,
    ) -> Result<(), Refusal> {
        let (Some(signer), Operation::Vote(vote)) = (signed_by, operation) else {
            return Ok(());
        };
        let Some(voter) = self.draft.account(&vote.voter) else {
            return Err(Refusal::UnknownAccount(vote.voter.clone()));
        };
        let trusted = voter.posting.iter().any(|account| {
            let through = self.draft.account(account);
            account == signer || through.is_some_and(|app| app.posting.contains(signer))
        });
        if trusted {
            return Ok(());
        }
        Err(Refusal::MissingPostingAuthority {
            account: vote.voter.clone(),
            posting: voter.posting.clone(),
        })
    }

    pub fn apply(&mut self, operation: &Operation) -> Result<(), Refusal> {
        match operation {
            Operation::Vote(vote) => vote::cast(&mut self.draft, self.kind, self.now, vote),
            Operation::Comment(comment) => self.comment(comment),
            Operation::CommentOptions {
                post,
                max_accepted_payout,
                allow_votes,
            } => {
                let post = self
                    .draft
                    .post_mut(post)
                    .ok_or_else(|| Refusal::UnknownPost(post.clone()))?;
                post.max_accepted_payout = *max_accepted_payout;
                post.allow_votes = *allow_votes;
                Ok(())
            }
            Operation::DeleteComment(post) => self.delete(post),
            Operation::AccountUpdate { account, posting } => {
                self.account_mut(account)?.posting = posting.clone();
                Ok(())
            }
            Operation::Other { .. } => Ok(()),
        }
    }

    fn account_mut(&mut self, name: &Account) -> Result<&mut AccountState, Refusal> {
        self.draft
            .account_mut(name)
            .ok_or_else(|| Refusal::UnknownAccount(name.clone()))
    }

    fn comment(&mut self, comment: &Comment) -> Result<(), Refusal> {
        let now = self.now;
        self.account_mut(&comment.post.author)?;
        if let Some(post) = self.draft.post_mut(&comment.post) {
            fill(post, comment);
            post.edited = now;
            return Ok(());
        }
        if let Some(parent) = &comment.parent {
            let parent = self
                .draft
                .post_mut(parent)
                .ok_or_else(|| Refusal::UnknownPost(parent.clone()))?;
            parent.children += 1;
        }
        *self.last_id += 1;
        let mut post = PostState::new(*self.last_id, now, comment.parent.clone());
        fill(&mut post, comment);
        let author = self.account_mut(&comment.post.author)?;
        author.post_count += 1;
        if comment.parent.is_none() {
            author.posts.push(comment.post.permlink.clone());
        }
        self.draft.set_post(comment.post.clone(), Some(post));
        self.created.push(comment.post.clone());
        Ok(())
    }

    fn delete(&mut self, name: &PostId) -> Result<(), Refusal> {
        let post = self
            .draft
            .post(name)
            .ok_or_else(|| Refusal::UnknownPost(name.clone()))?;
        if post.children > 0 {
            return Err(Refusal::DeleteWithReplies);
        }
        if post.net_rshares() > 0 {
            return Err(Refusal::DeleteWithVotes);
        }
        let parent = post.parent.clone();
        if let Some(parent) = parent.and_then(|parent| self.draft.post_mut(&parent)) {
            parent.children = parent.children.saturating_sub(1);
        }
        self.account_mut(&name.author)?
            .posts
            .retain(|permlink| *permlink != name.permlink);
        self.draft.set_post(name.clone(), None);
        self.created.retain(|created| created != name);
        Ok(())
    }
}

/// Sets the fields of a post from a comment. A patch (`@@ …`) does not change the body.
fn fill(post: &mut PostState, comment: &Comment) {
    post.category.clone_from(&comment.category);
    post.title.clone_from(&comment.title);
    post.json_metadata.clone_from(&comment.json_metadata);
    if !comment.body.starts_with("@@ ") {
        post.body = comment.body.as_str().into();
    }
}

/// A copy of what a transaction may change, to undo its first operations if a later one is refused. A
/// single operation needs no copy, since it checks everything before its first change.
pub(super) struct Snapshot {
    accounts: Vec<(Account, Option<Option<AccountState>>)>,
    posts: Vec<(PostId, Option<Option<PostState>>)>,
    created: Option<Vec<PostId>>,
}

impl Snapshot {
    pub fn of(transaction: &Transaction, layer: &Layer, created: &[PostId]) -> Self {
        let mut snapshot = Self {
            accounts: Vec::new(),
            posts: Vec::new(),
            created: None,
        };
        if transaction.operations.len() < 2 {
            return snapshot;
        }
        snapshot.created = Some(created.to_vec());
        for operation in &transaction.operations {
            let (accounts, posts) = touched(operation);
            for name in accounts {
                let value = layer.accounts.get(name).cloned();
                snapshot.accounts.push((name.clone(), value));
            }
            for name in posts {
                let value = layer.posts.get(name).cloned();
                snapshot.posts.push((name.clone(), value));
            }
        }
        snapshot
    }

    pub fn restore(self, layer: &mut Layer, created: &mut Vec<PostId>) {
        for (name, value) in self.accounts {
            match value {
                Some(value) => layer.accounts.insert(name, value),
                None => layer.accounts.remove(&name),
            };
        }
        for (name, value) in self.posts {
            match value {
                Some(value) => layer.posts.insert(name, value),
                None => layer.posts.remove(&name),
            };
        }
        if let Some(old) = self.created {
            *created = old;
        }
    }
}

/// The accounts and posts that an operation may change.
fn touched(operation: &Operation) -> (Vec<&Account>, Vec<&PostId>) {
    match operation {
        Operation::Vote(vote) => (vec![&vote.voter], vec![&vote.post]),
        Operation::Comment(comment) => (
            vec![&comment.post.author],
            std::iter::once(&comment.post)
                .chain(&comment.parent)
                .collect(),
        ),
        Operation::CommentOptions { post, .. } => (Vec::new(), vec![post]),
        // The parent is not included: if a later operation of the transaction is refused, the number
        // of its replies stays too low by one.
        Operation::DeleteComment(post) => (vec![&post.author], vec![post]),
        Operation::AccountUpdate { account, .. } => (vec![account], Vec::new()),
        Operation::Other { .. } => (Vec::new(), Vec::new()),
    }
}
