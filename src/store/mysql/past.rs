//! The votes that went out before.

use chrono::{DateTime, Utc};

use super::{MySqlStore, call};
use crate::account::Account;
use crate::rules::rule::RuleId;
use crate::store::error::StoreError;
use crate::store::rows::{CHUNK, PastRow, json, past_pairs};

impl MySqlStore {
    pub async fn past_votes(
        &self,
        pairs: &[(Account, RuleId)],
        since: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<Vec<PastRow>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let mut rows = Vec::new();
            for pairs in past_pairs(pairs).chunks(CHUNK) {
                rows.extend(
                    sqlx::query_as::<_, PastRow>(concat!(
                        "SELECT v.voter, v.rule, v.author, v.permlink, v.cast_at FROM ",
                        "JSON_TABLE(?, '$[*]' COLUMNS (",
                        "voter VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[0]', ",
                        "rule TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]')) AS k ",
                        "STRAIGHT_JOIN votes AS v FORCE INDEX (votes_past) ",
                        "ON v.voter = k.voter AND v.cast_at >= ? AND v.rule = k.rule ",
                        "WHERE v.status IN ('cast', 'confirmed') OR (? AND v.status = 'dry_run')"
                    ))
                    .bind(json(pairs))
                    .bind(since.naive_utc())
                    .bind(dry_run)
                    .fetch_all(&mut *session)
                    .await?,
                );
            }
            session.finish();
            Ok(rows)
        })
        .await
    }
}
