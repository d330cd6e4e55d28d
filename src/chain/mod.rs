//! The chain: its blocks, posts and accounts. Independent of rules, votes and the database.
//!
//! [`parse`] reads blocks from nodes, [`recording`] from files. [`rpc`] calls one node, [`nodes`]
//! calls several with failover, and [`stream`] follows the chain through them.

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
