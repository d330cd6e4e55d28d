//! The rule language: files of TOML become a set of rules that blocks are held against.

pub mod events;
pub mod facts;
pub mod filter;
pub mod folder;
pub mod hours;
pub mod language;
pub mod library;
pub mod local_time;
pub mod occurrence;
pub mod read;
pub mod rule;
pub mod set;
pub mod shadowed;
pub mod snapshot;
pub mod watch;
