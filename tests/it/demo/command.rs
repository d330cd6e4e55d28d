//! The demo needs nothing but the program.

use super::program::Program;

fn is(what: &str) -> impl Fn(&str) -> bool {
    move |line| line.split_whitespace().nth(1) == Some(what)
}

#[test]
fn every_example_rule_votes_and_no_files_are_left() {
    let demo = Program::start(&["demo"]);
    let ended = demo.end();
    let lines = &ended.lines;
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.errors, "");
    assert_eq!(ended.left, Vec::<String>::new());
    for rule in [
        "downvotes.toml:against-spam",
        "favourites.toml:friends",
        "favourites.toml:photographers",
        "trail.toml:art",
        "trail.toml:curie",
    ] {
        let cast = lines.iter().filter(|line| is("cast")(line));
        assert!(
            cast.clone().any(|line| line.contains(rule)),
            "{rule}: {lines:#?}"
        );
    }
    let count = |what| lines.iter().filter(|line| is(what)(line)).count();
    assert_eq!(count("cast"), count("confirmed"), "{lines:#?}");
    let reasons = lines.iter().filter(|line| {
        line.contains("voted by hand") || line.contains("@curie no longer votes on it")
    });
    assert_eq!(reasons.count(), 2, "{lines:#?}");
    // A changed rule applies when the vote is due.
    let harbour = |line: &&String| is("cast")(line) && line.contains("the-harbour");
    assert!(
        lines
            .iter()
            .filter(harbour)
            .all(|line| line.contains(" 25% "))
    );
    let colours = lines.iter().any(|line| line.contains('\u{1b}'));
    assert!(!colours, "colours are for terminals");
}

#[test]
fn ctrl_c_and_sigterm_end_the_demo_with_a_summary_and_no_files_are_left() {
    for signal in ["INT", "TERM"] {
        let demo = Program::start(&["demo", "--forever"]);
        let lines = demo.lines_until(is("cast"));
        let left = std::fs::read_dir(demo.folder.path()).unwrap().count();
        assert_eq!(left, 1, "its temporary folder: {lines:#?}");
        demo.signal(signal);
        let ended = demo.end();
        assert!(ended.status.success(), "{signal}: {ended:?}");
        assert_eq!(ended.left, Vec::<String>::new(), "{signal}");
        let summary = ended.lines.iter().any(|line| line.contains("cast, "));
        assert!(summary, "{signal}: {ended:?}");
    }
}

#[test]
fn the_demo_ends_when_its_time_is_over() {
    let ended = Program::start(&["demo", "--for", "2s"]).end();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.left, Vec::<String>::new());
}
