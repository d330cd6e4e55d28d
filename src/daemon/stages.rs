//! Starts the stages, notices when one ends by itself, and stops them in order.

use std::pin::Pin;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::task::JoinError;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::stop::Stop;

/// Time that a stage gets after it was asked to give up, before it is abandoned.
const GRACE: Duration = Duration::from_millis(250);

/// The future of a stage.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Wraps a stage, given its name, before it is started.
pub type Wrap = fn(&'static str, Running) -> Running;

/// The running stages, in the order in which they were started.
pub struct Stages {
    running: Vec<Stage>,
    wrap: Option<Wrap>,
}

struct Stage {
    name: &'static str,
    handle: AbortOnDropHandle<()>,
    stop: Stop,
    /// Time from the start of shutdown after which the stage is asked to give up.
    give_up: Duration,
}

impl Stages {
    /// No stage yet; `wrap` wraps each stage.
    pub fn new(wrap: Option<Wrap>) -> Self {
        Self {
            running: Vec::new(),
            wrap,
        }
    }

    /// Starts a stage. During shutdown it is asked to give up `give_up` after the first stage was asked to stop; that
    /// must not be earlier than for any stage started after it.
    #[expect(clippy::disallowed_methods, reason = "the handle belongs to the stage")]
    pub fn start<F>(&mut self, name: &'static str, give_up: Duration, stage: impl FnOnce(Stop) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = Stop::default();
        let mut running: Running = Box::pin(stage(stop.clone()));
        if let Some(wrap) = self.wrap {
            running = wrap(name, running);
        }
        self.running.push(Stage {
            name,
            handle: AbortOnDropHandle::new(tokio::spawn(running)),
            stop,
            give_up,
        });
    }

    /// Waits until a stage ends although it was not asked to stop, and says how. Safe to drop.
    pub async fn first_to_end(&mut self) -> String {
        if self.running.is_empty() {
            return "no stage is running".to_owned();
        }
        let handles = self.running.iter_mut().map(|stage| &mut stage.handle);
        let (ended, index, _) = select_all(handles).await;
        let stage = self.running.remove(index);
        match ended {
            Ok(()) => format!("the {} stopped by itself", stage.name),
            Err(error) => failure(stage.name, error),
        }
    }

    /// Stops the stages one by one, the last started first, and abandons those that do not end in time. Returns what went
    /// wrong.
    pub async fn stop(mut self) -> Vec<String> {
        let start = Instant::now();
        let mut failures = Vec::new();
        while let Some(mut stage) = self.running.pop() {
            let name = stage.name;
            stage.stop.request();
            let mut ended = timeout_at(start + stage.give_up, &mut stage.handle).await;
            if ended.is_err() {
                stage.stop.give_up();
                ended = timeout(GRACE, &mut stage.handle).await;
            }
            match ended {
                Ok(Ok(())) => tracing::debug!("the {name} has stopped"),
                Ok(Err(error)) => failures.push(failure(name, error)),
                Err(_) => failures.push(format!("the {name} did not stop in time")),
            }
        }
        failures
    }
}

fn failure(name: &str, error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return format!("the {name} was aborted");
    };
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
    match message {
        Some(message) => format!("the {name} panicked: {message}"),
        None => format!("the {name} panicked"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Stages that note when they stop, and how.
    #[derive(Clone, Default)]
    struct Noted(Arc<Mutex<Vec<(&'static str, u64)>>>);

    impl Noted {
        fn start(&self, stages: &mut Stages, name: &'static str, give_up: Duration, works: bool) {
            let (noted, start) = (self.0.clone(), Instant::now());
            stages.start(name, give_up, |stop| async move {
                stop.requested().await;
                if works {
                    stop.overdue().await;
                }
                let seconds = start.elapsed().as_secs();
                noted.lock().unwrap().push((name, seconds));
            });
        }

        fn all(&self) -> Vec<(&'static str, u64)> {
            self.0.lock().unwrap().clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn stages_stop_in_turn_the_last_started_first() {
        let (mut stages, noted) = (Stages::new(None), Noted::default());
        noted.start(&mut stages, "writer", 11 * SECOND, false);
        noted.start(&mut stages, "caster", 9 * SECOND, true);
        noted.start(&mut stages, "reader", SECOND, false);
        assert_eq!(stages.stop().await, [""; 0]);
        assert_eq!(noted.all(), [("reader", 0), ("caster", 9), ("writer", 9)]);
    }

    #[tokio::test(start_paused = true)]
    async fn stages_that_hang_are_left_behind_and_the_others_stop() {
        let (mut stages, noted) = (Stages::new(None), Noted::default());
        noted.start(&mut stages, "writer", 3 * SECOND, true);
        stages.start("caster", 2 * SECOND, |_| std::future::pending());
        stages.start("reader", SECOND, |_| std::future::pending());
        let start = Instant::now();
        assert_eq!(
            stages.stop().await,
            [
                "the reader did not stop in time",
                "the caster did not stop in time"
            ]
        );
        assert_eq!(noted.all(), [("writer", 3)]);
        assert!(start.elapsed() <= 3 * SECOND + GRACE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_that_ends_by_itself_is_named_and_the_others_stop() {
        for (fails, said) in [
            (true, "the caster panicked: no way"),
            (false, "the caster stopped by itself"),
        ] {
            let (mut stages, noted) = (Stages::new(None), Noted::default());
            noted.start(&mut stages, "writer", SECOND, false);
            stages.start("caster", SECOND, move |_| async move {
                assert!(!fails, "no way");
            });
            noted.start(&mut stages, "reader", SECOND, false);
            assert_eq!(stages.first_to_end().await, said);
            assert_eq!(stages.stop().await, [""; 0]);
            assert_eq!(noted.all(), [("reader", 0), ("writer", 0)]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_that_panics_while_it_stops_is_named() {
        let mut stages = Stages::new(None);
        stages.start("caster", SECOND, |stop| async move {
            stop.requested().await;
            panic!("{}", "too late");
        });
        assert_eq!(stages.stop().await, ["the caster panicked: too late"]);
    }
}
