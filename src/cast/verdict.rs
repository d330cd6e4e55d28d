//! What the rules, as they are now, and the post, as it is now, say to a vote whose moment has come.

use chrono::{DateTime, TimeDelta, Utc};

use crate::chain::content::Content;
use crate::queue::planner::{PAYOUT_AFTER, speaks_of};
use crate::queue::transition::VOTED_BY_HAND;
use crate::queue::vote::{Origin, Vote};
use crate::rules::rule::{Rule, Trigger};
use crate::rules::set::RuleSet;
use crate::weight::Weight;

/// A post younger than this may still be unknown to a node that is a little behind.
pub const POST_MAY_BE_NEW: TimeDelta = TimeDelta::seconds(60);
/// Where the chain stamps a post with the time of the block before its own: the widest gap between the two
/// that is taken for that.
const STAMP_OF_BLOCK_BEFORE: TimeDelta = TimeDelta::seconds(9);

/// What is to be done with a vote that is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    Cast(Weight),
    /// It stands on the post, and it is ours.
    Confirmed,
    Skip(String),
    Withdraw(String),
    Fail(String),
    /// It is due at another moment.
    Move {
        due_at: DateTime<Utc>,
    },
    /// Nobody can say yet: look again at `until`.
    Wait {
        until: DateTime<Utc>,
        reason: String,
    },
}

/// What is known of the post.
#[derive(Debug, Clone, Copy)]
pub enum Post<'a> {
    /// A node has it.
    Here(&'a Content),
    /// No node knows it.
    Unknown,
    /// Nobody was asked: what it is stops nothing.
    Unasked,
}

/// Judges `vote` by its rule alone: `Ok` holds the rule that still wants it.
///
/// # Errors
/// What to do instead of casting it.
pub fn by_rule<'a>(
    vote: &Vote,
    rules: &'a RuleSet,
    now: DateTime<Utc>,
) -> Result<Option<&'a Rule>, Verdict> {
    if vote.origin == Origin::Hand {
        return Ok(None);
    }
    let withdraw = |why: String| Err(Verdict::Withdraw(why));
    let Some(rule) = rules.rule(&vote.rule) else {
        if rules.is_unreadable(&vote.rule) && now - vote.event_at < PAYOUT_AFTER {
            let reason = format!("waits for {}, which has errors", vote.rule.path());
            return Err(Verdict::Wait {
                until: now + TimeDelta::seconds(10),
                reason,
            });
        }
        return withdraw(format!("the rule {} is gone", vote.rule));
    };
    if !rule.enabled {
        return withdraw(format!("the rule {} is switched off", vote.rule));
    }
    if !rule.in_force(now) {
        return withdraw(format!("the rule {} has expired", vote.rule));
    }
    if !rules.votes_as(rule, &vote.key.voter, &vote.key.post.author) {
        return withdraw(format!(
            "the rule {} no longer votes as @{}",
            vote.rule, vote.key.voter
        ));
    }
    if !rule.covers_author(&vote.key.post.author) {
        return withdraw(format!(
            "the rule {} no longer covers @{}",
            vote.rule, vote.key.post.author
        ));
    }
    if let (Trigger::Trail(trail), Some(leader)) = (&rule.trigger, &vote.leader)
        && !trail.leaders.contains(leader)
    {
        return withdraw(format!(
            "the rule {} no longer follows @{leader}",
            vote.rule
        ));
    }
    Ok(Some(rule))
}

/// Judges `vote` by its rule and its post. `tried` says that a request of ours may have reached the chain.
pub fn by_post(
    vote: &Vote,
    rule: Option<&Rule>,
    post: Post<'_>,
    tried: bool,
    now: DateTime<Utc>,
) -> Verdict {
    let content = match post {
        Post::Here(content) => Some(content),
        Post::Unasked => None,
        Post::Unknown if now - vote.event_at < POST_MAY_BE_NEW => {
            let reason = "no node knows the post yet".to_owned();
            return Verdict::Wait {
                until: now + TimeDelta::seconds(1),
                reason,
            };
        }
        Post::Unknown => {
            return Verdict::Fail(format!("the post {} does not exist", vote.key.post));
        }
    };
    let weight = match rule {
        Some(rule) => weight_now(vote, rule),
        None => Some(vote.weight),
    };
    if let Some(standing) = content.and_then(|content| content.vote_of(&vote.key.voter)) {
        let ours = tried && (standing == vote.weight || Some(standing) == weight);
        return if ours {
            Verdict::Confirmed
        } else {
            Verdict::Skip(VOTED_BY_HAND.to_owned())
        };
    }
    let Some(rule) = rule else {
        return Verdict::Cast(vote.weight);
    };
    let Some(weight) = weight else {
        return Verdict::Withdraw(format!(
            "the rule {} no longer follows such a vote",
            vote.rule
        ));
    };
    let Some(content) = content else {
        return Verdict::Cast(weight);
    };
    if vote.origin == Origin::Author {
        // Deleted and published again: the new post counts.
        if content.created > vote.event_at && vote.due_at < content.created + rule.delay {
            return Verdict::Move {
                due_at: content.created + rule.delay,
            };
        }
        if is_edit(content, vote.event_at) {
            return Verdict::Withdraw(edit_of(content));
        }
    }
    if !speaks_of(rule.kind, content.parent_author.is_empty()) {
        return Verdict::Skip("the rule's kind leaves it out".to_owned());
    }
    let age = now - content.created;
    if age > TimeDelta::from_std(rule.max_age).unwrap_or(TimeDelta::MAX) {
        return Verdict::Skip(format!(
            "older than max_age: published {}",
            content.created.format("%F %T")
        ));
    }
    Verdict::Cast(weight)
}

/// The weight that the rule as it is now gives the vote; `None` where a trail would not follow any more.
fn weight_now(vote: &Vote, rule: &Rule) -> Option<Weight> {
    match &rule.trigger {
        Trigger::Author(author) => Some(author.weight),
        Trigger::Trail(_) => rule.followed_weight(vote.leader_weight?),
    }
}

/// Whether the comment operation in the block of `event_at` changed a post that was there before.
pub fn is_edit(content: &Content, event_at: DateTime<Utc>) -> bool {
    let untouched = content.last_update == Some(content.created);
    let stamped_before = event_at - content.created <= STAMP_OF_BLOCK_BEFORE && untouched;
    content.created < event_at && !stamped_before
}

/// The reason of a vote that was asked for by an edit.
pub fn edit_of(content: &Content) -> String {
    format!(
        "an edit, not a post: published {}",
        content.created.format("%F %T")
    )
}
