//! The demo needs nothing but the program.

use super::program::Program;

fn is(what: &str) -> impl Fn(&str) -> bool {
    move |line| line.split_whitespace().nth(1) == Some(what)
}

/// The lines, each with the indented ones below it.
fn joined(lines: &[String]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    for line in lines {
        match whole.last_mut() {
            Some(above) if line.starts_with("          ") => {
                *above += &format!(" {}", line.trim());
            }
            _ => whole.push(line.clone()),
        }
    }
    whole
}

#[test]
fn every_example_rule_votes_and_no_files_are_left() {
    let demo = Program::start(&["demo"]);
    let ended = demo.end();
    let lines = &joined(&ended.lines);
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
    let wide = ended.lines.iter().filter(|line| line.chars().count() > 80);
    // A path cannot be broken.
    let wide: Vec<_> = wide.filter(|line| line.trim().contains(' ')).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    for word in ["queued", "confirmed", "withdrawn"] {
        let explained = lines.iter().position(|line| line.trim().starts_with(word));
        let shown = lines.iter().position(|line| is(word)(line));
        assert!(
            explained.is_some() && explained < shown,
            "{word}: {lines:#?}"
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
fn good_and_bad_saves_are_lines_of_the_table() {
    let demo = Program::start(&["demo", "--forever"]);
    demo.lines_until(is("posts"));
    let folder = std::fs::read_dir(demo.folder.path()).unwrap().next();
    let file = folder.unwrap().unwrap().path().join("rules/mine.toml");
    let rule = "voters = ['alice']\n[[author]]\nauthors = ['zoe']\nweight = '10%'\n";
    std::fs::write(&file, rule).unwrap();
    let lines = demo.lines_until(is("saved"));
    assert!(
        lines[lines.len() - 1].contains("mine.toml, 1 rule"),
        "{lines:#?}"
    );
    std::fs::write(&file, rule.replace("'10%'", "ten")).unwrap();
    let lines = demo.lines_until(is("mistake"));
    assert!(
        lines[lines.len() - 1].contains("mine.toml:4:10"),
        "{lines:#?}"
    );
    demo.signal("INT");
    let ended = demo.end();
    assert_eq!(ended.errors, "");
}

#[test]
fn the_demo_ends_when_its_time_is_over() {
    let ended = Program::start(&["demo", "--for", "2s"]).end();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.left, Vec::<String>::new());
}
