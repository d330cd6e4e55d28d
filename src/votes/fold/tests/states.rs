//! What every change makes of a vote in every state it can be in.

use super::*;

pub(super) type Make = fn(&mut Table<'_>);

/// Leads to each state a vote can be in, by way of what happens in the blocks 5 to 8.
const STATES: [(&str, Make); 10] = [
    ("queued", queued),
    ("in flight", |table| {
        table.claim_within(TimeDelta::seconds(30));
        queued(table);
    }),
    ("tried", |table| {
        queued(table);
        table.report(6, "a", 1, later());
    }),
    ("cast", cast),
    ("confirmed", |table| {
        cast(table);
        table.block(8, [vote("alice", "a", 25)]);
    }),
    ("failed", |table| {
        ended(table, 1, Outcome::Failed("no".to_owned().into()))
    }),
    ("skipped", |table| {
        ended(table, 0, Outcome::Skipped("no".to_owned().into()))
    }),
    ("withdrawn", |table| {
        ended(table, 0, Outcome::Withdrawn("no".to_owned().into()))
    }),
    ("dry run", |table| ended(table, 0, Outcome::DryRun)),
    ("by hand", |table| table.block(5, [vote("alice", "a", 77)])),
];

fn queued(table: &mut Table<'_>) {
    table.block(5, [vote("curie", "a", 50)]);
}

fn cast(table: &mut Table<'_>) {
    queued(table);
    table.report(6, "a", 1, accepted(6));
}

fn ended(table: &mut Table<'_>, attempts: u32, outcome: Outcome) {
    queued(table);
    table.report(6, "a", attempts, outcome);
}

fn later() -> Outcome {
    Outcome::Later {
        next_attempt_at: time(100),
        due_at: None,
        reason: Some("the signer is away".to_owned().into()),
        hold: false,
    }
}

pub(super) fn in_state<'r>(rules: &'r RuleSet, name: &str) -> Table<'r> {
    let mut table = Table::new(rules);
    let (_, make) = STATES.iter().find(|(state, _)| *state == name).unwrap();
    make(&mut table);
    table
}

/// What each state becomes by each change; `-` for what stays as it is.
#[test]
fn every_change_makes_of_every_state_what_it_should() {
    let rules = rules(TRAILS);
    let changes: [(&str, Make); 9] = [
        ("the same event again", |table| {
            table.planner = Default::default();
            table.block(5, [vote("curie", "a", 50)]);
        }),
        ("a newer event", |table| {
            table.block(9, [vote("ocd", "a", 90)])
        }),
        ("one of an earlier rule", |table| {
            table.block(9, [vote("ada", "a", 90)])
        }),
        ("the leader changes it", |table| {
            table.block(9, [vote("curie", "a", 80)])
        }),
        ("the leader takes it back", |table| {
            table.block(9, [vote("curie", "a", 0)])
        }),
        ("our weight in a block", |table| {
            table.block(9, [vote("alice", "a", 25)])
        }),
        ("another in a block", |table| {
            table.block(9, [vote("alice", "a", 77)])
        }),
        ("taken back in a block", |table| {
            table.block(9, [vote("alice", "a", 0)])
        }),
        ("its block is undone", |table| table.undo(9, 4)),
    ];
    const BY_HAND: &str = "skipped second 2500 @9 (voted by hand)";
    const DRY_BY_HAND: &str = "dry_run second 2500 @9 (voted by hand)";
    const ANOTHER_BY_HAND: &str = "skipped 7700 (voted by hand)";
    const ANEW: [&str; 3] = [
        "queued second 4500 @9",
        "queued first 1000 @9",
        "queued second 4000 @9",
    ];
    let [newer, earlier, changed] = ANEW;
    let expected: [(&str, [&str; 9]); 10] = [
        (
            "queued",
            [
                "-",
                "-",
                earlier,
                "queued second 4000 @5",
                "withdrawn second 2500 @5 (@curie no longer votes on it)",
                BY_HAND,
                BY_HAND,
                BY_HAND,
                "withdrawn second 2500 @4 (the block that caused it was undone by a fork)",
            ],
        ),
        (
            "in flight",
            [
                "-",
                "-",
                "-",
                "-",
                "-",
                "confirmed second 2500 @5",
                BY_HAND,
                BY_HAND,
                "-",
            ],
        ),
        (
            "tried",
            [
                "-",
                "-",
                "-",
                "-",
                "-",
                "confirmed second 2500 @5",
                BY_HAND,
                BY_HAND,
                "-",
            ],
        ),
        (
            "cast",
            [
                "-",
                "-",
                "-",
                "-",
                "-",
                "confirmed second 2500 @5",
                "-",
                "-",
                "-",
            ],
        ),
        (
            "confirmed",
            [
                "-",
                "-",
                "-",
                "-",
                "-",
                "-",
                "-",
                "-",
                "cast second 2500 @5",
            ],
        ),
        (
            "failed",
            [
                "-",
                newer,
                earlier,
                changed,
                "-",
                "confirmed second 2500 @5",
                BY_HAND,
                BY_HAND,
                "-",
            ],
        ),
        (
            "skipped",
            [
                "-", newer, earlier, changed, "-", BY_HAND, BY_HAND, BY_HAND, "-",
            ],
        ),
        (
            "withdrawn",
            [
                "-", newer, earlier, changed, "-", BY_HAND, BY_HAND, BY_HAND, "-",
            ],
        ),
        (
            "dry run",
            [
                "-",
                newer,
                earlier,
                changed,
                "-",
                DRY_BY_HAND,
                DRY_BY_HAND,
                DRY_BY_HAND,
                "-",
            ],
        ),
        (
            "by hand",
            [
                "-",
                "-",
                "-",
                "-",
                "-",
                ANOTHER_BY_HAND,
                ANOTHER_BY_HAND,
                ANOTHER_BY_HAND,
                "-",
            ],
        ),
    ];
    for (state, expected) in expected {
        for ((change, happens), expected) in changes.iter().zip(expected) {
            let mut table = in_state(&rules, state);
            let before = table.row("a").clone();
            happens(&mut table);
            if expected == "-" {
                assert_eq!(without_others(table.row("a")), before, "{state}: {change}");
            } else {
                assert_eq!(table.brief("a"), expected, "{state}: {change}");
            }
            assert_eq!(table.rows().len(), 1, "{state}: {change}");
        }
    }
}

/// What else asks for a vote is remembered, and changes nothing else.
fn without_others(row: &Vote) -> Vote {
    let mut row = row.clone();
    if !row.asks.others.is_empty() {
        row.updated_at = row.created_at;
    }
    row.asks.others.clear();
    row
}

/// Late reports of votes that are over change no verdict.
#[test]
fn every_report_makes_of_every_state_what_it_should() {
    let rules = rules(TRAILS);
    let outcomes = [
        accepted(9),
        Outcome::Confirmed,
        later(),
        Outcome::Recast { at: time(9) },
        Outcome::Failed("why".to_owned().into()),
        Outcome::Skipped("why".to_owned().into()),
        Outcome::Withdrawn("why".to_owned().into()),
        Outcome::DryRun,
    ];
    let queued = [
        "cast",
        "confirmed",
        "queued",
        "-",
        "failed",
        "skipped",
        "withdrawn",
        "dry_run",
    ];
    let over = ["cast", "-", "-", "-", "-", "-", "-", "-"];
    for (state, expected) in [
        ("queued", queued),
        ("in flight", queued),
        ("tried", queued),
        (
            "cast",
            [
                "cast",
                "confirmed",
                "-",
                "queued",
                "failed",
                "skipped",
                "-",
                "-",
            ],
        ),
        ("confirmed", ["-"; 8]),
        ("failed", over),
        ("skipped", ["-"; 8]),
        ("withdrawn", over),
        ("dry run", over),
        ("by hand", ["-"; 8]),
    ] {
        for (outcome, expected) in outcomes.iter().zip(expected) {
            let mut table = in_state(&rules, state);
            let before = table.row("a").status;
            table.report(9, "a", 1, outcome.clone());
            let row = table.row("a");
            let expected = if expected == "-" {
                before.as_str()
            } else {
                expected
            };
            assert_eq!(row.status.as_str(), expected, "{state}: {outcome:?}");
            if row.status != Status::Queued {
                assert_eq!(row.claimed_by, None, "{state}: {outcome:?}");
            }
            assert_eq!(row.attempts, 1, "{state}: {outcome:?}");
        }
    }
}
