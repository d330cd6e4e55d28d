//! Rule files, read alone and together.

use curatord::diagnostic::Problem;
use curatord::diagnostic::render::render;
use curatord::rules::language::file::read;
use fastrand::Rng;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::toml_text::mutated;
use super::{assert_harmless, assert_lines_harmless, fuzz};
use crate::rules::generated;

/// A generated file from these random numbers.
fn generated_file(rng: &mut Rng) -> String {
    let mut seed = [0; 32];
    rng.fill(&mut seed);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    generated::file().new_tree(&mut runner).unwrap().current()
}

/// Everything that is said of a file is harmless, and every place lies in it. What is underlined does too: the report
/// asserts that in builds for tests.
fn assert_told_well(text: &str, problems: &[Problem]) {
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in problems {
        assert_harmless(&problem.to_string());
        assert_lines_harmless(&render(problem, false));
        let Some(position) = problem.plain.position else {
            continue;
        };
        let line = lines
            .get(position.line - 1)
            .unwrap_or_else(|| panic!("{problem}"));
        assert!(position.column <= line.chars().count() + 1, "{problem}");
    }
}

#[test]
fn rule_files_of_any_content_are_read_and_every_place_lies_in_them() {
    let make = |rng: &mut Rng| mutated(&generated_file(rng), rng);
    fuzz(make, |text| {
        let checked = read("a.toml", &text);
        assert_told_well(&text, &checked.problems);
        for header in checked.headers {
            assert!(text.get(header.clone()).is_some(), "{header:?}");
        }
        for (_, place) in checked.expiries {
            assert!(text.get(place.clone()).is_some(), "{place:?}");
        }
        assert!(
            checked
                .rules
                .iter()
                .all(|rule| rule.id.to_string().starts_with("a.toml:"))
        );
    });
}
