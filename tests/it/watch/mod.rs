//! Following changes of rule files: real files and events, with a simple language in place of the rule language.

mod editors;
mod library;
mod links;
mod no_events;
mod reports;
mod watched;
