//! Filters of a rule: which posts pass, and which filter refuses a post.

use std::fmt;

use crate::rules::facts::Facts;
use crate::rules::rule::{PostKind, Rule, Words};

/// The filter that refuses a post. `Display` gives the reason for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The key in the rule file.
    pub key: &'static str,
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    IsComment,
    IsPost,
    HasNoneOf(Vec<String>),
    Lacks(String),
    Has(String),
    TooFew {
        is: u32,
        min: u32,
    },
    TooMany {
        is: u32,
        max: u32,
    },
    Declined,
    TooMuch {
        is: i64,
        max: i64,
    },
    /// The filter requires something that is not known of the post.
    Unknown,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key;
        match &self.why {
            Why::IsComment => formatter.write_str("it is a comment, and the rule speaks of posts"),
            Why::IsPost => formatter.write_str("it is a post, and the rule speaks of comments"),
            Why::HasNoneOf(words) => {
                write!(formatter, "{key}.any: it has none of {}", words.join(", "))
            }
            Why::Lacks(word) => write!(formatter, "{key}.all: it lacks {word}"),
            Why::Has(word) => write!(formatter, "{key}.none: it has {word}"),
            Why::TooFew { is, min } => {
                write!(formatter, "{key}.min: it has {is}, fewer than {min}")
            }
            Why::TooMany { is, max } if key == "max_votes" => {
                write!(formatter, "max_votes: it has {is} upvotes, more than {max}")
            }
            Why::TooMany { is, max } => {
                write!(formatter, "{key}.max: it has {is}, more than {max}")
            }
            Why::Declined => formatter.write_str("payout.declined: the author declines payout"),
            Why::TooMuch { is, max } => write!(
                formatter,
                "payout.max: its pending payout is {}, more than {}",
                amount(*is),
                amount(*max)
            ),
            Why::Unknown => write!(formatter, "{key}: nothing is known of the post"),
        }
    }
}

fn amount(thousandths: i64) -> String {
    format!("{}.{:03}", thousandths / 1_000, (thousandths % 1_000).abs())
}

impl Rule {
    /// Checks a post against all filters.
    ///
    /// # Errors
    /// The first filter that refuses the post. An unknown fact fails a filter that requires something, and passes a
    /// filter that forbids something.
    pub fn admits(&self, facts: &Facts<'_>) -> Result<(), Refusal> {
        let refuse = |key, why| Err(Refusal { key, why });
        match (self.kind, facts.is_post) {
            (PostKind::Posts, Some(false)) => return refuse("kind", Why::IsComment),
            (PostKind::Comments, Some(true)) => return refuse("kind", Why::IsPost),
            _ => {}
        }
        if !self.tags.is_empty() {
            let tags = facts.tags();
            words("tags", &self.tags, tags.is_some(), |word| {
                tags.is_some_and(|tags| tags.iter().any(|tag| tag == word))
            })?;
        }
        if !self.communities.is_empty() {
            let known = facts.is_post.is_some();
            words("communities", &self.communities, known, |word| {
                facts
                    .community()
                    .is_some_and(|community| community.eq_ignore_ascii_case(word))
            })?;
        }
        if !self.apps.is_empty() {
            let known = facts.tags().is_some();
            words("apps", &self.apps, known, |word| facts.app() == Some(word))?;
        }
        if !self.text.is_empty() {
            let texts = facts.texts();
            words("text", &self.text, texts.is_some(), |word| {
                texts.is_some_and(|texts| texts.iter().any(|text| text.contains(word)))
            })?;
        }
        if let Some(min) = self.words.min {
            match facts.words() {
                Some(is) if is < min => return refuse("words", Why::TooFew { is, min }),
                Some(_) => {}
                None => return refuse("words", Why::Unknown),
            }
        }
        if let (Some(max), Some(is)) = (self.words.max, facts.words())
            && is > max
        {
            return refuse("words", Why::TooMany { is, max });
        }
        if !self.payout.declined && facts.declines_payout == Some(true) {
            return refuse("payout", Why::Declined);
        }
        if let (Some(max), Some(is)) = (self.payout.max, facts.pending_payout)
            && is > max
        {
            return refuse("payout", Why::TooMuch { is, max });
        }
        if let (Some(max), Some(is)) = (self.max_votes, facts.upvotes)
            && is > max
        {
            return refuse("max_votes", Why::TooMany { is, max });
        }
        Ok(())
    }
}

fn words(
    key: &'static str,
    wanted: &Words,
    known: bool,
    has: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal { key, why });
    let must_have = !wanted.any.is_empty() || !wanted.all.is_empty();
    if !known && must_have {
        return refuse(Why::Unknown);
    }
    if let Some(word) = wanted.none.iter().find(|word| has(word)) {
        return refuse(Why::Has(word.clone()));
    }
    if let Some(word) = wanted.all.iter().find(|word| !has(word)) {
        return refuse(Why::Lacks(word.clone()));
    }
    if !wanted.any.is_empty() && !wanted.any.iter().any(|word| has(word)) {
        return refuse(Why::HasNoneOf(wanted.any.clone()));
    }
    Ok(())
}

impl Words {
    /// Whether the filter accepts every post.
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.all.is_empty() && self.none.is_empty()
    }
}
