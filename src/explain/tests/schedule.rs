//! Rules with a schedule: when they run next, and whether the post has their vote then.

use std::convert::Infallible;

use super::*;
use crate::explain::schedule::choose;
use crate::rules::rule::{Schedule, Trigger};

/// A rule for @bob's posts at these times.
fn at(name: &str, cron: &str, zone: &str, more: &str) -> String {
    format!(
        "[[author]]\nname = '{name}'\nauthors = ['bob']\nweight = '50%'\n\
         schedule = {{ cron = '{cron}', timezone = '{zone}' }}\n{more}\n"
    )
}

fn daily(more: &str) -> String {
    at("daily", "0 18 * * *", "UTC", more)
}

fn utc(text: &str) -> DateTime<Utc> {
    format!("{text}Z").parse().unwrap()
}

/// @bob's post of that permlink, published so many minutes after the one that is asked about.
fn post(permlink: &str, minutes: i64) -> Content {
    let asked = known().content().unwrap().clone();
    Content {
        post: PostId::new(account("bob"), permlink),
        created: start() + TimeDelta::minutes(minutes),
        ..asked
    }
}

/// What is known where @bob's newest posts are these beside the one that is asked about, and these rows are there.
async fn among(rules: &str, mut known: Known, mut newest: Vec<Content>, rows: &[Vote]) -> Known {
    newest.extend(known.content().cloned());
    of_newest(rules, &mut known, newest, rows).await;
    known
}

async fn of_newest(rules: &str, known: &mut Known, newest: Vec<Content>, rows: &[Vote]) {
    let read = language::file::read("f.toml", &format!("voters = ['alice']\n{rules}"));
    assert!(read.is_valid(), "{:?}", read.problems);
    let rules = RuleSet::new(read.rules.into_iter().map(Arc::new).collect());
    let ask = async |keys: &[VoteKey]| {
        let found = rows.iter().filter(|row| keys.contains(&row.key));
        Ok::<_, Infallible>(found.cloned().collect::<Vec<_>>())
    };
    let author = account("bob");
    let chosen = choose(&rules, None, &author, known.now, newest, ask).await;
    known.choices = Ok(chosen.unwrap());
    let ours = rows.iter().filter(|row| row.key.post == known.post);
    let ours: Vec<Vote> = ours.cloned().collect();
    let votes = &mut tables(known).votes;
    votes.extend(ours.into_iter().map(|row| (row.key.voter.clone(), row)));
}

fn row_on(permlink: &str, status: Status) -> Vote {
    let mut row = row("other.toml:author-1", Origin::Author, status, None);
    row.key.post.permlink = permlink.into();
    row
}

#[tokio::test]
async fn the_next_time_is_named_in_the_zone_of_the_rule_and_in_utc() {
    // Clocks in Amsterdam are put forward on 29 March, and back on 25 October 2026.
    for (cron, now, when) in [
        (
            "0 18 * * *",
            "2026-03-01T12:01:00",
            "2026-03-01 18:00:00 in Europe/Amsterdam (2026-03-01 17:00:00 UTC)",
        ),
        (
            "0 18 * * *",
            "2026-03-28T17:00:00",
            "2026-03-29 18:00:00 in Europe/Amsterdam (2026-03-29 16:00:00 UTC)",
        ),
        (
            "30 2 * * *",
            "2026-03-28T12:00:00",
            "2026-03-29 03:00:00 in Europe/Amsterdam (2026-03-29 01:00:00 UTC)",
        ),
        (
            "0 18 * * *",
            "2026-10-24T16:00:00",
            "2026-10-25 18:00:00 in Europe/Amsterdam (2026-10-25 17:00:00 UTC)",
        ),
        (
            "30 2 * * *",
            "2026-10-24T12:00:00",
            "2026-10-25 02:30:00 in Europe/Amsterdam (2026-10-25 00:30:00 UTC)",
        ),
        (
            "30 2 * * *",
            "2026-10-25T00:30:00",
            "2026-10-26 02:30:00 in Europe/Amsterdam (2026-10-26 01:30:00 UTC)",
        ),
    ] {
        let mut known = known();
        known.now = utc(now);
        content(&mut known).created = known.now - TimeDelta::hours(1);
        let rule = at("daily", cron, "Europe/Amsterdam", "");
        let known = among(&rule, known, Vec::new(), &[]).await;
        let wanted = format!(
            "votes schedule: 50% at {when}, the next time of `{cron}`; no newer post comes first"
        );
        assert_eq!(one(&rule, &known), wanted);
        let Says::Votes { at, .. } = answer(&rule, &known).decisions[0].says else {
            panic!("it votes");
        };
        assert!(when.ends_with(&format!("({})", at.format("%F %T UTC"))));
    }
}

#[tokio::test]
async fn utc_is_named_once() {
    let known = among(&daily(""), known(), Vec::new(), &[]).await;
    assert_eq!(
        one(&daily(""), &known),
        "votes schedule: 50% at 2026-03-01 18:00:00 UTC, the next time of `0 18 * * *`; no newer post comes first"
    );
    assert_eq!(
        answer(&daily(""), &known).summary,
        "would vote 50% at 2026-03-01 18:00:00 UTC, by f.toml:daily"
    );
}

#[tokio::test]
async fn the_time_that_is_now_is_not_the_next() {
    let mut known = known();
    known.now = utc("2026-03-01T18:00:00");
    let known = among(&daily(""), known, Vec::new(), &[]).await;
    let said = one(&daily(""), &known);
    assert!(said.contains("2026-03-02 18:00:00 UTC"), "{said}");
}

#[test]
fn a_schedule_that_never_runs_says_so() {
    // A file with such an expression is refused; the words do not depend on that.
    let file = format!("voters = ['alice']\n{}", daily(""));
    let mut rule = language::file::read("f.toml", &file).rules.remove(0);
    let Trigger::Author(of) = &mut rule.trigger else {
        panic!("it is an author rule");
    };
    of.schedule = Some(Schedule {
        cron: "0 0 30 2 *".to_owned(),
        timezone: chrono_tz::Europe::Amsterdam,
    });
    let rules = RuleSet::new(vec![Arc::new(rule)]);
    let answer = explain(&rules, None, &known()).remove(0);
    assert_eq!(answer.decisions[0].condition, "schedule");
    assert_eq!(
        answer.decisions[0].why,
        "`0 0 30 2 *` (Europe/Amsterdam) never runs: there is no such time in 40 years"
    );
    assert_eq!(answer.summary, "no vote");
}

#[tokio::test]
async fn a_window_that_is_closed_then_moves_the_vote() {
    let rule = daily("window = { from = '08:00', to = '17:00' }");
    let known = among(&rule, known(), Vec::new(), &[]).await;
    assert_eq!(
        one(&rule, &known),
        "votes schedule: 50% at 2026-03-02 08:00:00 UTC, after 2026-03-01 18:00:00 UTC, the next time of \
         `0 18 * * *`; no newer post comes first"
    );
}

#[tokio::test]
async fn a_newer_post_that_matches_comes_first() {
    let newer = "no schedule: @bob/kitchen of 2026-03-01 12:30:00 UTC is newer and comes first at 2026-03-01 18:00:00 \
                 UTC, the next time of `0 18 * * *`";
    let posts = || vec![post("kitchen", 30), post("older", -30)];
    let nothing = among(&daily(""), known(), posts(), &[]).await;
    assert_eq!(one(&daily(""), &nothing), newer);
    assert_eq!(answer(&daily(""), &nothing).summary, "no vote");
    for (status, comes_first) in [
        (Status::Queued, false),
        (Status::Cast, false),
        (Status::Confirmed, false),
        (Status::Failed, true),
        (Status::Withdrawn, true),
        (Status::Skipped, true),
    ] {
        let rows = [row_on("kitchen", status)];
        let known = among(&daily(""), known(), posts(), &rows).await;
        let said = one(&daily(""), &known);
        assert_eq!(said == newer, comes_first, "{status}: {said}");
        assert_eq!(said.starts_with("votes"), !comes_first, "{status}: {said}");
    }
    // As the post itself tells, and where the rule does not want it.
    let mut voted = post("kitchen", 30);
    voted.votes.set(account("alice"), weight(0));
    let known_voted = among(&daily(""), known(), vec![voted], &[]).await;
    assert!(one(&daily(""), &known_voted).starts_with("votes"));
    let rule = daily("text = { none = ['pizza'] }");
    let mut pizza = post("kitchen", 30);
    pizza.body = "Pizza again".to_owned();
    let unwanted = among(&rule, known(), vec![pizza], &[]).await;
    assert!(one(&rule, &unwanted).starts_with("votes"));
}

#[tokio::test]
async fn a_post_that_is_not_among_the_newest_is_not_looked_at() {
    let mut known = known();
    let newest = (1..=20).map(|number| post(&format!("p{number}"), number));
    of_newest(&daily(""), &mut known, newest.collect(), &[]).await;
    assert_eq!(
        one(&daily(""), &known),
        "no schedule: it is not among the newest 20 posts of @bob, and no others are looked at; it runs at \
         2026-03-01 18:00:00 UTC, the next time of `0 18 * * *`"
    );
}

#[tokio::test]
async fn a_post_that_is_too_old_by_then_says_so() {
    let rule = daily("max_age = '5h'");
    let known = among(&rule, known(), vec![post("kitchen", 90)], &[]).await;
    assert_eq!(
        one(&rule, &known),
        "no max_age: max_age: the post is older, published 2026-03-01 12:00:00; it runs at 2026-03-01 18:00:00 UTC, the next \
         time of `0 18 * * *`"
    );
}

#[tokio::test]
async fn a_post_that_was_voted_on_says_who_has_it() {
    let rows = [row_on("garden", Status::Confirmed)];
    let by_another = among(&daily(""), known(), Vec::new(), &rows).await;
    assert_eq!(
        one(&daily(""), &by_another),
        "no precedence: other.toml:author-1 has the post: confirmed"
    );
    let mut known = known();
    content(&mut known).votes.set(account("alice"), weight(30));
    let by_hand = among(&daily(""), known, Vec::new(), &[]).await;
    assert_eq!(
        one(&daily(""), &by_hand),
        "no by hand: the voter voted 30% by other means"
    );
}

#[tokio::test]
async fn what_came_to_nothing_is_asked_for_again() {
    let mut skipped = row(
        "f.toml:daily",
        Origin::Schedule,
        Status::Skipped,
        Some("limit.per_day: 3"),
    );
    skipped.asks.first.due_at = utc("2026-02-28T18:00:00");
    let known = among(&daily(""), known(), Vec::new(), &[skipped]).await;
    assert!(one(&daily(""), &known).starts_with("votes schedule: 50% at 2026-03-01 18:00:00 UTC"));
    assert_eq!(
        answer(&daily(""), &known).summary,
        "skipped, by f.toml:daily: limit.per_day: 3; would vote 50% at 2026-03-01 18:00:00 UTC, by f.toml:daily"
    );
}

#[tokio::test]
async fn of_two_schedules_the_one_that_runs_first_has_the_post() {
    let rules = [
        at("evening", "0 18 * * *", "UTC", ""),
        at("noon", "30 12 * * *", "UTC", ""),
        at("also-noon", "30 12 * * *", "UTC", ""),
    ]
    .concat();
    let older = post("older", -30);
    let known_newest = among(&rules, known(), vec![older.clone()], &[]).await;
    let noon = "2026-03-01 12:30:00 UTC, the next time of `30 12 * * *`";
    assert_eq!(
        decisions(&rules, &known_newest),
        [
            "no precedence: f.toml:noon has the post: its schedule runs first".to_owned(),
            format!("votes schedule: 50% at {noon}; no newer post comes first"),
            "no precedence: f.toml:noon has the post: comes first".to_owned(),
        ]
    );
    // By the evening nothing newer is left.
    let mut asked = known();
    asked.post = older.post.clone();
    asked.content = Ok(Some(older));
    let known_older = among(&rules, asked, vec![post("garden", 0)], &[]).await;
    let newer =
        format!("@bob/garden of 2026-03-01 12:00:00 UTC is newer and comes first at {noon}");
    let evening = "2026-03-01 18:00:00 UTC, the next time of `0 18 * * *`";
    assert_eq!(
        decisions(&rules, &known_older),
        [
            format!("votes schedule: 50% at {evening}; no newer post comes first"),
            format!("no schedule: {newer}"),
            format!("no schedule: {newer}"),
        ]
    );
}

#[tokio::test]
async fn a_rule_that_votes_on_publication_asks_before_any_schedule() {
    let rules = [daily(""), author("name = 'at-once'")].concat();
    let known = among(&rules, known(), Vec::new(), &[]).await;
    assert_eq!(
        decisions(&rules, &known),
        [
            "no precedence: f.toml:at-once has the post: comes first",
            "votes would vote: 50% at 2026-03-01 12:05:00 UTC",
        ]
    );
    // Unless it comes to nothing.
    let rules = [daily(""), author("max_age = '6m'\nmin_mana = '100%'")].concat();
    let mut known = among(&rules, known, Vec::new(), &[]).await;
    known.mana = Ok(mana(5_000));
    let said = decisions(&rules, &known);
    assert!(said[0].starts_with("votes schedule"), "{said:?}");
    assert!(said[1].starts_with("no min_mana"), "{said:?}");
}

#[tokio::test]
async fn what_is_against_the_vote_names_the_time_too() {
    for (more, wanted) in [
        ("min_mana = '90%'", "no min_mana: min_mana: the voter has "),
        (
            "expires = 2026-03-01T15:00:00Z",
            "no expires: it never runs again: the rule is off from 2026-03-01 15:00:00 UTC, before 2026-03-01 ",
        ),
    ] {
        let mut known = known();
        known.mana = Ok(mana(5_000));
        let rule = daily(more);
        let known = among(&rule, known, Vec::new(), &[]).await;
        let said = one(&rule, &known);
        assert!(said.starts_with(wanted), "{said}");
        assert!(said.contains("18:00:00 UTC, the next time of"), "{said}");
    }
}

#[tokio::test]
async fn without_the_newest_posts_the_time_is_told_all_the_same() {
    let mut known = known();
    known.choices = Err("no node answers".to_owned());
    assert_eq!(
        one(&daily(""), &known),
        "? schedule: which post is the newest to vote on is not known (no node answers); it runs at 2026-03-01 18:00:00 UTC, \
         the next time of `0 18 * * *`"
    );
}

#[tokio::test]
async fn only_the_rows_of_the_voter_that_is_asked_about_are_read() {
    let text = "voters = ['alice', 'bella', 'cleo']\n".to_owned() + &daily("");
    let read = language::file::read("f.toml", &text);
    let rules = RuleSet::new(read.rules.into_iter().map(Arc::new).collect());
    let posts = || vec![post("kitchen", 30), post("garden", 0)];
    for (voter, wanted) in [(None, 3), (Some(account("bella")), 1)] {
        let asked = std::cell::Cell::new(0);
        let ask = async |keys: &[VoteKey]| {
            asked.set(asked.get() + keys.len());
            Ok::<_, Infallible>(Vec::new())
        };
        let author = account("bob");
        let chosen = choose(&rules, voter.as_ref(), &author, start(), posts(), ask).await;
        chosen.unwrap();
        assert_eq!(asked.get(), wanted, "{voter:?}");
    }
}
