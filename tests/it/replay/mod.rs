//! `curatord replay` for its users.

mod command;
mod language;
mod meaning;
mod nodes;
mod recording;
