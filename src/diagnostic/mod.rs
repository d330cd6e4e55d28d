//! What is wrong with a file that a person wrote: where, why, and how to mend it.

mod excerpt;
pub mod position;
pub mod render;
#[cfg(test)]
mod render_tests;
pub mod report;
pub mod suggestion;
mod text;
pub mod visible;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::position::Position;
use crate::diagnostic::text::Text;
use crate::diagnostic::visible::visible;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but hardly says what its author means.
    Warning,
}

/// One thing to say about a place in a text: the part of a [`Problem`] that its finder knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Bytes of the text; `None` where it concerns the whole file.
    pub span: Option<Range<usize>>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// A few words below the underlined text.
    pub label: Option<String>,
    /// Another place that has to do with it, and why.
    pub also: Option<(Range<usize>, String)>,
}

/// A finding in a file. `Display` is the one-line form for logs and tables:
/// `path:line:column: message (help)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// The file as people know it, or what else the text comes from.
    pub path: Arc<str>,
    pub finding: Finding,
    /// What the spans are places in. Holds no secret.
    text: Arc<Text>,
}

impl Finding {
    /// A finding about the text at `span`.
    pub fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span: Some(span),
            ..Self::whole(message)
        }
    }

    /// A finding about a file as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self {
            span: None,
            message: message.into(),
            help: None,
            label: None,
            also: None,
        }
    }

    /// Says what to write instead.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Puts a few words below the underlined text.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Points at another place, too.
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also = Some((span, label.into()));
        self
    }
}

impl Problem {
    /// An error that concerns a file as a whole: it is not there, it cannot be read.
    pub fn of_file(path: &str, finding: Finding) -> Self {
        Self {
            severity: Severity::Error,
            path: path.into(),
            finding,
            text: Arc::new(Text::from("")),
        }
    }

    /// Likewise, of a file that can be used all the same.
    pub fn warning_of_file(path: &str, finding: Finding) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::of_file(path, finding)
        }
    }

    /// Where it is; `None` where it concerns the whole file.
    pub fn position(&self) -> Option<Position> {
        let span = self.finding.span.as_ref()?;
        Some(self.text.position(span.start))
    }

    /// `path:line:column`, or the path alone.
    pub fn place(&self) -> String {
        match self.position() {
            Some(position) => format!("{}:{position}", visible(&self.path)),
            None => visible(&self.path).into_owned(),
        }
    }

    /// Whether the file cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = visible(&self.finding.message);
        write!(formatter, "{}: {message}", self.place())?;
        match &self.finding.help {
            Some(help) => write!(formatter, " ({})", visible(help)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {self}", self.severity)
    }
}
