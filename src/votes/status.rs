//! Words that columns hold: the status of a vote, its origin, and the type of an error.

use serde::{Deserialize, Serialize};

/// A text that a column never holds.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not one of the words of this column")]
pub struct UnknownWord(String);

/// Defines an enum whose variants are words of a column.
macro_rules! words {
    ($(#[$about:meta])* $type:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$meaning])* #[serde(rename = $word)] $variant,)+
        }

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
                    _ => Err(UnknownWord(text.to_owned())),
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

words! {
    /// The status of a vote. [`crate::votes::fold`] shows the ways from one to another.
    Status {
        /// Waits until it is due, or for another attempt.
        Queued = "queued",
        /// Accepted by the signer; not seen in a block yet.
        Cast = "cast",
        /// Seen in a block.
        Confirmed = "confirmed",
        /// Refused for good, or tried until the time for retries was over.
        Failed = "failed",
        /// Declined by a rule or a person.
        Skipped = "skipped",
        /// Its cause is gone: its rule, its leader's vote, its block.
        Withdrawn = "withdrawn",
        /// Would have been cast without `--dry-run`.
        DryRun = "dry_run",
    }
}

words! {
    /// What asks for a vote.
    Origin {
        /// A rule on posts of an author.
        Author = "author",
        /// A rule on votes of a leader.
        Trail = "trail",
        /// A rule at a fixed time.
        Schedule = "schedule",
        /// A person.
        Hand = "hand",
    }
}

words! {
    /// The `type` of a row of `error_log`: at most 10 characters.
    ErrorKind {
        /// A vote of an author rule.
        Vote = "vote",
        /// A vote of a trail.
        Trail = "trail",
        /// A vote of a rule with a schedule.
        Schedule = "schedule",
        /// A vote that a person asked for.
        Hand = "hand",
        /// A token that cannot be refreshed.
        Refresh = "refresh",
        /// A rule file with errors.
        Rules = "rules",
        /// A node that does not answer.
        Chain = "chain",
        /// The signer.
        Signer = "signer",
        /// The database.
        Database = "database",
    }
}
