//! `curatord replay` as its user sees it.

mod command;
mod meaning;
mod nodes;
mod recording;
