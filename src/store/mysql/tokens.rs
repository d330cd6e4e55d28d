//! `steem_authorization`, which may be an older table: of another character set, or MyISAM. Names are
//! therefore compared here and not by the server, and rows are changed by their id.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use secrecy::ExposeSecret;
use sqlx::{Acquire, MySqlConnection};

use super::{MySqlStore, call};
use crate::account::Account;
use crate::store::error::StoreError;
use crate::store::rows::json;
use crate::store::token::{Login, NewToken, StoredToken, TokenRow, local, rows_of};

impl MySqlStore {
    pub async fn token_marks(&self) -> Result<Vec<(Account, u64)>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let rows: Vec<(i64, String, i64)> = sqlx::query_as(
                // As bytes: the texts may be of different character sets, which no server need mix.
                "SELECT CAST(id AS SIGNED), user_login, CAST(CRC32(CONCAT_WS('|', id, \
                 COALESCE(CAST(access_token AS BINARY), '-'), \
                 COALESCE(CAST(refresh_token AS BINARY), '-'), \
                 COALESCE(CAST(expires_in AS BINARY), '-'))) AS SIGNED) \
                 FROM steem_authorization WHERE user_login IS NOT NULL",
            )
            .fetch_all(&mut *session)
            .await?;
            session.finish();
            let marks: BTreeMap<i64, i64> = rows.iter().map(|row| (row.0, row.2)).collect();
            let logins = rows
                .into_iter()
                .map(|(id, user_login, _)| Login { id, user_login })
                .collect();
            Ok(rows_of(logins)
                .into_iter()
                .map(|(account, id)| (account, marks[&id].unsigned_abs()))
                .collect())
        })
        .await
    }

    pub async fn tokens(&self, voters: &[Account]) -> Result<Vec<TokenRow>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let ids = ids(&mut session).await?;
            let wanted: BTreeMap<i64, &Account> = voters
                .iter()
                .filter_map(|voter| Some((*ids.get(voter)?, voter)))
                .collect();
            let rows: Vec<StoredToken> = sqlx::query_as(
                "SELECT CAST(a.id AS SIGNED) AS id, a.access_token, a.refresh_token, \
                 CAST(a.expires_in AS CHAR) AS expires_in \
                 FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS k \
                 STRAIGHT_JOIN steem_authorization AS a ON a.id = k.id",
            )
            .bind(json(&wanted.keys().collect::<Vec<_>>()))
            .fetch_all(&mut *session)
            .await?;
            session.finish();
            Ok(read(rows, &wanted, self.zone))
        })
        .await
    }

    pub async fn store_refreshed(
        &self,
        old: &TokenRow,
        new: &NewToken,
    ) -> Result<bool, StoreError> {
        let Some(used) = &old.refresh_token else {
            return Ok(false);
        };
        call(move || async move {
            let mut session = self.session().await?;
            let Some(id) = ids(&mut session).await?.remove(&old.voter) else {
                session.finish();
                return Ok(false);
            };
            // As bytes: the column may compare without regard to case. sqlx asks MySQL for the rows
            // that matched, so a row that already holds these values counts too.
            let done = sqlx::query(
                "UPDATE steem_authorization \
                 SET access_token = ?, refresh_token = ?, expires_in = ? \
                 WHERE id = ? AND CAST(refresh_token AS BINARY) = CAST(? AS BINARY)",
            )
            .bind(new.access_token.expose_secret())
            .bind(new.refresh_token.expose_secret())
            .bind(local(new.expires_at, self.zone))
            .bind(id)
            .bind(used.expose_secret())
            .execute(&mut *session)
            .await?;
            session.finish();
            Ok(done.rows_affected() > 0)
        })
        .await
    }

    pub async fn import_tokens(&self, rows: &[TokenRow]) -> Result<(u64, u64), StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let mut transaction = session.begin().await?;
            let mut ids = ids(&mut transaction).await?;
            let (mut inserted, mut updated) = (0, 0);
            for row in rows {
                let refresh = row.refresh_token.as_ref().map(|text| text.expose_secret());
                let expires = row.expires_at.map(|moment| local(moment, self.zone));
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
                             (access_token, refresh_token, expires_in, user_login) \
                             VALUES (?, ?, ?, ?)",
                        )
                        .bind(row.access_token.expose_secret())
                        .bind(refresh)
                        .bind(expires)
                        .bind(row.voter.as_str())
                    }
                };
                let done = statement.execute(&mut *transaction).await?;
                if !ids.contains_key(&row.voter) {
                    let id = i64::try_from(done.last_insert_id()).unwrap_or_default();
                    ids.insert(row.voter.clone(), id);
                }
            }
            transaction.commit().await?;
            session.finish();
            Ok((inserted, updated))
        })
        .await
    }
}

/// The id of each account's row.
async fn ids(connection: &mut MySqlConnection) -> Result<BTreeMap<Account, i64>, sqlx::Error> {
    let logins: Vec<Login> = sqlx::query_as(
        "SELECT CAST(id AS SIGNED) AS id, user_login \
         FROM steem_authorization WHERE user_login IS NOT NULL",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows_of(logins))
}

fn read(rows: Vec<StoredToken>, wanted: &BTreeMap<i64, &Account>, zone: Tz) -> Vec<TokenRow> {
    rows.into_iter()
        .filter_map(|row| {
            let voter = (*wanted.get(&row.id)?).clone();
            Some(row.read(voter, zone))
        })
        .collect()
}
