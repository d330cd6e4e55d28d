//! Blocks for `replay`: fetched from nodes or read from recordings, and what came of playing them.

pub mod fetch;
pub mod recordings;
pub mod summary;
