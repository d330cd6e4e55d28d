//! Refusals of transactions, worded as by hived and steemd.

use serde_json::{Value, json};

use super::operation::authority;
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;

/// The reason why the chain refuses a transaction. `Display` is the text of steemd.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// There is no such post.
    #[error("unknown key: unknown key: ")]
    UnknownPost(PostId),
    /// There is no such account.
    #[error("unknown key: unknown key: ")]
    UnknownAccount(Account),
    /// The voter has declined its voting rights.
    #[error("voter.can_vote: Voter has declined their voting rights.")]
    VotingRightsDeclined,
    /// The post refuses upvotes.
    #[error("comment.allow_votes: Votes are not allowed on the comment.")]
    VotesNotAllowed,
    /// Steem only: less than 3 s after the last vote.
    #[error("elapsed_seconds >= STEEM_MIN_VOTE_INTERVAL_SEC: Can only vote once every 3 seconds.")]
    TooSoon,
    /// There is no vote to take back.
    #[error("o.weight != 0: Vote weight cannot be 0.")]
    ZeroWeight,
    /// The weight is outside -10000 to 10000.
    #[error("abs(weight) <= STEEM_100_PERCENT: Weight is not a STEEMIT percentage")]
    WeightOutOfRange,
    /// Steem only: more than 5 changes of one vote.
    #[error(
        "itr->num_changes < STEEM_MAX_VOTE_CHANGES: Voter has used the maximum number of vote changes on this comment."
    )]
    TooManyChanges,
    /// The standing vote has the same weight.
    #[error("itr->vote_percent != o.weight: You have already voted in a similar way.")]
    IdenticalVote,
    /// In micro-VESTS.
    #[error(
        "voter.voting_manabar.has_mana( used_mana.to_uint64() ): Account does not have enough mana to vote."
    )]
    NotEnoughMana {
        /// What there is.
        voting: i64,
        /// What the vote costs.
        required: i64,
    },
    /// In micro-VESTS.
    #[error(
        "voter.voting_manabar.current_mana + voter.downvote_manabar.current_mana > used_mana: Account does not have enough mana to downvote."
    )]
    NotEnoughDownvoteMana {
        /// What there is in the voting bar.
        voting: i64,
        /// What there is in the downvote bar.
        downvote: i64,
        /// What the downvote costs.
        required: i64,
    },
    /// Steem only: below the dust threshold.
    #[error(
        "abs_rshares > STEEM_VOTE_DUST_THRESHOLD || o.weight == 0: Voting weight is too small, please accumulate more voting power or steem power."
    )]
    TooSmall,
    /// The voter lacks resource credits.
    #[error(
        "rc_mana_needed <= rc: Account has 0 RC, needs {required} RC. Please wait to transact, or power up STEEM."
    )]
    NotEnoughCredits {
        /// What the transaction costs.
        required: i64,
    },
    /// The signer may not sign for the account.
    #[error(
        "Missing Posting Authority {account} posting={} active={NOBODY} owner={NOBODY}",
        authority(posting)
    )]
    MissingPostingAuthority {
        /// The account that should have voted or posted.
        account: Account,
        /// The accounts that may sign for it.
        posting: Vec<Account>,
    },
    /// The operation changes what posting authority cannot change.
    #[error("Missing Active Authority {0}")]
    MissingActiveAuthority(Account),
    /// There is less to claim, or nothing is claimed: the expression and the sentence.
    #[error("{0}")]
    Claim(&'static str),
    /// The same transaction was submitted before.
    #[error("!is_known_transaction( trx_id ): Duplicate transaction check failed")]
    Duplicate {
        /// The transaction's id, 40 hex digits.
        trx_id: String,
    },
    /// A post with upvotes cannot be deleted.
    #[error("comment.net_rshares <= 0: Cannot delete a comment with net positive votes.")]
    DeleteWithVotes,
    /// A post with replies cannot be deleted.
    #[error("comment.children == 0: Cannot delete a comment with replies.")]
    DeleteWithReplies,
}

/// The authority of an account for which nobody may sign.
const NOBODY: &str = r#"{"weight_threshold":1,"account_auths":[],"key_auths":[]}"#;

impl Refusal {
    /// The answer of a node of this kind to a transaction by `by`: the failed expression, the sentence
    /// and the values.
    pub fn text(&self, kind: ChainKind, by: &Account) -> String {
        match kind {
            ChainKind::Hive => self.hive_text(by),
            ChainKind::Steem => self.to_string(),
        }
    }

    /// hived 1.28 repeats the sentence in the expression, and appends a category and a subject.
    fn hive_text(&self, by: &Account) -> String {
        let about = |category: &str, text: &str| {
            format!("{text} category=chain subject_type={category} subject={by}")
        };
        let voting = |expression: &str, sentence: &str| {
            let text = format!("{expression} && \"{sentence}\": {sentence}");
            about("voting", &text)
        };
        match self {
            Self::UnknownPost(PostId { author, permlink }) => about(
                "object",
                &format!("comment != nullptr: Comment {author}/{permlink} doesn't exist"),
            ),
            Self::UnknownAccount(account) => about(
                "account",
                &format!("acc != nullptr: could not find account {account}"),
            ),
            Self::VotingRightsDeclined => about("voting", &self.to_string()),
            Self::VotesNotAllowed => voting(
                "comment_cashout->allows_votes()",
                "Votes are not allowed on the comment.",
            ),
            Self::ZeroWeight => voting("o.weight != 0", "Vote weight cannot be 0."),
            Self::IdenticalVote => voting(
                "itr->get_vote_percent() != o.weight",
                "Your current vote on this comment is identical to this vote.",
            ),
            Self::NotEnoughMana { voting, required } => about(
                "balance",
                &format!(
                    "voter.voting_manabar.has_mana( fc::uint128_to_int64( used_mana ) ): \
                     Account does not have enough mana to vote. voting_mana: {voting} required_mana: {required}"
                ),
            ),
            Self::NotEnoughDownvoteMana {
                voting,
                downvote,
                required,
            } => about(
                "balance",
                &format!(
                    "voter.voting_manabar.current_mana + voter.downvote_manabar.current_mana > fc::uint128_to_int64( used_mana ): \
                     Account does not have enough mana to downvote. voting_mana: {voting} downvote_mana: {downvote} required_mana: {required}"
                ),
            ),
            // hived leaves a placeholder unfilled if its value is 0.
            Self::NotEnoughCredits { required } => format!(
                "Account: {by} has ${{rc_current}} RC, needs {required} RC. Please wait to transact or power up HIVE. rc_current=0"
            ),
            Self::Duplicate { trx_id } => format!("{self} trx_id={trx_id}"),
            Self::WeightOutOfRange => {
                "abs(weight) <= HIVE_100_PERCENT: Weight is not a HIVE percentage".to_owned()
            }
            // hived no longer has these rules, or words them like steemd.
            Self::MissingPostingAuthority { .. }
            | Self::MissingActiveAuthority(_)
            | Self::Claim(_)
            | Self::TooSoon
            | Self::TooManyChanges
            | Self::TooSmall
            | Self::DeleteWithVotes
            | Self::DeleteWithReplies => self.to_string(),
        }
    }

    /// The exception behind a refusal with this text: `data` of the JSON-RPC error and `jse_info` of
    /// HiveSigner.
    pub fn data(&self, text: &str) -> Value {
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
            Self::MissingActiveAuthority(_) => (
                3_010_000,
                "tx_missing_active_auth",
                "missing required active authority",
            ),
            _ => (10, "assert_exception", "Assert Exception"),
        };
        json!({
            "code": code,
            "name": name,
            "message": message,
            "stack": [{
                "context": {
                    "level": "error", "file": "hive_evaluator_social.cpp", "line": 643, "method": "hf20_vote_evaluator",
                    "hostname": "", "thread_name": "th_a", "timestamp": "2026-01-01T00:00:00",
                },
                "format": text,
                "data": {},
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(refusal: &Refusal, kind: ChainKind) -> String {
        refusal.text(kind, &Account::from_chain("alice"))
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
        let code = |refusal: Refusal| refusal.data("")["code"].clone();
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
