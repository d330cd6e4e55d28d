//! Why a vote waits, or ended without being cast. The one place that writes these sentences; the column `reason`
//! holds the text.

use std::fmt::Display;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::post::PostId;
use crate::rules::filter::Refusal;
use crate::rules::rule::RuleId;
use crate::visible::one_line;
use crate::weight::Weight;

/// Why a vote is where it is. `Display` writes the sentence for people.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reason {
    /// The voter voted by other means; such a row never votes again.
    #[error("voted by hand")]
    VotedByHand,
    /// A fork undid the block that caused the vote.
    #[error("the block that caused it was undone by a fork")]
    Undone,
    /// The leader that the vote follows took its own vote back.
    #[error("@{0} no longer votes on it")]
    LeaderLeft(Account),
    /// Fewer leaders agree than the rule asks for.
    #[error("too few of the leaders agree any more")]
    AgreementEnded,
    /// The signer accepted the vote, but no block holds it.
    #[error("it was accepted but reached no block")]
    ReachedNoBlock,
    /// No block holds the vote although the signer accepted it this often.
    #[error("the signer accepted it {times} times, but it never reached a block")]
    NeverInBlock {
        /// How often the signer accepted it.
        times: u32,
    },
    /// The file of the rule, named here, has errors.
    #[error("waits for {}, which has errors", one_line(.0))]
    FileUnreadable(String),
    /// The rule does not ask for the vote any more.
    #[error("the rule {0} {1}")]
    NotNow(RuleId, NotNow),
    /// A filter of the rule turns the post away.
    #[error("{}", one_line(&.0.to_string()))]
    Filter(Refusal),
    /// The post is older than `max_age`, now or when the vote is due.
    #[error(
        "max_age: the post is older, published {}{}",
        shown(published),
        if *when_due { ", when the vote is due" } else { "" }
    )]
    MaxAge {
        /// When the post was published.
        published: DateTime<Utc>,
        /// It is too old when the vote is due, or else now.
        when_due: bool,
    },
    /// The rule's window opens too late for `max_age`.
    #[error("window: it opens {}, too late for max_age", shown(opens))]
    WindowTooLate {
        /// When the window opens.
        opens: DateTime<Utc>,
    },
    /// The comment operation changed a post that existed before.
    #[error("an edit, not a post: published {}", shown(published))]
    Edit {
        /// When the post was published.
        published: DateTime<Utc>,
    },
    /// This key of `limit` allows no more votes.
    #[error(
        "limit.{key}: {votes} {} cast already",
        if *votes == 1 { "vote was" } else { "votes were" }
    )]
    Limit {
        /// The key of `limit`.
        key: &'static str,
        /// Votes within the time of the limit.
        votes: u32,
    },
    /// The voter's mana is below `min_mana`.
    #[error("min_mana: the voter has {}.{:02}%, less than {min}", has / 100, has % 100)]
    MinMana {
        /// The voter's mana, in hundredths of a percent.
        has: u16,
        /// The value of `min_mana`.
        min: Weight,
    },
    /// The chain refused a vote since the voter's mana is used up, and this one costs more than there is.
    #[error("not enough mana until {}", minute(until))]
    NotEnoughMana {
        /// When the refill pays for it.
        until: DateTime<Utc>,
    },
    /// A cause that was reported once for all votes that it concerns.
    #[error("{0}")]
    Reported(Box<Self>),
    /// No node knows the voter.
    #[error("no node knows the voter's account")]
    NoAccount,
    /// No node knows the post, which may be too young for them.
    #[error("no node knows the post yet")]
    PostNotKnownYet,
    /// No node knows the post.
    #[error("the post {0} does not exist")]
    NoSuchPost(PostId),
    /// The post existed once.
    #[error("the post does not exist any more")]
    PostDeleted,
    /// The voter has no usable token.
    #[error("there is no usable token for @{0}: `curatord auth import` brings one")]
    NoToken(Account),
    /// The signer refuses the token that a refresh has just brought.
    #[error("the signer refuses the token that it has just handed out: {}", one_line(.0))]
    NewTokenRefused(String),
    /// The daemon stopped before the signer had answered.
    #[error("stopped before the signer had answered")]
    StoppedEarly,
    /// The time for retries is over.
    #[error(
        "tried for {} s without success{}",
        after.as_secs(),
        trouble.as_ref().map_or_else(String::new, |trouble| format!(": {trouble}"))
    )]
    GaveUp {
        /// The time for retries.
        after: Duration,
        /// The last failure.
        trouble: Option<Box<Self>>,
    },
    /// The signer asks for a pause that ends after the time for retries.
    #[error(
        "{trouble}: it asks for a pause of {} s, and `casting.retry_for` ({} s) ends before that: \
         make it longer to have votes wait",
        asked.as_secs(),
        retry_for.as_secs()
    )]
    PauseTooLong {
        /// The pause that the signer asks for.
        asked: Duration,
        /// The time for retries.
        retry_for: Duration,
        /// The last failure.
        trouble: Box<Self>,
    },
    /// A message of the signer, a node or the database, or the text in the table.
    #[error("{}", one_line(.0))]
    Told(String),
}

/// Why a rule, as the files are now, does not ask for a vote any more.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotNow {
    /// It is in no file any more.
    #[error("is gone")]
    Gone,
    /// It has `enabled = false`.
    #[error("is switched off")]
    Off,
    /// Its `expires` has passed.
    #[error("has expired")]
    Expired,
    /// It does not name this voter any more.
    #[error("no longer votes as @{0}")]
    Voter(Account),
    /// It does not cover this author any more.
    #[error("no longer covers @{0}")]
    Author(Account),
    /// It does not follow this leader any more.
    #[error("no longer follows @{0}")]
    Leader(Account),
    /// It does not follow a vote of this weight any more.
    #[error("no longer follows such a vote")]
    Weight,
}

impl Reason {
    /// The reason that a table holds as text.
    pub fn from_stored(text: String) -> Self {
        for known in [Self::VotedByHand, Self::Undone] {
            if text == known.to_string() {
                return known;
            }
        }
        Self::Told(text)
    }

    /// Whether the cause was reported once for all votes that it concerns.
    pub fn is_reported(&self) -> bool {
        match self {
            Self::Reported(_) | Self::NotEnoughMana { .. } => true,
            Self::GaveUp { trouble, .. } => trouble
                .as_ref()
                .is_some_and(|trouble| trouble.is_reported()),
            Self::PauseTooLong { trouble, .. } => trouble.is_reported(),
            _ => false,
        }
    }

    /// The key of the rule file that decides, if one does.
    pub fn condition(&self) -> Option<&'static str> {
        match self {
            Self::Filter(refusal) => Some(refusal.key),
            Self::MaxAge { .. } => Some("max_age"),
            Self::WindowTooLate { .. } => Some("window"),
            Self::Limit { .. } => Some("limit"),
            Self::MinMana { .. } => Some("min_mana"),
            _ => None,
        }
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::Told(text)
    }
}

/// The minute that begins at or after a moment.
fn minute(at: &DateTime<Utc>) -> impl Display {
    let rounded = at.checked_add_signed(TimeDelta::seconds(59)).unwrap_or(*at);
    rounded.format("%H:%M")
}

fn shown(at: &DateTime<Utc>) -> impl Display {
    at.format("%F %T")
}
