//! The chain's nodes and its blocks, against nodes that misbehave in every way known to us.

mod calls;
mod fake_node;
mod nodes;
mod stream;
