//! The way to the tables: whoever has something to write hands it over here and goes on.

use tokio::sync::mpsc;

use crate::votes::change::Batch;
use crate::votes::error_entry::ErrorEntry;

/// Takes batches for the writer. What is handed over is written in that order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal(mpsc::Sender<Batch>);

impl Journal {
    /// A journal, and where its batches come out; it holds `size` of them.
    pub fn new(size: usize) -> (Self, mpsc::Receiver<Batch>) {
        let (sender, receiver) = mpsc::channel(size);
        (Self(sender), receiver)
    }

    /// Hands a batch over; waits while the journal is full. Once the writer has stopped it is lost, which
    /// only happens at the very end.
    pub async fn write(&self, batch: Batch) {
        if self.0.send(batch).await.is_err() {
            tracing::warn!("something was to be written after the writer had stopped");
        }
    }

    /// Hands over something for people to look at.
    pub async fn error(&self, entry: ErrorEntry) {
        self.write(Batch {
            errors: vec![entry],
            ..Batch::default()
        })
        .await;
    }

    /// A place for one batch, for those who cannot wait.
    pub async fn place(&self) -> Option<mpsc::Permit<'_, Batch>> {
        self.0.reserve().await.ok()
    }
}
