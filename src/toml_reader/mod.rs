//! Reads TOML that people write: every value with its place, and every mistake, all at once, with what to write
//! instead.

pub mod duration;
pub mod item;
mod repair;
mod secrets;
pub mod settings;
pub mod syntax;
pub mod table;
pub mod timezone;
