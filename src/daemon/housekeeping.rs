//! Work at fixed hours: deletes old data every hour, and logs a summary of the votes once a day.

use std::sync::Arc;

use crate::clock::Clock;
use crate::daemon::scheduler::Hours;
use crate::post::PAYOUT_AFTER;
use crate::queue::tally::Tally;
use crate::stop::Stop;
use crate::store::Store;

/// What housekeeping needs.
pub struct Housekeeping {
    pub store: Arc<Store>,
    pub clock: Clock,
    pub hours: Hours,
    pub tally: Arc<Tally>,
}

impl Housekeeping {
    /// Works until `stop`.
    pub async fn run(self, stop: Stop) {
        stop.or(self.work()).await;
    }

    async fn work(&self) {
        let mut since = self.clock.now();
        loop {
            self.hours.next().await;
            let now = self.clock.now();
            if now.date_naive() != since.date_naive() {
                let votes = self.tally.take();
                tracing::info!("votes since {}: {votes}", since.format("%F %H:%M UTC"));
                since = now;
            }
            // Leaders' votes on posts that are paid out are not needed any more.
            if let Err(error) = self.store.prune_leader_votes(now - PAYOUT_AFTER).await {
                error.log("old votes of leaders were not deleted");
            }
            if let Err(error) = self.store.prune_reported(now - PAYOUT_AFTER).await {
                error.log("old fingerprints of errors were not deleted");
            }
        }
    }
}
