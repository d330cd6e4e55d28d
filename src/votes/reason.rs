//! Why a vote waits, or ended without being cast. The one place that writes these sentences; the column `reason`
//! holds the text.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::PostId;
use crate::rules::filter::Refusal;
use crate::rules::rule::RuleId;
use crate::weight::Weight;

/// Why a vote is where it is. `Display` writes the sentence for people.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The voter voted by other means; such a row never votes again.
    VotedByHand,
    /// A fork undid the block that caused the vote.
    Undone,
    /// The leader that the vote follows took its own vote back.
    LeaderLeft(Account),
    /// Fewer leaders agree than the rule asks for.
    AgreementEnded,
    /// The signer accepted the vote, but no block holds it.
    ReachedNoBlock,
    /// No block holds the vote although the signer accepted it this often.
    NeverInBlock {
        /// How often the signer accepted it.
        times: u32,
    },
    /// The file of the rule, named here, has errors.
    FileUnreadable(String),
    /// The rule does not ask for the vote any more.
    NotNow(RuleId, NotNow),
    /// A filter of the rule turns the post away.
    Filter(Refusal),
    /// The post is older than `max_age`, now or when the vote is due.
    MaxAge {
        /// When the post was published.
        published: DateTime<Utc>,
        /// It is too old when the vote is due, or else now.
        when_due: bool,
    },
    /// The rule's window opens too late for `max_age`.
    WindowTooLate {
        /// When the window opens.
        opens: DateTime<Utc>,
    },
    /// The comment operation changed a post that existed before.
    Edit {
        /// When the post was published.
        published: DateTime<Utc>,
    },
    /// So many votes were cast that this key of `limit` allows no more.
    Limit {
        /// The key of `limit`.
        key: &'static str,
        /// Votes within the time of the limit.
        votes: u32,
    },
    /// The voter's mana, in hundredths of a percent, is below `min_mana`.
    MinMana {
        /// The voter's mana, in hundredths of a percent.
        has: u16,
        /// What the rule asks for.
        min: Weight,
    },
    /// No node knows the voter.
    NoAccount,
    /// No node knows the post, which may be too young for them.
    PostNotKnownYet,
    /// No node knows the post.
    NoSuchPost(PostId),
    /// The post was there once.
    PostDeleted,
    /// The voter has no token that can be used.
    NoToken(Account),
    /// The signer refuses the token that a refresh has just brought.
    NewTokenRefused(String),
    /// The daemon stopped while the request was on its way.
    StoppedEarly,
    /// The time for retries is over; what went wrong last.
    GaveUp {
        /// The time for retries.
        after: Duration,
        /// What went wrong last.
        trouble: Option<Box<Self>>,
    },
    /// The signer asks for a pause that ends after the time for retries.
    PauseTooLong {
        /// The pause that the signer asks for.
        asked: Duration,
        /// The time for retries.
        retry_for: Duration,
        /// What went wrong last.
        trouble: Box<Self>,
    },
    /// What the signer, a node or the database says, or what stands in the table.
    Told(String),
}

/// Why a rule, as the files are now, does not ask for a vote any more.
#[derive(Debug, Clone, PartialEq)]
pub enum NotNow {
    /// It is in no file any more.
    Gone,
    /// It has `enabled = false`.
    Off,
    /// Its `expires` has passed.
    Expired,
    /// It does not name this voter any more.
    Voter(Account),
    /// It does not cover this author any more.
    Author(Account),
    /// It does not follow this leader any more.
    Leader(Account),
    /// It does not follow a vote of this weight any more.
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

    /// The key of the rule file that decides, where one does.
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

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VotedByHand => f.write_str("voted by hand"),
            Self::Undone => f.write_str("the block that caused it was undone by a fork"),
            Self::LeaderLeft(leader) => write!(f, "@{leader} no longer votes on it"),
            Self::AgreementEnded => f.write_str("too few of the leaders agree any more"),
            Self::ReachedNoBlock => f.write_str("it was accepted but reached no block"),
            Self::NeverInBlock { times } => write!(
                f,
                "the signer accepted it {times} times, but it never reached a block"
            ),
            Self::FileUnreadable(path) => write!(f, "waits for {path}, which has errors"),
            Self::NotNow(rule, why) => write!(f, "the rule {rule} {why}"),
            Self::Filter(refusal) => refusal.fmt(f),
            Self::MaxAge {
                published,
                when_due,
            } => {
                let when = if *when_due {
                    ", when the vote is due"
                } else {
                    ""
                };
                write!(
                    f,
                    "max_age: the post is older, published {}{when}",
                    shown(published)
                )
            }
            Self::WindowTooLate { opens } => {
                write!(f, "window: it opens {}, too late for max_age", shown(opens))
            }
            Self::Edit { published } => {
                write!(f, "an edit, not a post: published {}", shown(published))
            }
            Self::Limit { key, votes: 1 } => write!(f, "limit.{key}: 1 vote was cast already"),
            Self::Limit { key, votes } => {
                write!(f, "limit.{key}: {votes} votes were cast already")
            }
            Self::MinMana { has, min } => write!(
                f,
                "min_mana: the voter has {}.{:02}%, less than {min}",
                has / 100,
                has % 100
            ),
            Self::NoAccount => f.write_str("no node knows the voter's account"),
            Self::PostNotKnownYet => f.write_str("no node knows the post yet"),
            Self::NoSuchPost(post) => write!(f, "the post {post} does not exist"),
            Self::PostDeleted => f.write_str("the post does not exist any more"),
            Self::NoToken(voter) => write!(
                f,
                "there is no usable token for @{voter}: `curatord auth import` brings one"
            ),
            Self::NewTokenRefused(text) => {
                write!(
                    f,
                    "the signer refuses the token that it has just handed out: {text}"
                )
            }
            Self::StoppedEarly => f.write_str("stopped before the signer had answered"),
            Self::GaveUp { after, trouble } => {
                write!(f, "tried for {} s without success", after.as_secs())?;
                trouble
                    .as_ref()
                    .map_or(Ok(()), |trouble| write!(f, ": {trouble}"))
            }
            Self::PauseTooLong {
                asked,
                retry_for,
                trouble,
            } => write!(
                f,
                "{trouble}: it asks for a pause of {} s, and `casting.retry_for` ({} s) ends before that: \
                 make it longer to have votes wait",
                asked.as_secs(),
                retry_for.as_secs()
            ),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for NotNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("is gone"),
            Self::Off => f.write_str("is switched off"),
            Self::Expired => f.write_str("has expired"),
            Self::Voter(voter) => write!(f, "no longer votes as @{voter}"),
            Self::Author(author) => write!(f, "no longer covers @{author}"),
            Self::Leader(leader) => write!(f, "no longer follows @{leader}"),
            Self::Weight => f.write_str("no longer follows such a vote"),
        }
    }
}

fn shown(at: &DateTime<Utc>) -> impl fmt::Display {
    at.format("%F %T")
}
