//! What makes a rule vote on a post: its publication, or the votes of leaders.

use crate::account::Account;
use crate::explain::decide::Case;
use crate::explain::known::Known;
use crate::explain::{Found, no, unknown};
use crate::rules::rule::{Rule, TrailRule, Trigger};
use crate::votes::asks::Ask;
use crate::votes::change::LeaderVote;
use crate::votes::followers::Followers;
use crate::votes::status::Origin;
use crate::weight::Weight;

/// Maximum number of names in a list; the rest are counted.
const MOST_NAMES: usize = 5;

/// What `rule` asks for as `voter`.
///
/// # Errors
/// Why it asks for nothing, or what is not known.
pub fn of(rule: &Rule, voter: &Account, case: &Case<'_>) -> Result<Ask, Found> {
    let (origin, at, weight, leader) = match &rule.trigger {
        Trigger::Author(author) => {
            let origin = match author.schedule {
                Some(_) => Origin::Schedule,
                None => Origin::Author,
            };
            let (content, _) = case.post()?;
            (origin, content.created, author.weight, None)
        }
        Trigger::Trail(trail) => {
            let (vote, weight) = followed(rule, trail, voter, case.known)?;
            let leader = (vote.leader.clone(), vote.weight);
            (Origin::Trail, vote.at, weight, Some(leader))
        }
    };
    Ok(Ask {
        rule: rule.id.clone(),
        origin,
        weight,
        due_at: at + rule.delay,
        block: 0,
        at,
        leader,
    })
}

/// The vote of a leader that `rule` follows, and the weight of the vote that follows it.
fn followed<'a>(
    rule: &Rule,
    trail: &TrailRule,
    voter: &Account,
    known: &'a Known,
) -> Result<(&'a LeaderVote, Weight), Found> {
    let tables = known.tables.as_ref();
    let read = &tables.map_err(|why| unknown("leaders", why))?.leader_votes;
    let followers = Followers::agreeing(rule, read);
    let agreeing = followers.votes();
    if followers.agree(rule) {
        // The vote that completes the number, or the first one after it that is not the voter's own.
        let oldest_first = agreeing.iter().rev();
        let followed = oldest_first
            .skip(trail.agree.get() as usize - 1)
            .filter(|vote| vote.leader != *voter)
            .find_map(|vote| Some((*vote, rule.followed_weight(vote.weight)?)));
        let itself = || format!("@{voter} leads, and does not follow itself");
        return followed.ok_or_else(|| no("leaders", itself()));
    }
    if !agreeing.is_empty() {
        let names = listed(agreeing.iter().map(|vote| &vote.leader));
        let (count, wanted) = (agreeing.len(), trail.agree);
        let why = format!("{count} of {wanted} leaders agree: {names}");
        return Err(no("agree", why));
    }
    let mut newest_first = read.iter().rev();
    let last = newest_first.find(|vote| trail.leaders.contains(&vote.leader));
    Err(match last {
        Some(vote) => not_followed(trail, vote),
        None => nobody_voted(trail, known),
    })
}

/// Why nobody follows the only vote of a leader.
fn not_followed(trail: &TrailRule, vote: &LeaderVote) -> Found {
    let (leader, weight) = (&vote.leader, vote.weight);
    if weight.is_zero() {
        return no("leaders", format!("@{leader} took its vote back"));
    }
    let condition = trail.rejecting_key(weight);
    let why = match condition {
        Some("min_leader_weight") => {
            format!(
                "less than {}",
                Weight::clamped(trail.min_leader_weight.into())
            )
        }
        Some(_) => "which the rule does not follow".to_owned(),
        None => "of which 0% would be left".to_owned(),
    };
    let why = format!("@{leader} voted {weight}, {why}");
    no(condition.unwrap_or("weight"), why)
}

/// No vote of a leader was read, but the post may hold one.
fn nobody_voted(trail: &TrailRule, known: &Known) -> Found {
    let mut unread = trail.leaders.iter().filter_map(|leader| {
        let weight = known.standing(leader).filter(|weight| !weight.is_zero())?;
        Some((leader, weight))
    });
    let why = match unread.next() {
        Some((leader, weight)) => {
            format!("@{leader} voted {weight}, but no daemon has read that from the chain so far")
        }
        None => format!("none of them has voted on it: {}", listed(&trail.leaders)),
    };
    no("leaders", why)
}

/// `@a, @b and 3 more`.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a Account>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("@{name}")).collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}
