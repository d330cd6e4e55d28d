//! How a stage is asked to stop, and what becomes of the tasks it started.

use std::panic::resume_unwind;

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

/// Asks one stage to stop, in two steps. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    requested: CancellationToken,
    overdue: CancellationToken,
}

impl Stop {
    /// Asks the stage to finish what it has begun and to take on nothing new.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// Asks the stage to give up what it still waits for: its time is over.
    pub fn give_up(&self) {
        self.requested.cancel();
        self.overdue.cancel();
    }

    /// Returns once the stage is to finish. Safe to drop.
    pub async fn requested(&self) {
        self.requested.cancelled().await;
    }

    /// Returns once the stage is to give up. Safe to drop.
    pub async fn overdue(&self) {
        self.overdue.cancelled().await;
    }

    /// Runs `work` until it ends or the stage is to finish; `None` if that came first.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.requested.run_until_cancelled(work).await
    }

    /// Runs `work` until it ends or the stage is to give up; `None` if that came first.
    pub async fn or_give_up<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.overdue.run_until_cancelled(work).await
    }
}

/// The result of a task that a stage started; `None` if it was aborted. A task that panicked makes its stage panic,
/// which would otherwise wait for the result for ever.
pub fn result_of<T>(ended: Result<T, JoinError>) -> Option<T> {
    match ended.map_err(JoinError::try_into_panic) {
        Ok(result) => Some(result),
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_)) => None,
    }
}
