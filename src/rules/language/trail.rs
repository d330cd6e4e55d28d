//! The keys that only `[[trail]]` has.

use std::num::NonZeroU32;

use toml::de::DeValue;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::Reported;
use crate::rules::language::author::refuse_zero;
use crate::rules::language::limit::refuse_above;
use crate::rules::language::lists::Scope;
use crate::rules::language::percentage::Written;
use crate::rules::language::rule_table::{RuleTable, Shared};
use crate::rules::language::{accounts, percentage};
use crate::rules::rule::{Downvotes, TrailRule, TrailWeight, Trigger};
use crate::toml_reader::item::{Item, quoted};
use crate::toml_reader::table::Table;

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
    let scope = table.scope;
    let weight = (table.table).require("weight", "{ scale = \"50%\" }", weight);
    let leaders = (table.table).require("leaders", "[\"curie\"]", |item| {
        accounts::read_placed(item, scope)
    });
    let authors = table.read("authors", |item| authors(item, scope));
    let except = table.accounts("except");
    let min_leader_weight = table.read("min_leader_weight", |item| {
        percentage::read(item, 0..=10_000)
    });
    let downvotes = table.read("downvotes", |item| downvotes_of(item));
    let agree = table.read("agree", |item| {
        let agree = item.integer(1..=u32::MAX)?;
        match leaders.as_ref().map(Vec::len) {
            Ok(count) if count < agree as usize && !scope.missed_any() => {
                let message = format!("`agree` is more than the number of leaders ({count})");
                Err(item.refuse(message, item.write(count)))
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

fn downvotes_of(item: &Item<'_>) -> Result<Downvotes, Reported> {
    let ways = |ways: &[(&str, &str)]| {
        let ways = ways
            .iter()
            .map(|(word, meaning)| (quoted(word), (*meaning).to_owned()));
        item.write_one_of(&ways.collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let is_yes = match item.value {
        DeValue::Boolean(value) => *value,
        DeValue::String(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "both" | "all" | "also" => true,
            "false" | "no" | "off" | "none" | "never" => false,
            _ => return item.choice(&DOWNVOTES),
        },
        _ => return item.choice(&DOWNVOTES),
    };
    let help = match is_yes {
        true => ways(&[
            ("follow", "upvotes and downvotes"),
            ("only", "downvotes alone"),
        ]),
        false => ways(&[("ignore", "")]),
    };
    Err(item.refuse("`downvotes` must be ignore, follow or only", help))
}

fn authors(item: &Item<'_>, scope: &Scope<'_>) -> Result<Vec<Account>, Reported> {
    let is_anyone = |value: &DeValue<'_>| value.as_str() == Some("*");
    let has_anyone = match item.value {
        DeValue::Array(members) => members.iter().any(|member| is_anyone(member.get_ref())),
        value => is_anyone(value),
    };
    if has_anyone {
        let message = "`authors = \"*\"` cannot be used in a trail";
        let help = "remove `authors`: a trail without it follows votes on all authors' posts";
        return Err(item.refuse(message, help));
    }
    accounts::read(item, scope)
}

/// Warns about leaders that are also voters: a voter does not follow itself.
fn warn_of_own_leaders(
    leaders: &[accounts::Placed],
    voters: &[Account],
    table: &RuleTable<'_, '_>,
) {
    let report = table.table.report;
    if let ([(leader, span)], [voter]) = (leaders, voters)
        && leader == voter
        // A list in a file that was not read may hold others.
        && !table.scope.missed_any()
    {
        let message = format!("`{leader}` is the only leader and the only voter of this trail");
        let help = "a voter does not follow itself: this rule never votes";
        return report.warning(Finding::at(span.clone(), message).help(help));
    }
    let help = match voters {
        [_] => "it does not follow itself; it follows the other leaders",
        _ => "it does not follow itself; the other voters follow it",
    };
    for (leader, span) in leaders.iter().filter(|(leader, _)| voters.contains(leader)) {
        let message = format!("`{leader}` is both a leader and a voter of this trail");
        report.warning(Finding::at(span.clone(), message).help(help));
    }
}

const NO_SIGN: &str = "in a trail, a weight has no sign: the sign is that of the leader's vote";

/// Reads a percentage or a table of `scale`, `offset`, `min` and `max`.
fn weight(item: &Item<'_>) -> Result<TrailWeight, Reported> {
    match item.value {
        DeValue::Table(_) => scaled(item),
        value
            if percentage::number(value).is_some_and(|number| (-100.0..0.0).contains(&number)) =>
        {
            let meant = percentage::number(value).unwrap_or(-100.0).abs() * 100.0;
            let help = format!(
                "{}; with `downvotes = \"follow\"` or `downvotes = \"only\"` the rule follows downvotes",
                item.write(format_args!("\"{}\"", Written(meant.round() as i32)))
            );
            Err(item.refuse(NO_SIGN, help))
        }
        value if percentage::number(value) == Some(0.0) => Err(refuse_zero(item)),
        // The range includes 0, which has an error message of its own.
        _ => match percentage::read(item, 0..=10_000)? {
            0 => Err(refuse_zero(item)),
            value => Ok(TrailWeight::Fixed(value as u16)),
        },
    }
}

fn scaled(item: &Item<'_>) -> Result<TrailWeight, Reported> {
    let keys = ["scale", "offset", "min", "max"];
    let mut table = Table::filled(item, "{ scale = \"50%\" }")?.with_keys(&keys, |_| None);
    let scale = table.read("scale", |item| percentage::read(item, 1..=100_000));
    let offset = table.read("offset", |item| percentage::read(item, -10_000..=10_000));
    let (min, max) = (table.read("min", bound), table.read("max", bound));
    table.refuse_the_rest();
    let (min, max) = (min?, max?);
    let least = min.as_ref().map_or(0, |(least, _)| *least);
    let most = max.as_ref().map_or(10_000, |(most, _)| *most);
    let max_item = max.as_ref().map(|(_, item)| item);
    if let Some((_, min_item)) = &min
        && least > most
    {
        let (least, most) = (Written(least), Written(most));
        return Err(refuse_above((least, min_item), (most, max_item)));
    }
    if let Some(max_item) = max_item
        && most == 0
    {
        let help =
            "this rule would never vote: make it higher; `enabled = false` switches a rule off";
        return Err(max_item.refuse("`max` must be above 0%", help));
    }
    Ok(TrailWeight::Scaled {
        scale: scale?.unwrap_or(10_000) as u32,
        offset: offset?.unwrap_or(0),
        min: least as u16,
        max: most as u16,
    })
}

fn bound<'t>(item: &Item<'t>) -> Result<(i32, Item<'t>), Reported> {
    Ok((percentage::read(item, 0..=10_000)?, item.clone()))
}
