//! Output of the demo: one line for each event.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::io::{self, Write};

use tokio::time::Instant;

use crate::cli::demo::saves::Save;
use crate::cli::demo::story::VOTERS;
use crate::cli::demo::tally::{Tally, is_at_once, lateness};
use crate::clock::Clock;
use crate::post::{PostId, VoteKey};
use crate::sandbox::chain::block::Block;
use crate::sandbox::chain::operation::Operation;
use crate::votes::reason::Reason;
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// Width of a terminal that nobody has made larger, in characters.
const WIDTH: usize = 80;
/// Column of the account.
const INDENT: usize = 18;

/// Standard output, or a text in a test.
pub struct Screen<W> {
    out: W,
    colour: bool,
    clock: Clock,
    start: Instant,
    shown: HashMap<VoteKey, Shown>,
    /// Published posts, to tell edits from new posts.
    posts: HashSet<PostId>,
    pub tally: Tally,
}

/// The state of a vote that was printed last.
#[derive(Debug, PartialEq)]
struct Shown {
    status: Status,
    weight: Weight,
    reason: Option<Reason>,
}

/// ANSI colours.
#[derive(Debug, Clone, Copy)]
enum Colour {
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
}

/// Every method that prints returns an error if `out` cannot be written.
impl<W: Write> Screen<W> {
    pub fn new(out: W, colour: bool, clock: Clock) -> Self {
        Self {
            out,
            colour,
            clock,
            start: Instant::now(),
            shown: HashMap::new(),
            posts: HashSet::new(),
            tally: Tally::default(),
        }
    }

    /// Prints a text unchanged.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Prints the column headings. Seconds count from now.
    pub fn headings(&mut self) -> io::Result<()> {
        self.start = Instant::now();
        let line = format!(
            "{:>5}  {:<9}  {:<12} {:>5}  {:<26}",
            "sec", "what", "who", "vote", "post"
        );
        self.coloured(Colour::Dim, line.trim_end())
    }

    /// Prints the operations in a block, except votes by the daemon, which are printed from their rows.
    pub fn block(&mut self, block: &Block) -> io::Result<()> {
        for transaction in &block.transactions {
            let by_daemon = transaction.signed_by.is_some();
            for operation in &transaction.operations {
                self.operation(operation, by_daemon)?;
            }
        }
        Ok(())
    }

    fn operation(&mut self, operation: &Operation, by_daemon: bool) -> io::Result<()> {
        match operation {
            Operation::Vote(vote) if !by_daemon => {
                let voter = vote.voter.as_str();
                let by_hand = if VOTERS.contains(&voter) {
                    "by hand"
                } else {
                    ""
                };
                match vote.weight {
                    0 => self.line(Colour::Cyan, "retracts", voter, "", &vote.post, by_hand),
                    weight => {
                        let weight = Weight::clamped(weight.into());
                        self.line(Colour::Cyan, "votes", voter, weight, &vote.post, by_hand)
                    }
                }
            }
            Operation::Comment(comment) => {
                let what = match (&comment.parent, self.posts.insert(comment.post.clone())) {
                    (_, false) => "edits",
                    (Some(_), true) => "comments",
                    (None, true) => "posts",
                };
                let author = comment.post.author.as_str();
                self.line(Colour::Cyan, what, author, "", &comment.post, "")
            }
            Operation::DeleteComment(post) => {
                self.line(Colour::Cyan, "deletes", post.author.as_str(), "", post, "")
            }
            _ => Ok(()),
        }
    }

    /// Prints the state of a row of the daemon's queue if it has changed.
    pub fn row(&mut self, row: &Vote) -> io::Result<()> {
        // Votes by hand are printed with their block.
        if row.ask().origin == Origin::Hand {
            return Ok(());
        }
        self.tally.take(row);
        let now = Shown {
            status: row.status,
            weight: row.ask().weight,
            reason: row.reason.clone(),
        };
        let before = self.shown.get(&row.key);
        if before == Some(&now) {
            return Ok(());
        }
        let cast_before = before.is_some_and(|shown| shown.status == Status::Cast);
        self.shown.insert(row.key.clone(), now);
        if row.cast_at.is_some() && !cast_before {
            self.tally.cast(row);
            self.of(row, Colour::Green, "cast", &in_time(row))?;
        }
        let reason = row.reason.as_ref().map(ToString::to_string);
        let reason = reason.as_deref().unwrap_or_default();
        match row.status {
            Status::Queued if reason.is_empty() => {
                let wait = (row.ask().due_at - self.clock.now()).num_milliseconds();
                let detail = match wait {
                    ..50 => "due now".to_owned(),
                    _ => format!("due in {:.1} s", wait as f64 / 1000.0),
                };
                self.of(row, Colour::Dim, "queued", &detail)
            }
            Status::Queued => self.of(row, Colour::Yellow, "waits", reason),
            Status::Cast => Ok(()),
            Status::Confirmed => {
                let block = row.block_num.map(|block| format!("in block {block}"));
                self.of(row, Colour::Dim, "confirmed", &block.unwrap_or_default())
            }
            Status::Skipped => self.of(row, Colour::Yellow, "skipped", reason),
            Status::Withdrawn => self.of(row, Colour::Yellow, "withdrawn", reason),
            Status::Failed => self.of(row, Colour::Red, "failed", reason),
            Status::DryRun => Ok(()),
        }
    }

    /// Prints that a rule file was saved.
    pub fn save(&mut self, save: &Save) -> io::Result<()> {
        let (colour, what) = match save.is_good {
            true => (Colour::Cyan, "saved"),
            false => (Colour::Red, "mistake"),
        };
        let line = format!("{:5.1}  {what:<9}  {}", self.seconds(), save.text);
        self.coloured(colour, &wrapped(&line, INDENT))
    }

    fn of(&mut self, row: &Vote, colour: Colour, what: &str, detail: &str) -> io::Result<()> {
        let voter = row.key.voter.as_str();
        self.line(colour, what, voter, row.ask().weight, &row.key.post, detail)
    }

    fn line(
        &mut self,
        colour: Colour,
        what: &str,
        who: &str,
        weight: impl Display,
        post: &impl Display,
        detail: &str,
    ) -> io::Result<()> {
        let (who, post) = (format!("@{who}"), post.to_string());
        let line = format!(
            "{:5.1}  {what:<9}  {who:<12} {weight:>5}  {post:<26}",
            self.seconds()
        );
        let whole = format!("{line}  {detail}");
        let line = match whole.trim_end().chars().count() <= WIDTH {
            true => whole.trim_end().to_owned(),
            // What does not fit stands below.
            false => {
                let below = format!("{}{detail}", " ".repeat(INDENT));
                let lines = [wrapped(line.trim_end(), INDENT), wrapped(&below, INDENT)];
                lines.join("\n")
            }
        };
        self.coloured(colour, &line)
    }

    fn coloured(&mut self, colour: Colour, line: &str) -> io::Result<()> {
        match self.colour {
            true => self.text(&format!("\x1b[{}m{line}\x1b[0m\n", colour as u8)),
            false => self.text(&format!("{line}\n")),
        }
    }

    fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}

fn in_time(row: &Vote) -> String {
    let late = lateness(row).unwrap_or_default().num_milliseconds();
    let rule = &row.ask().rule;
    match is_at_once(row) {
        true => format!("by {rule}, {late} ms after the block"),
        false => format!("by {rule}, {late} ms late"),
    }
}

/// `text` with its lines broken between words, so that none is wider than a terminal. Lines after the first are indented.
pub fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim_end();
        let mut shift = String::new();
        while shift.len() + rest.chars().count() > WIDTH {
            let fits = rest.char_indices().nth(WIDTH - shift.len());
            let fits = fits.map_or(rest.len(), |(at, next)| at + next.len_utf8());
            let start = rest.len() - rest.trim_start().len();
            // A word that is too long for a line, such as a path, stays whole.
            let space = rest[start..fits]
                .rfind(' ')
                .or_else(|| rest[start..].find(' '));
            let Some(space) = space else {
                break;
            };
            lines.push(format!("{shift}{}", rest[..start + space].trim_end()));
            rest = rest[start + space..].trim_start();
            shift = " ".repeat(indent);
        }
        lines.push(format!("{shift}{rest}"));
    }
    lines.join("\n") + if text.ends_with('\n') { "\n" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_a_terminal_unless_a_word_is() {
        let words = "one two three ".repeat(20);
        let text = wrapped(&format!("  head\n\n  {words}\n"), 4);
        assert!(
            text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        assert!(text.starts_with("  head\n\n  one two"), "{text}");
        assert!(
            text.lines().skip(3).all(|line| line.starts_with("    ")),
            "{text}"
        );
        assert_eq!(text.split_whitespace().count(), 61);
        let path = "x".repeat(100);
        assert_eq!(
            wrapped(&format!("a {path} b"), 2),
            format!("a\n  {path}\n  b")
        );
        assert_eq!(wrapped(&path, 2), path);
        let accents = "é".repeat(79);
        assert_eq!(wrapped(&format!("{accents} é"), 0), format!("{accents}\né"));
    }
}
