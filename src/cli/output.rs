//! Output of commands to standard output and standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::cli::log;

/// Prints a line to standard error after the log lines so far. Errors of writing are ignored.
pub fn complain(text: impl Display) {
    // If the log is blocked, this line would block too and delay the end of the program.
    if log::flush() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Prints a line to standard output.
///
/// # Errors
/// The line cannot be written. A closed pipe is not an error.
pub fn print_line(line: impl Display) -> io::Result<()> {
    unless_closed(writeln!(io::stdout(), "{line}"))
}

/// Ignores the error of a closed pipe: the reader, such as `head`, has read enough.
///
/// # Errors
/// All other errors in `written`.
pub fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
