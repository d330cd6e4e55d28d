//! What a report of the caster makes of a row.

use super::asked::unsuited;
use super::context::{Context, ended, free, held, hold_if_soon};
use crate::votes::change::{Outcome, Report};
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

pub(super) fn reported(row: Vote, report: &Report, context: &Context<'_>) -> Vote {
    let row = Vote {
        attempts: row.attempts.max(report.attempts),
        ..row
    };
    // Something else took the vote while the caster decided. What was sent was sent all the same.
    let of_another = row.ask().cause() != report.cause;
    match (&report.outcome, row.status) {
        (Outcome::Cast { .. }, Status::Confirmed | Status::Skipped) => with_cast(row, report),
        (Outcome::Cast { check_at, .. }, _) => {
            let mut row = free(with_cast(row, report));
            row.asks.first_mut().weight = report.weight;
            Vote {
                status: Status::Cast,
                reason: None,
                next_attempt_at: *check_at,
                ..row
            }
        }
        (Outcome::Confirmed, Status::Queued | Status::Cast) => Vote {
            status: Status::Confirmed,
            reason: None,
            ..free(row)
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
                waiting.asks.first_mut().due_at = *due_at;
            }
            match hold {
                true => held(waiting, context),
                false => free(waiting),
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
            let mut row = free(row);
            row.asks.first_mut().weight = report.weight;
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

/// The row with what the signer said when it accepted the vote.
fn with_cast(row: Vote, report: &Report) -> Vote {
    match &report.outcome {
        Outcome::Cast {
            trx_id, cast_at, ..
        } => Vote {
            cast_at: Some(*cast_at),
            trx_id: row.trx_id.clone().or(trx_id.clone()),
            ..row
        },
        _ => row,
    }
}
