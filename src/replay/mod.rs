//! Blocks for `replay`, from nodes or recordings.

pub mod fetch;
pub mod recordings;
