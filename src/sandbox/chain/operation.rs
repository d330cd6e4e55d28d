//! Operations and their JSON forms.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::asset::with_nai;
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
    /// Any other operation. Only some have an effect: see the module `json`.
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

/// An amount of HBD or SBD in the form of `condenser_api`: `1.234 HBD`.
pub fn dollars(kind: ChainKind, thousandths: i64) -> String {
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    match kind {
        ChainKind::Hive => format!("{whole}.{rest:03} HBD"),
        ChainKind::Steem => format!("{whole}.{rest:03} SBD"),
    }
}

/// A time in the form of nodes: UTC without a zone.
pub fn time(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A form of blocks in the answers of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Operations as `["vote", {…}]`, amounts as `"1.234 HBD"`.
    CondenserApi,
    /// Operations as `{"type": "vote_operation", "value": {…}}`, amounts as objects.
    BlockApi,
}

impl Operation {
    /// The account that it acts for; `None` if it names none.
    pub fn account(&self) -> Option<Account> {
        match self {
            Self::Vote(vote) => Some(vote.voter.clone()),
            Self::Comment(comment) => Some(comment.post.author.clone()),
            Self::CommentOptions { post, .. } | Self::DeleteComment(post) => {
                Some(post.author.clone())
            }
            Self::Other { value, .. } => {
                let name = value["account"].as_str();
                let name = name.or_else(|| value["required_posting_auths"][0].as_str());
                name.map(Account::from_chain)
            }
        }
    }

    /// The name in blocks, without `_operation`.
    pub fn name(&self) -> &str {
        match self {
            Self::Vote(_) => "vote",
            Self::Comment(_) => "comment",
            Self::CommentOptions { .. } => "comment_options",
            Self::DeleteComment(_) => "delete_comment",
            Self::Other { name, .. } => name,
        }
    }

    /// The operation in a block of a chain.
    pub fn json(&self, kind: ChainKind, form: Form) -> Value {
        let (name, value) = match self {
            Self::Vote(vote) => (
                "vote",
                json!({
                    "voter": vote.voter,
                    "author": vote.post.author,
                    "permlink": vote.post.permlink,
                    "weight": vote.weight,
                }),
            ),
            Self::Comment(comment) => {
                let (parent_author, parent_permlink) =
                    parent_fields(comment.parent.as_ref(), &comment.category);
                let value = json!({
                    "parent_author": parent_author,
                    "parent_permlink": parent_permlink,
                    "author": comment.post.author,
                    "permlink": comment.post.permlink,
                    "title": comment.title,
                    "body": comment.body,
                    "json_metadata": comment.json_metadata,
                });
                ("comment", value)
            }
            Self::CommentOptions {
                post,
                max_accepted_payout: limit,
                allow_votes,
            } => {
                let limit = match form {
                    Form::CondenserApi => json!(dollars(kind, *limit)),
                    Form::BlockApi => {
                        json!({"amount": limit.to_string(), "precision": 3, "nai": "@@000000013"})
                    }
                };
                let percent = match kind {
                    ChainKind::Hive => "percent_hbd",
                    ChainKind::Steem => "percent_steem_dollars",
                };
                let value = json!({
                    "author": post.author,
                    "permlink": post.permlink,
                    "max_accepted_payout": limit,
                    percent: 10_000,
                    "allow_votes": allow_votes,
                    "allow_curation_rewards": true,
                    "extensions": [],
                });
                ("comment_options", value)
            }
            Self::DeleteComment(post) => {
                let value = json!({"author": post.author, "permlink": post.permlink});
                ("delete_comment", value)
            }
            // The only one with amounts; the others hold texts of people.
            Self::Other { name, value } if name == "claim_reward_balance" => match form {
                Form::CondenserApi => (name.as_str(), value.clone()),
                Form::BlockApi => (name.as_str(), with_nai(value.clone())),
            },
            Self::Other { name, value } => (name.as_str(), value.clone()),
        };
        match form {
            Form::CondenserApi => json!([name, value]),
            Form::BlockApi => json!({"type": format!("{name}_operation"), "value": value}),
        }
    }
}

/// `parent_author` and `parent_permlink` of a comment, or of a post in a category.
pub fn parent_fields<'a>(parent: Option<&'a PostId>, category: &'a str) -> (&'a str, &'a str) {
    match parent {
        Some(parent) => (parent.author.as_str(), &parent.permlink),
        None => ("", category),
    }
}

/// A public key that belongs to nobody.
pub const MEMO_KEY: &str = "STM1111111111111111111111111111111114T1Anm";

/// An authority of these accounts.
pub fn authority(accounts: &[Account]) -> Value {
    let accounts: Vec<(&Account, u8)> = accounts.iter().map(|account| (account, 1)).collect();
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
            options.json(ChainKind::Steem, Form::CondenserApi)[1]["max_accepted_payout"],
            "0.000 SBD"
        );
        let block_api = options.json(ChainKind::Hive, Form::BlockApi);
        assert_eq!(block_api["type"], "comment_options_operation");
        assert_eq!(
            block_api["value"]["max_accepted_payout"],
            json!({"amount": "0", "precision": 3, "nai": "@@000000013"})
        );
    }
}
