//! `curatord.toml`, with the environment laid over it.

mod complete;
mod environment;
mod layers;
mod load;
pub mod reload;
#[cfg(test)]
mod secrecy_tests;
mod sections;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::SecretString;

use crate::network::{ChainKind, Follow};

pub use complete::{NotFound, NotSet};
pub use load::{ConfigFailure, load};

/// Everything that can be set. Paths are absolute, or relative to the working directory.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from; `None` where there is none and everything is preset.
    pub path: Option<PathBuf>,
    /// Whether the environment says which database to use.
    names_database: bool,
    /// The folder of rule files.
    pub rules: PathBuf,
    /// `[database]`.
    pub database: Database,
    /// `[network]`.
    pub network: Network,
    /// `[signer]`.
    pub signer: Signer,
    /// `[tokens]`.
    pub tokens: Tokens,
    /// `[casting]`.
    pub casting: Casting,
    /// `[http]`.
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
    /// `network.kind`.
    pub kind: ChainKind,
    /// In order of preference; never empty.
    pub nodes: Vec<String>,
    /// `network.follow`.
    pub follow: Follow,
    /// Between two votes of one voter; 0 for none.
    pub vote_interval: Duration,
    /// `network.block_interval`: time between two blocks; paces polling.
    pub block_interval: Duration,
    /// `network.start`.
    pub start: Start,
}

/// `network.start`: where to begin when no cursor is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After the last processed block; the head where there is none.
    Last,
    /// With the newest block.
    Head,
    /// With the block of this number.
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
