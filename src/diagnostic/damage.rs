//! Where a text is no TOML, so that what only follows from that is not told.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The damaged places of a text. Each question takes the same time however many there are.
#[derive(Debug)]
pub(super) struct Damage<'t> {
    text: &'t str,
    /// Where each place begins.
    starts: BTreeSet<usize>,
    /// The lines that hold them, from start to end; no two overlap.
    lines: BTreeMap<usize, usize>,
    /// Where each line begins that begins like a header.
    headers: OnceCell<Vec<usize>>,
}

impl<'t> Damage<'t> {
    pub(super) fn none(text: &'t str) -> Self {
        Self {
            text,
            starts: BTreeSet::new(),
            lines: BTreeMap::new(),
            headers: OnceCell::new(),
        }
    }

    pub(super) fn add(&mut self, place: Range<usize>) {
        let mut lines = whole_lines(self.text, &place);
        self.starts.insert(place.start);
        while let Some(known) = self.overlapping(&lines) {
            self.lines.remove(&known.start);
            lines = lines.start.min(known.start)..lines.end.max(known.end);
        }
        self.lines.insert(lines.start, lines.end);
    }

    /// Whether a line of `place` holds damage.
    pub(super) fn meets(&self, place: &Range<usize>) -> bool {
        !self.lines.is_empty() && self.overlapping(&whole_lines(self.text, place)).is_some()
    }

    /// Whether there is damage from `start` on, up to the next header.
    pub(super) fn is_below(&self, start: usize) -> bool {
        if self.starts.is_empty() {
            return false;
        }
        let headers = self.headers();
        let next = headers.partition_point(|header| *header <= start);
        let end = headers.get(next).copied().unwrap_or(self.text.len());
        self.starts.range(start..=end).next().is_some()
    }

    /// Whether the line of the last header before `key` holds damage, or the first line where there is no header.
    pub(super) fn is_in_header_above(&self, key: usize) -> bool {
        if self.lines.is_empty() {
            return false;
        }
        let headers = self.headers();
        let after = headers.partition_point(|header| *header < key);
        let header = after.checked_sub(1).map_or(0, |last| headers[last]);
        self.meets(&(header..header + 1))
    }

    fn overlapping(&self, lines: &Range<usize>) -> Option<Range<usize>> {
        let (start, end) = self.lines.range(..lines.end).next_back()?;
        (*end > lines.start).then_some(*start..*end)
    }

    fn headers(&self) -> &[usize] {
        self.headers.get_or_init(|| {
            let mut headers = Vec::new();
            let mut offset = 0;
            for line in self.text.split_inclusive('\n') {
                if line.trim_start().starts_with('[') {
                    headers.push(offset);
                }
                offset += line.len();
            }
            headers
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[b]\nc = 2\nd = 3\n[e]\nf = 4\n";

    fn damaged(places: &[&str]) -> Damage<'static> {
        let mut damage = Damage::none(TEXT);
        for place in places {
            let start = TEXT.find(place).unwrap();
            damage.add(start..start + place.len());
        }
        damage
    }

    #[test]
    fn a_place_meets_damage_on_its_lines() {
        let damage = damaged(&["2", "= 2\nd", "f"]);
        for (place, meets) in [
            ("a", false),
            ("c", true),
            ("3", true),
            ("[e]", false),
            ("4", true),
        ] {
            let start = TEXT.find(place).unwrap();
            assert_eq!(damage.meets(&(start..start + 1)), meets, "{place}");
        }
    }

    #[test]
    fn damage_belongs_to_the_table_that_it_stands_in() {
        let damage = damaged(&["d"]);
        for (header, below) in [("a", false), ("[b]", true), ("[e]", false)] {
            assert_eq!(
                damage.is_below(TEXT.find(header).unwrap()),
                below,
                "{header}"
            );
        }
        let damage = damaged(&["b"]);
        for (key, below) in [("a", false), ("c", true), ("d", true), ("f", false)] {
            let key = TEXT.find(key).unwrap();
            assert_eq!(damage.is_in_header_above(key), below, "{key}");
        }
    }
}
