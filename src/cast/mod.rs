//! Votes that are due go out from here: timers, one lane per voter, pacing, retry, and what an answer
//! means. Knows nothing of SQL.

pub mod caster;
pub mod held;
pub mod lane;
pub mod run;
#[cfg(test)]
mod tests;
pub mod verdict;
