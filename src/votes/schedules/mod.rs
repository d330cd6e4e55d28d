//! What rules with a `schedule` vote on: when they run, and which posts they choose.

pub mod agenda;
pub mod choice;
