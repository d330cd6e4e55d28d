//! Draws problems for a terminal or a pipe: a line with place and message, as compilers do, then the text with the
//! place underlined, then how to fix it.

use std::fmt::{self, Write as _};
use std::ops::Range;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use crate::diagnostic::excerpt::Excerpt;
use crate::diagnostic::text::Text;
use crate::diagnostic::{Marks, PlainProblem, Problem, Severity};
use crate::visible::visible;

/// Column at which help is wrapped.
const WIDTH: usize = 100;

/// One problem, drawn; ends with a line break.
pub fn render(problem: &Problem, colour: bool) -> String {
    let paint = |codes: &str, text: &str| match colour {
        true => format!("\x1b[{codes}m{text}\x1b[0m"),
        false => text.to_owned(),
    };
    let severity = match problem.plain.severity {
        Severity::Error => paint("1;31", "error"),
        Severity::Warning => paint("1;33", "warning"),
    };
    let place = paint("1", &problem.plain.place());
    let message = visible(&problem.plain.message);
    let mut out = format!("{place}: {severity}: {message}\n");
    let source = problem.source.as_ref();
    let (excerpt, labels) = source
        .and_then(|(text, marks)| underlined(text, marks))
        .unzip();
    let snippet = Snippet {
        plain: &problem.plain,
        excerpt,
        labels,
    };
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
        // The first line is miette's own for the message, which is above already.
        out.push_str(drawn.split_once('\n').map_or("", |(_, rest)| rest));
    } else if let Some(help) = &problem.plain.help {
        let _ = writeln!(out, "  help: {}", visible(help));
    }
    out
}

/// A problem in the form that miette needs, without its message.
#[derive(Debug)]
struct Snippet<'a> {
    plain: &'a PlainProblem,
    excerpt: Option<Excerpt>,
    labels: Option<Vec<LabeledSpan>>,
}

/// The lines of a text, and what is underlined in them; `None` if there is nothing to underline.
fn underlined(text: &Text, marks: &Marks) -> Option<(Excerpt, Vec<LabeledSpan>)> {
    let main = (&marks.span, marks.label.as_deref());
    let also = marks.also.iter();
    let also = also.map(|(span, label)| (span, Some(label.as_str())));
    let (places, said): (Vec<_>, Vec<_>) = std::iter::once(main)
        .chain(also)
        .filter_map(|(span, label)| Some((first_line(text, span)?, label)))
        .unzip();
    let excerpt = Excerpt::of(text, &places);
    let mut labels = Vec::new();
    for (place, label) in excerpt.places.iter().zip(said) {
        let label = label.map(|label| visible(label).into_owned());
        let place = (place.start, place.len());
        labels.push(match labels.is_empty() {
            true => LabeledSpan::new_primary_with_span(label, place),
            false => LabeledSpan::new_with_span(label, place),
        });
    }
    (!labels.is_empty()).then_some((excerpt, labels))
}

/// The part of a span that is on its first line; `None` if the text has nothing to underline.
fn first_line(text: &Text, span: &Range<usize>) -> Option<Range<usize>> {
    let start = text.floor_char_boundary(span.start);
    let line = text[start..].lines().next().unwrap_or("");
    let end = text
        .floor_char_boundary(span.end)
        .clamp(start, start + line.len());
    // At the end of a line there is nothing to underline: a mark of its own is drawn.
    (start < text.len()).then_some(start..end)
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet<'_> {}

impl Diagnostic for Snippet<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.plain.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.plain.help.as_ref()?;
        Some(Box::new(visible(help)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let excerpt = self.excerpt.as_ref()?;
        Some(excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.labels.as_ref()?;
        Some(Box::new(labels.iter().cloned()))
    }
}
