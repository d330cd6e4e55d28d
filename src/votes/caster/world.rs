//! What the caster works with: settings, the world it sees, the actions it asks for and what they bring back.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use super::lane::Limits;
use crate::account::Account;
use crate::chain::block::{Block, CommentOptions, OperationBody};
use crate::chain::content::Content;
use crate::chain::mana::AccountState;
use crate::network::ChainKind;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::votes::answer::Answer;
use crate::votes::change::Report;
use crate::votes::error_entry::ErrorEntry;
use crate::votes::vote::PastVotes;
use crate::weight::Weight;

/// The settings of the caster.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The kind of chain, which decides what a vote costs.
    pub kind: ChainKind,
    /// Whether to do everything but broadcast.
    pub dry_run: bool,
    /// Limits on requests in flight.
    pub limits: Limits,
    /// Time for retries after a vote is due.
    pub retry_for: Duration,
    /// Time within which a block must show a vote that was accepted.
    pub confirm_within: Duration,
    /// When posts are looked at.
    pub looks: Looks,
}

/// When posts are looked at, and how long the result is valid.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// Time before a vote is due at which its post is looked at, so that its request can leave on time.
    pub ahead: TimeDelta,
    /// Age up to which a node's answer about a post is valid.
    pub fresh: TimeDelta,
    /// A post younger than this is not looked at twice, unless a rule has a condition on values that change fast.
    pub young: TimeDelta,
    /// Age up to which "no node knows it" is valid.
    pub missing: TimeDelta,
}

impl Looks {
    /// For nodes, which take time to answer and are asked rarely.
    pub const LIVE: Self = Self {
        ahead: TimeDelta::seconds(1),
        fresh: TimeDelta::seconds(3),
        young: TimeDelta::seconds(10),
        missing: TimeDelta::milliseconds(500),
    };
    /// For posts in memory: every look is made at its moment.
    pub const INSTANT: Self = Self {
        ahead: TimeDelta::zero(),
        fresh: TimeDelta::zero(),
        young: TimeDelta::zero(),
        missing: TimeDelta::zero(),
    };
}

/// What the caster sees while it decides.
pub struct World<'a> {
    /// The moment of the decision.
    pub now: DateTime<Utc>,
    /// The rules in force.
    pub rules: &'a RuleSet,
    /// The access token of a voter, if there is one that can be used.
    pub token: &'a dyn Fn(&Account) -> Option<SecretString>,
    /// A random number from 0 to 1, which spreads retries that would otherwise coincide.
    pub chance: &'a dyn Fn() -> f64,
}

/// What is to be done outside the caster.
#[derive(Debug)]
pub enum Action {
    /// Ask a node for these posts.
    Look(Vec<PostId>),
    /// Ask the table for the votes of the last week of these voters by these rules.
    Count(Vec<(Account, RuleId)>),
    /// Ask a node for the mana of these voters.
    Weigh(Vec<Account>),
    /// Send this vote to the signer.
    Send(Request),
    /// Refresh the token of this voter, which the signer refused.
    Refresh {
        /// Whose token it is.
        voter: Account,
        /// The access token that the signer refused.
        refused: SecretString,
    },
    /// Record what became of a vote.
    Report(Report),
    /// Tell people about a cause that concerns many votes.
    Tell(Notice),
}

/// The beginning or the end of a cause that concerns many votes.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// A sentence for the log.
    pub text: String,
    /// The row for `error_log`, if something has begun that a person should look at.
    pub error: Option<ErrorEntry>,
}

/// A change of a post in a block. Nodes may not tell of it yet when a vote on the post is due.
#[derive(Debug, Clone, PartialEq)]
pub enum PostChange {
    /// New options.
    Options(CommentOptions),
    /// It was published or edited.
    Text(PostId),
    /// It was deleted.
    Deleted(PostId),
}

impl PostChange {
    /// The changes of posts in `block`.
    pub fn all(block: &Block) -> Vec<Self> {
        let changes = block
            .operations
            .iter()
            .filter_map(|operation| match &operation.body {
                OperationBody::CommentOptions(options) => Some(Self::Options(options.clone())),
                OperationBody::Comment(comment) => Some(Self::Text(comment.post.clone())),
                OperationBody::DeleteComment(post) => Some(Self::Deleted(post.clone())),
                OperationBody::Vote(_) => None,
            });
        changes.collect()
    }
}

/// What was seen of a post.
#[derive(Debug, Clone)]
pub enum Sight {
    /// The post as it is.
    Here(Box<Content>),
    /// No node knows it.
    Missing,
    /// A recording does not show it, and no later look will.
    Unseen,
}

impl Sight {
    /// Applies options, which can only be restricted once a post exists.
    pub(super) fn limit(&mut self, options: &CommentOptions) {
        if let Self::Here(content) = self {
            let most = content.max_accepted_payout.min(options.max_accepted_payout);
            content.max_accepted_payout = most;
            content.allow_votes &= options.allow_votes;
        }
    }
}

impl From<Option<Content>> for Sight {
    fn from(content: Option<Content>) -> Self {
        content.map_or(Self::Missing, |content| Self::Here(Box::new(content)))
    }
}

/// What an action brought back.
#[derive(Debug)]
pub enum Response {
    /// What was seen of these posts; `Err` where no node answered.
    Look(Vec<PostId>, Result<Vec<Sight>, String>),
    /// The votes of the last week of these voters by these rules; `None` where the table did not answer.
    Count(Vec<(Account, RuleId)>, Option<PastVotes>),
    /// The mana of these voters; `Err` where no node answered.
    Weigh(Vec<Account>, Result<Vec<AccountState>, String>),
    /// The signer's answer to the request for this vote, which left at this moment.
    Send(VoteKey, DateTime<Utc>, Answer),
    /// Whether the token of this voter was refreshed.
    Refresh(Account, Result<(), String>),
}

/// One request to the signer.
#[derive(Debug)]
pub struct Request {
    /// The vote.
    pub key: VoteKey,
    /// The weight of the vote.
    pub weight: Weight,
    /// Authorises the request.
    pub token: SecretString,
}
