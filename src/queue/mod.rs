//! The task that writes votes, and the way to it.

pub mod journal;
pub mod tally;
pub mod writer;
