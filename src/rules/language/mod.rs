//! The rule language: the text of a file becomes rules, or what is wrong with it.
//!
//! [`file::read_among`] is the way in. A file is read in one pass over its tree: each key by the file of its
//! subject here, each mistake reported where it stands, and a rule made of it only when all is good.

mod accounts;
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
mod trail_weight;
mod window;
