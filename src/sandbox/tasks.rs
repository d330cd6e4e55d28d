//! Tasks that end with the sandbox.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Every task of a sandbox.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Runs a task until it is done or the sandbox stops; `None` is then what came of it.
    pub fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let stop = self.stop.clone();
        self.tracker
            .spawn(async move { stop.run_until_cancelled(task).await })
    }

    /// Stops all of them at their next wait.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until all have ended.
    pub async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
