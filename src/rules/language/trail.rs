//! The keys that `[[trail]]` has for itself.

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

/// Reads what only a trail has, and holds it against what it shares with author rules.
pub(super) fn read(table: &mut RuleTable<'_, '_>, shared: &Shared) -> Result<Trigger, Reported> {
    let weight = match table.read("weight", trail_weight::read) {
        Ok(None) => Err(table.lacks("weight", "{ scale = \"50%\" }")),
        Ok(Some(weight)) => Ok(weight),
        Err(reported) => Err(reported),
    };
    let scope = table.scope;
    let leaders = match table.read("leaders", |item, report| {
        accounts::read_placed(item, scope, report)
    }) {
        Ok(None) => Err(table.lacks("leaders", "[\"curie\"]")),
        Ok(Some(leaders)) => Ok(leaders),
        Err(reported) => Err(reported),
    };
    let authors = table.read("authors", |item, report| authors(item, scope, report));
    let except = table.read("except", |item, report| accounts::read(item, scope, report));
    let min_leader_weight = table.read("min_leader_weight", |item, report| {
        percentage::read(item, 0..=10_000, report)
    });
    let downvotes = table.read("downvotes", |item, report| item.choice(&DOWNVOTES, report));
    let agree = table.read("agree", |item, report| {
        let agree = item.integer(1..=u32::MAX, report)?;
        match &leaders {
            Ok(leaders) if leaders.len() < agree as usize && !scope.missed_any() => {
                let message = format!(
                    "only {} can agree: there are no more leaders",
                    leaders.len()
                );
                Err(item.refuse(message, item.write(leaders.len()), report))
            }
            _ => Ok(agree),
        }
    });
    let leaders = leaders?;
    if let Ok(voters) = &shared.voters {
        warn_of_followers_of_themselves(&leaders, voters, table);
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
            let message = "`authors = \"*\"` does not stand in a trail";
            let help = "take `authors` out: a trail follows votes on everybody's posts";
            Err(item.refuse(message, help, report))
        }
        _ => accounts::read(item, scope, report),
    }
}

fn warn_of_followers_of_themselves(
    leaders: &[accounts::Placed],
    voters: &[Account],
    table: &mut RuleTable<'_, '_>,
) {
    // Lists that nobody has read may hold others.
    let is_all = !table.scope.missed_any();
    if let ([(leader, span)], [voter]) = (leaders, voters)
        && leader == voter
        && is_all
    {
        let message = format!("`{leader}` is the only leader of this trail and its only voter");
        let help = "nobody follows itself: this rule never votes";
        let finding = Finding::at(span.clone(), message);
        return table.report.warning(finding.help(help));
    }
    let help = match voters {
        [_] => "it does not follow itself; it follows the other leaders",
        _ => "it does not follow itself; the other voters follow it",
    };
    for (leader, span) in leaders {
        if voters.contains(leader) {
            let message = format!("`{leader}` leads this trail and is also one of its voters");
            table
                .report
                .warning(Finding::at(span.clone(), message).help(help));
        }
    }
}
