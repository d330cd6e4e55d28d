//! The rule language: turns the text of a file into rules, or into errors with their positions.
//!
//! [`file::read_with_lists`] is the entry point. It reads a file in one pass over its syntax tree; each module here
//! reads the keys of one subject and reports their errors. A rule is built only if all of its keys are valid.

mod accounts;
#[cfg(test)]
mod advice_tests;
mod author;
pub mod expires;
pub mod file;
mod filters;
#[cfg(test)]
mod help_tests;
pub mod keys;
mod limit;
mod lints;
pub mod lists;
pub mod percentage;
mod rule_table;
mod schedule;
pub mod schema;
pub mod shadowed;
#[cfg(test)]
mod tests;
mod trail;
mod whole_rule;
mod window;
