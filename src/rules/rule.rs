//! What a rule says, once its file has been read and found good.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;

use crate::account::Account;
use crate::weight::Weight;

/// `relative/path.toml:name`: names a rule in the queue, in logs and in tables. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// The rule `name` of the file at `path`, which is relative to the rules folder, with `/`.
    pub fn new(path: &str, name: &str) -> Self {
        Self(format!("{path}:{name}").into())
    }

    /// Takes an id as a table has it.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The whole id, `path:name`.
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
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// A rule of either kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// File and name.
    pub id: RuleId,
    /// Who votes; never empty, no doubles.
    pub voters: Vec<Account>,
    /// Whether it is on.
    pub enabled: bool,
    /// From the block's timestamp to the vote: at most 7 days.
    pub delay: Duration,
    /// The age of the post beyond which no vote goes out: at most 7 days.
    pub max_age: Duration,
    /// The most votes by this rule for one voter.
    pub limit: Limit,
    /// The voter's mana below which it does not vote, 0 to 100 %.
    pub min_mana: Option<Weight>,
    /// What becomes of a vote that is due while mana is below `min_mana`.
    pub below_min_mana: BelowMinMana,
    /// When votes may go out; `None` for always.
    pub window: Option<Window>,
    /// Whether posts, comments or both are voted on.
    pub kind: PostKind,
    /// Tags of the post, with its category.
    pub tags: Words,
    /// The post's community.
    pub communities: Words,
    /// The app that published the post, without its version.
    pub apps: Words,
    /// Parts of title or body.
    pub text: Words,
    /// The number of words in the body.
    pub words: Range,
    /// What the post may be paid.
    pub payout: Payout,
    /// Upvotes on the post above which it is skipped.
    pub max_votes: Option<u32>,
    /// When the rule goes off; `None` for never.
    pub expires: Option<DateTime<Utc>>,
    /// Whether a voter votes on its own posts.
    pub self_votes: bool,
    /// What makes it vote.
    pub trigger: Trigger,
}

/// What makes a rule vote.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// `[[author]]`: somebody publishes, or the hour strikes.
    Author(AuthorRule),
    /// `[[trail]]`: a leader votes.
    Trail(TrailRule),
}

/// The part of a rule that only `[[author]]` has.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorRule {
    /// Whose posts are voted on.
    pub authors: Authors,
    /// Authors whose posts are left out.
    pub except: HashSet<Account>,
    /// Never 0; negative for a downvote.
    pub weight: Weight,
    /// The times at which the newest posts are voted on; `None` to vote after each post.
    pub schedule: Option<Schedule>,
}

/// Whose posts an author rule votes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Authors {
    /// These accounts.
    Listed(Vec<Account>),
    /// `"*"`.
    Anyone,
}

/// `schedule`: a cron expression as written and the zone its times are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields with the minute first, or six with the second first.
    pub cron: String,
    /// The zone of its times.
    pub timezone: Tz,
}

/// The part of a rule that only `[[trail]]` has.
#[derive(Debug, Clone, PartialEq)]
pub struct TrailRule {
    /// Never empty, no doubles.
    pub leaders: Vec<Account>,
    /// The weight of its votes.
    pub weight: TrailWeight,
    /// Only posts of these; `None` for everybody's.
    pub authors: Option<HashSet<Account>>,
    /// Authors whose posts are left out.
    pub except: HashSet<Account>,
    /// A leader's vote of a smaller magnitude is not followed; hundredths of a percent, 0 to 10000.
    pub min_leader_weight: u16,
    /// What a leader's downvote brings.
    pub downvotes: Downvotes,
    /// How many of the leaders must have voted.
    pub agree: NonZeroU32,
}

/// The weight of a trail's votes: magnitudes in hundredths of a percent; the leader's vote gives the sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrailWeight {
    /// The same whatever the leader's: 1 to 10000.
    Fixed(u16),
    /// The leader's magnitude times `scale`, plus `offset`, then within `min` to `max`.
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

/// What a trail does about a leader's downvotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Downvotes {
    /// Follow upvotes only.
    #[default]
    Ignore,
    /// Follow upvotes and downvotes.
    Follow,
    /// Follow downvotes and nothing else.
    Only,
}

/// Which comment operations a rule speaks of.
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

/// Votes of a rule for one voter, in the last 24 and 168 hours; `None` is no limit.
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

/// What becomes of a vote that is due while mana is too low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BelowMinMana {
    /// It is skipped.
    #[default]
    Skip,
    /// It waits until there is enough, at most until `max_age`.
    Wait,
}

/// The hours in which votes may go out.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Inclusive.
    pub from: NaiveTime,
    /// Exclusive; `None` is 24:00. Before `from`: the window runs over midnight.
    pub to: Option<NaiveTime>,
    /// Days on which the window opens; empty for every day.
    pub days: Vec<Weekday>,
    /// The zone of its times.
    pub timezone: Tz,
}

/// Lower-case texts of which any, all or none must be there; empty lists ask nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// At least one of these must be there.
    pub any: Vec<String>,
    /// Each of these must be there.
    pub all: Vec<String>,
    /// None of these may be there.
    pub none: Vec<String>,
}

/// Both ends inclusive; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// The least.
    pub min: Option<u32>,
    /// The most.
    pub max: Option<u32>,
}

/// What a rule asks of a post's payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payout {
    /// Whether posts that decline payout are voted on too.
    pub declined: bool,
    /// Pending payout above which the post is skipped, in thousandths of HBD or SBD.
    pub max: Option<i64>,
}

impl TrailRule {
    /// The key by which a leader's vote of this weight is not followed, if it is not.
    pub fn turns_away(&self, leader: Weight) -> Option<&'static str> {
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
    /// The leader's weight turned into ours, or `None` where this trail does not follow such a vote
    /// (or is no trail).
    pub fn followed_weight(&self, leader: Weight) -> Option<Weight> {
        let Trigger::Trail(trail) = &self.trigger else {
            return None;
        };
        if trail.turns_away(leader).is_some() {
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

    /// Whether this is a trail that waits for more than one of its leaders.
    pub fn needs_agreement(&self) -> bool {
        matches!(&self.trigger, Trigger::Trail(trail) if trail.agree.get() > 1)
    }

    /// When a vote goes out that is wanted at `at`: then, or when the window opens.
    pub fn due_from(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.window
            .as_ref()
            .map_or(at, |window| window.open_from(at))
    }

    /// Whether a condition asks for what changes fast: votes and payout.
    pub fn watches_the_post(&self) -> bool {
        self.max_votes.is_some() || self.payout.max.is_some()
    }

    /// Whether the rule is in force at `now`: switched on and not expired.
    pub fn in_force(&self, now: DateTime<Utc>) -> bool {
        self.enabled && self.expires.is_none_or(|expires| now < expires)
    }

    /// Whether the rule speaks of posts of `author`: listed, and not excepted.
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
