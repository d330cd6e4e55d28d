//! `curatord.toml`, with the environment laid over it.

mod layers;
mod load;
mod masked;
pub mod reload;
mod sections;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};

pub use load::{ConfigFailure, load};

/// The tables of the file.
pub const SECTIONS: [&str; 6] = ["database", "network", "signer", "tokens", "casting", "http"];

/// Everything that can be set. Paths are absolute, or relative to the working directory.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from; `None` where there is none and everything is preset.
    pub path: Option<PathBuf>,
    /// The folder of rule files.
    pub rules: PathBuf,
    pub database: Database,
    pub network: Network,
    pub signer: Signer,
    pub tokens: Tokens,
    pub casting: Casting,
    pub http: Http,
}

/// `[database]`.
#[derive(Debug, Clone)]
pub struct Database {
    /// `sqlite://path`, `mysql://…` or `mariadb://…`; holds the password. A relative SQLite path has
    /// been made relative to the configuration file.
    pub url: SecretString,
    /// The zone of `steem_authorization.expires_in`.
    pub timezone: Tz,
}

/// `[network]`.
#[derive(Debug, Clone)]
pub struct Network {
    pub kind: ChainKind,
    /// In order of preference; never empty.
    pub nodes: Vec<String>,
    pub follow: Follow,
    /// Between two votes of one voter; 0 for none.
    pub vote_interval: Duration,
    pub block_interval: Duration,
    pub start: Start,
}

/// `network.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainKind {
    Hive,
    Steem,
}

/// `network.follow`: up to which block we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    Head,
    Irreversible,
}

/// `network.start`: where to begin when no cursor is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After the last processed block; the head where there is none.
    Last,
    Head,
    Block(u32),
}

/// `[signer]`.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Without a slash at the end; the API is below `{url}/api`.
    pub url: String,
    /// The account of the application; empty where it is not set.
    pub client_id: String,
    /// Empty where it is not set.
    pub client_secret: SecretString,
    /// Broadcasts at a time, at least 1.
    pub max_in_flight: usize,
    /// 0 is no limit.
    pub requests_per_second: f64,
    /// Of one broadcast.
    pub timeout: Duration,
}

/// `[tokens]`.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// A token is refreshed when less than this is left.
    pub refresh_ahead: Duration,
}

/// `[casting]`.
#[derive(Debug, Clone)]
pub struct Casting {
    /// How long a vote that fails for a passing cause is tried again.
    pub retry_for: Duration,
    /// How long after it was cast a vote must be in a block.
    pub confirm_within: Duration,
}

/// `[http]`.
#[derive(Debug, Clone)]
pub struct Http {
    /// Empty turns it off.
    pub listen: String,
}

/// What `curatord run` cannot do without, and is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} not set: get {them} from {signer}, and set {them} in `[signer]` of {file} or as {variables}",
    .keys.join(" and ") + if .keys.len() == 1 { " is" } else { " are" },
    them = if .keys.len() == 1 { "it" } else { "them" },
    variables = .keys.iter().map(|key| variable(key)).collect::<Vec<_>>().join(" and "))]
pub struct NotSet {
    keys: Vec<&'static str>,
    signer: String,
    file: String,
}

/// `CURATORD_SIGNER__CLIENT_ID` for `signer.client_id`.
fn variable(key: &str) -> String {
    format!("CURATORD_{}", key.replace('.', "__").to_uppercase())
}

impl Config {
    /// Whether all is set that casting votes needs: rule files can be checked and replayed without.
    ///
    /// # Errors
    /// What is not set, and how to set it.
    pub fn ready_to_run(&self) -> Result<(), NotSet> {
        let signer = &self.signer;
        let needed = [
            ("signer.client_id", signer.client_id.trim().is_empty()),
            (
                "signer.client_secret",
                signer.client_secret.expose_secret().is_empty(),
            ),
        ];
        let keys: Vec<_> = needed
            .into_iter()
            .filter(|(_, empty)| *empty)
            .map(|(key, _)| key)
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let file = self.path.as_ref().map(|path| path.display().to_string());
        Err(NotSet {
            keys,
            signer: signer.url.clone(),
            file: file.unwrap_or_else(|| "curatord.toml".to_owned()),
        })
    }
}
