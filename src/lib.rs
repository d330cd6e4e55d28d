//! Casts curators' votes on Hive and Steem, on time, from rule files.

pub mod account;
pub mod cast;
pub mod chain;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod diagnostic;
pub mod http_client;
pub mod post;
pub mod queue;
pub mod replay;
pub mod rules;
pub mod sandbox;
pub mod signer;
pub mod toml_reader;
pub mod weight;
