//! `error_log`, which other programs may have made and may read.

use super::connection::Connection;
use crate::votes::error_entry::ErrorEntry;
use crate::votes::fold::Context;

/// Writes the errors of votes that failed for good, then the entries that were not reported before.
pub(super) async fn write(
    connection: &mut Connection<'_>,
    mut errors: Vec<ErrorEntry>,
    entries: &[ErrorEntry],
    context: &Context<'_>,
) -> Result<(), sqlx::Error> {
    let sql = &connection.sql().errors;
    for entry in entries {
        if let Some(fingerprint) = &entry.fingerprint {
            let values = [fingerprint.as_str().into(), context.now.into()];
            let done = connection.execute(&sql.insert_reported, values).await?;
            if done.rows == 0 {
                continue;
            }
        }
        errors.push(entry.clone());
    }
    connection.write(&sql.insert, &errors).await
}
