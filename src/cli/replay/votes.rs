//! The votes of a replay, as a table or as JSON.

use std::io::{self, Write};

use chrono::SecondsFormat;
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::cli::counted;
use crate::cli::replay::Blocks;
use crate::simulate::replay::ReplayedVote;
use crate::weight::Weight;

/// Writes a line for each vote, and the number of votes.
pub(super) fn write_table(
    votes: &[ReplayedVote],
    played: &Blocks,
    out: &mut impl Write,
) -> io::Result<()> {
    if !votes.is_empty() {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "DUE (UTC)",
            "VOTER",
            "WEIGHT",
            "POST",
            "RULE",
            "BLOCK",
        ]);
        for vote in votes {
            table.add_row([
                vote.due_at.format("%F %T%.3f").to_string(),
                vote.key.voter.to_string(),
                vote.weight.to_string(),
                vote.key.post.to_string(),
                vote.rule.to_string(),
                vote.block.to_string(),
            ]);
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim())?;
        }
        writeln!(out)?;
    }
    let votes = counted(votes.len(), "vote");
    let blocks = counted(played.count, "block");
    match played.ends {
        Some((first, last)) if first < last => {
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
pub(super) fn write_json(votes: &[ReplayedVote], out: &mut impl Write) -> io::Result<()> {
    for vote in votes {
        let line = Line {
            voter: vote.key.voter.as_str(),
            author: vote.key.post.author.as_str(),
            permlink: &vote.key.post.permlink,
            weight: vote.weight,
            due: vote.due_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            rule: vote.rule.as_str(),
            block: vote.block,
        };
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}
