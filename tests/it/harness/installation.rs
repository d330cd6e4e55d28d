//! Everything around a daemon: sandbox, configuration, rules and database.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use curatord::account::Account;
use curatord::network::ChainKind;
use curatord::post::{PostId, VoteKey};
use curatord::sandbox::chain::operation::Operation;
use curatord::sandbox::requests::Request;
use curatord::sandbox::{IssuedTokens, Sandbox, SandboxConfig};
use curatord::store::Store;
use curatord::votes::status::Status;
use curatord::votes::vote::Vote;
use secrecy::ExposeSecret;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::command::{Said, private_folder, program_in};
use super::{Daemon, Database, PATIENCE, until, within};

/// How often the sandbox makes a block unless a test wants something else.
const BLOCKS: Duration = Duration::from_millis(200);

/// A folder with `curatord.toml` and `rules/`, a sandbox, and a database.
pub struct Installation<'a> {
    pub sandbox: Sandbox,
    pub database: &'a Database,
    folder: TempDir,
    settings: Vec<(String, String)>,
    store: OnceCell<Store>,
    started: Cell<u32>,
}

/// A row of `error_log`.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    pub kind: String,
    pub voter: String,
    pub author: String,
    pub permlink: String,
    pub error: String,
}

impl<'a> Installation<'a> {
    /// On Hive, with a block every 200 ms.
    pub async fn new(database: &'a Database) -> Self {
        let config = SandboxConfig::every(ChainKind::Hive, BLOCKS);
        Self::with(database, config).await
    }

    /// With another sandbox.
    pub async fn with(database: &'a Database, config: SandboxConfig) -> Self {
        let sandbox = Sandbox::start(config).await.unwrap();
        let folder = private_folder();
        let toml = sandbox.curatord_toml("rules", database.url.expose_secret());
        fs::write(folder.path().join("curatord.toml"), toml).unwrap();
        fs::create_dir(folder.path().join("rules")).unwrap();
        Self {
            sandbox,
            database,
            folder,
            settings: Vec::new(),
            store: OnceCell::new(),
            started: Cell::new(0),
        }
    }

    /// Sets a key of the configuration, such as `casting.retry_for`, for daemons started from now on.
    pub fn set(&mut self, key: &str, value: &str) {
        let name = format!("CURATORD_{}", key.replace('.', "__").to_uppercase());
        self.settings.push((name, value.to_owned()));
    }

    /// The folder with everything in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a rule file.
    pub fn rule_file(&self, name: &str) -> PathBuf {
        self.folder.path().join("rules").join(name)
    }

    /// Writes a rule file in one go.
    pub fn rules(&self, name: &str, text: &str) {
        fs::write(self.rule_file(name), text).unwrap();
    }

    /// A voter with an account on the chain and tokens in the database.
    pub async fn voter(&self, name: &str) -> IssuedTokens {
        let tokens = self.sandbox.add_voter(name);
        self.import(name, &tokens, tokens.expires_in).await;
        tokens
    }

    /// Several of them, brought in together.
    pub async fn voters(&self, names: &[&str]) {
        let json = self.sandbox.tokens_json(names);
        self.import_json(&json).await;
    }

    /// Brings tokens into the database with `curatord auth import`.
    pub async fn import(&self, voter: &str, tokens: &IssuedTokens, expires_in: i64) {
        let entry = json!([{
            "voter": voter,
            "access_token": tokens.access,
            "refresh_token": tokens.refresh,
            "expires_in": expires_in,
        }]);
        self.import_json(&entry.to_string()).await;
    }

    async fn import_json(&self, json: &str) {
        let file = self.folder.path().join("tokens.json");
        fs::write(&file, json).unwrap();
        let said = self.run(&["auth", "import", "tokens.json"]).await;
        assert_eq!(said.code, Some(0), "{}", said.err);
        fs::remove_file(file).unwrap();
    }

    /// `curatord` with this installation's configuration.
    pub fn command(&self) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_curatord")))
    }

    /// Another program with this installation's configuration.
    pub fn command_of(&self, program: &Path) -> Command {
        let mut command = program_in(program, self.folder.path(), &[]);
        command
            .env(
                "RUST_LOG",
                "info,curatord=debug,sqlx=warn,tokio_cron_scheduler=warn",
            )
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command of `curatord` to its end.
    pub async fn run(&self, arguments: &[&str]) -> Said {
        let mut command = tokio::process::Command::from(self.command());
        command.args(arguments).output().await.unwrap().into()
    }

    /// Starts a daemon and waits until it has read a block: what happens on the chain from now on it sees.
    pub async fn start(&self) -> Daemon {
        self.start_with(&[]).await
    }

    /// The same with more arguments.
    pub async fn start_with(&self, arguments: &[&str]) -> Daemon {
        let mut command = self.command();
        command.arg("run").args(arguments);
        self.start_command(command).await
    }

    /// The same by a command of one's own.
    pub async fn start_command(&self, command: Command) -> Daemon {
        let before = self.last_block().await;
        let daemon = self.spawn_command(command);
        let reading = async || self.last_block().await.filter(|last| Some(*last) > before);
        until("the daemon reads blocks", reading).await;
        daemon
    }

    /// Starts a daemon and waits for nothing.
    pub fn spawn(&self, arguments: &[&str]) -> Daemon {
        let mut command = self.command();
        command.arg("run").args(arguments);
        self.spawn_command(command)
    }

    /// Starts a daemon by a command of one's own and waits for nothing.
    pub fn spawn_command(&self, command: Command) -> Daemon {
        let number = self.started.get() + 1;
        self.started.set(number);
        let log = self.folder.path().join(format!("daemon-{number}.log"));
        Daemon::spawn(command, log)
    }

    /// What all daemons said so far.
    pub fn all_logs(&self) -> String {
        let log = |number| self.folder.path().join(format!("daemon-{number}.log"));
        (1..=self.started.get())
            .map(|number| fs::read_to_string(log(number)).unwrap())
            .collect()
    }

    /// The database as the daemon opens it.
    pub async fn store(&self) -> &Store {
        let open = async || self.database.open(Tz::UTC).await.unwrap();
        self.store.get_or_init(open).await
    }

    /// The last block that was read.
    pub async fn last_block(&self) -> Option<u32> {
        let cursor = self.store().await.cursor().await.unwrap();
        cursor.map(|cursor| cursor.block_num)
    }

    /// Waits until everything on the chain so far was read.
    pub async fn reads_up_to_now(&self) {
        let head = self.sandbox.with_chain(|chain| chain.head().num);
        let read = async || self.last_block().await.filter(|last| *last >= head);
        until("the daemon reads up to the head", read).await;
    }

    /// Waits until what was submitted is in a block and the block is read. Needs blocks made in time.
    pub async fn next_block_is_read(&self) {
        let next = self.sandbox.with_chain(|chain| chain.head().num) + 1;
        assert!(self.sandbox.wait_for_block(next, PATIENCE).await);
        self.reads_up_to_now().await;
    }

    /// Waits until the newest block on the chain is of this moment or later.
    pub async fn is_now(&self, moment: DateTime<Utc>) {
        let head_at = || self.sandbox.with_chain(|chain| chain.head().timestamp);
        let is_there = async || (head_at() >= moment).then_some(());
        until(&format!("there is a block of {moment}"), is_there).await;
    }

    /// Does nothing but what `act` does with the chain, makes a block of it, and waits until it is read.
    /// For sandboxes that are paused or make blocks by hand.
    pub async fn in_a_block<T>(&self, act: impl FnOnce(&Sandbox) -> T) -> T {
        let done = act(&self.sandbox);
        self.sandbox.produce_block();
        self.reads_up_to_now().await;
        done
    }

    /// How often the signer was asked to broadcast this vote.
    pub fn broadcasts(&self, voter: &str, post: &PostId) -> Vec<Request> {
        let requests = &self.sandbox.signer().endpoint().requests;
        requests.broadcasts(voter, post)
    }

    /// The weights of the voter's votes on the post, as the blocks hold them one after the other.
    pub fn votes_in_blocks(&self, voter: &str, post: &PostId) -> Vec<i16> {
        self.sandbox.with_chain(|chain| {
            let operations = chain.blocks().iter().flat_map(|block| block.operations());
            let weight = |operation: &Operation| match operation {
                Operation::Vote(vote) if vote.voter.as_str() == voter && vote.post == *post => {
                    Some(vote.weight)
                }
                _ => None,
            };
            operations
                .filter_map(|(_, operation)| weight(operation))
                .collect()
        })
    }

    /// Waits until a block holds the vote; returns its weight.
    pub async fn cast_weight(&self, voter: &str, post: &PostId) -> i16 {
        match self.sandbox.wait_for_vote(voter, post, PATIENCE).await {
            Some(vote) => vote.weight,
            None => panic!(
                "{voter} never voted on {post}: {:#?}",
                self.row(voter, post).await
            ),
        }
    }

    /// The row of a vote.
    pub async fn row(&self, voter: &str, post: &PostId) -> Option<Vote> {
        let key = VoteKey {
            voter: Account::from_chain(voter),
            post: post.clone(),
        };
        self.store().await.vote(&key).await.unwrap()
    }

    /// Waits until the row of a vote has this status.
    pub async fn row_is(&self, voter: &str, post: &PostId, status: Status) -> Vote {
        let what = format!("is {status}");
        self.row_where(voter, post, &what, |row| row.status == status)
            .await
    }

    /// Waits until the row of a vote is as wanted.
    pub async fn row_where(
        &self,
        voter: &str,
        post: &PostId,
        what: &str,
        wanted: impl Fn(&Vote) -> bool,
    ) -> Vote {
        let look = async || self.row(voter, post).await.filter(&wanted);
        match within(PATIENCE, look).await {
            Some(row) => row,
            None => {
                let row = self.row(voter, post).await;
                panic!("the vote of {voter} on {post} {what}: never within {PATIENCE:?}: {row:#?}")
            }
        }
    }

    /// Rows of `error_log` of a type, oldest first.
    pub async fn errors(&self, kind: &str) -> Vec<Logged> {
        self.store().await;
        let statement = "SELECT type, voter, author, permlink, error FROM error_log ORDER BY id";
        let rows = self.database.rows(statement).await.into_iter();
        rows.map(|[kind, voter, author, permlink, error]| Logged {
            kind,
            voter,
            author,
            permlink,
            error,
        })
        .filter(|row| row.kind == kind)
        .collect()
    }

    /// Waits for so many rows of a type in `error_log`.
    pub async fn has_errors(&self, kind: &str, count: usize) -> Vec<Logged> {
        let what = format!("{count} rows of type {kind} in error_log");
        until(&what, async || {
            let errors = self.errors(kind).await;
            (errors.len() >= count).then_some(errors)
        })
        .await
    }
}
