//! What the caster works by, and what it has done by others.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use super::lane::Limits;
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::votes::change::Report;
use crate::weight::Weight;

/// What the caster works by.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Tells what a vote costs.
    pub kind: ChainKind,
    /// Everything but broadcasting.
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

/// When posts are looked at, and how long what was seen serves.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// Time before a vote is due at which its post is looked at, so that its request can leave on time.
    pub ahead: TimeDelta,
    /// Age up to which what a node said of a post serves.
    pub fresh: TimeDelta,
    /// A post younger than this is not looked at twice, unless a rule asks for what changes fast.
    pub young: TimeDelta,
    /// Age up to which "no node knows it" serves.
    pub missing: TimeDelta,
}

impl Looks {
    /// For nodes, which take their time and are asked rarely.
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

/// What the caster may look at while it decides.
pub struct World<'a> {
    /// The moment of the decision.
    pub now: DateTime<Utc>,
    /// The rules in force.
    pub rules: &'a RuleSet,
    /// The access token of a voter, if there is one that can be used.
    pub token: &'a dyn Fn(&Account) -> Option<SecretString>,
    /// A number from 0 to 1, another one each time: spreads what would come together.
    pub chance: &'a dyn Fn() -> f64,
}

/// What is to be done now.
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
    /// Write down what became of a vote.
    Report(Report),
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
