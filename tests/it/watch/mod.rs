//! Rules that follow their files: real files, real events, and a stand-in for the rule language.

mod editors;
mod library;
mod links;
mod no_events;
mod reports;
mod watched;
