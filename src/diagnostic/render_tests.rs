//! What problems look like.

use std::time::{Duration, Instant};

use crate::diagnostic::Finding;
use crate::diagnostic::render::render;
use crate::diagnostic::report::Report;

/// The finding at the first `place` in `text`, drawn.
fn drawn(text: &str, place: &str, change: impl FnOnce(Finding) -> Finding) -> String {
    let start = text.find(place).unwrap();
    let report = Report::new(text);
    report.error(change(Finding::at(
        start..start + place.len(),
        "it is wrong",
    )));
    render(&report.into_problems("a.toml")[0], false)
}

#[test]
fn long_lines_are_cut_to_what_is_around_the_place() {
    let names: Vec<_> = (100..400).map(|n| format!("'user{n}'")).collect();
    let text = format!("voters = [{0}, 'B_D', {0}]\n# {0}\n", names.join(", "));
    let also = text.find("'user101'").unwrap();
    insta::assert_snapshot!(drawn(&text, "'B_D'", |finding| finding), @r#"
    a.toml:1:3311: error: it is wrong
       ╭────
     1 │ … er397', 'user398', 'user399', 'B_D', 'user100', 'user10 …
       ·                                 ─────
     2 │ # 'user100', 'user101', 'user102', 'user103', 'user104', 'user105', 'user106', 'user107', 'user108', …
       ╰────
    "#);
    let drawn_twice = drawn(&text, "'B_D'", |finding| {
        finding.also(also..also + 9, "and this")
    });
    insta::assert_snapshot!(drawn_twice, @r#"
    a.toml:1:3311: error: it is wrong
       ╭────
     1 │ voters = ['user100', 'user101', 'user102', 'user10 … er397', 'user398', 'user399', 'B_D', 'user100', 'user10 …
       ·                      ────┬────                                                     ─────
       ·                          ╰── and this
     2 │ # 'user100', 'user101', 'user102', 'user103', 'user104', 'user105', 'user106', 'user107', 'user108', …
       ╰────
    "#);
}

#[test]
fn a_long_place_is_cut_and_a_line_that_fits_is_not() {
    let text = format!(
        "x = '{}'\nshort = '{}'\n",
        "ab".repeat(200),
        "c".repeat(100)
    );
    insta::assert_snapshot!(drawn(&text, &"ab".repeat(200), |finding| finding), @r#"
    a.toml:1:6: error: it is wrong
       ╭────
     1 │ x = 'ababababababababababababababababababababababababab …
       ·      ──────────────────────────────────────────────────
     2 │ short = 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc'
       ╰────
    "#);
}

#[test]
fn nothing_that_is_drawn_steers_the_terminal() {
    let text = "a = '\u{1b}[2J' # \u{202e}\r\nb = 1\rc = 2\n";
    let drawn = drawn(text, "'\u{1b}[2J'", |finding| {
        finding.label("\u{1b}[1m").help("\u{7}ring")
    });
    insta::assert_snapshot!(drawn, @r#"
    a.toml:1:5: error: it is wrong
       ╭────
     1 │ a = '\u001B[2J' # \u202E
       ·     ─────┬─────
       ·          ╰── \u001B[1m
     2 │ b = 1\rc = 2
       ╰────
      help: \u0007ring
    "#);
    let report = Report::new("\u{feff}x");
    report.error(Finding::whole("\u{9b}"));
    let problem = &report.into_problems("a\u{1b}.toml")[0];
    assert_eq!(problem.to_string(), "a\\u001B.toml: \\u009B");
}

#[test]
fn a_byte_order_mark_shifts_nothing() {
    insta::assert_snapshot!(drawn("\u{feff}x = 1\n", "1", |finding| finding), @r#"
    a.toml:1:5: error: it is wrong
       ╭────
     1 │ x = 1
       ·     ─
       ╰────
    "#);
}

/// The limit is far below the time of reading the text again for every problem, and far above what is needed.
#[test]
fn the_time_for_each_problem_does_not_grow_with_their_number() {
    for line in ["weight = 50", "weight = 50%"] {
        let rule = format!("[[author]]\nauthors = ['bob']\n{line}\n");
        let text = rule.repeat(10_000);
        let began = Instant::now();
        let problems = crate::rules::language::file::read("a.toml", &text).problems;
        assert!(problems.len() >= 10_000);
        let drawn: usize = problems
            .iter()
            .map(|problem| render(problem, false).len())
            .sum();
        assert!(drawn > 0);
        let took = began.elapsed();
        assert!(
            took < Duration::from_secs(30),
            "{took:?} for {}",
            problems.len()
        );
    }
}
