//! `curatord auth import`: reads tokens from JSON objects
//! `{voter, access_token, refresh_token, expires_at | expires_in}`, or from unmodified answers of the signer.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::account::Account;
use crate::moment::{self, LONGEST_LIFE};
use crate::store::TokenRow;

const KEYS: [&str; 5] = [
    "voter",
    "access_token",
    "refresh_token",
    "expires_at",
    "expires_in",
];

/// Key of the voter in answers of the signer.
const USERNAME: &str = "username";
/// Other keys in answers of the signer, which are ignored.
const IGNORED: [&str; 3] = ["token_type", "scope", "state"];

/// Why nothing was imported. Contains no token.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The text is not JSON.
    #[error("this is not valid JSON")]
    NoJson(#[source] serde_json::Error),
    /// The JSON contains no objects.
    #[error(
        "expected JSON objects, in an array or one after another, such as {{\"voter\": \"alice\", \"access_token\": \"…\", \
         \"refresh_token\": \"…\", \"expires_in\": 604800}}"
    )]
    NoEntries,
    /// Entries with mistakes; one is enough to import nothing.
    #[error("nothing was imported:\n{}", lines(.0))]
    Entries(Vec<EntryProblem>),
}

/// A problem of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryProblem {
    /// Number of the entry, from 1.
    pub number: usize,
    /// Name of the voter as written, if there is one.
    pub voter: Option<String>,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl fmt::Display for EntryProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "entry {}", self.number)?;
        if let Some(voter) = &self.voter {
            write!(formatter, " ({voter})")?;
        }
        write!(formatter, ": {}", self.problem)
    }
}

fn lines(problems: &[EntryProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Reads the file at `path`, or standard input if `path` is `-`.
///
/// # Errors
/// The file cannot be read, or is not UTF-8.
pub fn text_of(path: &Path) -> Result<SecretString, ImportError> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    text.map(SecretString::from)
        .map_err(|source| ImportError::Unreadable {
            path: path.to_owned(),
            source,
        })
}

/// Parses JSON objects, in an array or one after another, into tokens in the same order. `expires_in` is relative to
/// `now`; the expiry of an entry is optional.
///
/// # Errors
/// All problems of all entries. One invalid entry makes the text invalid.
pub fn read(text: &str, now: DateTime<Utc>) -> Result<Vec<TokenRow>, ImportError> {
    let text = text.trim_start_matches('\u{feff}');
    let values = values(text)?;
    let mut rows: Vec<TokenRow> = Vec::with_capacity(values.len());
    let mut problems = Vec::new();
    let mut first = HashMap::new();
    for (number, value) in (1..).zip(values) {
        let Value::Object(fields) = value else {
            problems.push(EntryProblem {
                number,
                voter: None,
                problem: "expected an object in braces".to_owned(),
            });
            continue;
        };
        let mut entry = Entry {
            fields,
            problems: Vec::new(),
        };
        let named = ["voter", USERNAME].map(|key| entry.fields.get(key)?.as_str());
        let voter = named.into_iter().flatten().next().map(ToOwned::to_owned);
        let row = entry.read(now);
        if let Some(row) = row {
            if let Some(before) = first.insert(row.voter.clone(), number) {
                entry.problems.push(format!(
                    "entry {before} has the same voter: keep one of them"
                ));
            }
            rows.push(row);
        }
        problems.extend(entry.problems.into_iter().map(|problem| EntryProblem {
            number,
            voter: voter.clone(),
            problem,
        }));
    }
    if problems.is_empty() {
        Ok(rows)
    } else {
        Err(ImportError::Entries(problems))
    }
}

/// Parses a text into entries.
fn values(text: &str) -> Result<Vec<Value>, ImportError> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter() {
        match value.map_err(ImportError::NoJson)? {
            Value::Array(array) => values.extend(array),
            value @ Value::Object(_) => values.push(value),
            _ => return Err(ImportError::NoEntries),
        }
    }
    match text.trim().is_empty() {
        true => Err(ImportError::NoEntries),
        false => Ok(values),
    }
}

/// An object while it is read.
struct Entry {
    fields: Map<String, Value>,
    problems: Vec<String>,
}

impl Entry {
    /// Reads the row; `None` without a valid voter. All errors are added to `problems`.
    fn read(&mut self, now: DateTime<Utc>) -> Option<TokenRow> {
        for key in self.fields.keys() {
            let key = key.as_str();
            if !KEYS.contains(&key) && key != USERNAME && !IGNORED.contains(&key) {
                // A long key may be a token on the wrong side of a colon.
                let key = if key.len() <= 20 { key } else { "…" };
                self.problems.push(format!(
                    "unknown key `{}`: the keys are {}",
                    key.escape_debug(),
                    KEYS.map(|key| format!("`{key}`")).join(", ")
                ));
            }
        }
        let voter = self.voter();
        let access_token = self.token("access_token");
        if access_token.is_none() && is_blank(self.fields.get("access_token")) {
            self.problems.push("`access_token` is missing".to_owned());
        }
        let refresh_token = self.token("refresh_token");
        let expires_at = self.expires_at(now);
        Some(TokenRow {
            voter: voter?,
            access_token: access_token.unwrap_or_default(),
            refresh_token,
            expires_at,
        })
    }

    fn voter(&mut self) -> Option<Account> {
        let voter = match (self.account("voter")?, self.account(USERNAME)?) {
            (Some(voter), Some(other)) if voter != other => {
                Err("`voter` and `username` are different accounts: remove one of them")
            }
            (voter, username) => voter.or(username).ok_or("`voter` is missing"),
        };
        voter
            .map_err(|problem| self.problems.push(problem.to_owned()))
            .ok()
    }

    /// The account in `key`: `Some(None)` if the key is missing, `None` if it is invalid.
    fn account(&mut self, key: &str) -> Option<Option<Account>> {
        let problem = match self.fields.get(key) {
            None | Some(Value::Null) => return Some(None),
            Some(Value::String(name)) => match Account::parse(name.trim()) {
                Ok(account) => return Some(Some(account)),
                Err(error) => format!("`{key}` is not the name of an account: {error}"),
            },
            Some(_) => format!("`{key}` is not a string"),
        };
        self.problems.push(problem);
        None
    }

    /// The token in `key`, if it is valid. Error messages do not show the value.
    fn token(&mut self, key: &str) -> Option<SecretString> {
        let value = self.fields.get(key);
        if is_blank(value) {
            return None;
        }
        let problem = match value {
            Some(Value::String(text)) => {
                let text = text.trim();
                if text.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Some(text.into());
                }
                format!(
                    "`{key}` contains characters that are not allowed in a token: copy it again"
                )
            }
            _ => format!("`{key}` is not a string"),
        };
        self.problems.push(problem);
        None
    }

    fn expires_at(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let at = self.fields.get("expires_at").filter(|at| !at.is_null());
        let seconds = self.fields.get("expires_in").filter(|at| !at.is_null());
        let read = match (at, seconds) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                Err("`expires_at` and `expires_in` are both given: keep one".to_owned())
            }
            (Some(at), None) => at
                .as_str()
                .and_then(|text| DateTime::parse_from_rfc3339(text.trim()).ok())
                .map(|at| at.to_utc())
                .ok_or(
                    "`expires_at` is not a time: write it as \"2026-07-01T12:00:00Z\"".to_owned(),
                )
                .and_then(|at| {
                    moment::expiry("`expires_at`", at, now).map_err(|error| error.to_string())
                }),
            // Signers write a number or a string.
            (None, Some(seconds)) => match seconds
                .as_u64()
                .or_else(|| seconds.as_str()?.trim().parse().ok())
            {
                Some(seconds) if seconds > LONGEST_LIFE.num_seconds().unsigned_abs() => Err(
                    "`expires_in` is more than ten years: write seconds from now, \
                     or a time as `expires_at`"
                        .to_owned(),
                ),
                Some(seconds) => Ok(now + Duration::from_secs(seconds)),
                None => Err(
                    "`expires_in` is not a whole number of seconds from now, such as 604800"
                        .to_owned(),
                ),
            },
        };
        read.map_err(|problem| self.problems.push(problem)).ok()
    }
}

/// Whether a value is missing or empty.
fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}
