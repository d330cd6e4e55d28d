//! The chain: its blocks as they come, and its posts as they are. Knows nothing of rules, votes of
//! ours, or a database.

pub mod block;
pub mod content;
