//! `error_log`, which other programs may have made and may read.

use super::connection::Connection;
use super::dialect::Dialect;
use super::value::Field;
use crate::votes::error_entry::ErrorEntry;
use crate::votes::fold::Context;

/// Writes the errors of votes that failed for good, then those entries that were not reported before.
pub(super) async fn write(
    connection: &mut Connection<'_>,
    dialect: &Dialect,
    mut errors: Vec<ErrorEntry>,
    entries: &[ErrorEntry],
    context: &Context<'_>,
) -> Result<(), sqlx::Error> {
    let insert_reported = format!(
        "{} INTO reported (fingerprint, reported_at) VALUES (?, ?)",
        dialect.insert_new
    );
    for entry in entries {
        if let Some(fingerprint) = &entry.fingerprint {
            let values = [fingerprint.write(), context.now.write()];
            if connection.execute(&insert_reported, values).await?.rows == 0 {
                continue;
            }
        }
        errors.push(entry.clone());
    }
    let insert = dialect.write_rows::<ErrorEntry>("INSERT INTO error_log");
    connection.write(&insert, &errors).await
}
