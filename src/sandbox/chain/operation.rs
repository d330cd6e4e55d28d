//! Operations and their JSON forms.

use serde_json::{Value, json};

use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;

/// An operation in a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// `vote`.
    Vote(Vote),
    /// `comment`.
    Comment(Comment),
    /// `comment_options`.
    CommentOptions {
        /// The post or comment that the options are for.
        post: PostId,
        /// In thousandths of HBD or SBD; 0 declines payout.
        max_accepted_payout: i64,
        /// False refuses upvotes.
        allow_votes: bool,
    },
    /// `delete_comment`.
    DeleteComment(PostId),
    /// Gives posting authority to these accounts and takes it from all others.
    AccountUpdate {
        /// The account that changes.
        account: Account,
        /// The accounts that may post and vote for it from now on.
        posting: Vec<Account>,
    },
    /// Any other operation, which has no effect.
    Other {
        /// The name without `_operation`.
        name: String,
        /// Its fields.
        value: Value,
    },
}

/// `vote`.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    /// Who votes.
    pub voter: Account,
    /// The post or comment voted on.
    pub post: PostId,
    /// In hundredths of a percent; the chain refuses values outside -10000 to 10000.
    pub weight: i16,
}

/// `comment`: a post, a comment on one, or an edit of either.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Its author and permlink.
    pub post: PostId,
    /// `None` for a post.
    pub parent: Option<PostId>,
    /// For a post, its tag or community. Unused for a comment.
    pub category: String,
    /// Empty for a comment, as a rule.
    pub title: String,
    /// The text, or a patch of it that starts with `@@ `.
    pub body: String,
    /// A text that should hold JSON.
    pub json_metadata: String,
}

/// `max_accepted_payout` of a post without a limit, in thousandths of HBD or SBD.
pub const NO_PAYOUT_LIMIT: i64 = 1_000_000_000;

/// The currency of payouts.
pub fn dollar(kind: ChainKind) -> &'static str {
    match kind {
        ChainKind::Hive => "HBD",
        ChainKind::Steem => "SBD",
    }
}

/// An amount of HBD or SBD in the form of `condenser_api`: `1.234 HBD`.
pub fn dollars(kind: ChainKind, thousandths: i64) -> String {
    format!(
        "{}.{:03} {}",
        thousandths / 1000,
        thousandths % 1000,
        dollar(kind)
    )
}

impl Operation {
    /// The name in blocks, without `_operation`.
    pub fn name(&self) -> &str {
        match self {
            Self::Vote(_) => "vote",
            Self::Comment(_) => "comment",
            Self::CommentOptions { .. } => "comment_options",
            Self::DeleteComment(_) => "delete_comment",
            Self::AccountUpdate { .. } => "account_update",
            Self::Other { name, .. } => name,
        }
    }

    /// The form of `condenser_api`: `["vote", {…}]`.
    pub fn condenser(&self, kind: ChainKind) -> Value {
        let limit = |thousandths| json!(dollars(kind, thousandths));
        json!([self.name(), self.value(kind, limit)])
    }

    /// The form of `block_api`: `{"type": "vote_operation", "value": {…}}`.
    pub fn block_api(&self, kind: ChainKind) -> Value {
        let limit = |thousandths: i64| json!({"amount": thousandths.to_string(), "precision": 3, "nai": "@@000000013"});
        json!({"type": format!("{}_operation", self.name()), "value": self.value(kind, limit)})
    }

    fn value(&self, kind: ChainKind, dollars: impl Fn(i64) -> Value) -> Value {
        match self {
            Self::Vote(vote) => json!({
                "voter": vote.voter.as_str(),
                "author": vote.post.author.as_str(),
                "permlink": &*vote.post.permlink,
                "weight": vote.weight,
            }),
            Self::Comment(comment) => {
                let (parent_author, parent_permlink) = comment.parent_fields();
                json!({
                    "parent_author": parent_author,
                    "parent_permlink": parent_permlink,
                    "author": comment.post.author.as_str(),
                    "permlink": &*comment.post.permlink,
                    "title": comment.title,
                    "body": comment.body,
                    "json_metadata": comment.json_metadata,
                })
            }
            Self::CommentOptions {
                post,
                max_accepted_payout,
                allow_votes,
            } => json!({
                "author": post.author.as_str(),
                "permlink": &*post.permlink,
                "max_accepted_payout": dollars(*max_accepted_payout),
                percent_field(kind): 10_000,
                "allow_votes": allow_votes,
                "allow_curation_rewards": true,
                "extensions": [],
            }),
            Self::DeleteComment(post) => json!({
                "author": post.author.as_str(),
                "permlink": &*post.permlink,
            }),
            Self::AccountUpdate { account, posting } => json!({
                "account": account.as_str(),
                "posting": authority(posting),
                "memo_key": MEMO_KEY,
                "json_metadata": "",
            }),
            Self::Other { value, .. } => value.clone(),
        }
    }
}

impl Comment {
    /// `parent_author` and `parent_permlink` in a block.
    pub fn parent_fields(&self) -> (&str, &str) {
        match &self.parent {
            Some(parent) => (parent.author.as_str(), &parent.permlink),
            None => ("", &self.category),
        }
    }
}

fn percent_field(kind: ChainKind) -> &'static str {
    match kind {
        ChainKind::Hive => "percent_hbd",
        ChainKind::Steem => "percent_steem_dollars",
    }
}

/// A public key that belongs to nobody.
pub const MEMO_KEY: &str = "STM1111111111111111111111111111111114T1Anm";

/// An authority of these accounts.
pub fn authority(accounts: &[Account]) -> Value {
    let accounts: Vec<Value> = accounts
        .iter()
        .map(|account| json!([account.as_str(), 1]))
        .collect();
    json!({"weight_threshold": 1, "account_auths": accounts, "key_auths": [[MEMO_KEY, 1]]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forms_differ_in_their_frame_and_in_amounts() {
        let post = PostId::new(Account::from_chain("bob"), "post");
        let options = Operation::CommentOptions {
            post,
            max_accepted_payout: 0,
            allow_votes: true,
        };
        assert_eq!(
            options.condenser(ChainKind::Steem)[1]["max_accepted_payout"],
            "0.000 SBD"
        );
        let block_api = options.block_api(ChainKind::Hive);
        assert_eq!(block_api["type"], "comment_options_operation");
        assert_eq!(
            block_api["value"]["max_accepted_payout"],
            json!({"amount": "0", "precision": 3, "nai": "@@000000013"})
        );
    }
}
