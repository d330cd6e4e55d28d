//! What each operation does to accounts and posts.

use chrono::{DateTime, Utc};

use super::block::Transaction;
use super::operation::{Comment, Operation};
use super::refusal::Refusal;
use super::state::{AccountState, Draft, Layer, PostState};
use super::vote;
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;

/// One transaction being evaluated.
pub(super) struct Evaluation<'a> {
    pub draft: Draft<'a>,
    /// Posts to be given the time of the next block.
    pub created: &'a mut Vec<PostId>,
    pub last_id: &'a mut u32,
    pub kind: ChainKind,
    /// The head block's time, by which the chain judges what comes after it.
    pub now: DateTime<Utc>,
}

impl Evaluation<'_> {
    /// Checks that `signed_by` may act for the account: the account trusts an application, the
    /// application trusts the signer.
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

/// Takes over what a comment says. A patch (`@@ …`) leaves the body as it is: nobody here needs it.
fn fill(post: &mut PostState, comment: &Comment) {
    post.category.clone_from(&comment.category);
    post.title.clone_from(&comment.title);
    post.json_metadata.clone_from(&comment.json_metadata);
    if !comment.body.starts_with("@@ ") {
        post.body = comment.body.as_str().into();
    }
}

/// What a transaction of several operations may change, as it was before: a later one may be refused,
/// and then the earlier ones must not stay. A single operation checks everything before it changes
/// anything, so it needs no copy.
pub(super) struct Before {
    accounts: Vec<(Account, Option<Option<AccountState>>)>,
    posts: Vec<(PostId, Option<Option<PostState>>)>,
    created: Option<Vec<PostId>>,
}

impl Before {
    pub fn of(transaction: &Transaction, layer: &Layer, created: &[PostId]) -> Self {
        let mut before = Self {
            accounts: Vec::new(),
            posts: Vec::new(),
            created: None,
        };
        if transaction.operations.len() < 2 {
            return before;
        }
        before.created = Some(created.to_vec());
        for operation in &transaction.operations {
            let (accounts, posts) = touched(operation);
            for name in accounts {
                let value = layer.accounts.get(name).cloned();
                before.accounts.push((name.clone(), value));
            }
            for name in posts {
                let value = layer.posts.get(name).cloned();
                before.posts.push((name.clone(), value));
            }
        }
        before
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
        if let Some(before) = self.created {
            *created = before;
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
        // The parent's count of replies is only changed once nothing can fail any more, but a later
        // operation still can: a deletion in a longer transaction keeps the parent's count lowered.
        Operation::DeleteComment(post) => (vec![&post.author], vec![post]),
        Operation::AccountUpdate { account, .. } => (vec![account], Vec::new()),
        Operation::Other { .. } => (Vec::new(), Vec::new()),
    }
}
