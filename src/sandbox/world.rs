//! The state that the parts of a sandbox share, and the regular production of blocks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::chain::Chain;
use super::lock;
use crate::clock::Clock;

/// The chain, the clock and a signal for every change.
#[derive(Debug)]
pub(super) struct World {
    chain: Mutex<Chain>,
    changed: watch::Sender<()>,
    pub clock: Clock,
    /// Whether the regular production of blocks is paused.
    pub paused: AtomicBool,
}

impl World {
    pub fn new(chain: Chain, clock: Clock) -> Self {
        Self {
            chain: Mutex::new(chain),
            changed: watch::Sender::new(()),
            clock,
            paused: AtomicBool::new(false),
        }
    }

    /// Locks the chain. The lock is never held across an await.
    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        lock(&self.chain)
    }

    /// Wakes all tasks that wait for a change.
    pub fn announce(&self) {
        self.changed.send_replace(());
    }

    /// Produces a block and returns its number.
    pub fn produce(&self, timestamp: DateTime<Utc>) -> u32 {
        let num = self.chain().produce(timestamp);
        self.announce();
        num
    }

    /// Waits until `look` returns a value; `None` after `timeout`.
    pub async fn wait_for<T>(
        &self,
        timeout: Duration,
        look: impl Fn(&Chain) -> Option<T>,
    ) -> Option<T> {
        let mut changed = self.changed.subscribe();
        let wait = async {
            loop {
                let found = look(&self.chain());
                if found.is_some() {
                    return found;
                }
                changed.changed().await.ok()?;
            }
        };
        tokio::time::timeout(timeout, wait).await.ok().flatten()
    }

    /// Produces a block in every slot, forever. Slots are the multiples of `interval` since 1970, as on
    /// the real chains. Timestamps of blocks are truncated to seconds.
    pub async fn produce_regularly(&self, interval: Duration) {
        let interval = i64::try_from(interval.as_millis())
            .unwrap_or(i64::MAX)
            .max(1);
        loop {
            let slot = (self.clock.now().timestamp_millis() / interval + 1) * interval;
            let Some(slot) = DateTime::from_timestamp_millis(slot) else {
                return;
            };
            self.clock.sleep_until(slot).await;
            if !self.paused.load(Ordering::Relaxed) {
                self.produce(slot);
            }
        }
    }
}
