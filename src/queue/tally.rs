//! How many votes came to what.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::sync::{Mutex, PoisonError};

use crate::votes::status::Status;

/// Counts votes by what they came to, as they are written.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

impl Tally {
    /// Counts one vote.
    pub fn count(&self, status: Status) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.0.entry(status).or_default() += 1;
    }

    /// What was counted since the last time.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Numbers of votes, as `12 cast, 11 confirmed, 0 failed, 1 skipped`.
#[derive(Debug, Default)]
pub struct Counts(HashMap<Status, u64>);

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shown = [
            Status::Cast,
            Status::Confirmed,
            Status::Failed,
            Status::Skipped,
        ];
        for (index, status) in shown.into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let count = self.0.get(&status).copied().unwrap_or_default();
            write!(f, "{separator}{count} {status}")?;
        }
        Ok(())
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
            tally.take().to_string(),
            none.replacen("0 cast", "2 cast", 1)
                .replacen("0 skipped", "1 skipped", 1)
        );
        assert_eq!(tally.take().to_string(), none);
    }
}
