//! Summary of a replay, printed below its votes.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use crate::replay::summary::Summary;
use crate::rules::language::percentage;

/// Maximum number of voters whose mana is printed: those with the lowest mana.
const VOTERS: usize = 20;

/// Writes votes by day and rule, mana over time, and votes that were not cast. Empty sections are left out.
pub(super) fn write(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let votes = summary.votes.iter().map(|((day, rule), count)| {
        [day.to_string(), rule.to_string(), count.to_string()].to_vec()
    });
    section(out, &["DAY (UTC)", "RULE", "VOTES"], &[2], votes)?;

    let mut voters: Vec<_> = summary.mana.iter().collect();
    let lowest = |days: &[crate::simulate::mana::Day]| days.iter().map(|day| day.lowest).min();
    voters.sort_by_key(|(voter, days)| (lowest(days), voter));
    let rows = voters.iter().take(VOTERS).flat_map(|(voter, days)| {
        let percent = |hundredths: u16| percentage::Written(hundredths.into()).to_string();
        days.iter().map(move |day| {
            let (lowest, at_end) = (percent(day.lowest), percent(day.at_end));
            [day.day.to_string(), voter.to_string(), lowest, at_end].to_vec()
        })
    });
    let head = ["DAY (UTC)", "VOTER", "LOWEST MANA", "AT DAY END"];
    section(out, &head, &[2, 3], rows)?;
    if let Some(more) = voters.len().checked_sub(VOTERS).filter(|more| *more > 0) {
        writeln!(out, "and {more} more voters with more mana")?;
    }

    let not_cast = summary
        .not_cast
        .iter()
        .map(|((rule, why), count)| [rule.to_string(), why.clone(), count.to_string()].to_vec());
    section(out, &["RULE", "NOT CAST BECAUSE", "VOTES"], &[2], not_cast)
}

/// Writes an empty line and a table, with the columns `right` aligned to the right.
fn section(
    out: &mut impl Write,
    head: &[&str],
    right: &[usize],
    rows: impl Iterator<Item = Vec<String>>,
) -> io::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    table.add_rows(rows);
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out)?;
    for line in table.lines() {
        writeln!(out, "{}", line.trim())?;
    }
    Ok(())
}
