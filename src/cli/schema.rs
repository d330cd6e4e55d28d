//! `curatord schema`: the JSON Schema of rule files.

use std::io;

use crate::cli::Exit;
use crate::cli::output::print_line;
use crate::rules::language::schema::schema;

/// Print the JSON Schema of rule files, for completion and checks in editors
///
/// Save it in the rules folder as rules.schema.json, and start each rule file with the line `#:schema
/// ./rules.schema.json`. Editors that use Taplo, such as VS Code with Even Better TOML, then explain, complete and
/// check every key.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command: prints the schema to standard output.
///
/// # Errors
/// Standard output cannot be written. A closed pipe is not an error.
pub fn run(_: &Args) -> io::Result<Exit> {
    print_line(format_args!("{:#}", schema()))?;
    Ok(Exit::Done)
}
