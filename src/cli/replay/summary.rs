//! Summary of a replay, printed below its votes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::cli::output::write_columns;
use crate::rules::language::percentage;
use crate::simulate::replay::{Played, why_not_cast};

/// Maximum number of voters whose mana is printed: those with the lowest mana.
const VOTERS: usize = 20;

/// Writes votes by day and rule, mana over time, and votes that were not cast. Empty sections are left out. Days are
/// in UTC.
pub(super) fn write(played: &Played, out: &mut impl Write) -> io::Result<()> {
    let votes = played.cast().map(|vote| {
        let ask = vote.ask();
        [ask.due_at.date_naive().to_string(), ask.rule.to_string()]
    });
    section(out, ["DAY (UTC)", "RULE", "VOTES"], &[2], counted(votes))?;

    let mut voters: Vec<_> = played.mana.iter().collect();
    voters.sort_by_key(|(voter, days)| (days.iter().map(|day| day.lowest).min(), voter));
    let rows = voters.iter().take(VOTERS).flat_map(|(voter, days)| {
        let percent = |hundredths: u16| percentage::Written(hundredths.into()).to_string();
        days.iter().map(move |day| {
            let (lowest, at_end) = (percent(day.lowest), percent(day.at_end));
            [day.day.to_string(), voter.to_string(), lowest, at_end]
        })
    });
    let head = ["DAY (UTC)", "VOTER", "LOWEST MANA", "AT DAY END"];
    section(out, head, &[2, 3], rows)?;
    if let Some(more) = voters.len().checked_sub(VOTERS).filter(|more| *more > 0) {
        writeln!(out, "and {more} more voters with more mana")?;
    }

    // A vote by hand, which has no rule, is not counted.
    let by_rule = played
        .rows
        .iter()
        .filter(|row| !row.ask().rule.as_str().is_empty());
    let not_cast = by_rule.filter_map(|row| {
        let why = why_not_cast(row)?;
        Some([row.ask().rule.to_string(), kind_of(&why).to_owned()])
    });
    let head = ["RULE", "NOT CAST BECAUSE", "VOTES"];
    section(out, head, &[2], counted(not_cast))
}

/// Each pair with its number, in order.
fn counted(pairs: impl Iterator<Item = [String; 2]>) -> impl Iterator<Item = [String; 3]> {
    let mut counts: BTreeMap<[String; 2], usize> = BTreeMap::new();
    for pair in pairs {
        *counts.entry(pair).or_default() += 1;
    }
    let counts = counts.into_iter();
    counts.map(|([first, second], count)| [first, second, count.to_string()])
}

/// The part of a reason that is the same for all votes: the key of the rule, or a fixed sentence.
fn kind_of(reason: &str) -> &str {
    reason.split_once(": ").map_or(reason, |(kind, _)| kind)
}

/// Writes an empty line and a table, or nothing if there are no rows.
fn section<const N: usize>(
    out: &mut impl Write,
    head: [&str; N],
    right: &[usize],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    writeln!(out)?;
    write_columns(out, head, right, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_grouped_by_kind() {
        for (reason, kind) in [
            ("limit.per_day: 2 votes were cast already", "limit.per_day"),
            ("voted by hand", "voted by hand"),
            (
                "the rule a.toml:friends has expired",
                "the rule a.toml:friends has expired",
            ),
        ] {
            assert_eq!(kind_of(reason), kind);
        }
    }
}
