//! What all rules of a voter come to, in a line for people.

use crate::account::Account;
use crate::explain::shared::Shared;
use crate::explain::{Decision, Says, shown};
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// What `decisions`, which are all of `voter`, come to.
pub fn summary(shared: &Shared<'_>, voter: &Account, decisions: &[Decision]) -> String {
    let will = decisions.iter().find_map(|decision| match decision.says {
        Says::Votes { weight, at } => Some(format!(
            "would vote {weight} at {}, by {}",
            shown(at),
            decision.rule
        )),
        _ => None,
    });
    if let Some(row) = shared.known.row(voter) {
        let was = of_row(row);
        // A schedule asks again for what came to nothing.
        return match (will, runner_up(shared, row)) {
            (Some(will), _) => format!("{was}; {will}"),
            (None, Some(other)) => format!("{was}; {other}"),
            (None, None) => was,
        };
    }
    if let Some(weight) = shared.known.standing(voter) {
        return by_other_means(weight);
    }
    will.unwrap_or_else(|| match decisions {
        [] => format!("no rule votes as @{voter}"),
        _ if decisions
            .iter()
            .any(|decision| decision.says == Says::Unknown) =>
        {
            "nobody can say now".to_owned()
        }
        _ => "no vote".to_owned(),
    })
}

/// The vote of `voter` that is queued or was cast, whoever asked for it.
pub fn vote_of(shared: &Shared<'_>, voter: &Account) -> Says {
    let Some(row) = shared.known.row(voter) else {
        return match shared.known.standing(voter) {
            Some(weight) if !weight.is_zero() => Says::Voted { weight, at: None },
            _ => Says::No,
        };
    };
    let weight = row.ask().weight;
    let by_hand = row.is_by_hand() && !weight.is_zero();
    match row.status {
        Status::Queued => Says::Queued {
            weight,
            at: row.ask().due_at,
        },
        Status::Cast | Status::Confirmed => Says::Voted {
            weight,
            at: row.cast_at,
        },
        Status::Skipped if by_hand => Says::Voted { weight, at: None },
        Status::Skipped | Status::Failed | Status::Withdrawn | Status::DryRun => Says::No,
    }
}

/// Which other rule asks for a vote that is queued.
fn runner_up(shared: &Shared<'_>, row: &Vote) -> Option<String> {
    if row.status != Status::Queued {
        return None;
    }
    let other = row.asks.runner_up(&|rule| shared.rules.position(rule))?;
    Some(format!(
        "{} asks for it too, and has it if that rule drops out",
        other.rule
    ))
}

/// What the row of a vote says.
fn of_row(row: &Vote) -> String {
    let by = match row.ask().origin {
        Origin::Hand => "by hand".to_owned(),
        _ => format!("by {}", row.ask().rule),
    };
    let weight = row.ask().weight;
    let reason = row.reason.as_ref().map(ToString::to_string);
    let reason = reason.as_deref().unwrap_or("no reason was noted");
    let at = shown(row.cast_at.unwrap_or(row.updated_at));
    match row.status {
        Status::Queued => {
            let waits = row.reason.as_ref().map(|why| format!(" ({why})"));
            let waits = waits.unwrap_or_default();
            format!(
                "queued: {weight}, due {}, {by}{waits}",
                shown(row.ask().due_at)
            )
        }
        Status::Cast => format!("voted {weight} at {at}, {by}; no block has shown it yet"),
        Status::Confirmed => match row.block_num {
            Some(block) => format!("voted {weight} at {at}, {by}; in block {block}"),
            None => format!("voted {weight} at {at}, {by}"),
        },
        Status::Skipped if row.is_by_hand() => by_other_means(weight),
        Status::Skipped => format!("skipped, {by}: {reason}"),
        Status::Failed => format!("failed at {}, {by}: {reason}", shown(row.updated_at)),
        Status::Withdrawn => format!("withdrawn, {by}: {reason}"),
        Status::DryRun => format!("a dry run would have voted {weight} at {at}, {by}"),
    }
}

fn by_other_means(weight: Weight) -> String {
    if weight.is_zero() {
        return "the voter took its own vote back: no rule votes again".to_owned();
    }
    format!("voted {weight} by other means: rules leave it alone")
}
