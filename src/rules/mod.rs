//! The rules: what they are, when they apply, the language they are written in, and the files they are kept in.

pub mod facts;
pub mod files;
pub mod filter;
pub mod hours;
pub mod language;
mod local_time;
mod metadata;
pub mod rule;
pub mod schedule;
pub mod set;
