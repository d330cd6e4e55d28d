//! Collects what is found in one text, so that all of it is reported at once.

use std::sync::Arc;

use crate::diagnostic::position::{Lines, Position};
use crate::diagnostic::text::Text;
use crate::diagnostic::{Finding, PlainProblem, Problem, Severity, Source};

/// Proof that a problem was reported, in place of a value that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported(());

/// The findings in one text.
#[derive(Debug)]
pub struct Report<'t> {
    text: &'t str,
    findings: Vec<(Severity, Finding)>,
    /// Other findings may only follow from the syntax errors.
    has_syntax_errors: bool,
    values: Values,
}

/// Whether values of a text may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Messages may quote them, and their lines may be drawn.
    Shown,
    /// They may be secrets.
    Hidden,
}

impl<'t> Report<'t> {
    /// An empty report about `text`, whose values may be shown.
    pub fn new(text: &'t str) -> Self {
        Self::with(text, Values::Shown)
    }

    /// An empty report about `text`.
    pub fn with(text: &'t str, values: Values) -> Self {
        Self {
            text,
            findings: Vec::new(),
            has_syntax_errors: false,
            values,
        }
    }

    /// `words` of the text, if a message may quote them.
    pub fn quotable<W>(&self, words: W) -> Option<W> {
        (self.values == Values::Shown).then_some(words)
    }

    /// The text that the spans are places in.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Reports that the text cannot be used.
    pub fn error(&mut self, finding: Finding) -> Reported {
        self.add(Severity::Error, finding);
        Reported(())
    }

    /// Reports something doubtful.
    pub fn warning(&mut self, finding: Finding) {
        self.add(Severity::Warning, finding);
    }

    /// Reports that the text breaks the syntax of TOML. From then on other findings are ignored: they may only
    /// follow from that.
    pub fn syntax_error(&mut self, finding: Finding) {
        self.has_syntax_errors = true;
        self.findings.push((Severity::Error, finding));
    }

    fn add(&mut self, severity: Severity, finding: Finding) {
        if !self.has_syntax_errors {
            self.findings.push((severity, finding));
        }
    }

    /// Whether the text breaks the syntax of TOML.
    pub fn has_syntax_errors(&self) -> bool {
        self.has_syntax_errors
    }

    /// Whether an error has been reported.
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|(severity, _)| *severity == Severity::Error)
    }

    /// Everything that was found, in the order of the text.
    pub fn into_problems(self, path: &str) -> Vec<Problem> {
        let text = self
            .quotable(self.text)
            .filter(|_| !self.findings.is_empty());
        let text = text.map(|text| Arc::new(Text::from(text)));
        self.into_each(path, |severity, path, position, finding| Problem {
            source: text
                .as_ref()
                .and_then(|text| Source::of(Arc::clone(text), &finding)),
            plain: PlainProblem::new(severity, path, position, finding),
        })
    }

    /// Everything that was found, in the order of the text, with nothing of the text to draw.
    pub fn into_plain_problems(self, path: &str) -> Vec<PlainProblem> {
        self.into_each(path, PlainProblem::new)
    }

    fn into_each<T>(
        mut self,
        path: &str,
        make: impl Fn(Severity, Arc<str>, Option<Position>, Finding) -> T,
    ) -> Vec<T> {
        if self.findings.is_empty() {
            return Vec::new();
        }
        self.findings
            .sort_by_key(|(_, finding)| finding.span.as_ref().map_or(0, |span| span.start));
        let (path, lines): (Arc<str>, _) = (path.into(), Lines::of(self.text));
        let findings = self.findings.into_iter();
        findings
            .map(|(severity, finding)| {
                let start = finding.span.as_ref().map(|span| span.start);
                let position = start.map(|start| lines.position(self.text, start));
                make(severity, Arc::clone(&path), position, finding)
            })
            .collect()
    }
}
