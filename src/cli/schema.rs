//! `curatord schema`: the JSON Schema of rule files, for editors.

use std::io::{self, Write};

use crate::cli::Exit;
use crate::rules::language::schema::schema;

/// Print the JSON Schema of rule files, which editors complete and check from
///
/// Save it beside the rules, and begin each rule file with the line `#:schema ./rules.schema.json`. Editors that
/// know Taplo, such as VS Code with Even Better TOML, then explain, complete and check every key.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command: the schema goes to standard output.
pub fn run(_: &Args) -> io::Result<Exit> {
    match writeln!(io::stdout().lock(), "{:#}", schema()) {
        // A reader that has seen enough closes the pipe.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(Exit::Done),
    }
}
