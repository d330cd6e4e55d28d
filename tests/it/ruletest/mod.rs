//! `curatord test` for its users.

mod command;
mod examples;
mod language;
