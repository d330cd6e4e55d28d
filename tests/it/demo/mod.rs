//! `curatord demo` and `curatord sandbox`, from start to end.

mod command;
mod program;
mod sandbox;
