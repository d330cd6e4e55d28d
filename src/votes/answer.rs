//! The result of sending a vote.

use std::time::Duration;

/// The result of a broadcast, by what to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The vote is on its way or already there.
    Done(Done),
    /// It is unclear whether the vote reached the chain: look there before anything else.
    Unknown(String),
    /// It did not reach the chain, for a temporary cause: try again.
    Passing {
        /// The message of the signer.
        text: String,
        /// The pause that the signer asks for.
        retry_after: Option<Duration>,
    },
    /// The access token was refused: refresh it once, then try again.
    Token(String),
    /// The signer's node does not know the post; it may within seconds.
    UnknownPost(String),
    /// The voter's mana does not suffice.
    NoMana(String),
    /// A posting authority is missing; the vote can go out once it is back.
    NoAuthority {
        /// The authority of the application for the signer, or else that of the voter for the application.
        of_app: bool,
        /// The message of the signer.
        text: String,
    },
    /// Trying again would bring the same.
    Final(String),
}

impl Answer {
    /// The same answer with another text.
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
            Self::NoAuthority { of_app, text } => Self::NoAuthority {
                of_app,
                text: change(text),
            },
            Self::Final(text) => Self::Final(change(text)),
        }
    }
}

/// How a vote came to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// Accepted by a node; not in a block yet.
    Accepted {
        /// The id of the transaction, if the signer returned it.
        trx_id: Option<String>,
    },
    /// The post has the same vote already.
    Identical,
    /// This transaction is known already.
    Duplicate,
}
