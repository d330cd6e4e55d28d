//! `curatord demo` and `curatord sandbox` as people start and end them.

mod command;
mod program;
mod sandbox;
