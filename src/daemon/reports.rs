//! Writes rule files with errors and unavailable nodes to `error_log`.

use tokio::sync::mpsc;

use crate::chain::notice::NodeNotice;
use crate::clock::Clock;
use crate::queue::journal::Journal;
use crate::rules::files::watch::RulesReport;
use crate::stop::Stop;
use crate::votes::error_entry::ErrorEntry;
use crate::votes::status::ErrorKind;

/// The sources of reports, and the way to the writer.
pub struct Reports {
    pub journal: Journal,
    pub clock: Clock,
    pub nodes: mpsc::Receiver<NodeNotice>,
    pub rules: mpsc::Receiver<RulesReport>,
}

impl Reports {
    /// Writes reports until `stop`.
    pub async fn run(mut self, stop: Stop) {
        stop.or(self.write()).await;
    }

    async fn write(&mut self) {
        loop {
            let entry = tokio::select! {
                Some(notice) = self.nodes.recv() => match notice {
                    NodeNotice::Down { .. } => {
                        ErrorEntry::new(ErrorKind::Chain, notice.to_string(), self.clock.now())
                    }
                    // The outage of each single node has its row already.
                    NodeNotice::AllDown { .. }
                    | NodeNotice::Up { .. }
                    | NodeNotice::AnyUp { .. } => continue,
                },
                Some(report) = self.rules.recv() => ErrorEntry {
                    fingerprint: Some(report.fingerprint),
                    ..ErrorEntry::new(ErrorKind::Rules, report.message, report.at)
                },
                // All senders are gone.
                else => return std::future::pending().await,
            };
            self.journal.error(entry).await;
        }
    }
}
