//! Output of commands to standard output and standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::cli::{log, wants_colour};
use crate::diagnostic::Problem;
use crate::diagnostic::render::render;
use crate::visible::{one_line, visible, visible_json};

/// Prints a text to standard error after the log lines so far, with invisible characters escaped. Errors of writing are
/// ignored.
pub fn complain(text: impl Display) {
    complain_in_colour(&visible(&text.to_string()));
}

fn complain_in_colour(text: &str) {
    // If the log is blocked, this line would block too and delay the end of the program.
    if log::flush() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Prints problems to standard error, with their lines.
pub fn complain_about<'a>(problems: impl IntoIterator<Item = &'a Problem>) {
    let colour = wants_colour(&io::stderr());
    for problem in problems {
        complain_in_colour(&render(problem, colour));
    }
}

/// Prints a line to standard output.
///
/// # Errors
/// The line cannot be written. A closed pipe is not an error.
pub fn print_line(line: impl Display) -> io::Result<()> {
    let line = line.to_string();
    unless_closed(writeln!(io::stdout(), "{}", visible(&line)))
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

/// Writes `rows` in columns below `head`, with invisible characters escaped. The columns `right` are aligned to the right.
///
/// # Errors
/// `out` cannot be written.
pub fn write_columns<const N: usize>(
    out: &mut impl Write,
    head: [&str; N],
    right: &[usize],
    rows: impl IntoIterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    let shown = |cells: [String; N]| cells.map(|cell| one_line(&cell).into_owned());
    table.add_rows(rows.into_iter().map(shown));
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim())?;
    }
    Ok(())
}

/// Writes `value` as one line of JSON.
///
/// # Errors
/// `out` cannot be written.
pub fn write_json_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    writeln!(out, "{}", visible_json(&json))
}

/// A moment in RFC 3339, in UTC with milliseconds.
pub fn to_rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
