//! `curatord replay` as its user sees it.

mod command;
mod language;
mod meaning;
mod nodes;
mod recording;
