//! `steem_authorization`, which other programs may have made and may write.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::TryStreamExt;
use secrecy::ExposeSecret;
use sqlx::SqliteConnection;

use super::{SqliteStore, begin};
use crate::account::Account;
use crate::store::error::StoreError;
use crate::store::rows::json;
use crate::store::token::{Login, NewToken, StoredToken, TokenRow, local, rows_of};

impl SqliteStore {
    /// The columns are hashed here: SQLite has no hash function, and reads its own file anyhow.
    pub async fn token_marks(&self) -> Result<Vec<(Account, u64)>, StoreError> {
        let mut reader = self.reader.lock().await;
        let mut rows =
            sqlx::query_as::<_, (i64, String, Option<String>, Option<String>, Option<String>)>(
                "SELECT id, CAST(user_login AS TEXT), CAST(access_token AS TEXT), \
             CAST(refresh_token AS TEXT), CAST(expires_in AS TEXT) FROM steem_authorization \
             WHERE user_login IS NOT NULL",
            )
            .fetch(&mut *reader);
        let (mut logins, mut marks) = (Vec::new(), BTreeMap::new());
        while let Some((id, user_login, access, refresh, expires)) = rows.try_next().await? {
            let mut hasher = DefaultHasher::new();
            (access, refresh, expires).hash(&mut hasher);
            marks.insert(id, hasher.finish());
            logins.push(Login { id, user_login });
        }
        Ok(rows_of(logins)
            .into_iter()
            .filter_map(|(account, id)| Some((account, *marks.get(&id)?)))
            .collect())
    }

    pub async fn tokens(&self, voters: &[Account]) -> Result<Vec<TokenRow>, StoreError> {
        let mut reader = self.reader.lock().await;
        let ids = ids(&mut reader).await?;
        let wanted: BTreeMap<i64, &Account> = voters
            .iter()
            .filter_map(|voter| Some((*ids.get(voter)?, voter)))
            .collect();
        let rows: Vec<StoredToken> = sqlx::query_as(
            "SELECT id, CAST(access_token AS TEXT) AS access_token, \
             CAST(refresh_token AS TEXT) AS refresh_token, \
             CAST(expires_in AS TEXT) AS expires_in FROM steem_authorization \
             WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(json(&wanted.keys().collect::<Vec<_>>()))
        .fetch_all(&mut *reader)
        .await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let voter = (*wanted.get(&row.id)?).clone();
                Some(row.read(voter, self.zone))
            })
            .collect())
    }

    pub async fn store_refreshed(
        &self,
        old: &TokenRow,
        new: &NewToken,
    ) -> Result<bool, StoreError> {
        let Some(used) = &old.refresh_token else {
            return Ok(false);
        };
        let mut writer = self.writer.lock().await;
        let Some(id) = ids(&mut writer).await?.remove(&old.voter) else {
            return Ok(false);
        };
        let done = sqlx::query(
            "UPDATE steem_authorization \
             SET access_token = ?, refresh_token = ?, expires_in = ? \
             WHERE id = ? AND refresh_token = ? COLLATE BINARY",
        )
        .bind(new.access_token.expose_secret())
        .bind(new.refresh_token.expose_secret())
        .bind(local(new.expires_at, self.zone).to_string())
        .bind(id)
        .bind(used.expose_secret())
        .execute(&mut *writer)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    pub async fn import_tokens(&self, rows: &[TokenRow]) -> Result<(u64, u64), StoreError> {
        let mut writer = self.writer.lock().await;
        let mut transaction = begin(&mut writer).await?;
        let mut ids = ids(&mut transaction).await?;
        let (mut inserted, mut updated) = (0, 0);
        for row in rows {
            let refresh = row.refresh_token.as_ref().map(|text| text.expose_secret());
            let expires = row
                .expires_at
                .map(|moment| local(moment, self.zone).to_string());
            let statement = match ids.get(&row.voter) {
                Some(id) => {
                    updated += 1;
                    sqlx::query(
                        "UPDATE steem_authorization \
                         SET access_token = ?, refresh_token = ?, expires_in = ? WHERE id = ?",
                    )
                    .bind(row.access_token.expose_secret())
                    .bind(refresh)
                    .bind(expires)
                    .bind(*id)
                }
                None => {
                    inserted += 1;
                    sqlx::query(
                        "INSERT INTO steem_authorization \
                         (access_token, refresh_token, expires_in, user_login) VALUES (?, ?, ?, ?)",
                    )
                    .bind(row.access_token.expose_secret())
                    .bind(refresh)
                    .bind(expires)
                    .bind(row.voter.as_str())
                }
            };
            let done = statement.execute(&mut *transaction).await?;
            ids.entry(row.voter.clone())
                .or_insert_with(|| done.last_insert_rowid());
        }
        transaction.commit().await?;
        Ok((inserted, updated))
    }
}

/// The id of each account's row.
async fn ids(connection: &mut SqliteConnection) -> Result<BTreeMap<Account, i64>, sqlx::Error> {
    let logins: Vec<Login> = sqlx::query_as(
        "SELECT id, CAST(user_login AS TEXT) AS user_login \
         FROM steem_authorization WHERE user_login IS NOT NULL",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows_of(logins))
}
