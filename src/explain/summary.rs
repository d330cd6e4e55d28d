//! The result of all rules of a voter, in one line.

use crate::account::Account;
use crate::explain::decide::Case;
use crate::explain::known::Known;
use crate::explain::{Decision, Says, shown};
use crate::votes::asks::Ask;
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// The result of `decisions`, which are all decisions for `voter`.
pub fn summary(case: &Case<'_>, voter: &Account, decisions: &[Decision]) -> String {
    let will = decisions.iter().find_map(|decision| match decision.says {
        Says::Votes { weight, at } => {
            let (at, rule) = (shown(at), &decision.rule);
            Some(format!("would vote {weight} at {at}, by {rule}"))
        }
        _ => None,
    });
    if let Some(row) = case.known.row(voter) {
        let by_rule = row.status == Status::Queued && row.ask().origin != Origin::Hand;
        let (now, stands) = match by_rule {
            true => queued(row, decisions),
            false => (of_row(case.known, row), true),
        };
        // A schedule asks again for a vote that was not cast.
        let more = will.or_else(|| runner_up(case, row).filter(|_| stands));
        let more = more.map(|more| format!("; {more}"));
        return now + &more.unwrap_or_default();
    }
    if let Some(weight) = case.known.standing(voter) {
        return by_other_means(weight);
    }
    let is_unknown = |decision: &Decision| decision.says == Says::Unknown;
    will.unwrap_or_else(|| match decisions {
        [] => format!("no rule votes as @{voter}"),
        _ if decisions.iter().any(is_unknown) => "nobody can say now".to_owned(),
        _ => "no vote".to_owned(),
    })
}

/// The vote of `voter` that is queued or was cast, whoever asked for it.
pub fn vote_of(known: &Known, voter: &Account) -> Says {
    let Some(row) = known.row(voter) else {
        return match known.standing(voter) {
            Some(weight) if !weight.is_zero() => Says::Voted { weight, at: None },
            _ => Says::No,
        };
    };
    let (weight, at) = (row.ask().weight, row.cast_at);
    match row.status {
        Status::Queued => Says::Queued {
            weight,
            at: row.ask().due_at,
        },
        Status::Cast | Status::Confirmed => Says::Voted { weight, at },
        Status::Skipped if row.is_by_hand() && !weight.is_zero() => {
            Says::Voted { weight, at: None }
        }
        Status::Skipped | Status::Failed | Status::Withdrawn | Status::DryRun => Says::No,
    }
}

/// What becomes of a vote that a rule has queued, and whether that rule still has it.
fn queued(row: &Vote, decisions: &[Decision]) -> (String, bool) {
    let had_by = &row.ask().rule;
    let waits = row.reason.as_ref();
    let waits = waits.map_or_else(String::new, |why| format!(" ({why})"));
    let own = decisions.iter().find(|decision| decision.rule == *had_by);
    let against = match own {
        Some(decision) => match decision.says {
            Says::Unknown => Some(format!("whether it is cast is not known: {}", decision.why)),
            Says::No => Some(decision.said()),
            _ => None,
        },
        None => Some("the rule no longer votes as this voter".to_owned()),
    };
    let goes_on = decisions.iter().find_map(|decision| match decision.says {
        Says::Queued { weight, at } => Some((weight, shown(at), &decision.rule)),
        _ => None,
    });
    match (goes_on, against) {
        (Some((weight, at, rule)), None) => (
            format!("queued: {weight}, due {at}, by {rule}{waits}"),
            true,
        ),
        (Some((weight, at, rule)), Some(why)) => (
            format!("queued: {weight}, due {at}, by {rule}; {had_by} drops out: {why}"),
            false,
        ),
        (None, Some(why)) => (format!("queued by {had_by}, but no vote: {why}"), false),
        (None, None) => (of_queued(row) + &waits, true),
    }
}

fn of_queued(row: &Vote) -> String {
    let Ask { weight, due_at, .. } = row.ask();
    format!("queued: {weight}, due {}, {}", shown(*due_at), by(row))
}

fn by(row: &Vote) -> String {
    match row.ask().origin {
        Origin::Hand => "by hand".to_owned(),
        _ => format!("by {}", row.ask().rule),
    }
}

/// Another rule that asks for a queued vote.
fn runner_up(case: &Case<'_>, row: &Vote) -> Option<String> {
    let position = |rule: &_| case.rules.position(rule);
    let next = row.asks.runner_up(&position);
    let next = next.filter(|_| row.status == Status::Queued)?;
    Some(format!(
        "{} asks for it too, and has it if that rule drops out",
        next.rule
    ))
}

/// Describes the row of a vote.
fn of_row(known: &Known, row: &Vote) -> String {
    let (weight, by) = (row.ask().weight, by(row));
    let by_hand = || known.standing(&row.key.voter).unwrap_or(weight);
    let reason = row.reason.as_ref().map(ToString::to_string);
    let at = shown(row.cast_at.unwrap_or(row.updated_at));
    let why = || reason.as_deref().unwrap_or("no reason was noted");
    match row.status {
        Status::Queued => {
            let waits = reason.map(|why| format!(" ({why})")).unwrap_or_default();
            of_queued(row) + &waits
        }
        Status::Cast => format!("voted {weight} at {at}, {by}; no block has shown it yet"),
        Status::Confirmed => match row.block_num {
            Some(block) => format!("voted {weight} at {at}, {by}; in block {block}"),
            None => format!("voted {weight} at {at}, {by}"),
        },
        Status::Skipped if row.is_by_hand() => by_other_means(by_hand()),
        Status::Skipped => format!("skipped, {by}: {}", why()),
        Status::Failed => format!("failed at {}, {by}: {}", shown(row.updated_at), why()),
        Status::Withdrawn => format!("withdrawn, {by}: {}", why()),
        Status::DryRun if row.is_by_hand() => {
            let by_hand = by_other_means(by_hand());
            format!("a dry run would have voted {weight} at {at}, {by}; {by_hand}")
        }
        Status::DryRun => format!("a dry run would have voted {weight} at {at}, {by}"),
    }
}

fn by_other_means(weight: Weight) -> String {
    if weight.is_zero() {
        return "the voter took its own vote back: no rule votes again".to_owned();
    }
    format!("voted {weight} by other means: rules leave it alone")
}
