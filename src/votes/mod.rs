//! Everything that is decided about a vote: who asks for it, who has it, whether it goes, when, and what an
//! answer makes of it. Pure: knows no store, no signer, no task.

pub mod answer;
pub mod asks;
pub mod caster;
pub mod change;
pub mod error_entry;
pub mod fold;
pub mod followers;
pub mod handover;
pub mod limits;
pub mod planner;
pub mod reason;
pub mod schedules;
pub mod status;
#[cfg(test)]
mod tests;
pub mod verdict;
pub mod vote;
