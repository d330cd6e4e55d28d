//! A text with its lines, shared by the problems in one file.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crate::diagnostic::position::Lines;

/// A text with an index of its lines, built on first use.
#[derive(Debug, Clone)]
pub(super) struct Text {
    text: Arc<str>,
    lines: OnceLock<Lines>,
}

impl Text {
    pub(super) fn new(text: Arc<str>) -> Self {
        Self {
            text,
            lines: OnceLock::new(),
        }
    }

    pub(super) fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::of(&self.text))
    }

    /// Line `index`, counted from 0, without its line break.
    pub(super) fn line(&self, index: usize) -> &str {
        let lines = self.lines();
        let (start, end) = (
            lines.start(&self.text, index),
            lines.start(&self.text, index + 1),
        );
        let line = &self.text[start..end];
        line.strip_suffix('\n')
            .map_or(line, |line| line.strip_suffix('\r').unwrap_or(line))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text.into())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}
