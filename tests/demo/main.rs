//! `curatord demo` and `curatord sandbox` as people start and end them.

mod demo;
mod program;
mod sandbox;
