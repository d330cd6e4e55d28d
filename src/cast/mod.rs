//! The task that does what [`crate::votes::caster`] decides: asks nodes and the table, sends votes, reports.

mod outbox;
pub mod run;
