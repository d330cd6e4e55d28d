//! `curatord test` as its user sees it.

mod command;
mod examples;
mod language;
