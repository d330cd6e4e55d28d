//! When a rule runs.

use super::*;

/// The names of the rules that run at `now`, and when their votes are due.
fn due(agenda: &mut Agenda, now: &str) -> Vec<(RuleId, DateTime<Utc>)> {
    let runs = agenda.due(utc(now)).into_iter();
    runs.map(|run| (run.rule, run.due)).collect()
}

#[test]
fn a_time_runs_once_a_second_ahead_of_itself() {
    let mut agenda = Agenda::default();
    let set = rules(&rule("daily", "0 18 * * *", ""));
    agenda.update(&set, utc("06-01T12:00:00"));
    assert_eq!(due(&mut agenda, "06-01T17:59:58.900"), []);
    let time = utc("06-01T18:00:00");
    assert_eq!(agenda.next_wake(), Some(utc("06-01T17:59:58.950")));
    assert_eq!(due(&mut agenda, "06-01T17:59:59"), [(id("daily"), time)]);
    assert_eq!(due(&mut agenda, "06-01T18:00:00"), []);
    assert_eq!(agenda.next_wake(), Some(utc("06-02T17:59:58.950")));
}

#[test]
fn many_authors_are_looked_up_longer_ahead_together() {
    let authors: Vec<_> = (0..100)
        .map(|number| format!("\"author{number}\""))
        .collect();
    let text = format!(
        "voters = [\"alice\"]\n[[author]]\nauthors = [{}]\nweight = \"1%\"\nschedule = {{ cron = \"0 18 * * *\" }}\n{}",
        authors.join(", "),
        rule("one", "0 18 * * *", ""),
    );
    let mut agenda = Agenda::default();
    agenda.update(&rules(&text), utc("06-01T12:00:00"));
    assert_eq!(agenda.next_wake(), Some(utc("06-01T17:59:53.950")));
    assert_eq!(due(&mut agenda, "06-01T17:59:54").len(), 2);
}

#[test]
fn a_rule_first_seen_has_no_past_and_is_stored() {
    let mut agenda = Agenda::new(Vec::new());
    let set = rules(&rule("daily", "0 18 * * *", ""));
    let batch = agenda.update(&set, utc("06-01T18:00:00.001"));
    assert_eq!(
        batch.schedule_runs,
        [stored("daily", "0 18 * * *", "06-01T18:00:00.001")]
    );
    assert_eq!(due(&mut agenda, "06-02T17:00:00"), []);
    // The same rules again are nothing new.
    assert_eq!(agenda.update(&set, utc("06-01T19:00:00")), Batch::default());
}

#[test]
fn missed_times_run_once_and_are_due_now() {
    let mut agenda = Agenda::new(vec![stored("daily", "0 18 * * *", "05-20T18:00:00")]);
    let set = rules(&rule("daily", "0 18 * * *", ""));
    assert_eq!(agenda.update(&set, utc("06-01T12:00:00")), Batch::default());
    let now = utc("06-01T12:00:00.500");
    assert_eq!(due(&mut agenda, "06-01T12:00:00.500"), [(id("daily"), now)]);
    assert_eq!(due(&mut agenda, "06-01T12:00:01"), []);
    assert_eq!(agenda.next_wake(), Some(utc("06-01T17:59:58.950")));
}

#[test]
fn a_time_that_is_seen_a_moment_late_is_not_missed() {
    let mut agenda = Agenda::new(Vec::new());
    let set = rules(&rule("daily", "*/2 * * * * *", ""));
    agenda.update(&set, utc("06-01T12:00:01"));
    let time = utc("06-01T12:00:02");
    assert_eq!(
        due(&mut agenda, "06-01T12:00:02.300"),
        [(id("daily"), time)]
    );
    let now = utc("06-01T12:00:05.100");
    assert_eq!(due(&mut agenda, "06-01T12:00:05.100"), [(id("daily"), now)]);
    assert_eq!(
        due(&mut agenda, "06-01T12:00:05.200"),
        [(id("daily"), utc("06-01T12:00:06"))]
    );
}

#[test]
fn what_was_run_ahead_of_a_crash_does_not_run_again() {
    let mut agenda = Agenda::new(vec![stored("daily", "0 18 * * *", "06-01T18:00:00")]);
    agenda.update(
        &rules(&rule("daily", "0 18 * * *", "")),
        utc("06-01T17:59:59.500"),
    );
    assert_eq!(due(&mut agenda, "06-01T18:00:00"), []);
}

#[test]
fn a_changed_schedule_counts_at_once_and_has_no_past() {
    for before in ["running", "down"] {
        let mut agenda = Agenda::new(vec![stored("daily", "0 18 * * *", "05-31T18:00:00")]);
        if before == "running" {
            agenda.update(
                &rules(&rule("daily", "0 18 * * *", "")),
                utc("06-01T11:00:00"),
            );
        }
        // 10:00 was never missed: it was not in the file then.
        let changed = rules(&rule("daily", "0 10,13 * * *", ""));
        let batch = agenda.update(&changed, utc("06-01T12:00:00"));
        assert_eq!(
            batch.schedule_runs,
            [stored("daily", "0 10,13 * * *", "06-01T12:00:00")]
        );
        assert_eq!(batch.schedules_gone, []);
        assert_eq!(due(&mut agenda, "06-01T12:00:00"), []);
        assert_eq!(due(&mut agenda, "06-01T13:00:00").len(), 1, "{before}");
    }
}

#[test]
fn a_rule_that_is_gone_or_off_loses_its_past() {
    for after in [
        "",
        &*rule("daily", "0 18 * * *", "enabled = false"),
        &*rule("renamed", "0 18 * * *", ""),
    ] {
        let mut agenda = Agenda::new(vec![stored("daily", "0 18 * * *", "05-31T18:00:00")]);
        let set = rules(&rule("daily", "0 18 * * *", ""));
        agenda.update(&set, utc("06-01T12:00:00"));
        let batch = agenda.update(&rules(after), utc("06-01T12:00:00"));
        assert_eq!(batch.schedules_gone, [id("daily")]);
        let batch = agenda.update(&set, utc("06-05T12:00:00"));
        assert_eq!(batch.schedule_runs.len(), 1);
        let daily = due(&mut agenda, "06-05T12:00:00");
        assert!(
            daily.iter().all(|(rule, _)| *rule != id("daily")),
            "{after}"
        );
    }
    // Likewise one that went while the daemon was down.
    let mut agenda = Agenda::new(vec![stored("daily", "0 18 * * *", "05-31T18:00:00")]);
    let batch = agenda.update(&rules(""), utc("06-01T12:00:00"));
    assert_eq!(batch.schedules_gone, [id("daily")]);
}

#[test]
fn a_rule_in_a_bad_file_keeps_its_past() {
    let mut agenda = Agenda::new(vec![stored("daily", "0 18 * * *", "05-31T12:00:00")]);
    let bad = RuleSet::default().with_unreadable(vec!["a.toml".to_owned()]);
    assert_eq!(agenda.update(&bad, utc("06-01T12:00:00")), Batch::default());
    let good = rules(&rule("daily", "0 18 * * *", ""));
    assert_eq!(
        agenda.update(&good, utc("06-01T12:01:00")),
        Batch::default()
    );
    assert_eq!(due(&mut agenda, "06-01T12:01:00").len(), 1);
}
