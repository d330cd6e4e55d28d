//! A valid rule, as read from its file.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::visible::one_line;
use crate::weight::Weight;

/// Identifier of a rule in the queue, logs and tables: `relative/path.toml:name`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// Identifies the rule `name` in the file at `path`: relative to the rules folder, separated by `/`.
    pub fn new(path: &str, name: &str) -> Self {
        Self(format!("{path}:{name}").into())
    }

    /// Restores an identifier from a database row, as [`RuleId::as_str`] gave it.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The identifier as text: `path:name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file's path, relative to the rules folder.
    pub fn path(&self) -> &str {
        self.0
            .split_once(".toml:")
            .map_or(&self.0, |(stem, _)| &self.0[..stem.len() + ".toml".len()])
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&one_line(&self.0))
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// A rule of either kind. The fields are the keys of the rule file, with their defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// File and name of the rule.
    pub id: RuleId,
    /// Accounts that vote: at least one, without duplicates.
    pub voters: Vec<Account>,
    /// Whether the rule is on.
    pub enabled: bool,
    /// Delay between the block's timestamp and the vote: 0 to 7 days.
    pub delay: Duration,
    /// Maximum age of the post when the vote is cast: 1 second to 7 days.
    pub max_age: Duration,
    /// Maximum number of votes by this rule for one voter.
    pub limit: Limit,
    /// Mana that the voter must have: 0 to 100 %.
    pub min_mana: Option<Weight>,
    /// What happens to a vote that is due while mana is below `min_mana`.
    pub below_min_mana: BelowMinMana,
    /// Hours in which votes may be cast; `None` for always.
    pub window: Option<Window>,
    /// Kinds of posts that are voted on.
    pub kind: PostKind,
    /// Filter for tags, including the category.
    pub tags: Words,
    /// Filter for the community.
    pub communities: Words,
    /// Filter for the application, without its version.
    pub apps: Words,
    /// Filter for parts of title or body.
    pub text: Words,
    /// Number of words in the body.
    pub words: Range,
    /// Conditions on the payout.
    pub payout: Payout,
    /// Maximum number of upvotes on the post when the vote is due.
    pub max_votes: Option<u32>,
    /// Moment from which the rule is off; `None` for never.
    pub expires: Option<DateTime<Utc>>,
    /// Whether voters vote on their own posts.
    pub self_votes: bool,
    /// Cause of the votes.
    pub trigger: Trigger,
}

/// Cause of a rule's votes.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// `[[author]]`: an author publishes a post, or a scheduled time comes.
    Author(AuthorRule),
    /// `[[trail]]`: a leader casts a vote.
    Trail(TrailRule),
}

/// Keys that only `[[author]]` has.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorRule {
    /// Authors whose posts are voted on.
    pub authors: Authors,
    /// Authors whose posts are left out.
    pub except: HashSet<Account>,
    /// Weight of the vote: not 0; negative for a downvote.
    pub weight: Weight,
    /// The times at which the newest posts are voted on; `None` to vote after each post.
    pub schedule: Option<Schedule>,
}

/// Authors whose posts an author rule votes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Authors {
    /// These accounts.
    Listed(Vec<Account>),
    /// `"*"`: every author.
    Anyone,
}

/// A cron expression as written, and the time zone of its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields with the minute first, or six with the second first.
    pub cron: String,
    /// The zone of its times.
    pub timezone: Tz,
}

/// Keys that only `[[trail]]` has.
#[derive(Debug, Clone, PartialEq)]
pub struct TrailRule {
    /// Accounts whose votes are followed: at least one, without duplicates.
    pub leaders: Vec<Account>,
    /// Weight of the votes.
    pub weight: TrailWeight,
    /// Authors whose posts are voted on; `None` for every author.
    pub authors: Option<HashSet<Account>>,
    /// Authors whose posts are left out.
    pub except: HashSet<Account>,
    /// Minimum magnitude of a leader's vote, in hundredths of a percent: 0 to 10000.
    pub min_leader_weight: u16,
    /// Whether upvotes, downvotes or both are followed.
    pub downvotes: Downvotes,
    /// Number of leaders that must have voted.
    pub agree: NonZeroU32,
}

/// Weight of a trail's votes. All numbers are hundredths of a percent; the sign is that of the leader's vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrailWeight {
    /// The same for every vote: 1 to 10000.
    Fixed(u16),
    /// The leader's magnitude, multiplied by `scale`, plus `offset`, limited to `min` to `max`.
    Scaled {
        /// 1 to 100000 (0.01 % to 1000 %).
        scale: u32,
        /// -10000 to 10000.
        offset: i32,
        /// 0 to 10000.
        min: u16,
        /// 0 to 10000.
        max: u16,
    },
}

/// How a trail treats downvotes of its leaders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Downvotes {
    /// Follows upvotes only.
    #[default]
    Ignore,
    /// Follows upvotes and downvotes.
    Follow,
    /// Follows downvotes only.
    Only,
}

/// Kinds of posts that a rule votes on. A post has no parent; a comment has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PostKind {
    /// Posts only.
    #[default]
    Posts,
    /// Comments only.
    Comments,
    /// Posts and comments.
    All,
}

/// Maximum number of votes by one rule for one voter; `None` is no limit. A day is the last 24 hours, a week the
/// last 168 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    /// In 24 hours.
    pub per_day: Option<NonZeroU32>,
    /// In 168 hours.
    pub per_week: Option<NonZeroU32>,
    /// On posts of one author, in 24 hours.
    pub per_author_per_day: Option<NonZeroU32>,
    /// On posts of one author, in 168 hours.
    pub per_author_per_week: Option<NonZeroU32>,
}

/// What happens to a vote that is due while the voter's mana is below `min_mana`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BelowMinMana {
    /// It is skipped.
    #[default]
    Skip,
    /// It waits until there is enough mana, at most until `max_age`.
    Wait,
}

/// Hours in which votes may be cast.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Opening time, inclusive.
    pub from: NaiveTime,
    /// Closing time, exclusive; `None` is 24:00. The window spans midnight if this is before `from`.
    pub to: Option<NaiveTime>,
    /// Days on which the window opens; an empty list is every day.
    pub days: Vec<Weekday>,
    /// The zone of its times.
    pub timezone: Tz,
}

/// Lower-case texts of which any, all or none must be present. An empty list accepts everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// At least one of these must be present.
    pub any: Vec<String>,
    /// Each of these must be present.
    pub all: Vec<String>,
    /// None of these may be present.
    pub none: Vec<String>,
}

/// An inclusive range of counts; `None` is an open end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// Minimum.
    pub min: Option<u32>,
    /// Maximum.
    pub max: Option<u32>,
}

/// Conditions on a post's payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payout {
    /// Whether posts that decline payout are voted on too.
    pub declined: bool,
    /// Maximum pending payout, in thousandths of HBD or SBD.
    pub max: Option<i64>,
}

impl TrailRule {
    /// The key that keeps a leader's vote of this weight from being followed; `None` if it is followed.
    pub fn rejecting_key(&self, leader: Weight) -> Option<&'static str> {
        let follows_sign = match self.downvotes {
            Downvotes::Ignore => leader.hundredths() > 0,
            Downvotes::Follow => !leader.is_zero(),
            Downvotes::Only => leader.hundredths() < 0,
        };
        if !follows_sign {
            return Some("downvotes");
        }
        (leader.magnitude() < self.min_leader_weight).then_some("min_leader_weight")
    }
}

impl Rule {
    /// Whether votes of this rule wait for mana.
    pub fn waits_for_mana(&self) -> bool {
        self.min_mana.is_some() && self.below_min_mana == BelowMinMana::Wait
    }

    /// The weight of the vote that follows a leader's vote; `None` if this trail does not follow such a vote, or if
    /// this is an author rule.
    pub fn followed_weight(&self, leader: Weight) -> Option<Weight> {
        let Trigger::Trail(trail) = &self.trigger else {
            return None;
        };
        if trail.rejecting_key(leader).is_some() {
            return None;
        }
        let magnitude = match trail.weight {
            TrailWeight::Fixed(magnitude) => i64::from(magnitude),
            TrailWeight::Scaled {
                scale,
                offset,
                min,
                max,
            } => {
                // Hundredths times hundredths: 10000 is 1. Rounded half up; magnitudes are not negative.
                let scaled = (i64::from(leader.magnitude()) * i64::from(scale) + 5_000) / 10_000;
                (scaled + i64::from(offset)).clamp(i64::from(min), i64::from(max))
            }
        };
        let weight = Weight::clamped(magnitude * i64::from(leader.hundredths().signum()));
        (!weight.is_zero()).then_some(weight)
    }

    /// Whether this is a trail that needs the votes of several leaders.
    pub fn needs_agreement(&self) -> bool {
        matches!(&self.trigger, Trigger::Trail(trail) if trail.agree.get() > 1)
    }

    /// The due time of a vote wanted at `at`: `at` itself, or the next opening of the window.
    pub fn due_from(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.window
            .as_ref()
            .map_or(at, |window| window.open_from(at))
    }

    /// Whether a condition depends on votes or payout, which change quickly.
    pub fn watches_the_post(&self) -> bool {
        self.max_votes.is_some() || self.payout.max.is_some()
    }

    /// Whether the rule is enabled and has not expired at `now`.
    pub fn in_force(&self, now: DateTime<Utc>) -> bool {
        self.enabled && self.expires.is_none_or(|expires| now < expires)
    }

    /// Whether the rule votes on posts of `author`: listed in `authors`, and not in `except`.
    pub fn covers_author(&self, author: &Account) -> bool {
        match &self.trigger {
            Trigger::Author(rule) => {
                let listed = match &rule.authors {
                    Authors::Listed(authors) => authors.contains(author),
                    Authors::Anyone => true,
                };
                listed && !rule.except.contains(author)
            }
            Trigger::Trail(rule) => {
                rule.authors
                    .as_ref()
                    .is_none_or(|authors| authors.contains(author))
                    && !rule.except.contains(author)
            }
        }
    }
}
