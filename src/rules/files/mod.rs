//! The rules folder: which files it holds, what they say, and a task that follows their changes.

mod events;
pub mod folder;
pub mod library;
pub mod read;
pub mod snapshot;
pub mod watch;
