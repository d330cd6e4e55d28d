//! A watched rules folder, and a simple language in which each line is the name of a rule.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use curatord::account::Account;
use curatord::clock::Clock;
use curatord::rules::files::library::Parsed;
use curatord::rules::files::watch::{self, Pace, RulesReport, Watch};
use curatord::rules::language::lists::Lists;
use curatord::rules::rule::{
    AuthorRule, Authors, BelowMinMana, Limit, Payout, PostKind, Range, Rule, RuleId, Trigger, Words,
};
use curatord::rules::set::RuleSet;
use curatord::stop::Stop;
use curatord::weight::Weight;
use tokio::sync::{Notify, mpsc, watch as channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::harness::PATIENCE;

/// A line is the name of a rule. `#` starts a comment, `!` makes the file invalid, and `panic` makes the parser panic.
pub fn parse(path: &str, text: &str, _: &Lists) -> Parsed {
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match line {
            "panic" => panic!("as the test requires"),
            _ if line.starts_with('!') => problems.push(format!("{path}:{number}:1: {line}")),
            _ if line.starts_with('#') || line.is_empty() => {}
            name => rules.push(rule(path, name)),
        }
    }
    Parsed {
        rules: problems.is_empty().then_some(rules),
        problems,
        uses: Vec::new(),
    }
}

fn rule(path: &str, name: &str) -> Rule {
    Rule {
        id: RuleId::new(path, name),
        voters: vec![Account::from_chain("alice")],
        enabled: true,
        delay: Duration::ZERO,
        max_age: Duration::from_secs(3_600),
        limit: Limit::default(),
        min_mana: None,
        below_min_mana: BelowMinMana::default(),
        window: None,
        kind: PostKind::default(),
        tags: Words::default(),
        communities: Words::default(),
        apps: Words::default(),
        text: Words::default(),
        words: Range::default(),
        payout: Payout::default(),
        max_votes: None,
        expires: None,
        self_votes: false,
        trigger: Trigger::Author(AuthorRule {
            authors: Authors::Listed(vec![Account::from_chain("bob")]),
            except: HashSet::new(),
            weight: Weight::FULL,
            schedule: None,
        }),
    }
}

/// The rules in force as `file:name`, in order.
pub fn names(set: &RuleSet) -> Vec<String> {
    set.rules().iter().map(|rule| rule.id.to_string()).collect()
}

/// Events only: the periodic check comes too late to help.
pub const EVENTS_ONLY: Pace = Pace {
    quiet: Duration::from_millis(100),
    longest: Duration::from_secs(1),
    rescan: Duration::from_secs(3_600),
    events: true,
};

/// Periodic checks only, without events.
pub const NO_EVENTS: Pace = Pace {
    quiet: Duration::from_millis(20),
    longest: Duration::from_millis(100),
    rescan: Duration::from_millis(50),
    events: false,
};

/// A watched folder; dropping it ends the task.
pub struct Watched {
    pub home: tempfile::TempDir,
    pub set: channel::Receiver<Arc<RuleSet>>,
    pub reports: mpsc::Receiver<RulesReport>,
    pub reload_now: Arc<Notify>,
    stop: Stop,
    task: JoinSet<()>,
}

impl Watched {
    /// Watches `home/rules` after `prepare` has filled it, and waits for the first set.
    pub async fn start(pace: Pace, prepare: impl FnOnce(&Path)) -> Self {
        Self::start_with_reports(pace, 16, prepare).await
    }

    pub async fn start_with_reports(pace: Pace, room: usize, prepare: impl FnOnce(&Path)) -> Self {
        let home = tempfile::tempdir().unwrap();
        prepare(home.path());
        let (out, set) = channel::channel(Arc::new(RuleSet::not_read_yet()));
        let (reports_in, reports) = mpsc::channel(room);
        let (reload_now, stop) = (Arc::new(Notify::new()), Stop::default());
        let mut task = JoinSet::new();
        task.spawn(watch::run(Watch {
            root: home.path().join("rules"),
            clock: Clock::system(),
            parse,
            pace,
            out,
            reports: reports_in,
            reload_now: reload_now.clone(),
            stop: stop.clone(),
        }));
        let mut watched = Self {
            home,
            set,
            reports,
            reload_now,
            stop,
            task,
        };
        watched.next().await;
        watched
    }

    pub fn path(&self, below_rules: &str) -> PathBuf {
        self.home.path().join("rules").join(below_rules)
    }

    pub fn write(&self, below_rules: &str, text: &str) {
        fs::write(self.path(below_rules), text).unwrap();
    }

    /// The next set.
    pub async fn next(&mut self) -> Arc<RuleSet> {
        timeout_at(Instant::now() + PATIENCE, self.set.changed())
            .await
            .expect("no new set came")
            .expect("the task has ended");
        self.set.borrow_and_update().clone()
    }

    /// Waits until the rules in force are these.
    pub async fn shows(&mut self, expected: &[&str]) {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let now = names(&self.set.borrow_and_update());
            if now == expected {
                return;
            }
            match timeout_at(give_up, self.set.changed()).await {
                Ok(changed) => changed.expect("the task has ended"),
                Err(_) => panic!("in force is {now:?}, not {expected:?}"),
            }
        }
    }

    pub async fn report(&mut self) -> RulesReport {
        timeout_at(Instant::now() + PATIENCE, self.reports.recv())
            .await
            .expect("no report came")
            .expect("the task has ended")
    }

    /// Ends the task, which must still be running without errors.
    pub async fn stop(mut self) {
        assert!(self.task.try_join_next().is_none(), "the task has ended");
        self.stop.request();
        timeout_at(Instant::now() + PATIENCE, self.task.join_next())
            .await
            .expect("the task does not end")
            .expect("there is one")
            .expect("it ends well");
    }
}

/// A folder `rules` with these files, each with one rule named `one`.
pub fn with_files(files: &'static [&'static str]) -> impl FnOnce(&Path) {
    move |home| {
        fs::create_dir(home.join("rules")).unwrap();
        for file in files {
            let path = home.join("rules").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "one").unwrap();
        }
    }
}
