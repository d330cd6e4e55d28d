//! `error_log`, which other programs may have made and may read.

use chrono::{DateTime, Utc};

use super::connection::Connection;
use super::dialect::{Dialect, Once};
use super::table::Cells;
use super::value::Field;
use super::{Store, StoreError};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::fold::Context;

/// Writes the errors of votes that failed for good, then those entries that were not reported before.
///
/// An entry with a fingerprint is written once, also where it is given again because the answer to its commit was lost.
pub(super) async fn write(
    connection: &mut Connection<'_>,
    dialect: &Dialect,
    mut errors: Vec<ErrorEntry>,
    entries: &[ErrorEntry],
    context: &Context<'_>,
) -> Result<(), sqlx::Error> {
    static REPORT: Once = Once::new();
    static INSERT: Once = Once::new();
    let report = REPORT.of(dialect, || {
        let insert = dialect.insert_new;
        format!("{insert} INTO reported (fingerprint, reported_at) VALUES (?, ?)")
    });
    for entry in entries {
        if let Some(fingerprint) = &entry.fingerprint {
            let values = [fingerprint.write(), context.now.write()];
            if connection.execute(report, values).await?.rows == 0 {
                continue;
            }
        }
        errors.push(entry.clone());
    }
    let insert = INSERT.of(dialect, || {
        dialect.write_rows::<ErrorEntry>("INSERT INTO error_log")
    });
    connection
        .write(insert, errors.iter().map(Cells), &[])
        .await
}

impl Store {
    /// Removes the fingerprints of [`ErrorEntry::write_once`] from before a moment: their batches are not given again.
    pub async fn prune_reported(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let statement = "DELETE FROM reported WHERE fingerprint LIKE 'once:%' AND reported_at < ?";
        self.write("remove old fingerprints", statement, [before.write()])
            .await
    }
}
