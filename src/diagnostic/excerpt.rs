//! The few lines of a text that a problem is drawn with. Long lines are cut to what is around the place, and control
//! characters are escaped.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::diagnostic::position::Lines;
use crate::diagnostic::text::Text;
use crate::diagnostic::visible::{escape, must_be_escaped};

/// Longest line that is drawn whole, in characters.
const LONGEST: usize = 120;

/// Characters shown of a cut line before a place,
const BEFORE: usize = 30;
/// of the place itself,
const OF_IT: usize = 50;
/// and after it.
const AFTER: usize = 20;

/// Stands for what is cut out.
const CUT: &str = " … ";

/// Lines as they are drawn.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    drawn: String,
    /// For each line of `drawn` its number in the text, from 0.
    numbers: Vec<usize>,
    /// Of `drawn`.
    lines: Option<Lines>,
    /// The requested places as ranges of `drawn`, in the same order.
    pub(super) places: Vec<Range<usize>>,
}

impl Excerpt {
    /// The lines of `text` that hold `places`, each of which is within one line, and those beside them.
    pub(super) fn of(text: &Text, places: &[Range<usize>]) -> Self {
        let lines = text.lines();
        let held: Vec<_> = places
            .iter()
            .map(|place| lines.holding(place.start))
            .collect();
        let mut wanted: Vec<_> = held
            .iter()
            .flat_map(|line| line.saturating_sub(1)..=line + 1)
            .filter(|line| *line < lines.count())
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut excerpt = Self {
            places: vec![0..0; places.len()],
            ..Self::default()
        };
        for number in wanted {
            let start = lines.start(text, number);
            let here = held.iter().enumerate().filter(|(_, held)| **held == number);
            let here: Vec<_> = here
                .map(|(which, _)| {
                    let place = &places[which];
                    (which, place.start - start..place.end - start)
                })
                .collect();
            // What comes after the last line break is no line.
            if here.is_empty() && start == text.len() {
                continue;
            }
            excerpt.draw(number, text.line(number), &here);
        }
        excerpt.lines = Some(Lines::of(&excerpt.drawn));
        excerpt
    }

    /// Adds a line with the places in it, which are known by their numbers.
    fn draw(&mut self, number: usize, line: &str, places: &[(usize, Range<usize>)]) {
        // Offsets in the line with those in what is drawn.
        let mut drawn = Vec::new();
        let mut end = 0;
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
                    // A byte order mark at the start is not something that people see.
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
        self.numbers.push(number);
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
        let (Some(lines), end) = (&self.lines, span.offset() + span.len()) else {
            return Err(MietteError::OutOfBounds);
        };
        if end > self.drawn.len() || self.numbers.is_empty() {
            return Err(MietteError::OutOfBounds);
        }
        let last_line = self.numbers.len() - 1;
        let mut first = lines.holding(span.offset()).min(last_line);
        let mut last = lines
            .holding(end.saturating_sub(1).max(span.offset()))
            .min(last_line);
        let follow = |line: usize| self.numbers[line] + 1 == self.numbers[line + 1];
        for _ in 0..before {
            if first > 0 && follow(first - 1) {
                first -= 1;
            }
        }
        for _ in 0..after {
            if last < last_line && follow(last) {
                last += 1;
            }
        }
        let bytes = lines.start(&self.drawn, first)..lines.start(&self.drawn, last + 1);
        Ok(Box::new(MietteSpanContents::new(
            &self.drawn.as_bytes()[bytes.clone()],
            (bytes.start, bytes.len()).into(),
            self.numbers[first],
            0,
            last - first + 1,
        )))
    }
}
