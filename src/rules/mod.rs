//! The rule language: files of TOML become a set of rules that blocks are held against.

pub mod folder;
pub mod language;
pub mod rule;
pub mod set;
