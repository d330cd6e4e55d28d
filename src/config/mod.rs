//! `curatord.toml`, overridden by the environment.

mod complete;
mod environment;
mod layers;
mod load;
mod place;
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

use crate::diagnostic::PlainProblem;
use crate::network::{ChainKind, Follow};

pub use complete::{NotFound, NotSet};
pub use load::{ConfigFailure, load};

/// All settings. Paths are absolute, or relative to the working directory.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from; `None` where there is no file.
    pub path: Option<PathBuf>,
    /// What is doubtful in it, in the order of the file. Quotes no value.
    pub warnings: Vec<PlainProblem>,
    /// Whether the environment names the database.
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
    /// `sqlite://path`, `mysql://…` or `mariadb://…`, with the password. A relative SQLite path has been resolved
    /// against the folder of the configuration file.
    pub url: SecretString,
    /// Time zone of `steem_authorization.expires_in`.
    pub timezone: Tz,
}

/// `[network]`.
#[derive(Debug, Clone)]
pub struct Network {
    /// `network.kind`.
    pub kind: ChainKind,
    /// Addresses in order of preference; never empty.
    pub nodes: Vec<String>,
    /// `network.follow`.
    pub follow: Follow,
    /// Shortest time between two votes of one voter; 0 for no limit.
    pub vote_interval: Duration,
    /// `network.block_interval`: time between two blocks; paces polling.
    pub block_interval: Duration,
    /// `network.start`.
    pub start: Start,
}

/// `network.start`: the first block when no cursor is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The block after the last processed one; the head where there is none.
    Last,
    /// With the newest block.
    Head,
    /// With the block of this number.
    Block(u32),
}

/// `[signer]`.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Address without a final slash; the API is below `{url}/api`.
    pub url: String,
    /// Account of the application; empty if not set.
    pub client_id: String,
    /// Empty if not set.
    pub client_secret: SecretString,
    /// Most concurrent broadcasts, at least 1.
    pub max_in_flight: usize,
    /// Most requests per second; 0 for no limit.
    pub requests_per_second: f64,
    /// Timeout of one broadcast.
    pub timeout: Duration,
}

/// `[tokens]`.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Remaining life below which a token is refreshed.
    pub refresh_ahead: Duration,
}

/// `[casting]`.
#[derive(Debug, Clone)]
pub struct Casting {
    /// Time for which a vote that fails temporarily is retried.
    pub retry_for: Duration,
    /// Time after casting within which a vote must be in a block.
    pub confirm_within: Duration,
}

/// `[http]`.
#[derive(Debug, Clone)]
pub struct Http {
    /// Address and port of the HTTP server; empty turns it off.
    pub listen: String,
}
