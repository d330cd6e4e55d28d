//! Reads TOML that people write: every value with its place, every mistake with its mending, all
//! mistakes at once.

pub mod duration;
pub mod item;
pub mod syntax;
pub mod table;
pub mod timezone;
