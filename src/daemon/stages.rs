//! Starts the stages, notices when one ends by itself, and stops them in order.

use std::pin::Pin;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::task::JoinError;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::stop::Stop;

/// Time for a stage that was asked to give up, before it is left behind.
const GRACE: Duration = Duration::from_millis(250);

/// A stage on its way.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Wraps a stage, given its name, before it is started.
pub type Wrap = fn(&'static str, Running) -> Running;

/// The stages that run, in the order in which they were started.
pub struct Stages {
    running: Vec<Stage>,
    wrap: Option<Wrap>,
}

struct Stage {
    name: &'static str,
    handle: AbortOnDropHandle<()>,
    stop: Stop,
    /// Time since the beginning of the stop after which the stage is asked to give up.
    give_up: Duration,
}

impl Stages {
    /// No stage yet; `wrap` is put around each.
    pub fn new(wrap: Option<Wrap>) -> Self {
        Self {
            running: Vec::new(),
            wrap,
        }
    }

    /// Starts a stage. Once all are stopped, it is asked to give up `give_up` after the first of them was asked to
    /// stop: at least as late as every stage that is started after it.
    #[expect(
        clippy::disallowed_methods,
        reason = "this handle is what belongs to the stage"
    )]
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

    /// Waits until a stage ends although nobody stopped it, and says how. Safe to drop.
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

    /// Stops the last started first, each before the next, and goes on without those that do not end in time.
    /// Returns what went wrong.
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
