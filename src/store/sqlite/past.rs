//! The votes that went out before.

use chrono::{DateTime, Utc};

use super::SqliteStore;
use crate::account::Account;
use crate::rules::rule::RuleId;
use crate::store::error::StoreError;
use crate::store::rows::{CHUNK, PastRow, json, past_pairs, text};

impl SqliteStore {
    pub async fn past_votes(
        &self,
        pairs: &[(Account, RuleId)],
        since: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<Vec<PastRow>, StoreError> {
        let mut reader = self.reader.lock().await;
        let mut rows = Vec::new();
        for pairs in past_pairs(pairs).chunks(CHUNK) {
            rows.extend(
                sqlx::query_as::<_, PastRow>(
                    "SELECT v.voter, v.rule, v.author, v.permlink, v.cast_at FROM json_each(?) AS k \
                     CROSS JOIN votes AS v INDEXED BY votes_past \
                     ON v.voter = k.value ->> 0 AND v.cast_at >= ? AND v.rule = k.value ->> 1 \
                     WHERE v.status IN ('cast', 'confirmed') OR (? AND v.status = 'dry_run')",
                )
                .bind(json(pairs))
                .bind(text(since))
                .bind(dry_run)
                .fetch_all(&mut *reader)
                .await?,
            );
        }
        Ok(rows)
    }
}
