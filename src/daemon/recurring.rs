//! Work that comes again and again: small ticks, driven by the scheduler. Never the moment of a vote: the scheduler
//! looks at its jobs twice a second.
//!
//! Votes would be lost if the ticks ended. So the jobs are cron expressions: of tokio-cron-scheduler's repeated
//! jobs (0.15) none runs again that was once late by its own period, as when the computer slept. And because
//! the scheduler goes by the clock of the computer, which may be set back, each tick comes at the latest after
//! some time that no clock can change.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// When something is done, as a cron expression with seconds, and how often at least.
struct Often {
    cron: &'static str,
    at_least: Duration,
}

/// Votes that are due soon are claimed, and it is looked at whether a rule's schedule has a time soon.
const SECOND: Often = often("* * * * * *", 2);
/// The hold on claimed votes, on the chain and on schedules is renewed; it ends 15 s after it was.
const RENEW: Often = often("*/5 * * * * *", 7);
/// The table of tokens is looked at for what others wrote.
const TOKENS: Often = often("*/3 * * * * *", 5);
/// What nobody needs any more is deleted.
const PRUNE: Often = often("0 0 * * * *", 2 * 3600);

const fn often(cron: &'static str, seconds: u64) -> Often {
    Often {
        cron,
        at_least: Duration::from_secs(seconds),
    }
}

/// The receiving ends of all ticks. A tick that nobody takes in time is not made up.
pub struct Ticks {
    pub claim: mpsc::Receiver<()>,
    pub renew: mpsc::Receiver<()>,
    pub chain_lease: mpsc::Receiver<()>,
    pub tokens: mpsc::Receiver<()>,
    pub schedules: mpsc::Receiver<()>,
    pub schedule_lease: mpsc::Receiver<()>,
    pub prune: mpsc::Receiver<()>,
}

/// What makes the ticks.
pub struct Recurring {
    scheduler: JobScheduler,
    passing_on: JoinSet<()>,
}

impl Recurring {
    /// Starts the ticks.
    ///
    /// # Errors
    /// When the scheduler cannot start.
    pub async fn start() -> Result<(Self, Ticks), JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let passing_on = JoinSet::new();
        let mut recurring = Self {
            scheduler,
            passing_on,
        };
        let ticks = Ticks {
            claim: recurring.every(SECOND).await?,
            renew: recurring.every(RENEW).await?,
            chain_lease: recurring.every(RENEW).await?,
            tokens: recurring.every(TOKENS).await?,
            schedules: recurring.every(SECOND).await?,
            schedule_lease: recurring.every(RENEW).await?,
            prune: recurring.every(PRUNE).await?,
        };
        recurring.scheduler.start().await?;
        Ok((recurring, ticks))
    }

    /// Ends the ticks.
    pub async fn stop(mut self) {
        self.passing_on.shutdown().await;
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "recurring work was not stopped");
        }
    }

    async fn every(&mut self, often: Often) -> Result<mpsc::Receiver<()>, JobSchedulerError> {
        let (strikes, struck) = mpsc::channel(1);
        let job = Job::new(often.cron, move |_, _| {
            // One that waits already is enough.
            let _ = strikes.try_send(());
        })?;
        self.scheduler.add(job).await?;
        let (ticks, receiver) = mpsc::channel(1);
        self.passing_on
            .spawn(pass_on(struck, ticks, often.at_least));
        Ok(receiver)
    }
}

/// Passes on what the scheduler strikes, and ticks by itself where it does not strike for `at_least`.
async fn pass_on(mut struck: mpsc::Receiver<()>, ticks: mpsc::Sender<()>, at_least: Duration) {
    loop {
        let strike = async {
            if struck.recv().await.is_none() {
                std::future::pending().await
            }
        };
        // Either way it is time.
        let _ = timeout(at_least, strike).await;
        let _ = ticks.try_send(());
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ticks_come_also_when_the_scheduler_strikes_no_more() {
        let (strikes, struck) = mpsc::channel(1);
        let (ticks, mut receiver) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(pass_on(struck, ticks, Duration::from_secs(2)));
        let start = Instant::now();
        strikes.send(()).await.unwrap();
        receiver.recv().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        for seconds in [2, 4] {
            receiver.recv().await.unwrap();
            assert_eq!(start.elapsed().as_secs(), seconds);
        }
        drop(strikes);
        receiver.recv().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 6);
    }

    #[test]
    fn the_scheduler_understands_when() {
        for often in [SECOND, RENEW, TOKENS, PRUNE] {
            assert!(Job::new(often.cron, |_, _| {}).is_ok(), "{}", often.cron);
        }
    }
}
