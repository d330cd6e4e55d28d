//! `curatord auth`: the voters' tokens.

pub mod import;
pub mod list;
