//! Parses TOML and reports syntax errors.

use std::collections::HashSet;
use std::ops::Range;

use toml::de::{DeTable, Error};

use crate::diagnostic::Finding;
use crate::diagnostic::report::Report;
use crate::diagnostic::text::Text;
use crate::toml_reader::repair;
use crate::visible::escape;

/// Beginning of the help about dates.
const A_DATE: &str = "a date is written 2027-12-31";

const NO_COMMA: &str = "missing comma between array elements";

/// Parses the text of `report` and reports its syntax errors. The tree holds what could be read all the same.
pub fn parse<'t>(report: &Report<'t>) -> DeTable<'t> {
    parse_with(report, |_, _| {})
}

/// Like [`parse`]. `read` reports the errors of a tree: a line that is not TOML is first repaired, and what is then
/// said about its value becomes the help.
pub fn parse_with<'t>(
    report: &Report<'t>,
    read: impl for<'r> Fn(&'r DeTable<'r>, &'r Report<'r>),
) -> DeTable<'t> {
    let text = report.text();
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return table.into_inner();
    }
    let lines = Text::from(text);
    let mut reported = HashSet::new();
    let mut slips = Vec::new();
    for error in errors {
        let span = within(text, error.span().unwrap_or(0..0));
        let runs_on = error.message().starts_with(NO_COMMA) && begins_a_line(text, span.start);
        // One slip can upset the parser more than once: its first complaint about a line is the telling one.
        if reported.insert(lines.line_at(span.start)) {
            slips.push(Slip::new(report, span, &error, runs_on));
        }
        // After a list that does not end everything is taken for a part of it: further complaints are noise.
        if runs_on {
            break;
        }
    }
    for finding in with_repairs(text, slips, read) {
        report.syntax_error(finding);
    }
    table.into_inner()
}

/// A syntax error, and the line to write instead.
struct Slip {
    finding: Finding,
    /// The line without its line break, and its repaired text.
    repair: Option<(Range<usize>, String)>,
}

impl Slip {
    fn new(report: &Report<'_>, span: Range<usize>, error: &Error, runs_on: bool) -> Self {
        let text = report.text();
        // What does not end lacks its bracket on the line before.
        let at = match runs_on {
            true => text[..span.start].trim_end().len().saturating_sub(1),
            false => span.start,
        };
        let at = text.floor_char_boundary(at);
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[start..].lines().next().unwrap_or("");
        let place = start..start + line.len();
        let mut finding = explain(report, span, error);
        let is_repairable = error.message() != "duplicate key" && control_character(line).is_none();
        let fixed = (report.quotable(line).filter(|_| is_repairable)).and_then(repair::line);
        if let (Some(_), Some(marks), true) = (&fixed, &mut finding.marks, runs_on) {
            marks.span = at..at + text[at..].chars().next().map_or(0, char::len_utf8);
        }
        Self {
            finding,
            repair: fixed.map(|fixed| (place, fixed)),
        }
    }
}

/// The findings, with the repaired line as help where it is TOML and `read` finds no other fault in it.
fn with_repairs(
    text: &str,
    slips: Vec<Slip>,
    read: impl for<'r> Fn(&'r DeTable<'r>, &'r Report<'r>),
) -> Vec<Finding> {
    let mut repaired = String::with_capacity(text.len());
    let mut copied = 0;
    // The places of the repaired lines in the repaired text.
    let mut places = Vec::with_capacity(slips.len());
    for slip in &slips {
        let place = slip.repair.as_ref().filter(|(old, _)| old.start >= copied);
        places.push(place.map(|(old, fixed)| {
            repaired.push_str(&text[copied..old.start]);
            copied = old.end;
            let start = repaired.len();
            repaired.push_str(fixed);
            start..repaired.len()
        }));
    }
    repaired.push_str(&text[copied..]);
    let (table, errors) = DeTable::parse_recoverable(&repaired);
    let spans = errors.iter().filter_map(|error| error.span());
    let mut starts: Vec<_> = spans.map(|span| span.start).collect();
    starts.sort_unstable();
    let again = Report::new(&repaired);
    read(table.get_ref(), &again);
    let errors_of_values = again.into_errors();
    let start_of = |finding: &Finding| finding.marks.as_ref().map(|marks| marks.span.start);
    let helped = slips.into_iter().zip(places).map(|(slip, place)| {
        let Some(place) = place else {
            return slip.finding;
        };
        let next = starts.get(starts.partition_point(|at| *at < place.start));
        if next.is_some_and(|at| *at <= place.end) {
            return slip.finding;
        }
        // They are in the order of the text.
        let first = errors_of_values.partition_point(|other| start_of(other) < Some(place.start));
        let of_line = errors_of_values[first..].iter();
        let of_line = of_line.take_while(|other| start_of(other) <= Some(place.end));
        let of_line: Vec<_> = of_line.collect();
        // Quotes would not make it a date.
        let says_how = |help: &String| help.starts_with(A_DATE);
        if slip.finding.help.as_ref().is_some_and(says_how) && of_line.is_empty() {
            return slip.finding;
        }
        match help_for(&repaired[place.clone()], place.start, &of_line) {
            Some(help) => slip.finding.help(help),
            None => slip.finding,
        }
    });
    helped.collect()
}

/// What to write for a repaired line that begins at `start` and whose values have these `errors`.
fn help_for(line: &str, start: usize, errors: &[&Finding]) -> Option<String> {
    let plain = format!("write `{line}`");
    let help = |finding: &Finding| finding.help.clone().unwrap_or_default();
    if line.starts_with('[') {
        let header = errors.iter().map(|finding| help(finding));
        return header
            .into_iter()
            .find(|help| help.starts_with("write `["))
            .or(Some(plain));
    }
    let key = line.split(['=', '#']).next().unwrap_or("").trim();
    match errors {
        [] => return Some(plain),
        [only] if help(only).starts_with(&format!("write `{key} = ")) => return Some(help(only)),
        _ => {}
    }
    let mut fixed = line.to_owned();
    for finding in errors.iter().rev() {
        let help = help(finding);
        let written = help.strip_prefix("write ")?;
        let value = match written.strip_prefix('`') {
            Some(entry) => entry.split_once('`')?.0.split_once(" = ")?.1,
            None => written.split(" for ").next()?,
        };
        let span = &finding.marks.as_ref()?.span;
        let place = span.start.checked_sub(start)?..span.end.checked_sub(start)?;
        fixed.get(place.clone())?;
        fixed.replace_range(place, value);
    }
    DeTable::parse(&fixed).ok()?;
    Some(format!("write `{fixed}`"))
}

/// Whether a line of its own begins at `start`: a header, or a key and its value.
fn begins_a_line(text: &str, start: usize) -> bool {
    let before = text[..start].rsplit('\n').next().unwrap_or("");
    let line = text[start..].lines().next().unwrap_or("");
    before.trim().is_empty() && (line.starts_with('[') || line.contains('='))
}

/// The span, or the last visible character if the span is beyond it: a text that breaks off lacks something
/// there.
fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let seen = text.trim_end();
    match seen.char_indices().next_back() {
        Some((last, _)) if span.start >= seen.len() => last..seen.len(),
        _ => span,
    }
}

/// Translates the error of the parser into our words, with what to write instead.
fn explain(report: &Report<'_>, span: Range<usize>, error: &Error) -> Finding {
    let text = report.text();
    let said = error.message();
    let found = text.get(span.clone()).unwrap_or("");
    if said == "duplicate key" {
        let message = match report.quotable(found) {
            Some(found) => format!("`{found}` is given twice"),
            None => "this key is given twice".to_owned(),
        };
        return Finding::at(span, message)
            .help("a table can hold a key only once: remove one of the two");
    }
    let line_start = text[..span.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or("");
    if let Some((at, character)) = control_character(line) {
        let place = line_start + at..line_start + at + character.len_utf8();
        return not_allowed(place, character);
    }
    if is_meant_as_date(line, found, said) {
        let message = match said.split_once(", ") {
            Some((_, expected))
                if said.starts_with("invalid date") || said.starts_with("invalid time") =>
            {
                format!("there is no such date or time: {expected}")
            }
            _ => "this is not a date".to_owned(),
        };
        let help = format!("{A_DATE}, with a time 2027-12-31T18:00:00Z; put text in quotes");
        return Finding::at(span, message).help(help);
    }
    let help = if line.contains(['“', '”', '„', '‘', '’']) {
        Some("a text stands in straight quotes: \"…\"".to_owned())
    } else if said.starts_with(NO_COMMA) {
        Some("put a comma between the items, or add the `]` that the list above lacks".to_owned())
    } else if said.starts_with("invalid basic string") || said.starts_with("invalid literal string")
    {
        Some("a text must end with the quote that it begins with, on the same line".to_owned())
    } else if said.starts_with("key with no value") {
        Some("each line has the form `key = value`".to_owned())
    } else if said.starts_with("unclosed array table") {
        Some("end the header with as many `]` as it begins with `[`".to_owned())
    } else if let Some(bracket) = said.strip_prefix("unclosed ").and_then(closing_bracket) {
        Some(format!("it ends with `{bracket}`"))
    } else if found.is_empty() || found == "=" {
        Some("a value follows the `=`, and a text stands in quotes".to_owned())
    } else {
        Some("a text stands in quotes: `key = \"…\"`".to_owned())
    };
    let is_missing = line.split_once('=').is_some_and(|(_, value)| {
        let value = value.split('#').next().unwrap_or("");
        value.trim().is_empty()
    });
    let message = match said.starts_with("string values must be quoted") {
        true if is_missing => "the value is missing".to_owned(),
        true if found.is_empty() || found == "=" => "this is not TOML".to_owned(),
        true => "a text must stand in quotes".to_owned(),
        false => format!("not TOML: {said}"),
    };
    let finding = Finding::at(span, message);
    match help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// Whether the value that `found` is in looks like a date: quotes would not make it one.
fn is_meant_as_date(line: &str, found: &str, said: &str) -> bool {
    if said.starts_with("invalid date") || said.starts_with("invalid time") {
        return true;
    }
    let value = line.split_once('=').map_or("", |(_, value)| value);
    let value = value.split('#').next().unwrap_or("").trim();
    let parts: Vec<_> = value.split(['.', '/', '-']).collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    !found.is_empty() && parts.len() == 3 && parts.iter().all(is_number)
}

/// The first character of `line` that TOML does not allow anywhere, even in a comment.
fn control_character(line: &str) -> Option<(usize, char)> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let is_control = |c: char| c.is_ascii_control() && !matches!(c, '\t' | '\n');
    line.char_indices().find(|(_, c)| is_control(*c))
}

/// The finding for a control character at `place`.
fn not_allowed(place: Range<usize>, character: char) -> Finding {
    let mut escaped = String::new();
    escape(character, &mut escaped);
    match character {
        '\r' => Finding::at(
            place,
            "a carriage return without a line feed does not end a line",
        )
        .help("save the file with the line endings LF (Unix) or CRLF (Windows)"),
        _ => Finding::at(place, format!("not TOML: a control character, `{escaped}`"))
            .help("remove it: it is invisible, and may have come with pasted text"),
    }
}

/// The bracket that closes what the parser calls `thing`.
fn closing_bracket(thing: &str) -> Option<char> {
    match thing.split(',').next()? {
        "array" | "table" => Some(']'),
        "inline table" => Some('}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_date_is_not_put_in_quotes() {
        for (value, message) in [
            (
                "2027-13-01",
                "there is no such date or time: expected month between 01 and 12",
            ),
            (
                "2027-12-31 25:00:00",
                "there is no such date or time: expected hour between 00 and 23",
            ),
            ("31.12.2027", "this is not a date"),
            ("31/12/2027", "this is not a date"),
        ] {
            let text = format!("expires = {value} # then\n");
            let report = Report::new(&text);
            parse(&report);
            let problems = report.into_problems("f");
            let plain = &problems[0].plain;
            assert_eq!(
                (problems.len(), plain.message.as_str()),
                (1, message),
                "{value}"
            );
            assert!(
                plain
                    .help
                    .as_ref()
                    .unwrap()
                    .starts_with("a date is written 2027-12-31")
            );
        }
    }

    #[test]
    fn a_control_character_is_told_as_what_it_is() {
        const CONTROL: &str = "remove it: it is invisible, and may have come with pasted text";
        const LINES: &str = "save the file with the line endings LF (Unix) or CRLF (Windows)";
        for (text, told) in [
            (
                "a = 'x'\rb = 'y'\r",
                format!(
                    "f:1:8: a carriage return without a line feed does not end a line ({LINES})"
                ),
            ),
            (
                "a = \"\u{1b}[2J\"\n",
                format!("f:1:6: not TOML: a control character, `\\u001B` ({CONTROL})"),
            ),
            (
                "# \u{0}\r\n",
                format!("f:1:3: not TOML: a control character, `\\u0000` ({CONTROL})"),
            ),
        ] {
            let report = Report::new(text);
            parse(&report);
            let problems = report.into_problems("f");
            let told_of: Vec<_> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(told_of, [told]);
        }
    }
}
