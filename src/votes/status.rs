//! The words of two columns: where a vote stands, and what asked for it.

/// Where a vote stands. [`crate::votes::fold`] shows the ways from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits until it is due, or to be tried again.
    Queued,
    /// Accepted by the signer; not seen in a block yet.
    Cast,
    /// Seen in a block.
    Confirmed,
    /// Refused for good, or tried until its time was over.
    Failed,
    /// A rule or a person said no.
    Skipped,
    /// What caused it is gone: its rule, its leader's vote, its block.
    Withdrawn,
    /// Would have been cast but for `--dry-run`.
    DryRun,
}

/// What asked for a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A rule on posts of an author.
    Author,
    /// A rule on votes of a leader.
    Trail,
    /// A rule at a fixed time.
    Schedule,
    /// A person.
    Hand,
}

/// A text that is none of the words a column may hold.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a {1} of a vote")]
pub struct UnknownWord(String, &'static str);

macro_rules! words {
    ($type:ident, $what:literal, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// The word in the table.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(text.to_owned(), $what)),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

words!(
    Status,
    "status",
    Queued = "queued",
    Cast = "cast",
    Confirmed = "confirmed",
    Failed = "failed",
    Skipped = "skipped",
    Withdrawn = "withdrawn",
    DryRun = "dry_run"
);
words!(
    Origin,
    "origin",
    Author = "author",
    Trail = "trail",
    Schedule = "schedule",
    Hand = "hand"
);
