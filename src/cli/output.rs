//! What commands say to the person at the terminal, or to the program behind the pipe.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::cli::log;

/// Says something on standard error, after the log so far. Where nobody can read it, it is not said.
pub fn complain(text: impl Display) {
    // Where the log is stuck this would be too, and hold up the end of the program.
    if log::flush() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Prints a line on standard output.
///
/// # Errors
/// When it cannot be written; not for a reader that has seen enough and closed the pipe.
pub fn print_line(line: impl Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}
