//! The durable queue of votes: what happens to a vote, and where that is written.

pub mod change;
pub mod error_entry;
pub mod followers;
pub mod journal;
pub mod planner;
#[cfg(test)]
mod play;
pub mod store;
pub mod transition;
pub mod vote;
pub mod writer;
