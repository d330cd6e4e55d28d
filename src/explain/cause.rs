//! What makes a rule vote on a post: its publication, or the votes of leaders.

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::explain::known::Known;
use crate::rules::rule::{AuthorRule, Rule, TrailRule, Trigger};
use crate::votes::change::LeaderVote;
use crate::votes::followers::Followers;
use crate::votes::status::Origin;
use crate::weight::Weight;

/// More names than this are counted only.
const MOST_NAMES: usize = 5;

/// What makes a rule vote.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    pub origin: Origin,
    pub at: DateTime<Utc>,
    /// Ours.
    pub weight: Weight,
    pub leader: Option<(Account, Weight)>,
}

/// Why nothing makes it vote.
#[derive(Debug, Clone, PartialEq)]
pub enum NoCause {
    /// The condition, and its value.
    Not(&'static str, String),
    Unknown(&'static str, String),
}

/// What makes `rule` vote as `voter` on the post of `known`.
pub fn of(rule: &Rule, voter: &Account, known: &Known) -> Result<Cause, NoCause> {
    match &rule.trigger {
        Trigger::Author(author) => publication(author, known),
        Trigger::Trail(trail) => leaders(rule, trail, voter, known),
    }
}

fn publication(author: &AuthorRule, known: &Known) -> Result<Cause, NoCause> {
    match &known.content {
        Ok(Some(content)) => Ok(Cause {
            origin: match author.schedule {
                Some(_) => Origin::Schedule,
                None => Origin::Author,
            },
            at: content.created,
            weight: author.weight,
            leader: None,
        }),
        Ok(None) => Err(NoCause::Not("post", "no node knows it".to_owned())),
        Err(why) => Err(NoCause::Unknown("post", why.clone())),
    }
}

fn leaders(
    rule: &Rule,
    trail: &TrailRule,
    voter: &Account,
    known: &Known,
) -> Result<Cause, NoCause> {
    let read = match &known.tables {
        Ok(tables) => &tables.leader_votes,
        Err(why) => return Err(NoCause::Unknown("leaders", why.clone())),
    };
    let followers = Followers::agreeing(rule, read);
    if followers.agree(rule) {
        // The vote that makes the number full, or the first after it that is not the voter's own.
        let full = trail.agree.get() as usize - 1;
        let oldest_first = followers.votes().iter().rev();
        let Some(vote) = oldest_first.skip(full).find(|vote| vote.leader != *voter) else {
            return Err(NoCause::Not(
                "leaders",
                format!("@{voter} leads, and does not follow itself"),
            ));
        };
        if let Some(weight) = rule.followed_weight(vote.weight) {
            return Ok(Cause {
                origin: Origin::Trail,
                at: vote.at,
                weight,
                leader: Some((vote.leader.clone(), vote.weight)),
            });
        }
    }
    if let agreeing @ [_, ..] = followers.votes() {
        let names = agreeing.iter().map(|vote| &vote.leader);
        let why = format!(
            "{} of {} leaders agree: {}",
            agreeing.len(),
            trail.agree,
            listed(names)
        );
        return Err(NoCause::Not("agree", why));
    }
    let last = read
        .iter()
        .rev()
        .find(|vote| trail.leaders.contains(&vote.leader));
    Err(match last {
        Some(vote) => not_followed(trail, vote),
        None => nobody_voted(trail, known),
    })
}

/// Why the one vote of a leader that there is makes nobody vote.
fn not_followed(trail: &TrailRule, vote: &LeaderVote) -> NoCause {
    let (leader, weight) = (&vote.leader, vote.weight);
    if weight.is_zero() {
        return NoCause::Not("leaders", format!("@{leader} took its vote back"));
    }
    let (condition, why) = match trail.rejecting_key(weight) {
        Some("min_leader_weight") => {
            let min = Weight::clamped(trail.min_leader_weight.into());
            let why = format!("@{leader} voted {weight}, less than {min}");
            ("min_leader_weight", why)
        }
        Some(condition) => {
            let why = format!("@{leader} voted {weight}, which the rule does not follow");
            (condition, why)
        }
        None => {
            let why = format!("@{leader} voted {weight}, of which 0% would be left");
            ("weight", why)
        }
    };
    NoCause::Not(condition, why)
}

/// No vote of a leader was read; the post may hold one all the same.
fn nobody_voted(trail: &TrailRule, known: &Known) -> NoCause {
    let voted = |leader: &&Account| {
        let weight = known.content()?.votes.of(leader)?;
        (!weight.is_zero()).then_some(weight)
    };
    let mut unread = trail
        .leaders
        .iter()
        .filter_map(|leader| Some((leader, voted(&leader)?)));
    let why = match unread.next() {
        Some((leader, weight)) => {
            format!("@{leader} voted {weight}, but no daemon has read that from the chain so far")
        }
        None => format!("none of them has voted on it: {}", listed(&trail.leaders)),
    };
    NoCause::Not("leaders", why)
}

/// `@a, @b and 3 more`.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a Account>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("@{name}")).collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}
