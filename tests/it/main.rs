//! The tests from outside, in one binary: each folder is a subject, `harness` is what they share.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what is unexpected fails the test, and this is how it says why"
)]
#![recursion_limit = "256"]

mod architecture;
mod chain;
mod check;
mod clients;
mod daemon;
mod demo;
mod docs;
mod explain;
mod faults;
mod fuzz;
mod harness;
mod replay;
mod rules;
mod ruletest;
mod secrets;
mod store;
mod watch;
