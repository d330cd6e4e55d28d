//! The effect of each operation on accounts and posts.

use super::block::Transaction;
use super::operation::{Comment, Operation};
use super::refusal::Refusal;
use super::state::{AccountState, PostState};
use super::{Chain, json};
use crate::account::Account;
use crate::post::PostId;

impl Chain {
    /// Applies the operations of a transaction to the pending accounts and posts, by the rules at the
    /// time of the head block. Stops at the first refusal.
    pub(super) fn evaluate(&mut self, transaction: &Transaction) -> Result<(), Refusal> {
        for operation in &transaction.operations {
            self.authorise(operation, transaction.signed_by.as_ref())?;
            match operation {
                Operation::Vote(vote) => self.cast(vote)?,
                Operation::Comment(comment) => self.comment(comment)?,
                Operation::CommentOptions {
                    post,
                    max_accepted_payout,
                    allow_votes,
                } => {
                    let post = self.post_mut(post)?;
                    post.max_accepted_payout = *max_accepted_payout;
                    post.allow_votes = *allow_votes;
                }
                Operation::DeleteComment(post) => self.delete(post)?,
                Operation::Other { name, value } => self.apply_json(name, value)?,
            }
        }
        Ok(())
    }

    /// Checks that the account that acts has authorised `signed_by`, directly or through an application.
    fn authorise(&self, operation: &Operation, signed_by: Option<&Account>) -> Result<(), Refusal> {
        let (Some(signer), Some(account)) = (signed_by, operation.account()) else {
            return Ok(());
        };
        let Some(state) = self.accounts.get(&account) else {
            return Err(Refusal::UnknownAccount(account));
        };
        if json::needs_active_authority(operation) {
            return Err(Refusal::MissingActiveAuthority(account));
        }
        let trusted = state.posting.iter().any(|account| {
            let through = self.accounts.get(account);
            account == signer || through.is_some_and(|app| app.posting.contains(signer))
        });
        if trusted {
            return Ok(());
        }
        Err(Refusal::MissingPostingAuthority {
            account,
            posting: state.posting.clone(),
        })
    }

    pub(super) fn account_mut(&mut self, name: &Account) -> Result<&mut AccountState, Refusal> {
        let account = self.accounts.get_mut(name);
        account.ok_or_else(|| Refusal::UnknownAccount(name.clone()))
    }

    fn post_mut(&mut self, name: &PostId) -> Result<&mut PostState, Refusal> {
        let post = self.posts.get_mut(name);
        post.ok_or_else(|| Refusal::UnknownPost(name.clone()))
    }

    fn comment(&mut self, comment: &Comment) -> Result<(), Refusal> {
        let now = self.head().timestamp;
        self.account_mut(&comment.post.author)?;
        if let Some(post) = self.posts.get_mut(&comment.post) {
            fill(post, comment);
            post.edited = now;
            return Ok(());
        }
        if let Some(parent) = &comment.parent {
            self.post_mut(parent)?.children += 1;
        }
        self.last_id += 1;
        let mut post = PostState::new(self.last_id, now, comment.parent.clone());
        fill(&mut post, comment);
        let author = self.account_mut(&comment.post.author)?;
        author.post_count += 1;
        if comment.parent.is_none() {
            author.posts.push(comment.post.permlink.clone());
        }
        self.posts.pending.insert(comment.post.clone(), Some(post));
        self.created.push(comment.post.clone());
        Ok(())
    }

    fn delete(&mut self, name: &PostId) -> Result<(), Refusal> {
        let post = self.post_mut(name)?;
        if post.children > 0 {
            return Err(Refusal::DeleteWithReplies);
        }
        if post.net_rshares() > 0 {
            return Err(Refusal::DeleteWithVotes);
        }
        let parent = post.parent.clone();
        if let Some(parent) = parent.and_then(|parent| self.posts.get_mut(&parent)) {
            parent.children = parent.children.saturating_sub(1);
        }
        let author = self.account_mut(&name.author)?;
        author.posts.retain(|permlink| *permlink != name.permlink);
        self.posts.pending.insert(name.clone(), None);
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
