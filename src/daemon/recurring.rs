//! Work that comes again and again: small ticks, driven by the scheduler's clock. Never the moment of a
//! vote: the scheduler looks at its jobs twice a second.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// How often votes that are due soon are claimed.
const CLAIM: Duration = Duration::from_secs(1);
/// How often the hold on claimed votes, on the chain and on schedules, is renewed.
const RENEW: Duration = Duration::from_secs(5);
/// How often the table of tokens is looked at for what others wrote.
const TOKENS: Duration = Duration::from_secs(3);
/// How often it is looked at whether a rule's schedule has a time soon.
const SCHEDULES: Duration = Duration::from_secs(1);
/// How often what nobody needs any more is deleted.
const PRUNE: Duration = Duration::from_secs(3600);

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

/// Starts the ticks; they end when the scheduler is shut down.
///
/// # Errors
/// When the scheduler cannot start.
pub async fn start() -> Result<(JobScheduler, Ticks), JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let ticks = Ticks {
        claim: every(&scheduler, CLAIM).await?,
        renew: every(&scheduler, RENEW).await?,
        chain_lease: every(&scheduler, RENEW).await?,
        tokens: every(&scheduler, TOKENS).await?,
        schedules: every(&scheduler, SCHEDULES).await?,
        schedule_lease: every(&scheduler, RENEW).await?,
        prune: every(&scheduler, PRUNE).await?,
    };
    scheduler.start().await?;
    Ok((scheduler, ticks))
}

async fn every(
    scheduler: &JobScheduler,
    period: Duration,
) -> Result<mpsc::Receiver<()>, JobSchedulerError> {
    let (sender, receiver) = mpsc::channel(1);
    let job = Job::new_repeated(period, move |_, _| {
        // One that waits already is enough.
        let _ = sender.try_send(());
    })?;
    scheduler.add(job).await?;
    Ok(receiver)
}
