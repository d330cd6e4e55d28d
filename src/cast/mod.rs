//! Votes that are due go out from here: timers, one lane per voter, pacing, retry, and what an answer
//! means. Knows nothing of SQL.

pub mod answers;
pub mod caster;
mod decide;
mod finish;
pub mod held;
pub mod known;
pub mod lane;
pub mod limits;
mod outbox;
pub mod questions;
pub mod run;
#[cfg(test)]
mod tests;
pub mod verdict;
