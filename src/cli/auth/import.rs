//! `curatord auth import`: reads tokens from JSON objects
//! `{voter, access_token, refresh_token, expires_at | expires_in}`, or from unmodified answers of the signer.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::account::Account;
use crate::moment::{self, LONGEST_LIFE};
use crate::signer::answer::shorten;
use crate::signer::refresh_time::USUAL_LIFE;
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

/// Characters shown of a voter's name: names of accounts have at most 16.
const MOST_SHOWN: usize = 16;

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
    /// Mistakes in entries; one is enough to import nothing.
    #[error("nothing was imported:\n{}", .0.join("\n"))]
    Entries(Vec<String>),
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

/// The entries of a text.
#[derive(Debug)]
pub struct Import {
    /// The tokens, in the order of the text.
    pub rows: Vec<TokenRow>,
    /// What the signer says in entries that are its refusals.
    pub refusals: Vec<String>,
}

/// Parses JSON objects, in an array or one after another. `expires_in` is relative to `now`; without an expiry, an entry
/// has the usual life of tokens.
///
/// # Errors
/// All problems of all entries. One invalid entry makes the text invalid.
pub fn read(text: &str, now: DateTime<Utc>) -> Result<Import, ImportError> {
    let mut rows: Vec<TokenRow> = Vec::new();
    let (mut problems, mut refusals) = (Vec::new(), Vec::new());
    let mut first = HashMap::new();
    for (number, value) in (1..).zip(values(text)?) {
        let Value::Object(fields) = value else {
            problems.push(format!("entry {number}: expected an object in braces"));
            continue;
        };
        if let Some(said) = refusal(&fields) {
            refusals.push(format!("entry {number}: {said}"));
            continue;
        }
        let mut entry = Entry {
            fields,
            problems: Vec::new(),
        };
        if let Some(row) = entry.read(now) {
            if let Some(before) = first.insert(row.voter.clone(), number) {
                entry.problems.push(format!(
                    "entry {before} has the same voter: keep one of them"
                ));
            }
            rows.push(row);
        }
        let named = ["voter", USERNAME].map(|key| entry.fields.get(key)?.as_str());
        let name = match named.into_iter().flatten().next() {
            Some(name) => {
                // It may be anything, and of any length.
                let shown: String = name.chars().take(MOST_SHOWN).collect();
                format!("entry {number} ({})", shown.escape_debug())
            }
            None => format!("entry {number}"),
        };
        problems.extend(entry.problems.iter().map(|why| format!("{name}: {why}")));
    }
    match problems.is_empty() {
        true => Ok(Import { rows, refusals }),
        false => {
            problems.extend(refusals);
            Err(ImportError::Entries(problems))
        }
    }
}

/// Parses a text into entries.
fn values(text: &str) -> Result<Vec<Value>, ImportError> {
    let text = text.trim_start_matches('\u{feff}');
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

/// What the signer says, if the entry is its answer to a request that it refused.
fn refusal(fields: &Map<String, Value>) -> Option<String> {
    let error = fields.get("error")?.as_str()?;
    if fields.contains_key("access_token") {
        return None;
    }
    let description = fields.get("error_description").and_then(Value::as_str);
    let said = description.filter(|text| !text.is_empty()).unwrap_or(error);
    Some(format!(
        "the signer refused to give a token: {}",
        shorten(said)
    ))
}

/// An object while it is read.
struct Entry {
    fields: Map<String, Value>,
    problems: Vec<String>,
}

impl Entry {
    /// Reads the row; `None` without a valid voter. All errors are added to `problems`.
    fn read(&mut self, now: DateTime<Utc>) -> Option<TokenRow> {
        self.check_keys();
        // An empty token is the same as none.
        self.fields.retain(|key, value| {
            let blank = || value.as_str().is_some_and(|text| text.trim().is_empty());
            let is_nothing = value.is_null() || key.ends_with("_token") && blank();
            !is_nothing
        });
        let voter = self.voter();
        if !self.fields.contains_key("access_token") {
            self.problems.push("`access_token` is missing".to_owned());
        }
        let access_token = self.field("access_token", token);
        let refresh_token = self.field("refresh_token", token);
        let expires_at = self.expires_at(now);
        Some(TokenRow {
            voter: voter?,
            access_token: access_token.unwrap_or_default(),
            refresh_token,
            expires_at,
        })
    }

    fn check_keys(&mut self) {
        for key in self.fields.keys().map(String::as_str) {
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
    }

    /// The value of `key`, read by `parse`; `None` if it is missing or wrong.
    fn field<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str, &Value) -> Result<T, String>,
    ) -> Option<T> {
        parse(key, self.fields.get(key)?)
            .map_err(|problem| self.problems.push(problem))
            .ok()
    }

    fn voter(&mut self) -> Option<Account> {
        let problem = match (self.fields.get("voter"), self.fields.get(USERNAME)) {
            (None, None) => "`voter` is missing",
            _ => match (self.field("voter", account), self.field(USERNAME, account)) {
                (Some(voter), Some(other)) if voter != other => {
                    "`voter` and `username` are different accounts: remove one of them"
                }
                (voter, username) => return voter.or(username),
            },
        };
        self.problems.push(problem.to_owned());
        None
    }

    fn expires_at(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let given = ["expires_at", "expires_in"].map(|key| self.fields.contains_key(key));
        if given == [true, true] {
            let problem = "`expires_at` and `expires_in` are both given: keep one";
            self.problems.push(problem.to_owned());
            return None;
        }
        if given == [false, false] {
            // Other programs that share the table compare this column, which must not be NULL.
            return Some(now + USUAL_LIFE);
        }
        self.field("expires_at", |_, at| moment_of(at, now))
            .or_else(|| Some(now + self.field("expires_in", |_, left| seconds_of(left))?))
    }
}

fn account(key: &str, value: &Value) -> Result<Account, String> {
    Account::parse(text(key, value)?)
        .map_err(|error| format!("`{key}` is not the name of an account: {error}"))
}

/// Reads a token. Error messages do not show the value.
fn token(key: &str, value: &Value) -> Result<SecretString, String> {
    let text = text(key, value)?;
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.into()),
        false => Err(format!(
            "`{key}` contains characters that are not allowed in a token: copy it again"
        )),
    }
}

fn text<'a>(key: &str, value: &'a Value) -> Result<&'a str, String> {
    let text = value.as_str().map(str::trim);
    text.ok_or_else(|| format!("`{key}` is not a string"))
}

fn moment_of(value: &Value, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let at = value.as_str().map(str::trim);
    let at = at.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let at = at.ok_or("`expires_at` is not a time: write it as \"2026-07-01T12:00:00Z\"")?;
    moment::expiry("`expires_at`", at.to_utc(), now).map_err(|error| error.to_string())
}

/// Reads a number of seconds. Signers write it as a number or as a string.
fn seconds_of(value: &Value) -> Result<Duration, String> {
    let seconds = value
        .as_u64()
        .or_else(|| value.as_str()?.trim().parse().ok());
    match seconds {
        Some(seconds) if seconds > LONGEST_LIFE.num_seconds().unsigned_abs() => Err(
            "`expires_in` is more than ten years: write seconds from now, or a time as `expires_at`"
                .to_owned(),
        ),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(
            "`expires_in` is not a whole number of seconds from now, such as 604800".to_owned(),
        ),
    }
}
