//! The message and the fields of a log line: harmless, short, and each thing once.

use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use crate::visible::one_line;

/// Writes the message, then as `name=value` those fields whose value the message does not hold.
pub struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut line = Line::default();
        fields.record(&mut line);
        writer.write_str(&line.text())
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Line {
    fn take(&mut self, field: &Field, value: &str) {
        let value = one_line(value).into_owned();
        match field.name() {
            "message" => self.message = value,
            // Where a line of the `log` crate comes from.
            name if name.starts_with("log.") => {}
            name => self.fields.push((name, value)),
        }
    }

    fn text(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.fields {
            if says(&self.message, name, value) {
                continue;
            }
            let space = if text.is_empty() { "" } else { " " };
            let quoted = value.is_empty() || value.contains([' ', '"', '=']);
            // Writing to a text cannot fail.
            let _ = match quoted {
                true => write!(text, "{space}{name}=\"{}\"", value.replace('"', "\\\"")),
                false => write!(text, "{space}{name}={value}"),
            };
        }
        text
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take(field, &format!("{value:?}"));
    }
}

/// Whether `message` holds the value of a field. A short number says nothing without its name.
fn says(message: &str, name: &str, value: &str) -> bool {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && value.len() < 4 {
        return holds(message, &format!("{name} {value}"))
            || holds(message, &format!("{value} {name}"));
    }
    value.len() > 2 && holds(message, value)
}

/// Whether `text` holds `part` as whole words.
fn holds(text: &str, part: &str) -> bool {
    let in_a_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(part).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + part.len()..].chars().next();
        !before.is_some_and(in_a_word) && !after.is_some_and(in_a_word)
    })
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `act` logs, without moments and levels.
    fn logged(act: impl FnOnce()) -> String {
        let log = Log::default();
        let out = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(Fields)
            .with_writer(move || out.clone())
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .with_level(false)
            .finish();
        tracing::subscriber::with_default(subscriber, act);
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_log_line_says_each_thing_once() {
        let (voter, post, rule, late_ms) = ("alice", "@bob/a-post", "f.toml:friends", 3);
        let line = logged(|| {
            tracing::info!(
                voter,
                post,
                rule,
                late_ms,
                "cast: 30% for @alice on @bob/a-post"
            );
        });
        assert_eq!(
            line,
            "cast: 30% for @alice on @bob/a-post rule=f.toml:friends late_ms=3\n"
        );
        let line = logged(|| tracing::info!(block = 5, attempts = 1, "after block 5, 1 of 2"));
        assert_eq!(line, "after block 5, 1 of 2 attempts=1\n");
        let line = logged(|| tracing::info!(voter = "bob", "of @bobby, with @big-bob"));
        assert_eq!(line, "of @bobby, with @big-bob voter=bob\n");
        let line = logged(|| tracing::warn!(error = %"no \"space\" left", "not written"));
        assert_eq!(line, "not written error=\"no \\\"space\\\" left\"\n");
    }

    #[test]
    fn a_text_from_outside_forges_no_log_line() {
        let hostile = "bob\n2026-01-01T00:00:00Z  INFO cast: \u{1b}[2J\u{202e}\r";
        let line = logged(|| tracing::info!(error = %hostile, "refused: {hostile}"));
        assert_eq!(
            line,
            "refused: bob\\n2026-01-01T00:00:00Z  INFO cast: \\u001B[2J\\u202E\\r\n"
        );
        let line = logged(|| tracing::info!(post = hostile, "seen"));
        assert_eq!(line.lines().count(), 1, "{line}");
        let line = logged(|| tracing::info!("refused: {}", "x".repeat(70_000)));
        assert!(line.len() < 1_100, "{}", line.len());
    }
}
