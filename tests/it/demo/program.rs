//! Runs the program in a temporary folder of its own, and reads its output.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Time limit of every wait.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Program {
    child: Child,
    lines: Receiver<String>,
    /// `TMPDIR` and working directory.
    pub folder: TempDir,
}

impl Program {
    /// Starts `curatord` with these arguments.
    pub fn start(words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_curatord"))
            .args(words)
            .current_dir(folder.path())
            .env("TMPDIR", folder.path())
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = read_lines(child.stdout.take().unwrap());
        Self {
            child,
            lines,
            folder,
        }
    }

    /// The lines up to and including the first one for which `wanted` is true.
    pub fn lines_until(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        let mut lines = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => lines.push(line),
                Err(_) => panic!("no such line in:\n{}", lines.join("\n")),
            }
            if wanted(&lines[lines.len() - 1]) {
                return lines;
            }
        }
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end: the rest of the output, the errors, and the exit status.
    pub fn end(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        let mut lines = Vec::new();
        while let Ok(line) = self
            .lines
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            lines.push(line);
        }
        while self.child.try_wait().unwrap().is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        let status = self.child.try_wait().unwrap().expect("it does not end");
        let mut errors = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        let left = names_in(self.folder.path());
        Ended {
            lines,
            errors,
            status,
            left,
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Result of a program that has ended.
#[derive(Debug)]
pub struct Ended {
    pub lines: Vec<String>,
    pub errors: String,
    pub status: ExitStatus,
    /// Names of the files left in its folder.
    pub left: Vec<String>,
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

fn read_lines(from: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = sync_channel(10_000);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
