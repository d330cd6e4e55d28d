//! What the caster's word makes of a row.

use super::plan::unfit;
use super::{Context, ended, free, held, hold_if_soon};
use crate::votes::change::{Outcome, Report};
use crate::votes::vote::{Status, Vote};

pub(super) fn reported(row: Vote, report: &Report, context: &Context<'_>) -> Vote {
    let attempts = row.attempts.max(report.attempts);
    // Taken over while the caster decided: what it said of the one is not said of the other. What was cast was.
    let is_of_another = (row.origin, row.event_block) != (report.origin, report.event_block);
    if is_of_another && !matches!(report.outcome, Outcome::Cast { .. } | Outcome::Confirmed) {
        return Vote { attempts, ..row };
    }
    let row = match &report.rule {
        Some(rule) if row.status == Status::Queued => Vote {
            rule: rule.clone(),
            weight: report.weight,
            attempts,
            ..row
        },
        _ => Vote { attempts, ..row },
    };
    match (&report.outcome, row.status) {
        (
            Outcome::Cast {
                trx_id,
                cast_at,
                check_at,
            },
            status,
        ) => {
            let row = Vote {
                cast_at: Some(*cast_at),
                trx_id: row.trx_id.clone().or(trx_id.clone()),
                ..row
            };
            match status {
                Status::Confirmed | Status::Skipped => row,
                _ => Vote {
                    status: Status::Cast,
                    weight: report.weight,
                    reason: None,
                    next_attempt_at: *check_at,
                    claimed_by: None,
                    claimed_until: None,
                    ..row
                },
            }
        }
        (Outcome::Confirmed, Status::Queued | Status::Cast) => Vote {
            status: Status::Confirmed,
            reason: None,
            claimed_by: None,
            claimed_until: None,
            ..row
        },
        (
            Outcome::Later {
                next_attempt_at,
                due_at,
                reason,
                hold,
            },
            Status::Queued,
        ) => {
            let due_at = due_at.unwrap_or(row.due_at);
            let waiting = Vote {
                next_attempt_at: *next_attempt_at,
                due_at,
                reason: reason.clone(),
                ..row
            };
            if *hold {
                held(waiting, context)
            } else {
                free(waiting)
            }
        }
        (Outcome::Recast { at }, Status::Cast) => {
            let again = Vote {
                status: Status::Queued,
                next_attempt_at: *at,
                recasts: row.recasts + 1,
                reason: Some("it was accepted but reached no block".to_owned()),
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
        (Outcome::Unfit(misfit), Status::Queued | Status::Withdrawn) => unfit(row, misfit, context),
        (Outcome::Withdrawn(reason), Status::Queued) => {
            ended(row, Status::Withdrawn, reason.clone())
        }
        (Outcome::DryRun, Status::Queued) => {
            let cast_at = Some(report.at);
            Vote {
                status: Status::DryRun,
                weight: report.weight,
                cast_at,
                reason: None,
                claimed_by: None,
                claimed_until: None,
                ..row
            }
        }
        _ => row,
    }
}
