//! The way to the tables: stages hand over what is to be written and continue.

use tokio::sync::mpsc;

use crate::votes::change::Batch;
use crate::votes::error_entry::ErrorEntry;

/// Passes batches to the writer, which writes them in order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal(mpsc::Sender<Batch>);

impl Journal {
    /// A journal that holds up to `size` batches, and its receiving end.
    pub fn new(size: usize) -> (Self, mpsc::Receiver<Batch>) {
        let (sender, receiver) = mpsc::channel(size);
        (Self(sender), receiver)
    }

    /// Hands over a batch; waits while the journal is full. Once the writer has stopped, the batch is lost, which happens
    /// only at the very end.
    pub async fn write(&self, batch: Batch) {
        if self.0.send(batch).await.is_err() {
            tracing::warn!("a batch was lost: the writer has already stopped");
        }
    }

    /// Hands over a row for `error_log`.
    pub async fn error(&self, entry: ErrorEntry) {
        self.write(Batch {
            errors: vec![entry],
            ..Batch::default()
        })
        .await;
    }

    /// A place for one batch, for callers that must not wait when they send it.
    pub async fn place(&self) -> Option<mpsc::Permit<'_, Batch>> {
        self.0.reserve().await.ok()
    }
}
