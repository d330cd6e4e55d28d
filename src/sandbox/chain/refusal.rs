//! Refusals of transactions, worded as by hived and steemd.

use serde_json::{Value, json};

use super::operation::authority;
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;

/// The reason why the chain refuses a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// There is no such post.
    UnknownPost(PostId),
    /// There is no such account.
    UnknownAccount(Account),
    /// The voter has declined its voting rights.
    VotingRightsDeclined,
    /// The post refuses upvotes.
    VotesNotAllowed,
    /// Steem only: less than 3 s after the last vote.
    TooSoon,
    /// There is no vote to take back.
    ZeroWeight,
    /// The weight is outside -10000 to 10000.
    WeightOutOfRange,
    /// Steem only: more than 5 changes of one vote.
    TooManyChanges,
    /// The standing vote has the same weight.
    IdenticalVote,
    /// In micro-VESTS.
    NotEnoughMana {
        /// What there is.
        voting: i64,
        /// What the vote costs.
        required: i64,
    },
    /// In micro-VESTS.
    NotEnoughDownvoteMana {
        /// What there is in the voting bar.
        voting: i64,
        /// What there is in the downvote bar.
        downvote: i64,
        /// What the downvote costs.
        required: i64,
    },
    /// Steem only: below the dust threshold.
    TooSmall,
    /// The voter lacks resource credits.
    NotEnoughCredits {
        /// What the transaction costs.
        required: i64,
    },
    /// The signer may not sign for the account.
    MissingPostingAuthority {
        /// The account that should have voted or posted.
        account: Account,
        /// The accounts that may sign for it.
        posting: Vec<Account>,
    },
    /// The same transaction was submitted before.
    Duplicate {
        /// The transaction's id, 40 hex digits.
        trx_id: String,
    },
    /// A post with upvotes cannot be deleted.
    DeleteWithVotes,
    /// A post with replies cannot be deleted.
    DeleteWithReplies,
}

/// A refusal in the answer of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The failed expression, the sentence and the values.
    pub text: String,
    /// 10 for assertions, 4100100 for resource credits, 3030000 for missing posting authority.
    pub code: i64,
    /// The name of the exception.
    pub name: &'static str,
    /// The kind of the exception, in a few words.
    pub message: &'static str,
}

impl Explanation {
    /// `data` of the JSON-RPC error and `jse_info` of HiveSigner.
    pub fn data(&self) -> Value {
        json!({
            "code": self.code,
            "name": self.name,
            "message": self.message,
            "stack": [{
                "context": {
                    "level": "error", "file": "hive_evaluator_social.cpp", "line": 643, "method": "hf20_vote_evaluator",
                    "hostname": "", "thread_name": "th_a", "timestamp": "2026-01-01T00:00:00",
                },
                "format": self.text,
                "data": {},
            }],
        })
    }
}

impl Refusal {
    /// The answer of a node of this kind to a transaction by `by`.
    pub fn explain(&self, kind: ChainKind, by: &Account) -> Explanation {
        let (code, name, message) = match self {
            Self::NotEnoughCredits { .. } => (
                4_100_100,
                "not_enough_rc_exception",
                "Account does not have enough RC",
            ),
            Self::MissingPostingAuthority { .. } => (
                3_030_000,
                "tx_missing_posting_auth",
                "missing required posting authority",
            ),
            _ => (10, "assert_exception", "Assert Exception"),
        };
        let text = match kind {
            ChainKind::Hive => self.hive_text(by),
            ChainKind::Steem => self.steem_text(),
        };
        Explanation {
            text,
            code,
            name,
            message,
        }
    }

    /// hived 1.28 repeats the sentence in the expression, and appends a category and a subject.
    fn hive_text(&self, by: &Account) -> String {
        let by = by.as_str();
        let voting = |expression: &str, sentence: &str| {
            format!(
                "{expression} && \"{sentence}\": {sentence} category=chain subject_type=voting subject={by}"
            )
        };
        let balance = |expression: &str, sentence: String| {
            format!("{expression}: {sentence} category=chain subject_type=balance subject={by}")
        };
        match self {
            Self::UnknownPost(post) => format!(
                "comment != nullptr: Comment {}/{} doesn't exist category=chain subject_type=object subject={by}",
                post.author.as_str(),
                post.permlink
            ),
            Self::UnknownAccount(account) => format!(
                "acc != nullptr: could not find account {} category=chain subject_type=account subject={by}",
                account.as_str()
            ),
            Self::VotingRightsDeclined => format!(
                "voter.can_vote: Voter has declined their voting rights. category=chain subject_type=voting subject={by}"
            ),
            Self::VotesNotAllowed => voting(
                "comment_cashout->allows_votes()",
                "Votes are not allowed on the comment.",
            ),
            Self::ZeroWeight => voting("o.weight != 0", "Vote weight cannot be 0."),
            Self::IdenticalVote => voting(
                "itr->get_vote_percent() != o.weight",
                "Your current vote on this comment is identical to this vote.",
            ),
            Self::NotEnoughMana { voting, required } => balance(
                "voter.voting_manabar.has_mana( fc::uint128_to_int64( used_mana ) )",
                format!(
                    "Account does not have enough mana to vote. voting_mana: {voting} required_mana: {required}"
                ),
            ),
            Self::NotEnoughDownvoteMana {
                voting,
                downvote,
                required,
            } => balance(
                "voter.voting_manabar.current_mana + voter.downvote_manabar.current_mana > fc::uint128_to_int64( used_mana )",
                format!(
                    "Account does not have enough mana to downvote. voting_mana: {voting} downvote_mana: {downvote} required_mana: {required}"
                ),
            ),
            // hived leaves a placeholder unfilled if its value is 0.
            Self::NotEnoughCredits { required } => format!(
                "Account: {by} has ${{rc_current}} RC, needs {required} RC. Please wait to transact or power up HIVE. rc_current=0"
            ),
            Self::Duplicate { trx_id } => format!(
                "!is_known_transaction( trx_id ): Duplicate transaction check failed trx_id={trx_id}"
            ),
            Self::WeightOutOfRange => {
                "abs(weight) <= HIVE_100_PERCENT: Weight is not a HIVE percentage".to_owned()
            }
            Self::MissingPostingAuthority { account, posting } => {
                missing_authority(account, posting)
            }
            // hived no longer has these rules, or words them like steemd.
            Self::TooSoon
            | Self::TooManyChanges
            | Self::TooSmall
            | Self::DeleteWithVotes
            | Self::DeleteWithReplies => self.steem_text(),
        }
    }

    fn steem_text(&self) -> String {
        let text = match self {
            Self::UnknownPost(_) | Self::UnknownAccount(_) => "unknown key: unknown key: ",
            Self::VotingRightsDeclined => "voter.can_vote: Voter has declined their voting rights.",
            Self::VotesNotAllowed => "comment.allow_votes: Votes are not allowed on the comment.",
            Self::TooSoon => {
                "elapsed_seconds >= STEEM_MIN_VOTE_INTERVAL_SEC: Can only vote once every 3 seconds."
            }
            Self::ZeroWeight => "o.weight != 0: Vote weight cannot be 0.",
            Self::WeightOutOfRange => {
                "abs(weight) <= STEEM_100_PERCENT: Weight is not a STEEMIT percentage"
            }
            Self::TooManyChanges => {
                "itr->num_changes < STEEM_MAX_VOTE_CHANGES: Voter has used the maximum number of vote changes on this comment."
            }
            Self::IdenticalVote => {
                "itr->vote_percent != o.weight: You have already voted in a similar way."
            }
            Self::NotEnoughMana { .. } => {
                "voter.voting_manabar.has_mana( used_mana.to_uint64() ): Account does not have enough mana to vote."
            }
            Self::NotEnoughDownvoteMana { .. } => {
                "voter.voting_manabar.current_mana + voter.downvote_manabar.current_mana > used_mana: Account does not have enough mana to downvote."
            }
            Self::TooSmall => {
                "abs_rshares > STEEM_VOTE_DUST_THRESHOLD || o.weight == 0: Voting weight is too small, please accumulate more voting power or steem power."
            }
            Self::NotEnoughCredits { required } => {
                return format!(
                    "rc_mana_needed <= rc: Account has 0 RC, needs {required} RC. Please wait to transact, or power up STEEM."
                );
            }
            Self::MissingPostingAuthority { account, posting } => {
                return missing_authority(account, posting);
            }
            Self::Duplicate { .. } => {
                "!is_known_transaction( trx_id ): Duplicate transaction check failed"
            }
            Self::DeleteWithVotes => {
                "comment.net_rshares <= 0: Cannot delete a comment with net positive votes."
            }
            Self::DeleteWithReplies => {
                "comment.children == 0: Cannot delete a comment with replies."
            }
        };
        text.to_owned()
    }
}

fn missing_authority(account: &Account, posting: &[Account]) -> String {
    let nobody = r#"{"weight_threshold":1,"account_auths":[],"key_auths":[]}"#;
    format!(
        "Missing Posting Authority {} posting={} active={nobody} owner={nobody}",
        account.as_str(),
        authority(posting)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(refusal: &Refusal, kind: ChainKind) -> String {
        refusal.explain(kind, &Account::from_chain("alice")).text
    }

    #[test]
    fn an_identical_vote_has_the_text_of_each_chain() {
        assert_eq!(
            text(&Refusal::IdenticalVote, ChainKind::Hive),
            "itr->get_vote_percent() != o.weight && \"Your current vote on this comment is identical to this vote.\": \
             Your current vote on this comment is identical to this vote. category=chain subject_type=voting subject=alice"
        );
        assert_eq!(
            text(&Refusal::IdenticalVote, ChainKind::Steem),
            "itr->vote_percent != o.weight: You have already voted in a similar way."
        );
    }

    #[test]
    fn refusals_carry_the_code_of_their_exception() {
        let alice = Account::from_chain("alice");
        let code = |refusal: Refusal| refusal.explain(ChainKind::Hive, &alice).code;
        assert_eq!(code(Refusal::ZeroWeight), 10);
        assert_eq!(code(Refusal::NotEnoughCredits { required: 5 }), 4_100_100);
        let missing = Refusal::MissingPostingAuthority {
            account: alice.clone(),
            posting: Vec::new(),
        };
        assert_eq!(code(missing), 3_030_000);
    }

    #[test]
    fn the_text_about_lacking_credits_has_an_unfilled_placeholder() {
        assert_eq!(
            text(
                &Refusal::NotEnoughCredits {
                    required: 123_456_789
                },
                ChainKind::Hive
            ),
            "Account: alice has ${rc_current} RC, needs 123456789 RC. Please wait to transact or power up HIVE. rc_current=0"
        );
    }

    #[test]
    fn the_text_about_lacking_mana_has_the_current_and_the_required_mana() {
        assert_eq!(
            text(
                &Refusal::NotEnoughMana {
                    voting: 123,
                    required: 4_567_890_123
                },
                ChainKind::Hive
            ),
            "voter.voting_manabar.has_mana( fc::uint128_to_int64( used_mana ) ): Account does not have enough mana to vote. \
             voting_mana: 123 required_mana: 4567890123 category=chain subject_type=balance subject=alice"
        );
    }
}
