//! The `curatord` command.

fn main() {}
