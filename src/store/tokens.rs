//! `steem_authorization`, which other programs may have made and may write: on MySQL it may be of
//! another character set, or MyISAM. Names are therefore compared here and not by the server, and
//! rows are changed by their id.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use secrecy::ExposeSecret;

use super::columns::IDS;
use super::connection::{Access, Connection};
use super::dialect::Once;
use super::token_row::{NewToken, RowDoubt, StoredToken, TokenMarks, TokenRow, by_account, local};
use super::value::{Field, Value};
use super::{Store, StoreError};
use crate::account::Account;

impl Store {
    /// A number for each row of `steem_authorization` that changes when the row does, to notice
    /// what other programs write. Comparable only within one run of the program.
    pub async fn token_marks(&self) -> Result<Vec<(Account, u64)>, StoreError> {
        Ok(self.read_token_marks().await?.marks)
    }

    /// The marks of all rows that can be used, and what is wrong with others.
    pub async fn read_token_marks(&self) -> Result<TokenMarks, StoreError> {
        let statement = self.dialect().token_marks;
        // As bytes: one row that is not text must not hide the others.
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> =
            self.read("read the marks of tokens", statement, []).await?;
        let mut doubts = Vec::new();
        let readable = rows.into_iter().filter(|(id, login, text)| {
            let is_text = std::str::from_utf8(text).is_ok();
            if !is_text {
                let login = String::from_utf8_lossy(login).into_owned();
                doubts.push(RowDoubt::Unreadable { id: *id, login });
            }
            is_text
        });
        let readable: Vec<_> = readable.collect();
        let mark = |(account, (_, text)): (Account, (i64, Vec<u8>))| {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            (account, hasher.finish())
        };
        let marks = by_account(readable, &mut doubts).into_iter().map(mark);
        Ok(TokenMarks {
            marks: marks.collect(),
            doubts,
        })
    }

    /// Those of `rows` whose refresh token was refused for good, by the `error_log`.
    pub async fn refused_tokens(&self, rows: &[TokenRow]) -> Result<HashSet<Account>, StoreError> {
        let statement =
            "SELECT CAST(fingerprint AS CHAR) FROM reported WHERE fingerprint LIKE 'dead:%'";
        let marks: Vec<(String,)> = self.read("read refused tokens", statement, []).await?;
        let marks: HashSet<String> = marks.into_iter().map(|(mark,)| mark).collect();
        let refused = rows.iter().filter(|row| {
            let mark = row.refused_mark();
            mark.is_some_and(|mark| marks.contains(&mark))
        });
        Ok(refused.map(|row| row.voter.clone()).collect())
    }

    /// The tokens of these voters; voters without any are left out.
    pub async fn tokens(&self, voters: &[Account]) -> Result<Vec<TokenRow>, StoreError> {
        static READ: Once = Once::new();
        let statement = READ.of(self.dialect(), || {
            format!(
                "SELECT CAST(a.id AS SIGNED) AS id, CAST(a.access_token AS CHAR) AS access_token, \
                 CAST(a.refresh_token AS CHAR) AS refresh_token, \
                 CAST(a.expires_in AS CHAR) AS expires_in \
                 FROM {} AS k {} steem_authorization AS a ON a.id = k.id",
                (self.dialect().rows)(IDS),
                self.dialect().join,
            )
        });
        self.call("read tokens", Access::Read, |mut connection, _| {
            Box::pin(async move {
                let ids = ids(&mut connection).await?;
                let wanted: BTreeMap<i64, &Account> = voters
                    .iter()
                    .filter_map(|voter| Some((*ids.get(voter)?, voter)))
                    .collect();
                let keys = wanted.keys().map(|id| [*id]);
                let rows: Vec<StoredToken> = connection.read_by(statement, keys, &[]).await?;
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
        static UPDATE: Once = Once::new();
        let statement = UPDATE.of(self.dialect(), || {
            let unchanged = self.dialect().has_refresh_token;
            format!(
                "UPDATE steem_authorization \
                 SET access_token = ?, refresh_token = ?, expires_in = ? WHERE id = ? AND {unchanged}"
            )
        });
        let name = "store a refreshed token";
        self.call(name, Access::Write, |mut connection, _| {
            Box::pin(async move {
                let Some(id) = ids(&mut connection).await?.remove(&old.voter) else {
                    return Ok(false);
                };
                let values = [
                    new.access_token.expose_secret().into(),
                    new.refresh_token.expose_secret().into(),
                    local(new.expires_at, self.zone).to_string().into(),
                    Value::Number(id),
                    used.expose_secret().into(),
                ];
                // sqlx asks MySQL for the rows that matched, so a row that already holds these values counts.
                Ok(connection.execute(statement, values).await?.rows > 0)
            })
        })
        .await
    }

    /// Writes these tokens over the existing ones; returns how many rows are new and how many existed.
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
                    let expires_in = row.expires_at.map(|at| local(at, self.zone).to_string());
                    let refresh_token = row.refresh_token.as_ref();
                    let values = [
                        row.access_token.expose_secret().into(),
                        refresh_token.map_or(Value::Null, |text| text.expose_secret().into()),
                        expires_in.write(),
                        found.map_or(row.voter.write(), Value::Number),
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
    let statement = "SELECT CAST(id AS SIGNED), CAST(user_login AS CHAR) AS login \
         FROM steem_authorization WHERE user_login IS NOT NULL";
    let logins: Vec<(i64, Vec<u8>)> = connection.read(statement, []).await?;
    let logins = logins.into_iter().map(|(id, login)| (id, login, ()));
    let id = |(account, (id, ()))| (account, id);
    let rows = by_account(logins, &mut Vec::new());
    Ok(rows.into_iter().map(id).collect())
}
