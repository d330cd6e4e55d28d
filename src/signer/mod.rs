//! The OAuth2 and broadcast API of HiveSigner and SteemConnect. Independent of rules.

pub mod answer;
pub mod book;
pub mod client;
pub mod keeper;
mod refresh;
pub mod refresh_time;
