//! Problems reported for invalid and doubtful files.

use curatord::diagnostic::Problem;
use curatord::rules::files::read;

use super::files;

/// Each file of a folder, followed by one line per problem: position, message and help.
fn problems_in(folder: &str, also: impl Fn(&str, &[Problem])) -> String {
    let mut text = String::new();
    for (name, path, _) in files(folder) {
        let problems = read::read(&path).problems;
        also(&name, &problems);
        text += &format!("{name}\n");
        for problem in problems {
            let severity = if problem.is_error() { "" } else { "warning: " };
            let problem = problem.plain;
            let place = problem
                .position
                .map(|at| format!("{at}: "))
                .unwrap_or_default();
            let help = problem.help.as_deref();
            let help = help
                .map(|help| help.replace(&format!("{}/", path.parent().unwrap().display()), ""));
            text += &format!("  {place}{severity}{}\n", problem.message);
            text += &format!("      {}\n", help.expect("help"));
        }
    }
    text
}

#[test]
fn every_error_has_a_position_a_message_and_help() {
    let text = problems_in("tests/rules/bad", |name, problems| {
        assert!(
            problems.iter().any(Problem::is_error),
            "{name} is taken for good"
        );
    });
    insta::assert_snapshot!("bad", text);
}

#[test]
fn doubtful_rules_are_warnings() {
    let text = problems_in("tests/rules/doubtful", |name, problems| {
        assert!(!problems.is_empty(), "nothing is said of {name}");
        assert!(
            !problems.iter().any(Problem::is_error),
            "{name}: {problems:?}"
        );
    });
    insta::assert_snapshot!("doubtful", text);
}

#[test]
fn valid_files_have_no_problems() {
    for folder in ["tests/rules/good", "rules"] {
        problems_in(folder, |name, problems| assert_eq!(problems, [], "{name}"));
    }
}
