//! Gathers what is found in one text, so that all of it is told at once.

use std::sync::Arc;

use crate::diagnostic::text::Text;
use crate::diagnostic::{Finding, Problem, Severity};

/// Proof that a problem was reported: what stands in for a value that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported(());

/// The findings in one text.
#[derive(Debug)]
pub struct Report<'t> {
    text: &'t str,
    findings: Vec<(Severity, Finding)>,
    /// Nothing in the text is sure to mean what it seems to.
    has_syntax_errors: bool,
    secret: bool,
}

impl<'t> Report<'t> {
    /// Nothing found in `text` yet.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            findings: Vec::new(),
            has_syntax_errors: false,
            secret: false,
        }
    }

    /// Likewise for a text that may hold secrets.
    pub fn with_secrets(text: &'t str) -> Self {
        Self {
            secret: true,
            ..Self::new(text)
        }
    }

    /// `words` of the text as a message may quote them.
    pub fn quotable<'w>(&self, words: &'w str) -> &'w str {
        if self.secret { "…" } else { words }
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

    /// Whether an error has been reported.
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|(severity, _)| *severity == Severity::Error)
    }

    /// All that was found, in the order of the text.
    pub fn into_problems(self, path: &str) -> Vec<Problem> {
        let text = self.text;
        self.into_problems_in(path, || text.into())
    }

    /// Likewise, with the text that is shown to people made by `shown`: as long, and with the same
    /// lines, but without secrets.
    pub fn into_problems_in(
        mut self,
        path: &str,
        shown: impl FnOnce() -> Arc<str>,
    ) -> Vec<Problem> {
        if self.findings.is_empty() {
            return Vec::new();
        }
        self.findings
            .sort_by_key(|(_, finding)| finding.span.as_ref().map_or(0, |span| span.start));
        let (path, text): (Arc<str>, _) = (path.into(), Arc::new(Text::new(shown())));
        self.findings
            .into_iter()
            .map(|(severity, finding)| Problem {
                severity,
                path: Arc::clone(&path),
                finding,
                text: Arc::clone(&text),
            })
            .collect()
    }
}
