//! The database: one type over two backends. What a row becomes is decided in
//! [`crate::queue::transition`]; here are only the statements.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::account::Account;

/// Why the database did not do what was asked. Never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is too busy, or broke off: the same again may work later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// It refuses us: wrong credentials, no such database, no rights, a schema that is not ours.
    #[error("the database refuses us: {0}")]
    Refused(String),
    /// It answered with something that trying again will not mend.
    #[error("the database answered with an error: {0}")]
    Failed(String),
}

/// A row of `steem_authorization`.
#[derive(Debug, Clone)]
pub struct TokenRow {
    pub voter: Account,
    pub access_token: SecretString,
    /// Empty columns are `None`.
    pub refresh_token: Option<SecretString>,
    /// When the access token expires; `None` where the row does not say.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a refresh brought.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub access_token: SecretString,
    pub refresh_token: SecretString,
    pub expires_at: DateTime<Utc>,
}
