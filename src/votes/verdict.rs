//! Whether a vote that is due goes out, by the rules and the post as they are now.

use chrono::{DateTime, TimeDelta, Utc};

use crate::chain::content::Content;
use crate::post::PAYOUT_AFTER;
use crate::post::VoteKey;
use crate::rules::facts::Facts;
use crate::rules::rule::{Rule, Trigger};
use crate::rules::set::RuleSet;
use crate::votes::asks::Ask;
use crate::votes::change::Unsuited;
use crate::votes::reason::{NotNow, Reason};
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// A post younger than this may still be unknown to a node that is a little behind.
pub const POST_MAY_BE_NEW: TimeDelta = TimeDelta::seconds(60);
/// Widest gap between the timestamps of a post and of its block that still counts as the same: the chain stamps some
/// posts with the time of the previous block.
const STAMP_OF_BLOCK_BEFORE: TimeDelta = TimeDelta::seconds(9);

/// What to do with a vote that is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Send it with this weight.
    Cast(Weight),
    /// The post has the vote already, and it is ours.
    Confirmed,
    /// A rule or a person declines.
    Skip(Reason),
    /// Its cause is gone.
    Withdraw(Reason),
    /// It can never be cast.
    Fail(Reason),
    /// It is due at another moment.
    Move {
        /// The new moment.
        due_at: DateTime<Utc>,
    },
    /// Not decidable yet: look again at `until`.
    Wait {
        /// When to look again.
        until: DateTime<Utc>,
        /// Why.
        reason: Reason,
    },
}

/// What is known about the post.
#[derive(Debug, Clone, Copy)]
pub enum Post<'a> {
    /// The post, and the facts that rules use.
    Here(&'a Content, &'a Facts<'a>),
    /// No node knows it.
    Missing,
    /// A recording does not show it: the vote goes out regardless of the post.
    Unseen,
}

/// Why a rule, as the files are now, does not have the vote any more.
#[derive(Debug, Clone, PartialEq)]
pub enum NoRule {
    /// It does not ask for it any more.
    Gone(Reason),
    /// Its file has errors, so it is not known whether it asks.
    Unreadable(Reason),
}

/// The rule that still asks for the vote `key`; `Ok(None)` if a person asks for it.
///
/// # Errors
/// Why no rule asks for it by `ask` now.
pub fn by_rule<'a>(
    key: &VoteKey,
    ask: &Ask,
    rules: &'a RuleSet,
    now: DateTime<Utc>,
) -> Result<Option<&'a Rule>, NoRule> {
    if ask.origin == Origin::Hand {
        return Ok(None);
    }
    let id = ask.rule.clone();
    let Some(rule) = rules.rule(&id) else {
        if rules.is_unreadable(&id) && now - ask.at < PAYOUT_AFTER {
            let reason = Reason::FileUnreadable(id.path().to_owned());
            return Err(NoRule::Unreadable(reason));
        }
        return Err(NoRule::Gone(Reason::NotNow(id, NotNow::Gone)));
    };
    let VoteKey { voter, post } = key;
    let why = if !rule.enabled {
        NotNow::Off
    } else if !rule.in_force(now) {
        NotNow::Expired
    } else if !rules.votes_as(rule, voter, &post.author) {
        NotNow::Voter(voter.clone())
    } else if !rule.covers_author(&post.author) {
        NotNow::Author(post.author.clone())
    } else if let (Trigger::Trail(trail), Some((leader, _))) = (&rule.trigger, &ask.leader)
        && !trail.leaders.contains(leader)
    {
        NotNow::Leader(leader.clone())
    } else {
        return Ok(Some(rule));
    };
    Err(NoRule::Gone(Reason::NotNow(id, why)))
}

/// Judges `vote` by its rule and its post. `tried` says that one of our requests may have reached the chain.
pub fn by_post(
    vote: &Vote,
    rule: Option<&Rule>,
    post: Post<'_>,
    tried: bool,
    now: DateTime<Utc>,
) -> Verdict {
    let ask = vote.ask();
    let content = match post {
        Post::Here(content, facts) => Some((content, facts)),
        Post::Unseen => None,
        Post::Missing if now - ask.at < POST_MAY_BE_NEW => {
            return Verdict::Wait {
                until: now + TimeDelta::seconds(1),
                reason: Reason::PostNotKnownYet,
            };
        }
        Post::Missing => return Verdict::Fail(Reason::NoSuchPost(vote.key.post.clone())),
    };
    let weight = match rule {
        Some(rule) => weight_now(ask, rule),
        None => Some(ask.weight),
    };
    if let Some(standing) = content.and_then(|(content, _)| content.votes.of(&vote.key.voter)) {
        let ours = tried && (standing == ask.weight || Some(standing) == weight);
        return match ours {
            true => Verdict::Confirmed,
            false => Verdict::Skip(Reason::VotedByHand),
        };
    }
    let Some(rule) = rule else {
        return Verdict::Cast(ask.weight);
    };
    let Some(weight) = weight else {
        return Verdict::Withdraw(Reason::NotNow(ask.rule.clone(), NotNow::Weight));
    };
    let Some((content, facts)) = content else {
        return match rule.admits(&Facts::unknown()) {
            Ok(()) => by_window(rule, None, now).unwrap_or(Verdict::Cast(weight)),
            Err(refusal) => Verdict::Skip(Reason::Filter(refusal)),
        };
    };
    if ask.origin == Origin::Author {
        // The post was deleted and published again: the new post counts.
        if content.created > ask.at && ask.due_at < content.created + rule.delay {
            return Verdict::Move {
                due_at: content.created + rule.delay,
            };
        }
        if let Some(edit) = edit(content, ask.at) {
            return Verdict::Withdraw(edit);
        }
    }
    if let Err(refusal) = rule.admits(facts) {
        return Verdict::Skip(Reason::Filter(refusal));
    }
    if is_too_old(rule, content.created, now) {
        return Verdict::Skip(too_old(content, false));
    }
    if let Some(verdict) = by_window(rule, Some(content), now) {
        return verdict;
    }
    Verdict::Cast(weight)
}

/// The asks of `vote` that drop out when its post is seen for the first time: comment operations that are edits, and
/// trails whose filters or `max_age` reject the post, since trails ask before the post is known.
pub fn unsuited(vote: &Vote, post: Post<'_>, rules: &RuleSet) -> Vec<Unsuited> {
    let asks = vote.asks.iter();
    let dropped = asks.filter_map(|ask| {
        let (status, reason) = unsuited_by(ask, post, rules)?;
        Some(Unsuited {
            cause: ask.cause(),
            status,
            reason,
        })
    });
    dropped.collect()
}

fn unsuited_by(ask: &Ask, post: Post<'_>, rules: &RuleSet) -> Option<(Status, Reason)> {
    let content = match post {
        Post::Here(content, _) => Some(content),
        Post::Unseen => None,
        Post::Missing => return None,
    };
    match ask.origin {
        Origin::Author => Some((Status::Withdrawn, edit(content?, ask.at)?)),
        Origin::Trail => {
            // A rule that is missing now may be back when the vote is due.
            let rule = rules.rule(&ask.rule)?;
            let admitted = match post {
                Post::Here(_, facts) => rule.admits(facts),
                _ => rule.admits(&Facts::unknown()),
            };
            if let Err(refusal) = admitted {
                return Some((Status::Skipped, Reason::Filter(refusal)));
            }
            let content =
                content.filter(|content| is_too_old(rule, content.created, ask.due_at))?;
            Some((Status::Skipped, too_old(content, true)))
        }
        Origin::Schedule | Origin::Hand => None,
    }
}

/// Whether a post is too old for a vote by `rule` at `at`.
pub fn is_too_old(rule: &Rule, published: DateTime<Utc>, at: DateTime<Utc>) -> bool {
    let most = TimeDelta::from_std(rule.max_age).unwrap_or(TimeDelta::MAX);
    at - published > most
}

/// The reason that the post is too old, now or when the vote is due.
pub fn too_old(content: &Content, when_due: bool) -> Reason {
    Reason::MaxAge {
        published: content.created,
        when_due,
    }
}

/// The verdict of the rule's window at `now`; `None` if it is open.
fn by_window(rule: &Rule, content: Option<&Content>, now: DateTime<Utc>) -> Option<Verdict> {
    let opens = rule.window.as_ref()?.open_from(now);
    if opens <= now {
        return None;
    }
    let late = content.is_some_and(|content| is_too_old(rule, content.created, opens));
    Some(match late {
        true => Verdict::Skip(Reason::WindowTooLate { opens }),
        false => Verdict::Move { due_at: opens },
    })
}

/// The weight that the rule as it is now gives the vote; `None` if a trail would not follow any more.
fn weight_now(ask: &Ask, rule: &Rule) -> Option<Weight> {
    match (&rule.trigger, &ask.leader) {
        (Trigger::Author(author), _) => Some(author.weight),
        (Trigger::Trail(_), Some((_, weight))) => rule.followed_weight(*weight),
        (Trigger::Trail(_), None) => None,
    }
}

/// The reason that the comment operation in the block of `event_at` changed a post that existed before.
fn edit(content: &Content, event_at: DateTime<Utc>) -> Option<Reason> {
    let untouched = content.last_update == Some(content.created);
    let stamped_before = event_at - content.created <= STAMP_OF_BLOCK_BEFORE && untouched;
    (content.created < event_at && !stamped_before).then_some(Reason::Edit {
        published: content.created,
    })
}
