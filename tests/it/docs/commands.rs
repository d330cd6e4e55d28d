//! Commands in `sh` blocks are commands, with options that they have.

use clap::Parser;
use curatord::cli::Cli;

use super::page::{Block, Page, root};
use super::tables::settings;

/// Commands of others.
const OTHERS: [&str; 8] = [
    "curl",
    "git",
    "install",
    "rm",
    "systemctl",
    "cargo",
    "umask",
    "useradd",
];

#[test]
fn every_command_is_understood() {
    let mut ours = 0;
    for page in Page::all() {
        for block in page.blocks() {
            if block.info == "sh" {
                let commands = block.text.lines().flat_map(commands);
                ours += commands.filter(|words| understand(words, &block)).count();
            }
        }
    }
    assert!(ours > 20, "the commands are not found");
}

/// Whether it is one of ours.
///
/// # Panics
/// It is not a command, or does not take such arguments.
fn understand(words: &[String], block: &Block) -> bool {
    let is_setting = |word: &&String| {
        word.split_once('=')
            .is_some_and(|(name, _)| !name.is_empty())
    };
    let set = words.iter().take_while(is_setting);
    for variable in set.clone() {
        let name = variable.split('=').next().unwrap_or_default();
        let key = name.strip_prefix("CURATORD_").unwrap_or_default();
        let key = key.replace("__", ".").to_lowercase();
        let is_known = settings().iter().any(|(known, _)| *known == key);
        assert!(is_known, "{}: {variable}", block.place);
    }
    let words = &words[set.count()..];
    let [command, arguments @ ..] = words else {
        return false;
    };
    let parse = |arguments: &[String]| {
        let all = ["curatord".to_owned()]
            .into_iter()
            .chain(arguments.to_vec());
        if let Err(error) = Cli::try_parse_from(all) {
            assert!(!error.use_stderr(), "{}: {error}", block.place);
        }
        true
    };
    match (command.as_str(), arguments) {
        ("curatord" | "target/release/curatord", arguments) => parse(arguments),
        ("runuser", [_, _, dashes, program, arguments @ ..]) if dashes == "--" => {
            assert_eq!(program, "curatord", "{}", block.place);
            parse(arguments)
        }
        ("cargo", [run, .., dashes, _]) if run == "run" && dashes == "--" => {
            parse(&arguments[arguments.len() - 1..])
        }
        (command, arguments) if OTHERS.contains(&command) => {
            for file in arguments
                .iter()
                .filter(|file| file.starts_with("packaging/"))
            {
                assert!(root().join(file).exists(), "{}: {file}", block.place);
            }
            false
        }
        (script, _) if script.contains('/') => {
            assert!(root().join(script).exists(), "{}: {script}", block.place);
            false
        }
        (other, _) => panic!("{}: {other} is not a known command", block.place),
    }
}

/// The commands of a line as a shell takes them apart, without redirections and comments.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut redirected = false;
    for word in words(line) {
        match word.as_str() {
            "&&" | "||" | "|" | ";" => commands.push(Vec::new()),
            ">" | ">>" | "<" => redirected = true,
            _ if std::mem::take(&mut redirected) => {}
            _ => commands.last_mut().expect("one").push(word),
        }
    }
    commands.retain(|words| !words.is_empty());
    commands
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c == '#' && word.is_none() => break,
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn lines_are_taken_apart_as_a_shell_does() {
    let line = "A=b x --at \"one two\" > file && y 'z' # said";
    let apart = commands(line);
    assert_eq!(apart, [vec!["A=b", "x", "--at", "one two"], vec!["y", "z"]]);
}
