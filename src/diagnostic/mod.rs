//! What is wrong with a file that a person wrote: where, why, and how to fix it.

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
    /// The file can be used, but probably does not say what its author means.
    Warning,
}

/// A problem at a place in a text, before the file and the position are known.
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

/// A problem in a file: its place and what is said of it. Holds no text of the file, so none can be drawn.
/// `Display` is the one-line form for logs and tables: `path:line:column: message (help)`.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainProblem {
    /// Whether it is an error or a warning.
    pub severity: Severity,
    /// The file as people know it, or the name of the environment variable.
    pub path: Arc<str>,
    /// Where it is; `None` where it concerns the whole file.
    pub position: Option<Position>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A problem together with the lines of the file that it can be drawn in.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    /// The problem without the text of the file.
    pub plain: PlainProblem,
    /// `None` where there is no line to draw, or none may be shown.
    source: Option<Source>,
}

/// The places to underline in a text.
#[derive(Clone, PartialEq, Eq)]
struct Source {
    text: Arc<Text>,
    span: Range<usize>,
    label: Option<String>,
    also: Option<(Range<usize>, String)>,
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

impl Source {
    /// `None` where the finding has no place in the text.
    fn of(text: Arc<Text>, finding: &Finding) -> Option<Self> {
        Some(Self {
            text,
            span: finding.span.clone()?,
            label: finding.label.clone(),
            also: finding.also.clone(),
        })
    }
}

impl PlainProblem {
    /// An error that concerns a file as a whole: it is not there, it cannot be read.
    pub fn of_file(path: &str, finding: Finding) -> Self {
        Self::new(Severity::Error, path.into(), None, finding)
    }

    /// A warning that concerns a file as a whole.
    pub fn warning_of_file(path: &str, finding: Finding) -> Self {
        Self::new(Severity::Warning, path.into(), None, finding)
    }

    fn new(
        severity: Severity,
        path: Arc<str>,
        position: Option<Position>,
        finding: Finding,
    ) -> Self {
        Self {
            severity,
            path,
            position,
            message: finding.message,
            help: finding.help,
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
