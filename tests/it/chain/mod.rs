//! Nodes and the block stream, against nodes that misbehave in every known way.

mod calls;
mod fake_node;
mod nodes;
mod stream;
