//! `curatord sandbox`: a simulated chain and signer for trying rules.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use crate::cli::arguments;
use crate::cli::output::unless_closed;
use crate::cli::program;
use crate::cli::stop::StopSignals;
use crate::network::ChainKind;
use crate::sandbox::chain::Chain;
use crate::sandbox::chain::operation::Operation;
use crate::sandbox::scenario::Scenario;
use crate::sandbox::{REDIRECT_URI, Sandbox, SandboxConfig};
use crate::weight::Weight;

/// Simulate a chain and a signer, to try rules without account, network or risk
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// The chain to simulate
    #[arg(long, value_enum, value_name = "CHAIN", default_value = "hive")]
    kind: ChainKind,
    /// Folder for curatord.toml, tokens.json and example rules
    #[arg(long, value_name = "FOLDER", default_value = "sandbox")]
    dir: PathBuf,
    /// Address of the node API; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Address of the signer API; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    signer_listen: SocketAddr,
    /// Address to which people are sent back after they agreed to the application; may be repeated
    #[arg(long, value_name = "URL", default_value = REDIRECT_URI)]
    redirect_uri: Vec<String>,
    /// Time between blocks, such as 3s or 500ms
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration)]
    block_interval: Duration,
    /// Average time between posts, votes or comments
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pace: Duration,
    /// Accounts that vote through curatord
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_value = "alice,alice.art", value_parser = name)]
    voters: Vec<String>,
    /// Accounts that publish posts
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_value = "bob,carol,photo.daily", value_parser = name)]
    authors: Vec<String>,
    /// Accounts whose votes trails follow
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_value = "curie", value_parser = name)]
    leaders: Vec<String>,
    /// Seed of the random activity
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// First line of a `curatord.toml` that the sandbox may overwrite.
const OURS: &str = "# Written by `curatord sandbox` at every start: changes are lost.\n";

/// Database beside the configuration. It is removed at each start, since each start is a new chain.
const DATABASE: &str = "sandbox.db";
const SETTINGS: &str = "curatord.toml";
const TOKENS: &str = "tokens.json";

/// Runs until Ctrl-C or SIGTERM.
///
/// # Errors
/// An address is not available, the folder cannot be written, or the output cannot be written.
pub async fn run(args: SandboxArgs) -> anyhow::Result<()> {
    let mut signals = StopSignals::of_terminal()?;
    let config = SandboxConfig {
        block_interval: Some(args.block_interval),
        nodes: vec![args.listen],
        signer: args.signer_listen,
        redirect_uris: args.redirect_uri.clone(),
        ..SandboxConfig::new(args.kind)
    };
    let sandbox = Sandbox::start(config).await.context(
        "the sandbox cannot listen on its addresses; try another --listen or --signer-listen",
    )?;
    let sandbox = Arc::new(sandbox);
    let settings = write_files(&args, &sandbox)
        .with_context(|| format!("cannot prepare the folder {}", args.dir.display()))?;
    let mut out = io::stdout();
    out.write_all(instructions(&args.dir, &settings, &program::name()).as_bytes())
        .context("cannot print the instructions")?;

    let scenario = Scenario {
        authors: args.authors,
        leaders: args.leaders,
        voters: args.voters,
        pace: args.pace,
        seed: args.seed,
        ..Scenario::default()
    };
    let ended = tokio::select! {
        () = scenario.run(Arc::clone(&sandbox)) => Ok(()),
        ended = report(&sandbox, &mut out) => ended,
        () = signals.next() => Ok(()),
    };
    if let Some(sandbox) = Arc::into_inner(sandbox) {
        sandbox.shutdown().await;
    }
    unless_closed(ended).context("cannot print the blocks")
}

/// Writes the configuration, new tokens and, if there are no rules, example rules. Returns the text of the
/// configuration.
fn write_files(args: &SandboxArgs, sandbox: &Sandbox) -> anyhow::Result<String> {
    let settings = args.dir.join(SETTINGS);
    match fs::read_to_string(&settings) {
        Ok(text) if !text.starts_with(OURS) => bail!(
            "{} was not written by a sandbox; choose another folder with --dir",
            settings.display()
        ),
        _ => {}
    }
    let rules = args.dir.join("rules");
    if !rules.exists() {
        fs::create_dir_all(&rules)?;
        let example = example_rules(&args.voters, &args.authors, &args.leaders);
        fs::write(rules.join("example.toml"), example)?;
    }
    for leftover in ["", "-wal", "-shm"] {
        // Usually there is none.
        let _ = fs::remove_file(args.dir.join(format!("{DATABASE}{leftover}")));
    }
    let toml = sandbox.curatord_toml("rules", &format!("sqlite://{DATABASE}"));
    let text = format!("{OURS}{toml}");
    write_private(&settings, &text)?;
    let voters: Vec<&str> = args.voters.iter().map(String::as_str).collect();
    write_private(&args.dir.join(TOKENS), &sandbox.tokens_json(&voters))?;
    Ok(text)
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // An existing file would keep its permissions.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// The instructions that are printed at the start.
fn instructions(dir: &Path, settings: &str, program: &str) -> String {
    let config = program::path(&dir.join(SETTINGS));
    let tokens = program::path(&dir.join(TOKENS));
    let rules = program::path(&dir.join("rules"));
    format!(
        "{settings}\n\
         This is the configuration in {config}. In another terminal, import the voters' tokens and start the daemon:\n\
         \n    {program} --config {config} auth import {tokens}\
         \n    {program} --config {config} run\n\
         \nThe rules are in {rules}; the daemon applies changes when you save a file.\n\
         Each start of the sandbox is a new chain. Press Ctrl-C to stop it.\n\n"
    )
}

fn example_rules(voters: &[String], authors: &[String], leaders: &[String]) -> String {
    // The quotes of `Debug` are those of TOML, since account names are plain ASCII.
    format!(
        "# curatord applies changes when you save this file.\n\
         voters = {voters:?}\n\
         \n\
         [[author]]\n\
         name = \"favourites\"\n\
         authors = {authors:?}\n\
         weight = \"50%\"\n\
         delay = \"5s\"\n\
         \n\
         [[trail]]\n\
         name = \"follow\"\n\
         leaders = {leaders:?}\n\
         weight = {{ scale = \"50%\", max = \"40%\" }}\n\
         delay = \"2s\"\n"
    )
}

/// Prints a line for every block, and below it a line for every operation.
async fn report(sandbox: &Sandbox, out: &mut impl Write) -> io::Result<()> {
    let mut next = sandbox.with_chain(|chain| chain.head().num);
    loop {
        let lines = sandbox.with_chain(|chain| describe(chain, &mut next));
        out.write_all(lines.as_bytes())?;
        while !sandbox.wait_for_block(next, Duration::from_secs(60)).await {}
    }
}

/// Describes the blocks from `next` on, and advances `next` past them.
fn describe(chain: &Chain, next: &mut u32) -> String {
    let mut lines = String::new();
    while let Some(block) = chain.block(*next) {
        *next += 1;
        let time = block.timestamp.format("%H:%M:%S");
        lines += &format!("{time}  block {}\n", block.num);
        for (_, operation) in block.operations() {
            if let Some(line) = describe_operation(operation) {
                lines += &format!("            {line}\n");
            }
        }
    }
    lines
}

fn describe_operation(operation: &Operation) -> Option<String> {
    let line = match operation {
        Operation::Vote(vote) => {
            let weight = Weight::from_hundredths(vote.weight.into())?;
            format!("@{} votes {weight} on {}", vote.voter, vote.post)
        }
        Operation::Comment(comment) => match &comment.parent {
            None => format!("@{} publishes {}", comment.post.author, comment.post),
            Some(parent) => format!("@{} comments on {parent}", comment.post.author),
        },
        Operation::DeleteComment(post) => format!("@{} deletes {post}", post.author),
        Operation::CommentOptions { .. } | Operation::Other { .. } => return None,
    };
    Some(line)
}

/// Parses an account name.
fn name(text: &str) -> Result<String, String> {
    arguments::account(text).map(|account| account.to_string())
}

/// Parses `3s` or `500ms`: 10 ms to 1 hour.
fn duration(text: &str) -> Result<Duration, String> {
    let form = "write a duration such as 3s or 500ms";
    let (number, unit) = text
        .strip_suffix("ms")
        .map(|number| (number, 1))
        .or_else(|| text.strip_suffix('s').map(|number| (number, 1000)))
        .ok_or(form)?;
    let number: u64 = number.trim().parse().map_err(|_| form)?;
    match number.saturating_mul(unit) {
        millis @ 10..=3_600_000 => Ok(Duration::from_millis(millis)),
        _ => Err("must be 10ms to 3600s".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use clap::Parser;

    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_range() {
        assert_eq!(duration("3s"), Ok(Duration::from_secs(3)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["3", "0s", "1h", "-1s", "5ms"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn account_names_are_normalised_and_checked() {
        let parse = |voters: &str| Command::try_parse_from(["sandbox", "--voters", voters]);
        let voters = parse("@Alice,bob").unwrap().args.voters;
        assert_eq!(voters, ["alice", "bob"]);
        for wrong in ["x!", "alice,", "alice,al"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_example_rules_are_valid_toml() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let text = example_rules(
            &names(&["alice", "alice.art"]),
            &names(&["bob"]),
            &names(&["curie"]),
        );
        let read: toml::Value = toml::from_str(&text).unwrap();
        assert_eq!(read["voters"][1].as_str(), Some("alice.art"));
        assert_eq!(read["trail"][0]["leaders"][0].as_str(), Some("curie"));
    }

    #[tokio::test]
    async fn every_start_rewrites_the_folder_and_keeps_the_rules() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("try");
        let args = SandboxArgs::parse_from(&dir);
        for start in ["first", "second"] {
            let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive))
                .await
                .unwrap();
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("sandbox.db"), "of the chain before").unwrap();
            if start == "first" {
                fs::write(dir.join("tokens.json"), "readable by all").unwrap();
            }
            write_files(&args, &sandbox).unwrap();
            let settings = fs::read_to_string(dir.join("curatord.toml")).unwrap();
            assert!(
                settings.contains(&sandbox.node_url()),
                "{start}: {settings}"
            );
            assert!(!dir.join("sandbox.db").exists());
            let tokens = fs::read_to_string(dir.join("tokens.json")).unwrap();
            assert!(tokens.contains("alice.art"), "{tokens}");
            let mode = dir.join("tokens.json").metadata().unwrap().mode();
            assert_eq!(mode & 0o777, 0o600);
            if start == "first" {
                fs::write(dir.join("rules/example.toml"), "# mine").unwrap();
            }
        }
        let rules = fs::read_to_string(dir.join("rules/example.toml")).unwrap();
        assert_eq!(rules, "# mine");
    }

    #[tokio::test]
    async fn the_configuration_of_a_real_daemon_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("curatord.toml");
        fs::write(&settings, "rules = \"rules\"").unwrap();
        let args = SandboxArgs::parse_from(folder.path());
        let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive))
            .await
            .unwrap();
        let error = write_files(&args, &sandbox).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("choose another folder with --dir"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&settings).unwrap(), "rules = \"rules\"");
    }

    #[derive(Debug, clap::Parser)]
    struct Command {
        #[command(flatten)]
        args: SandboxArgs,
    }

    impl SandboxArgs {
        fn parse_from(dir: &Path) -> Self {
            let dir = dir.as_os_str().to_owned();
            Command::parse_from(["sandbox".into(), "--dir".into(), dir]).args
        }
    }
}
