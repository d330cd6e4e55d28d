//! Input and summary of `replay`: blocks from nodes or recordings, and counts of the resulting votes.

pub mod fetch;
pub mod recordings;
pub mod summary;
