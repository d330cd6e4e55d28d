//! `steem_authorization`, which other programs may have made and may write: on MySQL it may be of
//! another character set, or MyISAM. Names are therefore compared here and not by the server, and
//! rows are changed by their id.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use secrecy::ExposeSecret;
use sqlx::mysql::MySqlRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::connection::{Access, Connection};
use super::token_row::{Login, NewToken, StoredToken, TokenRow, local, newest};
use super::value::{Value, json};
use super::{Store, StoreError};
use crate::account::Account;

/// A number that changes with a row. MySQL computes it, so that no token is sent; SQLite has no hash
/// function, and its tokens are read here.
struct Mark {
    login: Login,
    mark: u64,
}

impl FromRow<'_, MySqlRow> for Mark {
    fn from_row(row: &MySqlRow) -> Result<Self, sqlx::Error> {
        let mark: i64 = row.try_get("mark")?;
        Ok(Self {
            login: Login::from_row(row)?,
            mark: mark.unsigned_abs(),
        })
    }
}

impl FromRow<'_, SqliteRow> for Mark {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let mut hasher = DefaultHasher::new();
        for column in ["access_token", "refresh_token", "expires_in"] {
            row.try_get::<Option<String>, _>(column)?.hash(&mut hasher);
        }
        Ok(Self {
            login: Login::from_row(row)?,
            mark: hasher.finish(),
        })
    }
}

impl Store {
    /// A number for each row of `steem_authorization` that changes when the row does, to notice
    /// what other programs write. Comparable only within one run of the program.
    pub async fn token_marks(&self) -> Result<Vec<(Account, u64)>, StoreError> {
        let rows = self.read("read the marks of tokens", |sql| sql.tokens.marks, []);
        let rows: Vec<Mark> = rows.await?;
        let newest = newest(rows.into_iter().map(|row| (row.login, row.mark)));
        let mark = |(account, (_, mark))| (account, mark);
        Ok(newest.into_iter().map(mark).collect())
    }

    /// The tokens of these voters; voters without any are left out.
    pub async fn tokens(&self, voters: &[Account]) -> Result<Vec<TokenRow>, StoreError> {
        self.call("read tokens", Access::Read, |mut connection, _| {
            Box::pin(async move {
                let ids = ids(&mut connection).await?;
                let wanted: BTreeMap<i64, &Account> = voters
                    .iter()
                    .filter_map(|voter| Some((*ids.get(voter)?, voter)))
                    .collect();
                let texts: Vec<[&i64; 1]> = wanted.keys().map(|id| [id]).collect();
                let statement = &connection.sql().tokens.by_id;
                let rows: Vec<StoredToken> =
                    connection.read(statement, [json(&texts).into()]).await?;
                let row = |row: StoredToken| {
                    let voter = (*wanted.get(&row.id)?).clone();
                    Some(row.read(voter, self.zone))
                };
                Ok(rows.into_iter().filter_map(row).collect())
            })
        })
        .await
    }

    /// Stores the result of a refresh of `old`. Changes nothing and returns false where the row no
    /// longer holds the refresh token that was used: somebody logged in meanwhile.
    pub async fn store_refreshed(
        &self,
        old: &TokenRow,
        new: &NewToken,
    ) -> Result<bool, StoreError> {
        let Some(used) = &old.refresh_token else {
            return Ok(false);
        };
        self.call(
            "store a refreshed token",
            Access::Write,
            |mut connection, _| {
                Box::pin(async move {
                    let Some(id) = ids(&mut connection).await?.remove(&old.voter) else {
                        return Ok(false);
                    };
                    let values = [
                        new.access_token.expose_secret().into(),
                        new.refresh_token.expose_secret().into(),
                        local(new.expires_at, self.zone).to_string().into(),
                        id.into(),
                        used.expose_secret().into(),
                    ];
                    // sqlx asks MySQL for the rows that matched, so a row that already holds these values counts.
                    let statement = &connection.sql().tokens.refresh;
                    Ok(connection.execute(statement, values).await?.rows > 0)
                })
            },
        )
        .await
    }

    /// Writes these tokens over those that are there; returns how many rows are new and how many
    /// were there.
    pub async fn import_tokens(&self, rows: &[TokenRow]) -> Result<(u64, u64), StoreError> {
        self.call("import tokens", Access::Transaction, |mut connection, _| {
            Box::pin(async move {
                let mut ids = ids(&mut connection).await?;
                let (mut inserted, mut updated) = (0, 0);
                for row in rows {
                    let found = ids.get(&row.voter).copied();
                    let statement = match found {
                        Some(_) => {
                            "UPDATE steem_authorization \
                         SET access_token = ?, refresh_token = ?, expires_in = ? WHERE id = ?"
                        }
                        None => {
                            "INSERT INTO steem_authorization \
                         (access_token, refresh_token, expires_in, user_login) VALUES (?, ?, ?, ?)"
                        }
                    };
                    let values: [Value<'_>; 4] = [
                        row.access_token.expose_secret().into(),
                        row.refresh_token
                            .as_ref()
                            .map(|text| text.expose_secret())
                            .into(),
                        row.expires_at
                            .map(|moment| local(moment, self.zone).to_string())
                            .into(),
                        found.map_or_else(|| row.voter.as_str().into(), Value::from),
                    ];
                    let done = connection.execute(statement, values).await?;
                    if found.is_none() {
                        ids.insert(row.voter.clone(), done.id);
                        inserted += 1;
                    } else {
                        updated += 1;
                    }
                }
                Ok((inserted, updated))
            })
        })
        .await
    }
}

/// The id of each account's row.
async fn ids(connection: &mut Connection<'_>) -> Result<BTreeMap<Account, i64>, sqlx::Error> {
    let statement = "SELECT CAST(id AS SIGNED) AS id, CAST(user_login AS CHAR) AS user_login \
         FROM steem_authorization WHERE user_login IS NOT NULL";
    let logins: Vec<Login> = connection.read(statement, []).await?;
    let newest = newest(logins.into_iter().map(|login| (login, ())));
    let id = |(account, (id, ()))| (account, id);
    Ok(newest.into_iter().map(id).collect())
}
