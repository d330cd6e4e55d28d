//! Signals that stop a long-running command.

use anyhow::Context;
use futures_util::future::select_all;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that stop a command.
#[derive(Debug)]
pub struct StopSignals(Vec<Signal>);

impl StopSignals {
    /// Starts to listen for `kinds`, which no longer end the process.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn listen(kinds: &[SignalKind]) -> anyhow::Result<Self> {
        let signals = kinds
            .iter()
            .map(|kind| signal(*kind))
            .collect::<Result<_, _>>();
        signals.map(Self).context("cannot handle signals")
    }

    /// Starts to listen for Ctrl-C (SIGINT), SIGTERM and a closed terminal (SIGHUP).
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn of_terminal() -> anyhow::Result<Self> {
        Self::listen(&[
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ])
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        select_all(self.0.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
    }
}
