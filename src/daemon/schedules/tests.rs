//! What is decided, without a clock, a node or a database.

mod times;

use chrono_tz::Tz;

use super::*;
use crate::account::Account;
use crate::chain::content::{Content, StandingVotes};
use crate::post::PostId;
use crate::rules::language;
use crate::rules::rule::RuleId;
use crate::votes::asks::{Ask, Asks};
use crate::votes::change::{Change, Plan};
use crate::votes::reason::Reason;
use crate::votes::schedules::agenda::{Agenda, Run};
use crate::votes::schedules::choice::{Choice, Post};
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;
use crate::weight::Weight;

fn utc(text: &str) -> DateTime<Utc> {
    format!("2026-{text}Z").parse().unwrap()
}

fn rules(text: &str) -> RuleSet {
    let file = language::file::read("a.toml", text);
    assert!(file.is_valid(), "{:#?}", file.problems);
    RuleSet::new(file.rules.into_iter().map(Arc::new).collect())
}

/// A rule of that name; `more` are further keys.
fn rule(name: &str, cron: &str, more: &str) -> String {
    format!(
        "[[author]]\nname = \"{name}\"\nvoters = [\"alice\", \"bella\"]\nauthors = [\"bob\"]\nweight = \"50%\"\n\
         schedule = {{ cron = \"{cron}\" }}\n{more}\n"
    )
}

fn id(name: &str) -> RuleId {
    RuleId::new("a.toml", name)
}

fn stored(name: &str, cron: &str, at: &str) -> ScheduleRun {
    ScheduleRun {
        rule: id(name),
        schedule: format!("{cron} {}", Tz::UTC),
        last_run_at: utc(at),
    }
}

/// Bob's post of that permlink, published then.
fn content(permlink: &str, created: &str) -> Content {
    Content {
        post: PostId::new(Account::from_chain("bob"), permlink),
        created: utc(created),
        last_update: None,
        parent_author: String::new(),
        parent_permlink: "photo".to_owned(),
        title: String::new(),
        body: String::new(),
        json_metadata: String::new(),
        pending_payout: 0,
        max_accepted_payout: 1_000_000_000,
        allow_votes: true,
        votes: StandingVotes::default(),
    }
}

fn voted_by(voter: &str, hundredths: i64, content: Content) -> Content {
    let vote = (Account::from_chain(voter), Weight::clamped(hundredths));
    Content {
        votes: [vote].into_iter().collect(),
        ..content
    }
}

/// A row of the table.
fn row(voter: &str, permlink: &str, status: Status, reason: &str) -> Vote {
    let at = utc("06-01T00:00:00");
    let ask = Ask {
        rule: id("other"),
        origin: Origin::Author,
        weight: Weight::clamped(1),
        due_at: at,
        block: 1,
        at,
        leader: None,
    };
    Vote {
        status,
        reason: Some(Reason::from_stored(reason.to_owned())),
        ..Vote::queued(key(voter, permlink), Asks::new(ask), at)
    }
}

fn key(voter: &str, permlink: &str) -> VoteKey {
    VoteKey {
        voter: Account::from_chain(voter),
        post: content(permlink, "06-01T00:00:00").post,
    }
}

fn run(name: &str) -> Run {
    Run {
        rule: id(name),
        schedule: String::new(),
        due: utc("06-01T18:00:00"),
        authors: vec![Account::from_chain("bob")],
    }
}

/// What the runs choose, as `rule: voter permlink`, with these rows in the table.
fn chosen(
    text: &str,
    runs: &[Run],
    posts: Vec<Content>,
    table: &[Vote],
    dry_run: bool,
) -> Vec<String> {
    let plans = plans(text, runs, posts, table, dry_run);
    let named = plans.iter().map(|plan| {
        let name = plan.ask.rule.as_str().trim_start_matches("a.toml:");
        format!("{name}: {} {}", plan.key.voter, plan.key.post.permlink)
    });
    named.collect()
}

fn plans(
    text: &str,
    runs: &[Run],
    posts: Vec<Content>,
    table: &[Vote],
    dry_run: bool,
) -> Vec<Plan> {
    let rules = rules(text);
    let posts = posts.into_iter().map(Post::from).collect();
    let posts = HashMap::from([(Account::from_chain("bob"), posts)]);
    let mut choice = Choice::new(runs, &rules, &posts, dry_run);
    for _ in 0..100 {
        let questions = choice.questions();
        if questions.is_empty() {
            return choice.plans(None);
        }
        let rows = table.iter().filter(|row| questions.contains(&row.key));
        choice.answer(&rows.cloned().collect::<Vec<_>>(), &Default::default());
    }
    panic!("it asks forever");
}

fn three_posts() -> Vec<Content> {
    vec![
        content("c", "06-01T12:00:00"),
        content("b", "05-31T12:00:00"),
        content("a", "05-30T12:00:00"),
    ]
}

#[test]
fn every_voter_votes_on_the_newest_post_it_has_not_voted_on() {
    let text = rule("daily", "0 18 * * *", "");
    let runs = [run("daily")];
    assert_eq!(
        chosen(&text, &runs, three_posts(), &[], false),
        ["daily: alice c", "daily: bella c"]
    );
    for status in [Status::Queued, Status::Cast, Status::Confirmed] {
        let table = [row("alice", "c", status, ""), row("alice", "b", status, "")];
        assert_eq!(
            chosen(&text, &runs, three_posts(), &table, false),
            ["daily: alice a", "daily: bella c"]
        );
    }
    let mut posts = three_posts();
    posts[0] = voted_by("bella", 0, posts[0].clone());
    assert_eq!(
        chosen(&text, &runs, posts, &[], false),
        ["daily: alice c", "daily: bella b"]
    );
    let all: Vec<_> = ["a", "b", "c"]
        .map(|post| row("alice", post, Status::Cast, ""))
        .into();
    assert_eq!(
        chosen(&text, &runs, three_posts(), &all, false),
        ["daily: bella c"]
    );
}

#[test]
fn what_came_to_nothing_is_no_vote_but_a_persons_no_counts() {
    let text = rule("daily", "0 18 * * *", "");
    let newest = |status, reason, dry_run| {
        let table = [row("alice", "c", status, reason)];
        chosen(&text, &[run("daily")], three_posts(), &table, dry_run)[0].clone()
    };
    for status in [
        Status::Failed,
        Status::Withdrawn,
        Status::Skipped,
        Status::DryRun,
    ] {
        assert_eq!(newest(status, "", false), "daily: alice c", "{status}");
    }
    assert_eq!(
        newest(Status::Skipped, "voted by hand", false),
        "daily: alice b"
    );
    assert_eq!(newest(Status::DryRun, "", true), "daily: alice b");
}

#[test]
fn the_newest_post_is_told_by_its_time_and_must_match() {
    let mut posts = three_posts();
    posts.reverse();
    let text = rule("daily", "0 18 * * *", "max_age = \"1d\"");
    let runs = [run("daily")];
    assert_eq!(
        chosen(&text, &runs, posts.clone(), &[], false)[0],
        "daily: alice c"
    );
    // The newest declines payout, and what is left is too old.
    posts[2].max_accepted_payout = 0;
    assert_eq!(chosen(&text, &runs, posts.clone(), &[], false), [""; 0]);
    let text = rule("daily", "0 18 * * *", "");
    posts[1].allow_votes = false;
    assert_eq!(chosen(&text, &runs, posts, &[], false)[0], "daily: alice a");
}

#[test]
fn two_rules_that_choose_the_same_post_at_one_time_cast_one_vote() {
    let text = rule("first", "0 18 * * *", "") + &rule("second", "0 18 * * *", "");
    let runs = [run("second"), run("first")];
    assert_eq!(
        chosen(&text, &runs, three_posts(), &[], false),
        ["first: alice c", "first: bella c"]
    );
}

#[test]
fn a_scheduled_vote_is_due_at_the_time_and_knows_its_post() {
    let text = rule("daily", "0 18 * * *", "");
    let plans = plans(&text, &[run("daily")], three_posts(), &[], false);
    assert_eq!(plans[0].ask.origin, Origin::Schedule);
    assert_eq!(plans[0].ask.due_at, utc("06-01T18:00:00"));
    assert_eq!(plans[0].ask.at, utc("06-01T12:00:00"));
    assert_eq!(plans[0].ask.weight, Weight::clamped(5_000));
}

/// A runner with one rule whose time has come, and what it began.
fn begun() -> (Runner, Attempt) {
    let mut runner = Runner::new(Agenda::default());
    runner.update(
        &rules(&rule("daily", "0 18 * * *", "")),
        utc("06-01T12:00:00"),
    );
    let attempts = runner.due(utc("06-01T17:59:59")).unwrap();
    assert_eq!(attempts.len(), 1);
    (runner, attempts.into_iter().next().unwrap())
}

fn failing(attempt: Attempt) -> Found {
    Found {
        failed: vec![(attempt, "no node gives an answer".to_owned())],
        ..Found::default()
    }
}

const RETRY_FOR: std::time::Duration = std::time::Duration::from_secs(600);

#[test]
fn a_look_up_that_fails_is_tried_again_at_growing_intervals_until_its_time_is_over() {
    let (mut runner, mut attempt) = begun();
    let mut now = utc("06-01T17:59:59");
    let mut pauses = Vec::new();
    loop {
        let batch = runner.take(failing(attempt), RETRY_FOR, now);
        let Some(again) = runner.failed.first() else {
            assert!(now - utc("06-01T18:00:00") >= TimeDelta::minutes(10));
            assert_eq!(batch.errors.len(), 1);
            assert_eq!(batch.errors[0].kind, ErrorKind::Schedule);
            let text = &batch.errors[0].error;
            assert!(
                text.contains("a.toml:daily did not vote at 2026-06-01 18:00:00 UTC"),
                "{text}"
            );
            assert!(text.contains("@bob") && text.contains("no node gives an answer"));
            // Over is over, after a restart too.
            assert_eq!(
                batch.schedule_runs,
                [stored("daily", "0 18 * * *", "06-01T18:00:00")]
            );
            break;
        };
        assert_eq!(batch, Batch::default());
        pauses.push((again.not_before - now).num_seconds());
        now = again.not_before;
        assert_eq!(runner.due(now - TimeDelta::milliseconds(1)), None);
        attempt = runner.due(now).unwrap().into_iter().next().unwrap();
        assert_eq!(attempt.run.due, utc("06-01T18:00:00"));
    }
    assert_eq!(pauses[..7], [1, 2, 4, 8, 16, 30, 30]);
}

#[test]
fn a_later_time_takes_the_place_of_one_that_fails() {
    let (mut runner, attempt) = begun();
    runner.take(failing(attempt), RETRY_FOR, utc("06-01T18:00:00"));
    let attempts = runner.due(utc("06-02T17:59:59")).unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].run.due, utc("06-02T18:00:00"));
    assert_eq!(attempts[0].since, utc("06-01T18:00:00"));
    assert_eq!(runner.due(utc("06-02T18:00:00")), None);
}

#[test]
fn a_last_run_in_the_future_is_not_believed() {
    let now = utc("06-01T12:00:00");
    for (at, believed) in [
        ("06-01T11:00:00", true),
        ("06-01T12:00:30", true),
        ("06-01T12:02:00", false),
        ("09-01T12:00:00", false),
    ] {
        assert_eq!(
            is_plausible(&stored("daily", "0 18 * * *", at), now),
            believed,
            "{at}"
        );
    }
    for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let run = ScheduleRun {
            last_run_at: end,
            ..stored("daily", "0 18 * * *", "06-01T12:00:00")
        };
        assert!(!is_plausible(&run, now));
    }
}

#[test]
fn a_run_ends_when_its_rule_goes_or_has_another_schedule() {
    for after in [String::new(), rule("daily", "0 19 * * *", "")] {
        let (mut runner, attempt) = begun();
        runner.take(failing(attempt.clone()), RETRY_FOR, utc("06-01T18:00:00"));
        runner.update(&rules(&after), utc("06-01T18:00:00"));
        assert_eq!(runner.due(utc("06-01T18:00:30")), None, "{after}");

        // Also while it is under way.
        let (mut runner, attempt) = begun();
        runner.update(&rules(&after), utc("06-01T18:00:00"));
        let mut found = failing(attempt.clone());
        found.batch.schedule_runs.push(attempt.run.done());
        let batch = runner.take(found, RETRY_FOR, utc("06-01T18:00:00"));
        assert_eq!(batch.schedule_runs, []);
        assert_eq!(runner.due(utc("06-01T18:00:30")), None, "{after}");
    }
}

#[test]
fn what_was_planned_is_remembered_for_as_long_as_it_may_be_on_its_way() {
    let (mut runner, _) = begun();
    let text = rule("daily", "0 18 * * *", "");
    let planned = plans(&text, &[run("daily")], three_posts(), &[], false);
    let found = Found {
        batch: Batch {
            changes: planned.into_iter().map(Change::Plan).collect(),
            ..Batch::default()
        },
        failed: Vec::new(),
    };
    runner.take(found, RETRY_FOR, utc("06-01T18:00:00"));
    assert_eq!(runner.planned(utc("06-01T18:00:59")).len(), 2);
    assert_eq!(runner.planned(utc("06-01T18:01:00")).len(), 0);
}
