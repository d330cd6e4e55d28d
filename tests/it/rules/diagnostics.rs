//! What is said of files that have something wrong with them.

use curatord::diagnostic::Problem;
use curatord::rules::files::read;

use super::files;

/// Each file of a folder, and below it a line for each problem: its place, what is wrong, what to write.
fn told_of(folder: &str, also: impl Fn(&str, &[Problem])) -> String {
    let mut told = String::new();
    for (name, path, _) in files(folder) {
        let problems = read::read(&path).problems;
        also(&name, &problems);
        told += &format!("{name}\n");
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
            told += &format!("  {place}{severity}{}\n", problem.message);
            told += &format!("      {}\n", help.expect("help"));
        }
    }
    told
}

#[test]
fn every_mistake_is_named_in_its_place_with_what_to_write_instead() {
    let told = told_of("tests/rules/bad", |name, problems| {
        assert!(
            problems.iter().any(Problem::is_error),
            "{name} is taken for good"
        );
    });
    insta::assert_snapshot!("bad", told);
}

#[test]
fn what_hardly_means_what_it_says_is_warned_of() {
    let told = told_of("tests/rules/doubtful", |name, problems| {
        assert!(!problems.is_empty(), "nothing is said of {name}");
        assert!(
            !problems.iter().any(Problem::is_error),
            "{name}: {problems:?}"
        );
    });
    insta::assert_snapshot!("doubtful", told);
}

#[test]
fn of_good_files_nothing_is_said() {
    for folder in ["tests/rules/good", "rules"] {
        told_of(folder, |name, problems| assert_eq!(problems, [], "{name}"));
    }
}
