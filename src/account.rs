//! Account names.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::visible::one_line;

/// The account name of a voter, an author or a leader. Cheap to clone.
///
/// The chain's rule (`is_valid_account_name` in hived and steemd): 3 to 16 characters in parts
/// separated by dots. Each part has at least 3 characters of `a-z`, `0-9` and `-`, starts with a
/// letter and ends with a letter or a digit.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(Arc<str>);

/// The rule that an account name breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// It is shorter than 3 or longer than 16 characters.
    #[error("an account name has 3 to 16 characters")]
    Length,
    /// A part between dots is shorter than 3 characters.
    #[error("every part of an account name between dots has at least 3 characters")]
    ShortPart,
    /// A part does not start with a letter.
    #[error("every part of an account name starts with a letter")]
    Start,
    /// A part ends with neither a letter nor a digit.
    #[error("every part of an account name ends with a letter or a digit")]
    End,
    /// It holds a character other than `a-z`, `0-9`, `-` and `.`.
    #[error("an account name holds only a-z, 0-9, '-' and '.'")]
    Character,
}

impl Account {
    /// Parses a name as people write it: removes a leading `@` and converts to lower case.
    ///
    /// # Errors
    /// Returns the rule of the chain that the name breaks.
    pub fn parse(text: &str) -> Result<Self, AccountError> {
        let name = text.strip_prefix('@').unwrap_or(text).to_ascii_lowercase();
        if !name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        {
            return Err(AccountError::Character);
        }
        if !(3..=16).contains(&name.len()) {
            return Err(AccountError::Length);
        }
        for part in name.split('.') {
            let bytes = part.as_bytes();
            if bytes.len() < 3 {
                return Err(AccountError::ShortPart);
            }
            if !bytes[0].is_ascii_lowercase() {
                return Err(AccountError::Start);
            }
            if bytes[bytes.len() - 1] == b'-' {
                return Err(AccountError::End);
            }
        }
        Ok(Self(name.into()))
    }

    /// Wraps a name from a block or a table without checking it.
    pub fn from_chain(name: &str) -> Self {
        Self(name.into())
    }

    /// The name without `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&one_line(&self.0))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "@{self}")
    }
}

impl Borrow<str> for Account {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        assert_eq!(Account::parse("@Alice.Art").unwrap().as_str(), "alice.art");
    }

    #[test]
    fn a_name_from_outside_is_shown_harmless() {
        let name = Account::from_chain("bob\n\u{1b}[31m");
        assert_eq!(name.to_string(), "bob\\n\\u001B[31m");
        assert_eq!(format!("{name:?}"), "@bob\\n\\u001B[31m");
        assert_eq!(name.as_str(), "bob\n\u{1b}[31m");
    }

    #[test]
    fn an_invalid_name_is_refused_with_the_rule_it_breaks() {
        for (text, error) in [
            ("al", AccountError::Length),
            ("a-name-of-seventeen", AccountError::Length),
            ("alice.ar", AccountError::ShortPart),
            ("1alice", AccountError::Start),
            ("alice-", AccountError::End),
            ("al_ce", AccountError::Character),
            ("älice", AccountError::Character),
            ("", AccountError::Length),
        ] {
            assert_eq!(Account::parse(text), Err(error), "{text}");
        }
    }
}
