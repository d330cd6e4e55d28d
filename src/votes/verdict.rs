//! What the rules, as they are now, and the post, as it is now, say to a vote whose moment has come.

use chrono::{DateTime, TimeDelta, Utc};

use crate::chain::content::Content;
use crate::post::VoteKey;
use crate::rules::facts::Facts;
use crate::rules::rule::{Rule, Trigger};
use crate::rules::set::RuleSet;
use crate::votes::fold::VOTED_BY_HAND;
use crate::votes::planner::PAYOUT_AFTER;
use crate::votes::vote::{Origin, Status, Vote};
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
    /// A node has it so, and this is what rules ask about it.
    Here(&'a Content, &'a Facts<'a>),
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
        Post::Here(content, facts) => Some((content, facts)),
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
    if let Some(standing) = content.and_then(|(content, _)| content.votes.of(&vote.key.voter)) {
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
    let Some((content, facts)) = content else {
        return match rule.admits(&Facts::unknown()) {
            Ok(()) => by_window(rule, None, now).unwrap_or(Verdict::Cast(weight)),
            Err(refusal) => Verdict::Skip(refusal.to_string()),
        };
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
    if let Err(refusal) = rule.admits(facts) {
        return Verdict::Skip(refusal.to_string());
    }
    if let Some(why) = too_old(rule, content, now) {
        return Verdict::Skip(why);
    }
    if let Some(verdict) = by_window(rule, Some(content), now) {
        return verdict;
    }
    Verdict::Cast(weight)
}

/// Why the post is too old for a vote by `rule` at `at`, if it is.
pub fn too_old(rule: &Rule, content: &Content, at: DateTime<Utc>) -> Option<String> {
    let age = at - content.created;
    let most = TimeDelta::from_std(rule.max_age).unwrap_or(TimeDelta::MAX);
    (age > most).then(|| {
        format!(
            "max_age: the post is older, published {}",
            content.created.format("%F %T")
        )
    })
}

/// What the rule's window says at `now`; `None` where it is open.
fn by_window(rule: &Rule, content: Option<&Content>, now: DateTime<Utc>) -> Option<Verdict> {
    let opens = rule.window.as_ref()?.open_from(now);
    if opens <= now {
        return None;
    }
    let late = content.and_then(|content| too_old(rule, content, opens));
    Some(match late {
        Some(_) => Verdict::Skip(format!(
            "window: it opens {}, too late for max_age",
            opens.format("%F %T")
        )),
        None => Verdict::Move { due_at: opens },
    })
}

/// The first rule, in order of precedence, that follows the leader's vote behind `vote` for its voter and
/// whose filters let the post through, with the weight it gives: what would have been planned had the post
/// been known when the block was read. `Err` says why not even the rule of `vote` does, and how the vote ends.
pub fn choose_trail<'a>(
    vote: &Vote,
    rules: &'a RuleSet,
    facts: &Facts<'_>,
    now: DateTime<Utc>,
) -> Result<(&'a Rule, Weight), (Status, String)> {
    let mut why = None;
    let (Some(leader), Some(leader_weight)) = (&vote.leader, vote.leader_weight) else {
        let why = "no leader's vote is followed".to_owned();
        return Err((Status::Withdrawn, why));
    };
    let VoteKey { voter, post } = &vote.key;
    for rule in rules.trail_rules_of(leader, voter) {
        let follows = rule.in_force(now)
            && (rule.self_votes || voter != &post.author)
            && rule.covers_author(&post.author)
            && leader != voter;
        // A trail that waits for several leaders is planned when they have agreed.
        let alone = rule.id == vote.rule || !rule.needs_agreement();
        let Some(weight) = rule
            .followed_weight(leader_weight)
            .filter(|_| follows && alone)
        else {
            continue;
        };
        match rule.admits(facts) {
            Ok(()) => return Ok((rule, weight)),
            Err(refusal) if rule.id == vote.rule => {
                why = Some((Status::Skipped, refusal.to_string()));
            }
            Err(_) => {}
        }
    }
    Err(why.unwrap_or_else(|| {
        let why = format!("the rule {} no longer follows such a vote", vote.rule);
        (Status::Withdrawn, why)
    }))
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
