//! Who holds which vote, and who holds a lease.

use chrono::{DateTime, Utc};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::connection::{Access, readable};
use super::dialect::{Dialect, Once, names};
use super::value::{Field, Value};
use super::{Backend, Store, StoreError};
use crate::votes::vote::Vote;

/// Most rows that one call claims, so that no call takes long.
const MOST_CLAIMED: u32 = 5_000;

/// A row that is being claimed. A row that cannot be read is claimed as well, so that the next call gets the rows
/// after it.
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
    /// per call. Returns them as they were before: `claimed_by` names a daemon that held one and died,
    /// and may have cast it.
    pub async fn claim(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        static FIND: Once = Once::new();
        static HOLD: Once = Once::new();
        let dialect = self.dialect();
        let find = FIND.of(dialect, || {
            let due = "status = 'queued' AND next_attempt_at < ? \
                 AND (claimed_until IS NULL OR claimed_until < ?)";
            find(dialect, due)
        });
        let hold = HOLD.of(dialect, || {
            (dialect.update_by_id)("claimed_by = ?, claimed_until = ?")
        });
        let limit = limit.min(MOST_CLAIMED);
        let values = [due_before.write(), now.write(), limit.write()];
        let held = [owner.into(), until.write()];
        self.claim_rows("claim due votes", (find, &values), (hold, &held))
            .await
    }

    /// Takes votes that were cast and should have been looked for by `now`, and moves the next look
    /// to `until`, so that no other daemon takes them meanwhile. Returns them as they were before.
    pub async fn claim_unconfirmed(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        static FIND: Once = Once::new();
        static POSTPONE: Once = Once::new();
        let dialect = self.dialect();
        let find = FIND.of(dialect, || {
            find(dialect, "status = 'cast' AND next_attempt_at <= ?")
        });
        let postpone = POSTPONE.of(dialect, || (dialect.update_by_id)("next_attempt_at = ?"));
        let limit = limit.min(MOST_CLAIMED);
        let values = [now.write(), limit.write()];
        let postponed = [until.write()];
        let name = "claim unconfirmed votes";
        self.claim_rows(name, (find, &values), (postpone, &postponed))
            .await
    }

    /// Finds rows and changes them, each by a statement with its values. Two statements: MySQL has no RETURNING, and
    /// SQLite's returns the rows as changed.
    async fn claim_rows(
        &self,
        name: &str,
        (find, sought): (&'static str, &[Value<'_>]),
        (change, changed): (&'static str, &[Value<'_>]),
    ) -> Result<Vec<Vote>, StoreError> {
        let rows = self.call(name, Access::Transaction, |mut connection, _| {
            Box::pin(async move {
                let rows: Vec<Claimed> = connection.read(find, sought.iter().cloned()).await?;
                let ids = rows.iter().map(|row| [row.id]);
                connection.write(change, ids, changed).await?;
                Ok(rows)
            })
        });
        let votes = rows.await?.into_iter().filter_map(|row| readable(row.vote));
        Ok(votes.collect())
    }

    /// Holds every queued vote that `owner` holds until `until`; returns their number.
    pub async fn renew(&self, owner: &str, until: DateTime<Utc>) -> Result<u64, StoreError> {
        let statement =
            "UPDATE votes SET claimed_until = ? WHERE claimed_by = ? AND status = 'queued'";
        self.write("renew claims", statement, [until.write(), owner.into()])
            .await
    }

    /// Every queued vote that `owner` holds.
    pub async fn held(&self, owner: &str) -> Result<Vec<Vote>, StoreError> {
        static READ: Once = Once::new();
        let statement = READ.of(self.dialect(), || {
            let columns = names::<Vote>("");
            format!("SELECT {columns} FROM votes WHERE claimed_by = ? AND status = 'queued'")
        });
        self.read("read claimed votes", statement, [owner.into()])
            .await
    }

    /// Gives back every queued vote that `owner` holds; returns their number.
    pub async fn release(&self, owner: &str) -> Result<u64, StoreError> {
        let statement = "UPDATE votes SET claimed_by = NULL, claimed_until = NULL \
             WHERE claimed_by = ? AND status = 'queued'";
        self.write("release claims", statement, [owner.into()])
            .await
    }

    /// Ends the claims and leases of the previous daemon, for the one that holds the
    /// [`DaemonLock`](super::DaemonLock); `claimed_by` still names the previous one. Returns the number of votes.
    /// Changes nothing on MySQL, where claims may belong to other live daemons: there they expire.
    pub async fn free_all_claims(&self) -> Result<u64, StoreError> {
        if matches!(self.backend, Backend::MySql(_)) {
            return Ok(0);
        }
        self.call("free all claims", Access::Write, |mut connection, _| {
            Box::pin(async move {
                let statement = "UPDATE votes SET claimed_until = ? \
                 WHERE claimed_by IS NOT NULL AND status = 'queued'";
                let ended = Value::Moment(DateTime::UNIX_EPOCH);
                let done = connection.execute(statement, [ended]).await?;
                connection.execute("DELETE FROM leases", []).await?;
                Ok(done.rows)
            })
        })
        .await
    }

    /// Takes or renews a lease on work that only one daemon does at a time. False while another holds it.
    pub async fn acquire_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        static INSERT: Once = Once::new();
        let insert = INSERT.of(self.dialect(), || {
            let insert = self.dialect().insert_new;
            format!("{insert} INTO leases (name, holder, until) VALUES (?, ?, ?)")
        });
        // Each statement is decided by the row alone, so they need no transaction.
        self.call("acquire a lease", Access::Write, |mut connection, _| {
            Box::pin(async move {
                let statement = "UPDATE leases SET holder = ?, until = ? \
                 WHERE name = ? AND (holder = ? OR until <= ?)";
                let values = [
                    owner.into(),
                    until.write(),
                    name.into(),
                    owner.into(),
                    now.write(),
                ];
                if connection.execute(statement, values).await?.rows > 0 {
                    return Ok(true);
                }
                let values = [name.into(), owner.into(), until.write()];
                Ok(connection.execute(insert, values).await?.rows > 0)
            })
        })
        .await
    }

    /// Gives up a lease if `owner` holds it.
    pub async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let statement = "DELETE FROM leases WHERE name = ? AND holder = ?";
        self.write("release a lease", statement, [name.into(), owner.into()])
            .await
            .map(drop)
    }
}

/// Reads rows that meet a condition, the most urgent first, and locks them; the last value is their largest number.
fn find(dialect: &Dialect, condition: &str) -> String {
    format!(
        "SELECT id, {} FROM votes{} WHERE {condition} ORDER BY next_attempt_at, id LIMIT ?{}",
        names::<Vote>(""),
        dialect.by_next_attempt,
        dialect.lock_free,
    )
}
