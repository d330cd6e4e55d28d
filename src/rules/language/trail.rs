//! The keys that only `[[trail]]` has.

use std::num::NonZeroU32;

use toml::de::DeValue;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::language::lists::Scope;
use crate::rules::language::rule_table::{RuleTable, Shared};
use crate::rules::language::{accounts, percentage, trail_weight};
use crate::rules::rule::{Downvotes, TrailRule, Trigger};
use crate::toml_reader::item::Item;

const DOWNVOTES: [(&str, Downvotes); 3] = [
    ("ignore", Downvotes::Ignore),
    ("follow", Downvotes::Follow),
    ("only", Downvotes::Only),
];

/// Reads the keys of a trail, and checks them against the keys shared with author rules.
///
/// # Errors
/// A key is missing or invalid; every error has been reported.
pub(super) fn read(table: &mut RuleTable<'_, '_>, shared: &Shared) -> Result<Trigger, Reported> {
    let weight = table.require("weight", "{ scale = \"50%\" }", trail_weight::read);
    let scope = table.scope;
    let leaders = table.require("leaders", "[\"curie\"]", |item, report| {
        accounts::read_placed(item, scope, report)
    });
    let authors = table.read("authors", |item, report| authors(item, scope, report));
    let except = table.accounts("except");
    let min_leader_weight = table.read("min_leader_weight", |item, report| {
        percentage::read(item, 0..=10_000, report)
    });
    let downvotes = table.read("downvotes", |item, report| item.choice(&DOWNVOTES, report));
    let agree = table.read("agree", |item, report| {
        let agree = item.integer(1..=u32::MAX, report)?;
        match &leaders {
            Ok(leaders) if leaders.len() < agree as usize && !scope.missed_any() => {
                let message = format!(
                    "`agree` is more than the number of leaders ({})",
                    leaders.len()
                );
                Err(item.refuse(message, item.write(leaders.len()), report))
            }
            _ => Ok(agree),
        }
    });
    let leaders = leaders?;
    if let Ok(voters) = &shared.voters {
        warn_of_own_leaders(&leaders, voters, table);
    }
    Ok(Trigger::Trail(TrailRule {
        leaders: leaders.into_iter().map(|(leader, _)| leader).collect(),
        weight: weight?,
        authors: authors?.map(|authors| authors.into_iter().collect()),
        except: except?.unwrap_or_default().into_iter().collect(),
        min_leader_weight: min_leader_weight?.unwrap_or(0) as u16,
        downvotes: downvotes?.unwrap_or_default(),
        agree: agree?.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN),
    }))
}

fn authors(
    item: &Item<'_>,
    scope: &Scope<'_>,
    report: &mut Report<'_>,
) -> Result<Vec<Account>, Reported> {
    let is_anyone = |value: &DeValue<'_>| matches!(value, DeValue::String(text) if text == "*");
    match item.value {
        value
            if is_anyone(value)
                || value
                    .as_array()
                    .is_some_and(|members| members.iter().any(|one| is_anyone(one.get_ref()))) =>
        {
            let message = "`authors = \"*\"` cannot be used in a trail";
            let help = "remove `authors`: a trail without it follows votes on all authors' posts";
            Err(item.refuse(message, help, report))
        }
        _ => accounts::read(item, scope, report),
    }
}

/// Warns about leaders that are also voters: a voter does not follow itself.
fn warn_of_own_leaders(
    leaders: &[accounts::Placed],
    voters: &[Account],
    table: &mut RuleTable<'_, '_>,
) {
    if let ([(leader, span)], [voter]) = (leaders, voters)
        && leader == voter
        // A list in a file that was not read may hold others.
        && !table.scope.missed_any()
    {
        let message = format!("`{leader}` is the only leader and the only voter of this trail");
        let help = "a voter does not follow itself: this rule never votes";
        let finding = Finding::at(span.clone(), message);
        return table.report.warning(finding.help(help));
    }
    let help = match voters {
        [_] => "it does not follow itself; it follows the other leaders",
        _ => "it does not follow itself; the other voters follow it",
    };
    for (leader, span) in leaders {
        if voters.contains(leader) {
            let message = format!("`{leader}` is both a leader and a voter of this trail");
            table
                .report
                .warning(Finding::at(span.clone(), message).help(help));
        }
    }
}
