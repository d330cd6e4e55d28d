//! The chain: its blocks as they come, and its posts as they are. Knows nothing of rules, votes of
//! ours, or a database.
//!
//! [`parse`] and [`recording`] read blocks, from a node or a file; [`rpc`] speaks to one node,
//! [`nodes`] to whichever of several answers; [`stream`] follows the chain with it.

pub mod answers;
pub mod block;
pub mod content;
mod health;
mod hedged;
mod lenient;
pub mod mana;
pub mod node_error;
pub mod nodes;
pub mod notice;
mod pace;
pub mod parse;
mod queries;
pub mod recent;
pub mod recording;
pub mod rpc;
pub mod stream;
