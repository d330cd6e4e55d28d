//! README and docs stay true: their examples work, their tables are complete, their links lead somewhere.

mod commands;
mod examples;
mod links;
mod page;
mod tables;
