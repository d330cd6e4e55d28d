//! A stage that panics, returns or hangs ends the process with status 1, and what the signer had accepted by then is
//! written, or found on the chain at the next start.
//!
//! The daemon runs in a process of its own: this test binary itself, which calls the library as `main.rs` does and puts
//! a fault around one stage.

use std::path::Path;
use std::time::Duration;

use curatord::cli;
use curatord::daemon::stages::Running;
use curatord::post::PostId;
use curatord::sandbox::faults::Fault;
use curatord::votes::status::Status;
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::harness::{Daemon, Database, Installation, PATIENCE, run};

/// Every stage of the daemon.
const STAGES: [&str; 8] = [
    "watcher of rule files",
    "writer",
    "housekeeping",
    "reports",
    "token keeper",
    "caster",
    "schedules",
    "reader",
];
/// Names the stage that fails, or `*` for all of them.
const STAGE: &str = "FAILING_STAGE";
/// Says what it does.
const FAULT: &str = "FAULT";
/// The file that sets the fault off when it appears.
const TRIGGER: &str = "trigger";
/// Longest time from the fault, or from SIGTERM, to the end of the process.
const END_WITHIN: Duration = Duration::from_secs(15);

/// The daemon of the other tests: does nothing unless one of them started it.
#[test]
#[ignore = "is the daemon of the other tests here"]
fn failing_daemon() {
    if std::env::var_os(STAGE).is_none() {
        return;
    }
    let args = cli::run::Args {
        dry_run: false,
        from_block: None,
    };
    let daemon = cli::run::run(&args, None, Some(fail));
    let result = cli::log::start("info").and_then(|()| cli::in_runtime(daemon));
    std::process::exit(cli::finish(result) as i32);
}

/// Puts the fault around the stage that is to fail.
fn fail(name: &'static str, mut stage: Running) -> Running {
    let variable = |name| std::env::var(name).unwrap();
    let (failing, fault) = (variable(STAGE), variable(FAULT));
    if failing != name && failing != "*" {
        return stage;
    }
    Box::pin(async move {
        tokio::select! {
            () = &mut stage => {}
            () = triggered(), if fault != "block when stopped" => {}
        }
        match &*fault {
            "panic" => panic!("as the test wants it"),
            "return" => {}
            // Its ends of the channels stay open.
            "hang" => std::future::pending().await,
            _ => std::thread::sleep(Duration::from_secs(3600)),
        }
    })
}

async fn triggered() {
    while !Path::new(TRIGGER).exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An installation whose daemon has a failing stage, and a vote that is at the signer.
struct Case<'a> {
    site: Installation<'a>,
    daemon: Daemon,
    post: PostId,
}

impl<'a> Case<'a> {
    async fn new(database: &'a Database, stage: &str, fault: &str) -> Self {
        let site = Installation::new(database).await;
        site.rules(
            "friends.toml",
            "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '50%'\n",
        );
        site.voter("alice").await;
        let (_, module) = module_path!().split_once("::").unwrap();
        let test = format!("{module}::failing_daemon");
        let mut command = site.command_of(&std::env::current_exe().unwrap());
        command.args(["--exact", &test, "--ignored", "--nocapture"]);
        command.env(STAGE, stage).env(FAULT, fault);
        let daemon = site.start_command(command).await;
        let signer = site.sandbox.signer().endpoint();
        let slow = Fault::Delay(Duration::from_millis(1_000));
        signer.faults.add(slow.on("broadcast").times(1));
        let post = site.sandbox.publish("bob", "a-post");
        let asked = |requests: &[_]| !requests.is_empty();
        assert!(signer.requests.wait_until(PATIENCE, asked).await);
        Self { site, daemon, post }
    }

    fn trigger(&self) {
        std::fs::write(self.site.folder().join(TRIGGER), "").unwrap();
    }

    /// Waits until the process ends, with status 1 and having said why, and starts the real one: the vote is cast once.
    async fn ends(self, stage: &str, why: &str) {
        let Self { site, daemon, post } = self;
        let start = Instant::now();
        let ended = daemon.ended().await;
        assert_eq!(ended.code, Some(1), "{stage}: {}", ended.log);
        assert!(start.elapsed() < END_WITHIN, "{:?}", start.elapsed());
        assert!(ended.log.contains(why), "no {why:?} in {}", ended.log);
        // All but these two wait for the answer and write what it was.
        if !["writer", "caster", "*"].contains(&stage) {
            let row = site.row("alice", &post).await.unwrap();
            let accepted = [Status::Cast, Status::Confirmed].contains(&row.status);
            assert!(accepted && row.attempts == 1, "{stage}: {row:#?}");
        }
        let daemon = site.start().await;
        site.row_is("alice", &post, Status::Confirmed).await;
        assert_eq!(site.votes_in_blocks("alice", &post), [5000], "{stage}");
        daemon.stop().await;
    }
}

/// Lets each stage fail in a daemon of its own, all at the same time.
async fn each_stage(fault: &'static str, case: impl AsyncFn(Case<'_>, &'static str)) {
    let cases = STAGES.map(async |stage| {
        run(Database::sqlite().await, async |database| {
            case(Case::new(database, stage, fault).await, stage).await;
        })
        .await;
    });
    join_all(cases).await;
}

#[tokio::test]
async fn every_stage_that_panics_ends_the_process() {
    each_stage("panic", async |case, stage| {
        case.trigger();
        let why = format!("the {stage} panicked: as the test wants it");
        case.ends(stage, &why).await;
    })
    .await;
}

#[tokio::test]
async fn every_stage_that_returns_ends_the_process() {
    each_stage("return", async |case, stage| {
        case.trigger();
        let why = format!("the {stage} stopped by itself");
        case.ends(stage, &why).await;
    })
    .await;
}

#[tokio::test]
async fn no_stage_that_hangs_holds_up_the_end() {
    each_stage("hang", async |case, stage| {
        case.trigger();
        case.daemon.signal("TERM");
        let why = format!("the {stage} did not stop in time");
        case.ends(stage, &why).await;
    })
    .await;
}

#[tokio::test]
async fn no_stage_that_blocks_its_thread_holds_up_the_end() {
    run(Database::sqlite().await, async |database| {
        let case = Case::new(database, "caster", "block").await;
        case.trigger();
        case.daemon.signal("TERM");
        case.ends("caster", "the caster did not stop in time").await;
    })
    .await;
}

#[tokio::test]
async fn stages_that_block_every_thread_do_not_hold_up_the_end() {
    run(Database::sqlite().await, async |database| {
        let case = Case::new(database, "*", "block when stopped").await;
        case.daemon.signal("TERM");
        case.ends("*", "stopping").await;
    })
    .await;
}
