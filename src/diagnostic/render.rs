//! Draws problems for a terminal or a pipe: the line with its place and message first, as compilers
//! have it, then the text with the offending part underlined, then how to mend it.

use std::fmt::{self, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use crate::diagnostic::{Problem, Severity};

/// Longer texts of help are wrapped at this column.
const WIDTH: usize = 100;

/// One problem, drawn; ends with a line break.
pub fn render(problem: &Problem, colour: bool) -> String {
    let paint = |codes: &str, text: &str| match colour {
        true => format!("\x1b[{codes}m{text}\x1b[0m"),
        false => text.to_owned(),
    };
    let severity = match problem.severity {
        Severity::Error => paint("1;31", "error"),
        Severity::Warning => paint("1;33", "warning"),
    };
    let place = paint("1", &problem.place());
    let mut out = format!("{place}: {severity}: {}\n", problem.finding.message);
    let snippet = Snippet::of(problem);
    let mut drawn = String::new();
    let handler = GraphicalReportHandler::new_themed(match colour {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    })
    .with_width(WIDTH)
    .with_links(false)
    .without_primary_span_start()
    .without_syntax_highlighting();
    if handler.render_report(&mut drawn, &snippet).is_ok() {
        // The first line is miette's own for the message, which stands above already.
        out.push_str(drawn.split_once('\n').map_or("", |(_, rest)| rest));
    } else if let Some(help) = &problem.finding.help {
        let _ = writeln!(out, "  help: {help}");
    }
    out
}

/// A problem as miette wants it, without its message.
#[derive(Debug)]
struct Snippet<'a> {
    problem: &'a Problem,
    labels: Vec<LabeledSpan>,
}

impl<'a> Snippet<'a> {
    fn of(problem: &'a Problem) -> Self {
        let text = &*problem.text;
        let finding = &problem.finding;
        let mut labels = Vec::new();
        if let Some(span) = &finding.span
            && let Some(span) = first_line(text, span.start, span.end)
        {
            labels.push(LabeledSpan::new_primary_with_span(
                finding.label.clone(),
                span,
            ));
        }
        if let Some((span, label)) = &finding.also
            && let Some(span) = first_line(text, span.start, span.end)
        {
            labels.push(LabeledSpan::new_with_span(Some(label.clone()), span));
        }
        Self { problem, labels }
    }
}

/// The part of a span that is on its first line, as offset and length; `None` where the text has
/// nothing to underline.
fn first_line(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let start = (0..=start.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))?;
    let rest = &text[start..];
    let line = rest.split(['\n', '\r']).next().unwrap_or(rest);
    let length = (0..=end.saturating_sub(start).min(line.len()))
        .rev()
        .find(|at| line.is_char_boundary(*at))?;
    // At the end of a line there is nothing to underline: a mark of its own is drawn.
    (start < text.len()).then_some((start, length))
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet<'_> {}

impl Diagnostic for Snippet<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.problem.finding.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.labels.is_empty()).then_some(&self.problem.text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
