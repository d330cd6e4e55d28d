//! The task that performs what [`crate::votes::caster`] decides: asks nodes and the table, sends votes, reports.

mod outbox;
pub mod run;
