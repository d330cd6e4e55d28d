//! Collects what is found in one text, so that all of it is reported at once.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::text::Text;
use crate::diagnostic::{Finding, PlainProblem, Problem, Severity};

/// Proof that a problem was reported, in place of a value that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported(());

/// The findings in one text. All readers of the text share it.
#[derive(Debug)]
pub struct Report<'t> {
    text: &'t str,
    findings: RefCell<Vec<(Severity, Finding)>>,
    /// Other findings may only follow from the syntax errors.
    has_syntax_errors: Cell<bool>,
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
            findings: RefCell::default(),
            has_syntax_errors: Cell::new(false),
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
    pub fn error(&self, finding: Finding) -> Reported {
        self.add(Severity::Error, finding);
        Reported(())
    }

    /// Reports something doubtful.
    pub fn warning(&self, finding: Finding) {
        self.add(Severity::Warning, finding);
    }

    /// Reports that the text breaks the syntax of TOML. From then on other findings are ignored: they may only
    /// follow from that.
    pub fn syntax_error(&self, finding: Finding) {
        self.has_syntax_errors.set(true);
        self.push(Severity::Error, finding);
    }

    fn add(&self, severity: Severity, finding: Finding) {
        if !self.has_syntax_errors() {
            self.push(severity, finding);
        }
    }

    fn push(&self, severity: Severity, finding: Finding) {
        let lies_in_text = |span: &Range<usize>| self.text.get(span.clone()).is_some();
        debug_assert!(
            finding.marks.as_ref().is_none_or(|marks| {
                lies_in_text(&marks.span)
                    && marks
                        .also
                        .as_ref()
                        .is_none_or(|(span, _)| lies_in_text(span))
            }),
            "{finding:?}"
        );
        self.findings.borrow_mut().push((severity, finding));
    }

    /// Whether the text breaks the syntax of TOML.
    pub fn has_syntax_errors(&self) -> bool {
        self.has_syntax_errors.get()
    }

    /// Whether an error has been reported.
    pub fn has_errors(&self) -> bool {
        let findings = self.findings.borrow();
        let mut severities = findings.iter().map(|(severity, _)| *severity);
        severities.any(|severity| severity == Severity::Error)
    }

    /// The errors that were found, in the order of the text.
    pub fn into_errors(self) -> Vec<Finding> {
        let mut findings = self.findings.take();
        findings.retain(|(severity, _)| *severity == Severity::Error);
        let start = |finding: &Finding| finding.marks.as_ref().map(|marks| marks.span.start);
        findings.sort_by_key(|(_, finding)| start(finding));
        findings.into_iter().map(|(_, finding)| finding).collect()
    }

    /// Everything that was found, in the order of the text.
    pub fn into_problems(self, path: &str) -> Vec<Problem> {
        let mut findings = self.findings.take();
        if findings.is_empty() {
            return Vec::new();
        }
        let start = |finding: &Finding| finding.marks.as_ref().map(|marks| marks.span.start);
        findings.sort_by_key(|(_, finding)| start(finding).unwrap_or(0));
        let (path, text): (Arc<str>, _) = (path.into(), Arc::new(Text::from(self.text)));
        let problem = |(severity, finding): (_, Finding)| Problem {
            plain: PlainProblem {
                severity,
                path: Arc::clone(&path),
                position: start(&finding).map(|start| text.position(start)),
                message: finding.message,
                help: finding.help,
            },
            source: match self.values {
                Values::Shown => finding.marks.map(|marks| (Arc::clone(&text), marks)),
                Values::Hidden => None,
            },
        };
        findings.into_iter().map(problem).collect()
    }

    /// Everything that was found, in the order of the text, with nothing of the text to draw.
    pub fn into_plain_problems(self, path: &str) -> Vec<PlainProblem> {
        let problems = self.into_problems(path).into_iter();
        problems.map(|problem| problem.plain).collect()
    }
}
