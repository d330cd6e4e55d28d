//! The chain as everything in the sandbox shares it, and the making of blocks in time.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::chain::Chain;
use super::lock;
use crate::clock::Clock;

/// The chain, the clock, and word of every change.
#[derive(Debug)]
pub(super) struct World {
    chain: Mutex<Chain>,
    changed: watch::Sender<()>,
    pub clock: Clock,
    pub paused: AtomicBool,
    /// Slots in which the witness will not make a block.
    pub slots_to_miss: AtomicU32,
}

impl World {
    pub fn new(chain: Chain, clock: Clock) -> Self {
        Self {
            chain: Mutex::new(chain),
            changed: watch::Sender::new(()),
            clock,
            paused: AtomicBool::new(false),
            slots_to_miss: AtomicU32::new(0),
        }
    }

    /// Locks the chain. Never held while waiting for anything.
    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        lock(&self.chain)
    }

    /// Tells those who wait that there is something new to look at.
    pub fn announce(&self) {
        self.changed.send_replace(());
    }

    pub fn produce(&self, timestamp: DateTime<Utc>) -> u32 {
        let num = self.chain().produce(timestamp);
        self.announce();
        num
    }

    /// Waits until `look` finds something in the chain. `None` when `timeout` passed first.
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

    /// Makes a block in every slot, for ever. Slots are the multiples of `interval` since 1970, as
    /// on the real chains; with intervals that are no whole seconds a block has the second it is in.
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
            if !self.paused.load(Ordering::Relaxed) && !self.misses_slot() {
                self.produce(slot);
            }
        }
    }

    fn misses_slot(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.slots_to_miss
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
    }
}
