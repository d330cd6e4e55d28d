//! Gathers what is found in one text, so that all of it is told at once.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Finding, Problem, Severity};

/// Proof that a problem was reported: what stands in for a value that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported(());

/// The findings in one text.
#[derive(Debug)]
pub struct Report<'t> {
    text: &'t str,
    findings: Vec<(Severity, Finding)>,
    /// Places where the text is no TOML: nothing there means what it seems to.
    damage: Vec<Range<usize>>,
    secret: bool,
}

impl<'t> Report<'t> {
    /// Nothing found in `text` yet.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            findings: Vec::new(),
            damage: Vec::new(),
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
        let follows = match &finding.span {
            Some(span) => self
                .damage
                .iter()
                .any(|place| lines_meet(self.text, place, span)),
            None => false,
        };
        if !follows {
            self.findings.push((Severity::Error, finding));
        }
        Reported(())
    }

    /// Reports that something is missing in the table whose header is at the finding's span, unless
    /// that table is damaged: then it may well be there.
    pub fn missing(&mut self, finding: Finding) -> Reported {
        match &finding.span {
            Some(header) if self.is_damaged(header.start) => Reported(()),
            _ => self.error(finding),
        }
    }

    /// Reports a key that is not known, unless the header above it is damaged: then nobody knows which
    /// table it stands in.
    pub fn unknown(&mut self, finding: Finding) -> Reported {
        if !self.damage.is_empty()
            && let Some(key) = &finding.span
        {
            let header = previous_header(self.text, key.start);
            let is_damaged = |place: &Range<usize>| lines_meet(self.text, place, &header);
            if self.damage.iter().any(is_damaged) {
                return Reported(());
            }
        }
        self.error(finding)
    }

    /// Reports something doubtful.
    pub fn warning(&mut self, finding: Finding) {
        self.findings.push((Severity::Warning, finding));
    }

    /// Reports that the text at the finding's span is no TOML.
    pub fn damage(&mut self, finding: Finding) {
        // One slip can upset the parser more than once: the first complaint on a line is the telling one.
        let place = finding.span.clone().unwrap_or(0..self.text.len());
        if !self
            .damage
            .iter()
            .any(|known| lines_meet(self.text, known, &place))
        {
            self.findings.push((Severity::Error, finding));
        }
        self.damage.push(place);
    }

    /// Takes nothing at `place` for what it seems, without a word about it.
    pub fn spoil(&mut self, place: Range<usize>) {
        self.damage.push(place);
    }

    /// Whether the table that starts at `start` holds a place that is no TOML; if so, that has been
    /// reported.
    pub fn damaged(&self, start: usize) -> Option<Reported> {
        self.is_damaged(start).then_some(Reported(()))
    }

    fn is_damaged(&self, start: usize) -> bool {
        if self.damage.is_empty() {
            return false;
        }
        let end = next_header(self.text, start);
        self.damage
            .iter()
            .any(|place| (start..=end).contains(&place.start))
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
        let (path, text): (Arc<str>, _) = (path.into(), shown());
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

/// Whether two places have a line in common.
fn lines_meet(text: &str, left: &Range<usize>, right: &Range<usize>) -> bool {
    let (left, right) = (whole_lines(text, left), whole_lines(text, right));
    left.start < right.end && right.start < left.end
}

/// The place with the lines it begins and ends in, line break included.
fn whole_lines(text: &str, place: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let (start, end) = (place.start.min(bytes.len()), place.end.min(bytes.len()));
    let is_break = |byte: &u8| *byte == b'\n';
    let start = bytes[..start]
        .iter()
        .rposition(is_break)
        .map_or(0, |at| at + 1);
    // The last byte of the place decides, so that a place that ends with a line ends there.
    let last = end.saturating_sub(1).max(start);
    let end = bytes[last..]
        .iter()
        .position(is_break)
        .map_or(bytes.len(), |at| last + at);
    start..end + 1
}

/// Where the next table header after `start` begins, or the text ends.
fn next_header(text: &str, start: usize) -> usize {
    let mut offset = start;
    for line in text.get(start..).unwrap_or("").split_inclusive('\n') {
        if offset > start && line.trim_start().starts_with('[') {
            return offset;
        }
        offset += line.len();
    }
    text.len()
}

/// The first character of the last line before `end` that begins like a header, or of the text.
fn previous_header(text: &str, end: usize) -> Range<usize> {
    let mut start = 0;
    let mut offset = 0;
    for line in text.get(..end).unwrap_or("").split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            start = offset;
        }
        offset += line.len();
    }
    start..start + 1
}
