//! Leases on work that only one daemon on a database does at a time.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::stop::Stop;
use crate::store::{Store, StoreError};

/// Interval between two renewals of a lease.
pub const RENEW_EVERY: Duration = Duration::from_secs(5);
/// Time until a lease expires, unless it is renewed.
const EXPIRES_AFTER: TimeDelta = TimeDelta::seconds(15);

/// One daemon's side of a lease.
#[derive(Clone)]
pub struct Lease {
    pub name: &'static str,
    pub store: Arc<Store>,
    pub owner: String,
    pub clock: Clock,
}

impl Lease {
    /// Takes or renews the lease. False while another daemon has it.
    pub async fn hold(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let until = now + EXPIRES_AFTER;
        self.store
            .acquire_lease(self.name, &self.owner, now, until)
            .await
    }

    /// Gives the lease back, so that another daemon need not wait until it expires.
    pub async fn give_back(&self, stop: &Stop) {
        let name = self.name;
        let released = self.store.release_lease(name, &self.owner);
        match stop.or_give_up(released).await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%error, "the lease `{name}` expires by itself"),
            None => tracing::debug!(
                "the lease `{name}` expires by itself: the database did not answer in time"
            ),
        }
    }
}
