//! The program as a child process.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::until;

/// `curatord run`. Killed when dropped; what it said is printed when the test fails.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    /// `None` where the test has it.
    log: Option<PathBuf>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    pub log: String,
}

impl Daemon {
    /// Starts `command` with its standard error in the file `log`.
    pub fn spawn(command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        let mut daemon = Self::spawn_into(command, file);
        daemon.log = Some(log);
        daemon
    }

    /// Starts `command` with its standard error in something that cannot be read here.
    pub fn spawn_into(mut command: Command, log: impl Into<Stdio>) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, log: None }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        let read = |log| std::fs::read_to_string(log).unwrap();
        self.log.as_ref().map(read).unwrap_or_default()
    }

    /// Waits until it has said `text`.
    pub async fn says(&self, text: &str) {
        let said = async || self.log().contains(text).then_some(());
        until(&format!("the daemon says {text:?}"), said).await;
    }

    /// Sends a signal by its name: `TERM`, `INT`, `HUP`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success(), "{kill}");
    }

    /// Lets it write files of at most this many bytes, as a full disk would; `unlimited` ends that. A program that is to
    /// survive it must ignore the signal `XFSZ`.
    pub fn limit_files(&self, bytes: &str) {
        let limit = format!("prlimit --pid {} --fsize={bytes}:", self.child.id());
        let status = Command::new("sh").args(["-c", &limit]).status().unwrap();
        assert!(status.success(), "{limit}");
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends by itself.
    pub async fn ended(mut self) -> Ended {
        let status = until("the daemon ends", async || self.child.try_wait().unwrap()).await;
        Ended {
            code: status.code(),
            log: self.log(),
        }
    }

    /// Ends it as the system does, and expects it to go in peace.
    pub async fn stop(self) -> Ended {
        self.signal("TERM");
        let ended = self.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        ended
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Gone already is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {:?}\n{}---", self.log, self.log());
        }
    }
}
