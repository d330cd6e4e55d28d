//! Waits for set times, driven by tokio-cron-scheduler. Not for the moment of a vote: the scheduler checks its jobs only
//! twice a second.
//!
//! The scheduler follows the computer's clock, which may be set back or stop while the computer sleeps. Its repeated jobs
//! (0.15) do not run again once one was late by its own period, so this module uses only cron jobs and one-shot jobs.
//! Every wait here also ends after a time that does not depend on that clock.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::clock::Clock;

/// Every full hour, as a cron expression with seconds.
const HOURLY: &str = "0 0 * * * *";
/// Longest time between two hours, in case the clock is set back.
const HOUR_AT_MOST: Duration = Duration::from_secs(2 * 3600);
/// The job of an alarm runs this long before its moment.
const AHEAD: TimeDelta = TimeDelta::seconds(2);
/// A moment this close is awaited by the clock alone: the scheduler counts in whole seconds and may be 2 s early.
const SOON: TimeDelta = TimeDelta::milliseconds(4_500);
/// Interval between two checks of the clock, in case it was set.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Runs jobs at set times.
#[derive(Clone)]
pub struct Scheduler(JobScheduler);

impl Scheduler {
    /// Starts the scheduler.
    ///
    /// # Errors
    /// When tokio-cron-scheduler cannot start.
    pub async fn start() -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        scheduler.start().await?;
        Ok(Self(scheduler))
    }

    /// Stops running jobs.
    pub async fn stop(mut self) {
        if let Err(error) = self.0.shutdown().await {
            tracing::debug!(%error, "the scheduler did not stop");
        }
    }

    /// Adds a job that runs at every full hour.
    ///
    /// # Errors
    /// When the job is not accepted.
    pub async fn hours(&self) -> Result<Hours, JobSchedulerError> {
        let reached = Arc::new(Notify::new());
        let reach = reached.clone();
        let job = Job::new(HOURLY, move |_, _| reach.notify_one())?;
        self.0.add(job).await?;
        Ok(Hours(reached))
    }

    /// An alarm that is not set.
    pub fn alarm(&self, clock: Clock) -> Alarm {
        Alarm {
            scheduler: self.0.clone(),
            clock,
            rung: Arc::new(Notify::new()),
            set_for: None,
        }
    }
}

/// The full hours.
pub struct Hours(Arc<Notify>);

impl Hours {
    /// Returns at the next full hour, and after 2 h in any case. Safe to drop.
    pub async fn next(&self) {
        // A timeout counts as an hour, too.
        let _ = timeout(HOUR_AT_MOST, self.0.notified()).await;
    }
}

/// Wakes a task at given moments, one after the other.
pub struct Alarm {
    scheduler: JobScheduler,
    clock: Clock,
    rung: Arc<Notify>,
    /// The moment of the earliest job that has not run.
    set_for: Option<DateTime<Utc>>,
}

impl Alarm {
    /// Returns at `moment` as the clock shows it, or at once if it has passed; at most 5 s late if the clock was set
    /// forward. Safe to drop.
    pub async fn reach(&mut self, moment: DateTime<Utc>) {
        loop {
            let left = moment - self.clock.now();
            if left <= SOON {
                return self.clock.sleep_until(moment).await;
            }
            let ring = async {
                self.set(moment, left - AHEAD).await;
                self.rung.notified().await;
                self.set_for = None;
            };
            let _ = timeout(LOOK_EVERY, ring).await;
        }
    }

    /// Adds a job, unless an earlier one is set.
    async fn set(&mut self, moment: DateTime<Utc>, left: TimeDelta) {
        if self.set_for.is_some_and(|set| set <= moment) {
            return;
        }
        let rung = self.rung.clone();
        let job = Job::new_one_shot(left.to_std().unwrap_or_default(), move |_, _| {
            rung.notify_one();
        });
        let added = match job {
            Ok(job) => self.scheduler.add(job).await.map(drop),
            Err(error) => Err(error),
        };
        match added {
            Ok(()) => self.set_for = Some(moment),
            Err(error) => tracing::debug!(%error, "an alarm was not set"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn start() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    /// With tokio's time paused the scheduler, which goes by the computer's clock, runs no job: as if the clock had
    /// been set back, or its jobs had been missed.
    #[tokio::test(start_paused = true)]
    async fn an_alarm_wakes_also_when_the_scheduler_runs_no_job() {
        let scheduler = Scheduler::start().await.unwrap();
        let clock = Clock::starting_at(start());
        let mut alarm = scheduler.alarm(clock);
        for seconds in [3, 60, 3_600, 3_600] {
            let moment = start() + TimeDelta::seconds(seconds);
            alarm.reach(moment).await;
            let late = clock.now() - moment;
            let earlier = TimeDelta::zero() > late;
            assert!(!earlier && late <= TimeDelta::seconds(5), "{late}");
        }
        scheduler.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn hours_come_also_when_the_scheduler_runs_no_job() {
        let hours = Hours(Arc::new(Notify::new()));
        let start = Instant::now();
        for count in 1..=3 {
            hours.next().await;
            assert_eq!(start.elapsed(), count * HOUR_AT_MOST);
        }
        hours.0.notify_one();
        hours.next().await;
        assert_eq!(start.elapsed(), 3 * HOUR_AT_MOST);
    }

    #[tokio::test]
    async fn the_scheduler_rings_alarms_one_after_the_other() {
        let scheduler = Scheduler::start().await.unwrap();
        let mut alarm = scheduler.alarm(Clock::system());
        for number in 1..=2 {
            let moment = start() + TimeDelta::seconds(number);
            alarm.set(moment, TimeDelta::zero()).await;
            // A later one waits for the earlier.
            alarm
                .set(moment + TimeDelta::days(1), TimeDelta::days(1))
                .await;
            assert_eq!(alarm.set_for, Some(moment));
            let rung = timeout(LOOK_EVERY, alarm.rung.notified()).await;
            assert!(rung.is_ok(), "alarm {number}");
            alarm.set_for = None;
        }
        assert!(scheduler.hours().await.is_ok());
        scheduler.stop().await;
    }
}
