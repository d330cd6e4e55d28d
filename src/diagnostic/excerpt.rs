//! The few lines of a text that a problem is drawn with. Long lines are cut to what is around the place, and control
//! characters are escaped.

use std::collections::BTreeSet;
use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::diagnostic::text::Text;
use crate::visible::{escape, must_be_escaped};

/// Maximum length of a line that is drawn whole, in characters.
const LONGEST: usize = 120;

/// Number of characters of a cut line that are shown before a place.
const BEFORE: usize = 30;
/// Number of characters that are shown of the place itself.
const OF_IT: usize = 50;
/// Number of characters that are shown after a place.
const AFTER: usize = 20;

/// Replaces what is cut out.
const CUT: &str = " … ";

/// Lines as they are drawn.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    drawn: String,
    /// For each line its offset in `drawn`, and its number in the text, from 0.
    lines: Vec<(usize, usize)>,
    /// The requested places as ranges of `drawn`, in the same order.
    pub(super) places: Vec<Range<usize>>,
}

impl Excerpt {
    /// The lines of `text` that hold `places`, each of which is within one line, and the lines beside them.
    pub(super) fn of(text: &Text, places: &[Range<usize>]) -> Self {
        let held = places.iter().map(|place| text.line_at(place.start));
        let beside = held.flat_map(|line| line.saturating_sub(1)..=line + 1);
        let wanted: BTreeSet<_> = beside.filter(|line| *line < text.line_count()).collect();
        let mut excerpt = Self {
            places: vec![0..0; places.len()],
            ..Self::default()
        };
        for number in wanted {
            let start = text.line_start(number);
            let here = places.iter().enumerate();
            let here = here.filter(|(_, place)| text.line_at(place.start) == number);
            let here: Vec<_> = here
                .map(|(which, place)| (which, place.start - start..place.end - start))
                .collect();
            // What follows the last line break is not a line.
            if !here.is_empty() || start < text.len() {
                excerpt.draw(number, text.line(number), &here);
            }
        }
        excerpt
    }

    /// Adds a line with the places in it, which are known by their numbers.
    fn draw(&mut self, number: usize, line: &str, places: &[(usize, Range<usize>)]) {
        // Offsets in the line with those in what is drawn.
        let mut drawn = Vec::new();
        let mut end = 0;
        self.lines.push((self.drawn.len(), number));
        for part in parts(line, places) {
            match end {
                _ if part.start == end => {}
                0 => self.drawn.push_str(CUT.trim_start()),
                _ => self.drawn.push_str(CUT),
            }
            end = part.end;
            for (at, character) in line[part.clone()].char_indices() {
                drawn.push((part.start + at, self.drawn.len()));
                match character {
                    // A byte order mark at the start is invisible.
                    '\u{feff}' if part.start + at == 0 => {}
                    _ if must_be_escaped(character) => escape(character, &mut self.drawn),
                    _ => self.drawn.push(character),
                }
            }
            drawn.push((end, self.drawn.len()));
        }
        if end < line.len() {
            self.drawn.push_str(CUT.trim_end());
        }
        self.drawn.push('\n');
        // What is cut out of a place is not underlined.
        let drawn_at = |offset: usize| {
            let next = drawn.partition_point(|(at, _)| *at <= offset);
            next.checked_sub(1).map_or(0, |last| drawn[last].1)
        };
        for (which, place) in places {
            self.places[*which] = drawn_at(place.start)..drawn_at(place.end);
        }
    }
}

/// What is shown of a line: all of it, or what is around the places.
fn parts(line: &str, places: &[(usize, Range<usize>)]) -> Vec<Range<usize>> {
    if line.char_indices().nth(LONGEST).is_none() {
        let whole = 0..line.len();
        return vec![whole];
    }
    let forward = |from: usize, count: usize| {
        let rest = line[from..].char_indices().nth(count);
        rest.map_or(line.len(), |(at, _)| from + at)
    };
    let back = |from: usize, count: usize| {
        let before = line[..from].char_indices().rev().take(count).last();
        before.map_or(from, |(at, _)| at)
    };
    let around = |place: &Range<usize>| {
        let seen = forward(place.start, OF_IT);
        let end = match place.end > seen {
            true => seen,
            false => forward(place.end, AFTER),
        };
        back(place.start, BEFORE)..end
    };
    let mut wanted: Vec<_> = places.iter().map(|(_, place)| around(place)).collect();
    if wanted.is_empty() {
        wanted.push(0..forward(0, BEFORE + OF_IT + AFTER));
    }
    wanted.sort_by_key(|part| part.start);
    let mut parts: Vec<Range<usize>> = Vec::new();
    for part in wanted {
        match parts.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => parts.push(part),
        }
    }
    parts
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        if end > self.drawn.len() {
            return Err(MietteError::OutOfBounds);
        }
        let line_at = |offset| self.lines.partition_point(|(start, _)| *start <= offset) - 1;
        let mut first = line_at(span.offset());
        let mut last = line_at(end.saturating_sub(1).max(span.offset()));
        let follow = |line: usize| self.lines[line].1 + 1 == self.lines[line + 1].1;
        for _ in 0..before {
            if first > 0 && follow(first - 1) {
                first -= 1;
            }
        }
        for _ in 0..after {
            if last + 1 < self.lines.len() && follow(last) {
                last += 1;
            }
        }
        let (start, number) = self.lines[first];
        let next = self.lines.get(last + 1);
        let end = next.map_or(self.drawn.len(), |(start, _)| *start);
        Ok(Box::new(MietteSpanContents::new(
            &self.drawn.as_bytes()[start..end],
            (start, end - start).into(),
            number,
            0,
            last - first + 1,
        )))
    }
}
