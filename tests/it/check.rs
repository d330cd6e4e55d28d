//! `curatord check` for its users.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::harness::command::{curatord, folder};

/// A complete configuration for `run`.
const CONFIG: &str = "rules = 'r'\n[signer]\nclient_id = 'my.app'\nclient_secret = 'x'\n";
const GOOD: &str = "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = '50%'\n";
const BAD: &str = "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = 50\n";
const DOUBTFUL: &str =
    "[[trail]]\nvoters = ['alice']\nleaders = ['alice', 'curie']\nweight = '1%'\n";

fn check(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = curatord(folder, &["check"]);
    command.args(arguments);
    command
}

fn stdout(output: &Output) -> String {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The lines that start with a position, and the last line.
fn findings(output: &Output) -> Vec<String> {
    let text = stdout(output);
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    let is_finding = |line: &&&str| line.contains(": error: ") || line.contains(": warning: ");
    let mut findings: Vec<_> = lines
        .iter()
        .filter(is_finding)
        .map(|line| line.to_string())
        .collect();
    findings.push(lines.last().unwrap().to_string());
    findings
}

#[test]
fn the_example_files_are_valid() {
    let rules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules");
    let output = check(&rules, &["."]);
    let text = stdout(&output);
    assert!(text.ends_with("files, no problems\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn an_error_is_shown_with_its_position_and_help() {
    let folder = folder(&[("rules/friends.toml", BAD)]);
    let output = check(folder.path(), &["rules"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(stdout(&output), @r#"
    rules/friends.toml:4:10: error: `weight` must be a percentage in quotes, not a whole number
       ╭────
     3 │ authors = ['bob']
     4 │ weight = 50
       ·          ──
       ╰────
      help: write `weight = "50%"`

    1 problem in 1 file
    "#);
}

#[test]
fn without_paths_the_configuration_and_its_rules_are_checked() {
    let folder = folder(&[
        ("curatord.toml", "rules = 'r'\n[network]\nkind = 'hvie'\n"),
        ("r/b.toml", BAD),
        ("r/a/z.toml", BAD),
        ("r/.hidden.toml", BAD),
        ("r/good.toml", GOOD),
    ]);
    let output = check(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        findings(&output),
        [
            "curatord.toml:3:8: error: `kind` must be hive or steem",
            "r/a/z.toml:4:10: error: `weight` must be a percentage in quotes, not a whole number",
            "r/b.toml:4:10: error: `weight` must be a percentage in quotes, not a whole number",
            "3 problems in 3 files",
        ]
    );
}

#[test]
fn the_configuration_file_can_be_given() {
    let folder = folder(&[("etc/c.toml", CONFIG), ("etc/r/a.toml", GOOD)]);
    let output = check(folder.path(), &["--config", "etc/c.toml"]);
    assert_eq!(findings(&output), ["1 rule in 1 file, no problems"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn with_a_path_only_that_is_checked_and_no_configuration_is_required() {
    let folder = folder(&[
        ("curatord.toml", "nonsense"),
        ("a.toml", GOOD),
        ("rules/b.toml", BAD),
    ]);
    let output = check(folder.path(), &["a.toml"]);
    assert_eq!(findings(&output), ["1 rule in 1 file, no problems"]);
    assert_eq!(output.status.code(), Some(0));
    let output = check(folder.path(), &["a.toml", "rules"]);
    assert_eq!(findings(&output).last().unwrap(), "1 problem in 1 file");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn warnings_are_printed_and_exit_with_0() {
    let folder = folder(&[("a.toml", DOUBTFUL)]);
    let output = check(folder.path(), &["a.toml"]);
    assert_eq!(
        findings(&output),
        [
            "a.toml:3:12: warning: `alice` is both a leader and a voter of this trail",
            "1 rule in 1 file, 1 warning",
        ]
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_missing_path_is_a_problem_and_the_others_are_checked() {
    let folder = folder(&[("a.toml", "weight =")]);
    let output = check(folder.path(), &["nowhere", "a.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let found = findings(&output);
    assert_eq!(found[0], "nowhere: error: there is no such file or folder");
    assert!(found[1].starts_with("a.toml:1:8: error: "), "{found:?}");
    assert_eq!(output.stderr, b"");
    assert_eq!(check(folder.path(), &["--nonsense"]).status.code(), Some(2));
}

#[test]
fn a_missing_rules_folder_is_a_problem() {
    let folder = folder(&[("curatord.toml", CONFIG)]);
    let output = check(folder.path(), &[]);
    assert_eq!(
        findings(&output),
        [
            "r: error: the rules folder does not exist",
            "1 problem in 1 file"
        ]
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_file_in_place_of_the_rules_folder_is_a_problem_with_the_setting_that_names_it() {
    let config = CONFIG.replace("'r'", "'curatord.toml'");
    let folder = folder(&[("curatord.toml", &config)]);
    let said = stdout(&check(folder.path(), &[]));
    assert!(
        said.contains("curatord.toml: error: the rules folder is a file")
            && said.contains("set `rules` in curatord.toml to the folder"),
        "{said}"
    );
    let mut command = command(folder.path(), &[]);
    let said = stdout(&command.env("CURATORD_RULES", "nowhere").output().unwrap());
    assert!(
        said.contains("nowhere: error: the rules folder does not exist")
            && said.contains("create it, or set CURATORD_RULES to another folder"),
        "{said}"
    );
}

#[test]
fn settings_that_run_refuses_are_problems_and_missing_ones_are_warnings() {
    let folder = folder(&[("r/a.toml", GOOD), ("secret", "\n"), ("two", "a\nb\n")]);
    let signer = |lines: &str| format!("rules = 'r'\n[signer]\n{lines}\n");
    let id = "client_id = 'my.app'";
    for (lines, problem) in [
        ("", "signer.client_id and signer.client_secret are not set"),
        (
            "client_id = ''\nclient_secret = 'x'",
            "signer.client_id is not set",
        ),
        (id, "signer.client_secret is not set"),
        (
            "client_id = 'my.app'\nclient_secret_file = 'secret'",
            "signer.client_secret is not set",
        ),
        (
            "client_id = 'my.app'\nclient_secret_file = 'two'",
            "the file that `client_secret_file` names holds more than one line",
        ),
        (
            "client_id = 'My App'\nclient_secret = 'x'",
            "`client_id` is not the name of an account",
        ),
        (
            "url = 'https://hivesigner.com/api/'\nclient_id = 'my.app'\nclient_secret = 'x'",
            "this is the address of the signer's API: `/api` is added to it",
        ),
    ] {
        fs::write(folder.path().join("curatord.toml"), signer(lines)).unwrap();
        let output = check(folder.path(), &[]);
        let found = findings(&output);
        assert_eq!(found.len(), 2, "{lines}: {found:?}");
        assert!(found[0].starts_with("curatord.toml:"), "{found:?}");
        assert!(found[0].contains(problem), "{lines}: {found:?}");
        // The daemon's environment may contain it.
        let lacks = problem.contains("not set");
        assert_eq!(found[0].contains("warning: "), lacks, "{found:?}");
        assert_eq!(output.status.code(), Some(if lacks { 0 } else { 1 }));
    }
}

#[test]
fn without_a_configuration_check_lists_the_searched_paths_and_checks_the_rules() {
    let folder = folder(&[("rules/a.toml", BAD)]);
    let output = check(folder.path(), &[]);
    let found = findings(&output);
    assert!(
        found[0].contains(
            "no configuration found (looked for ./curatord.toml and /etc/curatord/curatord.toml)"
        ),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("rules/a.toml:4:10: error: "),
        "{found:?}"
    );
    assert_eq!(output.status.code(), Some(1));
    let elsewhere = tempfile::tempdir().unwrap();
    let output = check(elsewhere.path(), &[]);
    let found = findings(&output);
    assert!(
        found[1].contains("the rules folder does not exist"),
        "{found:?}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn without_a_configuration_no_command_creates_a_database() {
    let folder = folder(&[("t.json", "[]"), ("rules/a.toml", GOOD)]);
    let commands = [
        &["run"][..],
        &["vote", "@bob/x", "--voter", "alice", "--weight", "1%"],
        &["explain", "@bob/x"],
        &["auth", "list"],
        &["auth", "import", "t.json"],
    ];
    for arguments in commands {
        let output = curatord(folder.path(), arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.starts_with("error: no configuration found"),
            "{arguments:?}: {said}"
        );
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
    }
    assert!(!folder.path().join("curatord.db").exists());
    // The environment can replace the whole configuration.
    let mut list = curatord(folder.path(), &["auth", "list"]);
    let output = list
        .env("CURATORD_DATABASE__URL", "sqlite://own.db")
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no database of curatord at own.db"), "{said}");
    assert!(!folder.path().join("own.db").exists());
}

#[test]
fn a_file_that_cannot_be_read_does_not_hide_the_others() {
    let folder = folder(&[("r/a.toml", "a = 1"), ("r/b.toml", BAD)]);
    fs::write(folder.path().join("r/a.toml"), b"\xff\xfe").unwrap();
    let found = findings(&check(folder.path(), &["r"]));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("r/a.toml:1:1: error: this is not UTF-8"),
        "{found:?}"
    );
    assert_eq!(found[2], "2 problems in 2 files");
}

#[test]
fn colour_is_for_terminals() {
    let folder = folder(&[("a.toml", BAD)]);
    assert!(!stdout(&check(folder.path(), &["a.toml"])).contains('\x1b'));
}

#[test]
fn an_undefined_list_is_a_warning_for_some_files_and_an_error_for_all() {
    const USES: &str = "voters = ['list:us']\n";
    const DEFINES: &str = "[lists]\nus = ['alice']\n";
    let folder = folder(&[("rules/a.toml", USES), ("rules/lists.toml", DEFINES)]);
    let config = CONFIG.replace("'r'", "'rules'");
    fs::write(folder.path().join("curatord.toml"), config).unwrap();
    for (arguments, findings_are, exit) in [
        (
            &[][..],
            &[
                "rules: warning: there are no rules: nothing is ever voted on",
                "0 rules in 2 files, 1 warning",
            ][..],
            0,
        ),
        (
            &["rules"],
            &[
                "rules: warning: there are no rules: nothing is ever voted on",
                "0 rules in 2 files, 1 warning",
            ],
            0,
        ),
        (
            &["rules/a.toml"],
            &[
                "rules/a.toml:1:11: warning: none of the files checked defines the list `us`",
                "0 rules in 1 file, 1 warning",
            ],
            0,
        ),
    ] {
        let output = check(folder.path(), arguments);
        assert_eq!(findings(&output), findings_are, "{arguments:?}");
        assert_eq!(output.status.code(), Some(exit));
    }
    fs::remove_file(folder.path().join("rules/lists.toml")).unwrap();
    let output = check(folder.path(), &[]);
    assert_eq!(
        findings(&output),
        [
            "rules/a.toml:1:11: error: there is no list `us`",
            "1 problem in 1 file"
        ]
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_misspelled_list_name_suggests_the_right_one() {
    let folder = folder(&[(
        "a.toml",
        "voters = ['list:freinds']\n[lists]\nfriends = ['alice']\n",
    )]);
    let text = stdout(&check(folder.path(), &["a.toml"]));
    assert!(
        text.contains("help: did you mean \"list:friends\"? If not, another file may"),
        "{text}"
    );
}

#[test]
fn an_expired_rule_is_a_warning_unless_it_is_disabled() {
    let on = format!("{GOOD}expires = 2020-02-01\n");
    let off = format!("{on}enabled = false\n");
    let later = format!("{GOOD}expires = 9999-12-31\n");
    let folder = folder(&[
        ("r/on.toml", &on),
        ("r/off.toml", &off),
        ("r/z.toml", &later),
    ]);
    fs::write(folder.path().join("curatord.toml"), CONFIG).unwrap();
    for arguments in [&[][..], &["r"], &["r/on.toml", "r/off.toml", "r/z.toml"]] {
        let output = check(folder.path(), arguments);
        assert_eq!(
            findings(&output)[0],
            "r/on.toml:5:11: warning: this rule never votes: it expired at 2020-02-01 00:00:00 UTC"
        );
        assert_eq!(findings(&output).len(), 2);
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn a_file_that_is_not_a_rule_file_is_reported_in_a_full_sentence() {
    let folder = folder(&[]);
    let huge = fs::File::create(folder.path().join("huge.toml")).unwrap();
    huge.set_len((16 << 20) + 1).unwrap();
    for (path, message) in [
        (
            "huge.toml",
            "the file is larger than 16 MiB: split it into several files",
        ),
        (
            "/dev/null",
            "this is not a regular file: put a text file in its place",
        ),
    ] {
        let found = findings(&check(folder.path(), &[path]));
        assert_eq!(found[0], format!("{path}: error: {message}"));
    }
}

#[test]
fn no_command_shows_a_value_of_the_configuration() {
    let folder = folder(&[("r/a.toml", GOOD)]);
    for config in [
        "rules = 'r'\n[signer]\nclient_id = 'my.app'\nclient_secret = hunter2\n",
        "rules = 'r'\n[signer]\nclient_secret_file = 'hunter2'\n",
        "rules = 'r'\n[database]\nurl = 'mysql://u:hunter2@localhost'\n",
        "rules = 'r'\n[network]\nkind = 'hunter2'\n# hunter2\n",
    ] {
        fs::write(folder.path().join("curatord.toml"), config).unwrap();
        for arguments in [
            &["check"][..],
            &["run"],
            &["explain", "@bob/x"],
            &["check", "curatord.toml"],
            &["test", "curatord.toml"],
        ] {
            let output = curatord(folder.path(), arguments).output().unwrap();
            let (out, err) = (
                String::from_utf8(output.stdout).unwrap(),
                String::from_utf8(output.stderr).unwrap(),
            );
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {out}{err}");
            assert!(
                !format!("{out}{err}").contains("hunter2"),
                "{arguments:?}: {out}{err}"
            );
            assert!(
                format!("{out}{err}").contains("curatord.toml:"),
                "{arguments:?}: {out}{err}"
            );
        }
    }
}

#[test]
fn a_configuration_among_the_rules_is_named_and_not_drawn() {
    let folder = folder(&[
        ("rules/good.toml", GOOD),
        ("etc/c.toml", "[signer]\nclient_secret = 'hunter2'\n"),
    ]);
    let link = folder.path().join("rules/c.toml");
    std::os::unix::fs::symlink(folder.path().join("etc/c.toml"), link).unwrap();
    let output = check(folder.path(), &["rules"]);
    insta::assert_snapshot!(stdout(&output), @r"
    rules/c.toml:1:2: error: `signer` belongs in curatord.toml, not here
      help: this looks like curatord.toml: check that with `curatord check --config FILE`

    1 problem in 1 file
    ");
}

#[test]
fn a_copy_that_synchronisation_made_is_left_out_with_a_warning() {
    let folder = folder(&[
        ("r/a.toml", GOOD),
        ("r/a.sync-conflict-20260102-101010-ABCDEFG.toml", BAD),
    ]);
    let output = check(folder.path(), &["r"]);
    assert_eq!(
        findings(&output),
        [
            "r/a.sync-conflict-20260102-101010-ABCDEFG.toml: warning: this copy of a rule file is not read",
            "1 rule in 1 file, 1 warning",
        ]
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_key_below_the_header_of_another_section_names_where_it_belongs() {
    let folder = folder(&[("r/a.toml", GOOD)]);
    for (config, help) in [
        (
            "[database]\nclient_id = 'my.app'\n",
            "`client_id` stands below `[database]`: move this line below the header `[signer]`",
        ),
        (
            "[http]\nlisten = ''\nrules = 'r'\n",
            "`rules` stands below `[http]`: move this line up, above all headers",
        ),
        (
            "nodes = ['https://api.hive.blog']\n",
            "move this line below the header `[network]`",
        ),
    ] {
        fs::write(folder.path().join("curatord.toml"), config).unwrap();
        let said = stdout(&check(folder.path(), &[]));
        assert!(said.contains(help), "{config}: {said}");
    }
}
