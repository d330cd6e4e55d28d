//! Who holds which vote, and who holds a lease.

use chrono::{DateTime, Utc};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::connection::{Access, readable};
use super::statements::Statements;
use super::value::{Value, json};
use super::{Backend, Store, StoreError};
use crate::votes::vote::Vote;

/// Rows that one call claims at most, so that no call takes long.
const MOST_CLAIMED: u32 = 5_000;

/// A row that is being claimed. A row that cannot be read fails the call only after the claim is committed: the
/// next call gets the rows after it.
struct Claimed {
    id: i64,
    vote: Result<Vote, sqlx::Error>,
}

impl<'r, R: Row> FromRow<'r, R> for Claimed
where
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Vote: FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let id = row.try_get("id")?;
        let vote = Vote::from_row(row);
        Ok(Self { id, vote })
    }
}

impl Store {
    /// Takes queued votes whose next attempt is before `due_before` and that nobody holds at `now`,
    /// the oldest first, and holds them for `owner` until `until`: at most `limit`, and at most 5,000
    /// a call. They come back as they were before: `claimed_by` names a daemon that held one and died,
    /// and may have cast it.
    pub async fn claim(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        let due = [
            due_before.into(),
            now.into(),
            limit.min(MOST_CLAIMED).into(),
        ];
        let hold = [owner.into(), until.into()];
        let statements = |sql: &'static Statements| [&*sql.claims.due, &*sql.claims.hold];
        self.claim_rows("claim due votes", statements, &due, &hold)
            .await
    }

    /// Takes votes that were cast and should have been looked for by `now`, and moves the next look
    /// to `until`, so that nobody else takes them meanwhile. They come back as they were before.
    pub async fn claim_unconfirmed(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        let cast = [now.into(), limit.min(MOST_CLAIMED).into()];
        let statements =
            |sql: &'static Statements| [&*sql.claims.unconfirmed, &*sql.claims.postpone];
        self.claim_rows(
            "claim unconfirmed votes",
            statements,
            &cast,
            &[until.into()],
        )
        .await
    }

    /// Finds rows with the first statement and marks them with the second one. Two statements: MySQL has
    /// no RETURNING, and SQLite's returns the rows as changed.
    async fn claim_rows(
        &self,
        name: &str,
        statements: fn(&'static Statements) -> [&'static str; 2],
        find: &[Value<'_>],
        mark: &[Value<'_>],
    ) -> Result<Vec<Vote>, StoreError> {
        let rows = self.call(name, Access::Transaction, |mut connection, _| {
            Box::pin(async move {
                let [finding, marking] = statements(connection.sql());
                let rows: Vec<Claimed> = connection.read(finding, find.iter().cloned()).await?;
                if !rows.is_empty() {
                    let ids: Vec<[i64; 1]> = rows.iter().map(|row| [row.id]).collect();
                    let mut values = vec![json(&ids).into()];
                    values.extend_from_slice(mark);
                    connection.execute(marking, values).await?;
                }
                Ok(rows)
            })
        });
        // A row that cannot be read is claimed too: it must not keep the others back.
        let votes = rows.await?.into_iter().filter_map(|row| readable(row.vote));
        Ok(votes.collect())
    }

    /// Holds every queued vote that `owner` holds until `until`; returns their number.
    pub async fn renew(&self, owner: &str, until: DateTime<Utc>) -> Result<u64, StoreError> {
        let statement =
            |_| "UPDATE votes SET claimed_until = ? WHERE claimed_by = ? AND status = 'queued'";
        self.write("renew claims", statement, [until.into(), owner.into()])
            .await
    }

    /// Every queued vote that `owner` holds.
    pub async fn held(&self, owner: &str) -> Result<Vec<Vote>, StoreError> {
        self.read("read claimed votes", |sql| &sql.claims.held, [owner.into()])
            .await
    }

    /// Gives back every queued vote that `owner` holds; returns their number.
    pub async fn release(&self, owner: &str) -> Result<u64, StoreError> {
        let statement = |_| {
            "UPDATE votes SET claimed_by = NULL, claimed_until = NULL \
             WHERE claimed_by = ? AND status = 'queued'"
        };
        self.write("release claims", statement, [owner.into()])
            .await
    }

    /// Ends the claims and leases of a daemon that ran here before, for the one that holds the
    /// [`DaemonLock`](super::DaemonLock); `claimed_by` still names it. Returns the number of votes.
    /// Changes nothing on MySQL, where claims may belong to other live daemons: there they run out.
    pub async fn free_all_claims(&self) -> Result<u64, StoreError> {
        if matches!(self.backend, Backend::MySql(_)) {
            return Ok(0);
        }
        self.call("free all claims", Access::Write, |mut connection, _| {
            Box::pin(async move {
                let statement = "UPDATE votes SET claimed_until = ? \
                 WHERE claimed_by IS NOT NULL AND status = 'queued'";
                let ended = DateTime::UNIX_EPOCH.into();
                let done = connection.execute(statement, [ended]).await?;
                connection.execute("DELETE FROM leases", []).await?;
                Ok(done.rows)
            })
        })
        .await
    }

    /// Takes or renews a lease on what only one daemon does at a time. False while another holds it.
    pub async fn acquire_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        // Each statement is decided by the row alone, so they need no transaction.
        self.call("acquire a lease", Access::Write, |mut connection, _| {
            Box::pin(async move {
                let statement = "UPDATE leases SET holder = ?, until = ? \
                 WHERE name = ? AND (holder = ? OR until <= ?)";
                let values = [
                    owner.into(),
                    until.into(),
                    name.into(),
                    owner.into(),
                    now.into(),
                ];
                if connection.execute(statement, values).await?.rows > 0 {
                    return Ok(true);
                }
                let statement = &connection.sql().claims.insert_lease;
                let values = [name.into(), owner.into(), until.into()];
                Ok(connection.execute(statement, values).await?.rows > 0)
            })
        })
        .await
    }

    /// Gives up a lease if `owner` holds it.
    pub async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let statement = |_| "DELETE FROM leases WHERE name = ? AND holder = ?";
        self.write("release a lease", statement, [name.into(), owner.into()])
            .await
            .map(drop)
    }
}
