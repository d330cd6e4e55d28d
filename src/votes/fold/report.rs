//! What the caster's report makes of a row.

use chrono::{DateTime, Utc};

use super::asked::unsuited;
use super::context::{Context, ended, hold_if_soon};
use crate::votes::asks::Cause;
use crate::votes::change::{Outcome, Report};
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::vote::Vote;
use crate::weight::Weight;

pub(super) fn reported(mut row: Vote, report: &Report, context: &Context<'_>) -> Vote {
    row.attempts = row.attempts.max(report.attempts);
    if let Outcome::Cast {
        trx_id,
        cast_at,
        check_at,
    } = &report.outcome
    {
        row.cast_at = Some(*cast_at);
        if is_in_a_block(&row, report, trx_id.as_deref()) {
            return seen_before(row, report);
        }
        row.trx_id = row.trx_id.or_else(|| trx_id.clone());
        return accepted(row, report.weight, *check_at);
    }
    // Something else took the vote while the caster decided.
    let of_another = row.ask().cause() != report.cause;
    match (&report.outcome, row.status) {
        (Outcome::Confirmed, Status::Queued | Status::Cast) => Vote {
            status: Status::Confirmed,
            reason: None,
            ..row.free()
        },
        (Outcome::Unsuited(dropped), Status::Queued) => unsuited(row, dropped, context),
        _ if of_another => row,
        (
            Outcome::Later {
                next_attempt_at,
                due_at,
                reason,
                hold,
            },
            Status::Queued,
        ) => {
            let mut waiting = Vote {
                next_attempt_at: *next_attempt_at,
                reason: reason.clone(),
                ..row
            };
            if let Some(due_at) = due_at {
                waiting.asks.first.due_at = *due_at;
            }
            match hold {
                true => waiting.held(context.owner, context.claim_until),
                false => waiting.free(),
            }
        }
        (Outcome::Recast { at }, Status::Cast) => {
            let again = Vote {
                status: Status::Queued,
                next_attempt_at: *at,
                recasts: row.recasts + 1,
                reason: Some(Reason::ReachedNoBlock),
                ..row
            };
            hold_if_soon(again, context)
        }
        (Outcome::Failed(reason), Status::Queued | Status::Cast) => {
            ended(row, Status::Failed, reason.clone())
        }
        (Outcome::Skipped(reason), Status::Queued | Status::Cast) => {
            ended(row, Status::Skipped, reason.clone())
        }
        (Outcome::Withdrawn(reason), Status::Queued) => {
            ended(row, Status::Withdrawn, reason.clone())
        }
        (Outcome::DryRun, Status::Queued) => {
            let mut row = row.free();
            row.asks.first.weight = report.weight;
            Vote {
                status: Status::DryRun,
                cast_at: Some(report.at),
                reason: None,
                ..row
            }
        }
        _ => row,
    }
}

/// Whether the vote that the signer accepted is the one that a block showed before, and that was taken for a vote by
/// hand: the daemon that cast it was cut off from the database, and another one read the block.
fn is_in_a_block(row: &Vote, report: &Report, trx_id: Option<&str>) -> bool {
    let shown = row.trx_id.as_deref();
    row.is_by_hand()
        && row.block_num.is_some()
        && row.ask().weight == report.weight
        && !report.cause.rule.as_str().is_empty()
        && shown.is_some()
        && trx_id.is_none_or(|trx_id| Some(trx_id) == shown)
}

/// That vote, which is ours after all.
fn seen_before(mut row: Vote, report: &Report) -> Vote {
    let Cause {
        rule,
        origin,
        block,
    } = report.cause.clone();
    let ask = &mut row.asks.first;
    (ask.rule, ask.origin, ask.block) = (rule, origin, block);
    Vote {
        status: Status::Confirmed,
        reason: None,
        ..row.free()
    }
}

/// The row of a vote that the signer accepted, whatever has taken the vote meanwhile.
fn accepted(mut row: Vote, weight: Weight, check_at: DateTime<Utc>) -> Vote {
    if matches!(row.status, Status::Confirmed | Status::Skipped) {
        return row;
    }
    row.asks.first.weight = weight;
    Vote {
        status: Status::Cast,
        reason: None,
        next_attempt_at: check_at,
        ..row.free()
    }
}
