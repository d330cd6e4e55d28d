//! Gathers what is found in one text, so that all of it is told at once.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::damage::Damage;
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
    /// Where the text is no TOML: nothing there means what it seems to.
    damage: Damage<'t>,
    secret: bool,
}

impl<'t> Report<'t> {
    /// Nothing found in `text` yet.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            findings: Vec::new(),
            damage: Damage::none(text),
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

    /// Reports that the text cannot be used, unless the place is damaged and this only follows from it.
    pub fn error(&mut self, finding: Finding) -> Reported {
        let span = finding.span.as_ref();
        if !span.is_some_and(|span| self.damage.meets(span)) {
            self.findings.push((Severity::Error, finding));
        }
        Reported(())
    }

    /// Reports that something is missing in the table whose header is at the finding's span, unless
    /// that table is damaged: then it may well be there.
    pub fn missing(&mut self, finding: Finding) -> Reported {
        match &finding.span {
            Some(header) if self.damage.is_below(header.start) => Reported(()),
            _ => self.error(finding),
        }
    }

    /// Reports a key that is not known, unless the header above it is damaged: then nobody knows which
    /// table it stands in.
    pub fn unknown(&mut self, finding: Finding) -> Reported {
        match &finding.span {
            Some(key) if self.damage.is_in_header_above(key.start) => Reported(()),
            _ => self.error(finding),
        }
    }

    /// Reports something doubtful.
    pub fn warning(&mut self, finding: Finding) {
        self.findings.push((Severity::Warning, finding));
    }

    /// Reports that the text at the finding's span is no TOML.
    pub fn damage(&mut self, finding: Finding) {
        // One slip can upset the parser more than once: the first complaint on a line is the telling one.
        let place = finding.span.clone().unwrap_or(0..self.text.len());
        if !self.damage.meets(&place) {
            self.findings.push((Severity::Error, finding));
        }
        self.damage.add(place);
    }

    /// Takes nothing at `place` for what it seems, without a word about it.
    pub fn spoil(&mut self, place: Range<usize>) {
        self.damage.add(place);
    }

    /// Whether the table that starts at `start` holds a place that is no TOML; if so, that has been
    /// reported.
    pub fn damaged(&self, start: usize) -> Option<Reported> {
        self.damage.is_below(start).then_some(Reported(()))
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
