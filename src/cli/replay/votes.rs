//! The votes of a replay, as a table or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::counted;
use crate::cli::output::{to_rfc3339, write_columns, write_json_line};
use crate::cli::replay::Blocks;
use crate::simulate::replay::Played;
use crate::weight::Weight;

/// Writes a line for each vote, and the number of votes.
pub(super) fn write_table(
    played: &Played,
    blocks: &Blocks,
    out: &mut impl Write,
) -> io::Result<()> {
    let count = played.cast().count();
    if count > 0 {
        let head = ["DUE (UTC)", "VOTER", "WEIGHT", "POST", "RULE", "BLOCK"];
        let rows = played.cast().map(|vote| {
            let (key, ask) = (&vote.key, vote.ask());
            [
                ask.due_at.format("%F %T%.3f").to_string(),
                key.voter.to_string(),
                ask.weight.to_string(),
                key.post.to_string(),
                ask.rule.to_string(),
                ask.block.to_string(),
            ]
        });
        write_columns(out, head, &[], rows)?;
        writeln!(out)?;
    }
    let votes = counted(count, "vote");
    match blocks.ends {
        Some((first, last)) if first < last => {
            let blocks = counted(blocks.count, "block");
            writeln!(out, "{votes} over {blocks}, {first} to {last}")
        }
        Some((first, _)) => writeln!(out, "{votes} over block {first}"),
        None => writeln!(out, "{votes}"),
    }
}

/// A vote in the JSON format.
#[derive(Serialize)]
struct Line<'a> {
    voter: &'a str,
    author: &'a str,
    permlink: &'a str,
    /// Hundredths of a percent.
    weight: Weight,
    /// RFC 3339, UTC, with milliseconds.
    due: String,
    rule: &'a str,
    block: u32,
}

/// Writes one JSON object per line.
pub(super) fn write_json(played: &Played, out: &mut impl Write) -> io::Result<()> {
    for vote in played.cast() {
        let (key, ask) = (&vote.key, vote.ask());
        let line = Line {
            voter: key.voter.as_str(),
            author: key.post.author.as_str(),
            permlink: &key.post.permlink,
            weight: ask.weight,
            due: to_rfc3339(ask.due_at),
            rule: ask.rule.as_str(),
            block: ask.block,
        };
        write_json_line(out, &line)?;
    }
    Ok(())
}
