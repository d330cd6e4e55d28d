//! Problems in files that people write: the place, the cause, and how to fix it.

mod excerpt;
pub mod render;
#[cfg(test)]
mod render_tests;
pub mod report;
pub mod suggestion;
pub mod text;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::text::{Position, Text};
use crate::visible::visible;

/// Severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not mean what its author wants.
    Warning,
}

/// A problem in a text, before the file and the position are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// What to underline; `None` if the finding concerns the whole file.
    pub marks: Option<Marks>,
}

/// Places to underline in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// The place of the problem, in bytes.
    pub span: Range<usize>,
    /// A few words below the underlined text.
    pub label: Option<String>,
    /// A related place, in bytes, and the relation.
    pub also: Option<(Range<usize>, String)>,
}

/// A problem in a file, without the text of the file, so that none can be drawn.
/// `Display` is the one-line form for logs and tables: `path:line:column: message (help)`.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainProblem {
    /// Whether it is an error or a warning.
    pub severity: Severity,
    /// The path to show, or the name of the environment variable.
    pub path: Arc<str>,
    /// Its position; `None` if it concerns the whole file.
    pub position: Option<Position>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A problem together with the text that it can be drawn in.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    /// The problem without the text of the file.
    pub plain: PlainProblem,
    /// `None` if there is nothing to draw, or the text must not be shown.
    source: Option<(Arc<Text>, Marks)>,
}

impl Finding {
    /// A finding about the text at `span`.
    pub fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        let marks = Marks {
            span,
            label: None,
            also: None,
        };
        Self {
            marks: Some(marks),
            ..Self::whole(message)
        }
    }

    /// A finding about a file as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            marks: None,
        }
    }

    /// Says what to write instead.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Puts a few words below the underlined text.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(marks) = &mut self.marks {
            marks.label = Some(label.into());
        }
        self
    }

    /// Underlines a related place, too.
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        if let Some(marks) = &mut self.marks {
            marks.also = Some((span, label.into()));
        }
        self
    }
}

impl PlainProblem {
    /// An error that concerns a file as a whole: it is not there, it cannot be read.
    pub fn of_file(path: &str, finding: Finding) -> Self {
        Self {
            severity: Severity::Error,
            path: path.into(),
            position: None,
            message: finding.message,
            help: finding.help,
        }
    }

    /// A warning that concerns a file as a whole.
    pub fn warning_of_file(path: &str, finding: Finding) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::of_file(path, finding)
        }
    }

    /// `path:line:column`, or the path alone.
    pub fn place(&self) -> String {
        match self.position {
            Some(position) => format!("{}:{position}", visible(&self.path)),
            None => visible(&self.path).into_owned(),
        }
    }

    /// Whether the file cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl Problem {
    /// An error that concerns a file as a whole.
    pub fn of_file(path: &str, finding: Finding) -> Self {
        PlainProblem::of_file(path, finding).into()
    }

    /// Whether the file cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.plain.is_error()
    }
}

impl From<PlainProblem> for Problem {
    fn from(plain: PlainProblem) -> Self {
        Self {
            plain,
            source: None,
        }
    }
}

impl fmt::Display for PlainProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place(), visible(&self.message))?;
        match &self.help {
            Some(help) => write!(formatter, " ({})", visible(help)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PlainProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {self}", self.severity)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plain.fmt(formatter)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.plain, formatter)
    }
}
