//! How many votes ended in which status.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::votes::status::Status;

/// Counts votes by status, as they are written.
#[derive(Debug, Default)]
pub struct Tally(Mutex<HashMap<Status, u64>>);

impl Tally {
    /// Counts one vote.
    pub fn count(&self, status: Status) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(status).or_default() += 1;
    }

    /// The numbers since the last call, as `12 cast, 11 confirmed, 0 failed, 1 skipped`.
    pub fn take(&self) -> String {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let count = |status| {
            let count = counts.get(&status).copied().unwrap_or_default();
            format!("{count} {status}")
        };
        let shown = [
            Status::Cast,
            Status::Confirmed,
            Status::Failed,
            Status::Skipped,
        ];
        shown.map(count).join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_are_counted_since_the_last_summary() {
        let tally = Tally::default();
        for status in [Status::Cast, Status::Queued, Status::Cast, Status::Skipped] {
            tally.count(status);
        }
        let none = "0 cast, 0 confirmed, 0 failed, 0 skipped";
        assert_eq!(
            tally.take(),
            none.replacen("0 cast", "2 cast", 1)
                .replacen("0 skipped", "1 skipped", 1)
        );
        assert_eq!(tally.take(), none);
    }
}
