//! What came of sending a vote, whoever sent it: what there is to do next.

use std::time::Duration;

/// What came of a broadcast, by what there is to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The vote is on its way or already there.
    Done(Done),
    /// Nobody knows whether it reached the chain: look there before anything else.
    Unknown(String),
    /// It did not reach the chain, for a cause that passes: try again.
    Passing {
        /// What the signer says.
        text: String,
        /// The pause that the signer asks for.
        retry_after: Option<Duration>,
    },
    /// The access token was refused: refresh it once, then try again.
    Token(String),
    /// The signer's node does not know the post, which may be a matter of seconds.
    UnknownPost(String),
    /// The voter's mana does not suffice.
    NoMana(String),
    /// Trying again would bring the same.
    Final(String),
}

impl Answer {
    /// The same with another text for people.
    pub(crate) fn map_text(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Done(done) => Self::Done(done),
            Self::Unknown(text) => Self::Unknown(change(text)),
            Self::Passing { text, retry_after } => Self::Passing {
                text: change(text),
                retry_after,
            },
            Self::Token(text) => Self::Token(change(text)),
            Self::UnknownPost(text) => Self::UnknownPost(change(text)),
            Self::NoMana(text) => Self::NoMana(change(text)),
            Self::Final(text) => Self::Final(change(text)),
        }
    }
}

/// How a vote came to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// Taken by a node; not in a block yet.
    Accepted {
        /// The id of the transaction, where the signer tells it.
        trx_id: Option<String>,
    },
    /// The same vote stands on the post already.
    Identical,
    /// This very transaction is known already.
    Duplicate,
}
