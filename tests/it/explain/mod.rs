//! `curatord vote` and `curatord explain` from outside: the real binary, with and without a daemon, against
//! a simulated chain and signer.

mod command;
mod schedules;
mod vote;

use crate::harness::Installation;

/// How a command ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `curatord` with the installation's configuration.
async fn curatord(site: &Installation<'_>, arguments: &[&str]) -> Said {
    let mut command = tokio::process::Command::from(site.command());
    let output = command.args(arguments).output().await.unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
