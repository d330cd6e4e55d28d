//! Rules that can never vote because an earlier rule always takes precedence.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::rules::rule::{Authors, Payout, PostKind, Rule, RuleId, Trigger};
use crate::weight::Weight;

/// Finds the rules that can never vote. `rules` is in order of precedence. Each result holds the index of such a rule and
/// the index of the earlier rule that always takes precedence; uncertain cases are not included.
pub fn find(rules: &[Arc<Rule>]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut by_cause: HashMap<(bool, &Account), Vec<usize>> = HashMap::new();
    let mut by_voter: HashMap<&Account, Vec<usize>> = HashMap::new();
    for (place, rule) in rules.iter().enumerate() {
        let causes = causes(rule);
        let is_trail = matches!(rule.trigger, Trigger::Trail(_));
        // Only an earlier rule that shares a cause and a voter with this one can take precedence over it.
        if rule.enabled
            && let (Some(cause), Some(voter)) = (causes.first(), rule.voters.first())
            && let Some(of_cause) = by_cause.get(&(is_trail, cause))
            && let Some(of_voter) = by_voter.get(voter)
        {
            let fewer = if of_cause.len() < of_voter.len() {
                of_cause
            } else {
                of_voter
            };
            let earlier = fewer
                .iter()
                .find(|earlier| comes_first(&rules[**earlier], rule));
            found.extend(earlier.map(|earlier| (place, *earlier)));
        }
        if takes_all(rule) {
            for cause in causes {
                by_cause.entry((is_trail, cause)).or_default().push(place);
            }
            for voter in &rule.voters {
                by_voter.entry(voter).or_default().push(place);
            }
        }
    }
    found
}

/// The warning for a rule with its header at `span` that never votes because of `earlier`.
pub fn finding(span: Range<usize>, earlier: &RuleId) -> Finding {
    Finding::at(
        span,
        format!("this rule never votes: `{earlier}` comes first, for every voter and post"),
    )
    .help("remove one of the two, narrow the first one, or change their order")
}

/// The accounts whose posts or votes trigger the rule.
fn causes(rule: &Rule) -> &[Account] {
    match &rule.trigger {
        Trigger::Author(author) => match &author.authors {
            Authors::Listed(authors) if author.schedule.is_none() => authors,
            _ => &[],
        },
        Trigger::Trail(trail) => &trail.leaders,
    }
}

/// Whether a rule takes every post that its accounts and its kind allow. Conditions checked only when the vote is due
/// do not matter, since no other rule is tried after them.
fn takes_all(rule: &Rule) -> bool {
    let at_its_own_time = match &rule.trigger {
        Trigger::Author(author) => author.schedule.is_some(),
        Trigger::Trail(trail) => trail.agree.get() > 1,
    };
    let has_filter = !rule.tags.is_empty()
        || !rule.communities.is_empty()
        || !rule.apps.is_empty()
        || !rule.text.is_empty()
        || rule.words != Default::default()
        || rule.payout.max.is_some()
        || rule.max_votes.is_some();
    rule.enabled
        && rule.expires.is_none()
        && rule.window.is_none()
        && !at_its_own_time
        && !has_filter
}

/// Whether `earlier`, which [`takes_all`], takes every vote that `rule` could cast.
fn comes_first(earlier: &Rule, rule: &Rule) -> bool {
    let Payout { declined, .. } = earlier.payout;
    let same_moment = match (&earlier.trigger, &rule.trigger) {
        (Trigger::Author(first), Trigger::Author(second)) => {
            second.schedule.is_none()
                && contains(causes(earlier), causes(rule))
                && except(&first.except, &second.except, causes(rule))
        }
        (Trigger::Trail(first), Trigger::Trail(second)) => {
            let least = i64::from(second.min_leader_weight.max(1));
            let follows_all = [least, -least].map(Weight::clamped).iter().all(|leader| {
                rule.followed_weight(Weight::clamped(
                    i64::from(leader.hundredths().signum()) * 10_000,
                ))
                .is_none()
                    || earlier.followed_weight(*leader).is_some()
            });
            let authors = match (&first.authors, &second.authors) {
                (None, _) => true,
                (Some(first), Some(second)) => second.is_subset(first),
                (Some(_), None) => false,
            };
            follows_all
                && authors
                && contains(&first.leaders, &second.leaders)
                && first.except.is_subset(&second.except)
        }
        _ => false,
    };
    same_moment
        && contains(&earlier.voters, &rule.voters)
        && (earlier.kind == PostKind::All || earlier.kind == rule.kind)
        && (earlier.self_votes || !rule.self_votes)
        && (declined || !rule.payout.declined)
        // A vote that is too late for one rule can be in time for the other.
        && earlier.max_age.saturating_sub(earlier.delay) >= rule.max_age.saturating_sub(rule.delay)
}

/// Whether `first` excludes no author that the second rule votes on.
fn except(first: &HashSet<Account>, second: &HashSet<Account>, authors: &[Account]) -> bool {
    let voted_on = authors.iter().filter(|author| !second.contains(*author));
    first.is_empty() || voted_on.into_iter().all(|author| !first.contains(author))
}

fn contains(all: &[Account], some: &[Account]) -> bool {
    match all.len() * some.len() {
        0..1_000 => some.iter().all(|one| all.contains(one)),
        _ => {
            let all: HashSet<&Account> = all.iter().collect();
            some.iter().all(|one| all.contains(one))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::language::file::read;

    /// The rule that shadows the last of `rules`.
    fn shadowed_by(rules: &str) -> Option<String> {
        let text = format!("voters = ['alice', 'dave']\n{rules}");
        let file = read("a.toml", &text);
        assert!(file.is_valid(), "{:?}", file.problems);
        let rules: Vec<_> = file.rules.into_iter().map(Arc::new).collect();
        let found = find(&rules);
        let last = found.iter().find(|(place, _)| *place == rules.len() - 1);
        last.map(|(_, earlier)| rules[*earlier].id.as_str().to_owned())
    }

    fn author(keys: &str) -> String {
        format!("[[author]]\nweight = '1%'\n{keys}\n")
    }

    fn trail(keys: &str) -> String {
        let weight = if keys.contains("\nweight =") {
            ""
        } else {
            "weight = '1%'"
        };
        format!("[[trail]]\n{weight}\n{keys}\n")
    }

    #[test]
    fn a_rule_that_an_earlier_rule_always_precedes_is_found() {
        for (first, second) in [
            ("authors = ['bob', 'erin']", "authors = ['bob']"),
            (
                "authors = ['bob']",
                "authors = ['bob']\nvoters = ['dave']\ntags.any = ['art']",
            ),
            (
                "authors = ['bob']\nlimit.per_day = 1\nmin_mana = '80%'",
                "authors = ['bob']",
            ),
            (
                "authors = ['bob']\nkind = 'all'",
                "authors = ['bob']\nkind = 'comments'",
            ),
            (
                "authors = ['bob']",
                "authors = ['bob']\nexpires = 2030-01-01\nwindow = { from = '08:00', to = '09:00' }",
            ),
        ] {
            let rules = author(first) + &author(second);
            assert_eq!(
                shadowed_by(&rules).as_deref(),
                Some("a.toml:author-1"),
                "{rules}"
            );
        }
        for (first, second) in [
            ("leaders = ['curie', 'ocd']", "leaders = ['curie']"),
            (
                "leaders = ['curie']\ndownvotes = 'follow'",
                "leaders = ['curie']\ndownvotes = 'only'",
            ),
            (
                "leaders = ['curie']\nweight = { scale = '50%' }",
                "leaders = ['curie']\nagree = 1",
            ),
            (
                "leaders = ['curie']\nmin_leader_weight = '5%'",
                "leaders = ['curie']\nmin_leader_weight = '10%'",
            ),
            (
                "leaders = ['curie']",
                "leaders = ['curie']\nauthors = ['bob']",
            ),
        ] {
            let rules = trail(first) + &trail(second);
            assert_eq!(
                shadowed_by(&rules).as_deref(),
                Some("a.toml:trail-1"),
                "{rules}"
            );
        }
    }

    #[test]
    fn a_rule_that_can_vote_is_not_found() {
        for (first, second) in [
            ("authors = ['bob']", "authors = ['bob', 'erin']"),
            ("authors = ['bob']\nvoters = ['dave']", "authors = ['bob']"),
            (
                "authors = ['bob']\ntags.none = ['nsfw']",
                "authors = ['bob']",
            ),
            ("authors = ['bob']\nwords.min = 1", "authors = ['bob']"),
            ("authors = ['bob']\nenabled = false", "authors = ['bob']"),
            ("authors = ['bob']", "authors = ['bob']\nenabled = false"),
            (
                "authors = ['bob']\nexpires = 2030-01-01",
                "authors = ['bob']",
            ),
            ("authors = ['bob']\nmax_age = '1h'", "authors = ['bob']"),
            (
                "authors = ['bob']\nwindow = { from = '08:00', to = '09:00' }",
                "authors = ['bob']",
            ),
            (
                "authors = ['bob', 'erin']\nexcept = ['bob']",
                "authors = ['bob']",
            ),
            ("authors = ['bob']", "authors = ['bob']\nkind = 'all'"),
            (
                "authors = ['bob']",
                "authors = ['bob']\npayout.declined = true",
            ),
            (
                "authors = ['alice']",
                "authors = ['alice']\nself_votes = true",
            ),
            (
                "authors = ['bob']\nschedule.cron = '0 1 * * *'",
                "authors = ['bob']",
            ),
            (
                "authors = ['bob']",
                "authors = ['bob']\nschedule.cron = '0 1 * * *'",
            ),
            ("authors = ['bob']", "authors = '*'\ntags.any = ['art']"),
        ] {
            let rules = author(first) + &author(second);
            assert_eq!(shadowed_by(&rules), None, "{rules}");
        }
        for (first, second) in [
            (
                "leaders = ['curie', 'ocd']\nagree = 2",
                "leaders = ['curie']",
            ),
            (
                "leaders = ['curie']",
                "leaders = ['curie']\ndownvotes = 'follow'",
            ),
            (
                "leaders = ['curie']\nweight = { offset = '-5%' }",
                "leaders = ['curie']",
            ),
            (
                "leaders = ['curie']\nmin_leader_weight = '10%'",
                "leaders = ['curie']\nmin_leader_weight = '5%'",
            ),
            (
                "leaders = ['curie']\nauthors = ['bob']",
                "leaders = ['curie']",
            ),
            (
                "leaders = ['curie']\nexcept = ['bob']",
                "leaders = ['curie']",
            ),
        ] {
            let rules = trail(first) + &trail(second);
            assert_eq!(shadowed_by(&rules), None, "{rules}");
        }
        let both = author("authors = ['bob']") + &trail("leaders = ['bob']");
        assert_eq!(shadowed_by(&both), None);
    }
}
