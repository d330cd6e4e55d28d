//! The database: one type over two backends. What a row becomes is decided in
//! [`crate::votes::fold`]; below here are only the statements.
//!
//! No call hangs: one that a server leaves without an answer ends as [`StoreError::Unavailable`]
//! after a few seconds, and the same call may be tried again. When the connection breaks while a
//! transaction is committed nobody knows whether it was, so [`Store::apply`] must bear to be given
//! the same batch twice; `fold` sees to that.

mod asks;
mod error;
mod mysql;
mod rows;
mod sqlite;
mod token;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};

use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::votes::change::{Batch, Cursor, LeaderVote, ScheduleRun};
use crate::votes::fold::Context;
use crate::votes::vote::{PastVote, Vote};

pub use error::StoreError;
pub use token::{NewToken, TokenRow};

use mysql::MySqlStore;
use sqlite::{FileLock, SqliteStore};

/// Rows that one call claims.
const MOST_CLAIMED: u32 = 5_000;

/// An open database with all tables.
pub struct Store {
    backend: Backend,
}

enum Backend {
    MySql(MySqlStore),
    Sqlite(SqliteStore),
}

/// Keeps a second daemon away from a database that is for one; given up when dropped.
#[derive(Debug)]
#[must_use = "a second daemon may start as soon as this is dropped"]
pub struct DaemonLock {
    _file: Option<FileLock>,
}

/// Runs the same call on whichever backend it is.
macro_rules! on_backend {
    ($store:ident, $method:ident($($argument:expr),*)) => {
        match &$store.backend {
            Backend::MySql(backend) => backend.$method($($argument),*).await,
            Backend::Sqlite(backend) => backend.$method($($argument),*).await,
        }
    };
}

impl Store {
    /// Connects, makes the tables that are missing and adopts those that other programs made.
    /// `url` is `sqlite://path`, `mysql://…` or `mariadb://…`; `timezone` is that of
    /// `steem_authorization.expires_in`.
    ///
    /// # Errors
    /// `Unavailable` where it may work later; `Refused` where somebody must change something first.
    pub async fn open(url: &SecretString, timezone: Tz) -> Result<Self, StoreError> {
        let scheme = url.expose_secret().split(':').next().unwrap_or_default();
        let backend = match scheme {
            "mysql" | "mariadb" => Backend::MySql(MySqlStore::open(url, timezone).await?),
            "sqlite" => Backend::Sqlite(SqliteStore::open(url, timezone).await?),
            _ => {
                return Err(StoreError::Refused(
                    "the address must begin with sqlite://, mysql:// or mariadb://".to_owned(),
                ));
            }
        };
        Ok(Self { backend })
    }

    /// Makes sure that no second daemon runs on a database that is for one: on SQLite by a locked
    /// file beside it. Commands do not ask for it and can write meanwhile. On MySQL daemons share.
    ///
    /// # Errors
    /// `Refused` while another daemon has it.
    pub fn lock_daemon(&self) -> Result<DaemonLock, StoreError> {
        let file = match &self.backend {
            Backend::MySql(_) => None,
            Backend::Sqlite(backend) => Some(backend.lock_daemon()?),
        };
        Ok(DaemonLock { _file: file })
    }

    /// Writes a batch, whole or not at all, and returns the rows it wrote.
    ///
    /// What the tables cannot hold is left out: names and permlinks that the chain does not allow.
    pub async fn apply(
        &self,
        batch: &Batch,
        context: &Context<'_>,
    ) -> Result<Vec<Vote>, StoreError> {
        let batch = storable(batch);
        on_backend!(self, apply(&batch, context))
    }

    /// Takes queued votes whose next attempt is before `due_before` and that nobody holds at `now`,
    /// the oldest first, and holds them for `owner` until `until`: at most `limit`, and at most 5,000 a
    /// call, so that no call takes long. They come back as they were before: `claimed_by` names the daemon that held one and died, and may have cast it.
    pub async fn claim(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        let limit = limit.min(MOST_CLAIMED);
        on_backend!(self, claim(owner, now, due_before, until, limit))
    }

    /// Holds everything queued that `owner` holds until `until`; returns how many votes that are.
    pub async fn renew(&self, owner: &str, until: DateTime<Utc>) -> Result<u64, StoreError> {
        on_backend!(self, renew(owner, until))
    }

    /// Everything queued that `owner` holds.
    pub async fn held(&self, owner: &str) -> Result<Vec<Vote>, StoreError> {
        on_backend!(self, held(owner))
    }

    /// Gives back everything queued that `owner` holds; returns how many votes that were.
    pub async fn release(&self, owner: &str) -> Result<u64, StoreError> {
        on_backend!(self, release(owner))
    }

    /// Ends the claims and leases of a daemon that ran here before, for the one that holds the
    /// [`DaemonLock`]; `claimed_by` still names it. Changes nothing on MySQL, where others may live:
    /// there they run out.
    pub async fn free_all_claims(&self) -> Result<u64, StoreError> {
        match &self.backend {
            Backend::MySql(_) => Ok(0),
            Backend::Sqlite(backend) => backend.free_all_claims().await,
        }
    }

    /// Takes votes that were cast and should have been looked for by `now`, and moves the next look
    /// to `until`, so that nobody else takes them meanwhile. They come back as they were before.
    pub async fn claim_unconfirmed(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        let limit = limit.min(MOST_CLAIMED);
        on_backend!(self, claim_unconfirmed(now, until, limit))
    }

    /// One row.
    pub async fn vote(&self, key: &VoteKey) -> Result<Option<Vote>, StoreError> {
        on_backend!(self, vote(key))
    }

    /// For each pair the votes of that voter by that rule that went out at `since` or later; pairs without any
    /// are left out. `dry_run` counts those that a dry run would have cast.
    pub async fn past_votes(
        &self,
        pairs: &[(Account, RuleId)],
        since: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<Vec<(Account, RuleId, Vec<PastVote>)>, StoreError> {
        let rows = on_backend!(self, past_votes(pairs, since, dry_run))?;
        Ok(rows::gather_past(rows))
    }

    /// The rows of these votes, in no order; those that are not there are left out.
    pub async fn votes(&self, keys: &[VoteKey]) -> Result<Vec<Vote>, StoreError> {
        on_backend!(self, votes(keys))
    }

    /// How far the times of rules with a schedule have been taken care of, in the order of their names.
    pub async fn schedule_runs(&self) -> Result<Vec<ScheduleRun>, StoreError> {
        on_backend!(self, schedule_runs())
    }

    /// How far the chain was read; `None` in a new database.
    pub async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        on_backend!(self, cursor())
    }

    /// Every leader's vote that is kept, in the order of their blocks.
    pub async fn leader_votes(&self) -> Result<Vec<LeaderVote>, StoreError> {
        on_backend!(self, leader_votes())
    }

    /// Forgets leaders' votes from before that moment, at most 20,000 a call; returns how many.
    pub async fn prune_leader_votes(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        on_backend!(self, prune_leader_votes(before))
    }

    /// A number for each row of `steem_authorization` that is another when the row was changed, to
    /// notice what other programs write. Comparable only within one run of the program.
    pub async fn token_marks(&self) -> Result<Vec<(Account, u64)>, StoreError> {
        on_backend!(self, token_marks())
    }

    /// The tokens of these voters, as far as there are any.
    pub async fn tokens(&self, voters: &[Account]) -> Result<Vec<TokenRow>, StoreError> {
        on_backend!(self, tokens(voters))
    }

    /// Stores what a refresh of `old` brought; false, and nothing is changed, where the row does not
    /// hold the refresh token any more that was used: somebody logged in meanwhile.
    pub async fn store_refreshed(
        &self,
        old: &TokenRow,
        new: &NewToken,
    ) -> Result<bool, StoreError> {
        on_backend!(self, store_refreshed(old, new))
    }

    /// Writes these tokens over those that are there; returns how many rows are new and how many
    /// were there.
    pub async fn import_tokens(&self, rows: &[TokenRow]) -> Result<(u64, u64), StoreError> {
        on_backend!(self, import_tokens(rows))
    }

    /// Takes or renews what only one daemon does at a time. False while another holds it.
    pub async fn acquire_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        on_backend!(self, acquire_lease(name, owner, now, until))
    }

    /// Gives up a lease, if `owner` holds it.
    pub async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        on_backend!(self, release_lease(name, owner))
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on_backend!(self, ping())
    }
}

/// The batch without what the tables cannot hold; one such vote must not hold up all the others.
fn storable(batch: &Batch) -> Cow<'_, Batch> {
    let fits = |key: &VoteKey| is_name(&key.voter) && is_post(&key.post);
    if batch.changes.iter().all(|change| fits(change.key()))
        && batch.leader_votes.iter().all(|vote| is_post(&vote.post))
        && batch.schedule_runs.iter().all(|run| is_rule(&run.rule))
    {
        return Cow::Borrowed(batch);
    }
    let mut batch = batch.clone();
    batch.changes.retain(|change| {
        let fits = fits(change.key());
        if !fits {
            tracing::warn!(vote = %change.key(), "left out a vote whose name the tables cannot hold");
        }
        fits
    });
    batch.leader_votes.retain(|vote| is_post(&vote.post));
    batch.schedule_runs.retain(|run| {
        let fits = is_rule(&run.rule);
        if !fits {
            tracing::warn!(rule = %run.rule, "the name of a rule is too long: it is not remembered when it ran last");
        }
        fits
    });
    Cow::Owned(batch)
}

/// The longest name that MySQL can hold in an index.
fn is_rule(rule: &RuleId) -> bool {
    rule.as_str().chars().count() <= 700
}

/// Names have at most 16 characters on the chain (`HIVE_MAX_ACCOUNT_NAME_LENGTH`).
fn is_name(name: &Account) -> bool {
    name.as_str().len() <= 16
}

/// Permlinks have at most 256 bytes (`HIVE_MAX_PERMLINK_LENGTH`). To MySQL `a` and `a ` are the same,
/// so that the second of them could not be written; no post of a real author ends in a blank.
fn is_post(post: &PostId) -> bool {
    is_name(&post.author) && post.permlink.len() <= 256 && !post.permlink.ends_with(' ')
}
