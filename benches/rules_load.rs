//! How long it takes to load 10,000 rules from 1,000 files, and to load them again after one has changed: from the
//! folder to the set that blocks are held against. `cargo bench --bench rules_load`.

#![allow(clippy::print_stdout, reason = "a bench tells what it measured")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use curatord::clock::Clock;
use curatord::rules::files::folder;
use curatord::rules::files::library::{Library, parse};
use curatord::rules::files::snapshot::Reader;
use curatord::rules::set::RuleSet;

const FILES: usize = 1_000;
const RULES_PER_FILE: usize = 10;
const ROUNDS: usize = 15;

/// What loading and loading again may take.
const LOAD: Duration = Duration::from_millis(150);
const RELOAD: Duration = Duration::from_millis(20);

fn main() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    for file in 0..FILES {
        fs::write(path(root.path(), file), text(file, "50%"))?;
    }
    // Later than the files by so much that they are taken for finished.
    let now = Clock::system().now() + TimeDelta::hours(1);
    let mut loads = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut rules = Rules::new();
        let set = rules.load(root.path(), now)?;
        loads.push(start.elapsed());
        assert_eq!(
            set.map_or(0, |set| set.rules().len()),
            FILES * RULES_PER_FILE
        );
    }
    let mut rules = Rules::new();
    rules.load(root.path(), now)?;
    for (what, changed, weights) in [
        ("one of them changed", FILES / 2, ["51%", "52%"]),
        ("the lists that all of them use changed", 0, ["50%", "50%"]),
    ] {
        let mut reloads = Vec::new();
        for round in 0..ROUNDS {
            let mut text = text(changed, weights[round % 2]);
            if changed == 0 && round % 2 == 0 {
                text = text.replace("'friend'", "'friend', 'one.more'");
            }
            fs::write(path(root.path(), changed), text)?;
            let start = Instant::now();
            let set = rules.load(root.path(), now)?;
            reloads.push(start.elapsed());
            assert!(set.is_some(), "nothing has changed");
        }
        let aim = if changed == 0 { LOAD } else { RELOAD };
        tell(&format!("loading again after {what}"), reloads, aim);
    }
    tell(
        &format!("loading {} rules in {FILES} files", FILES * RULES_PER_FILE),
        loads,
        LOAD,
    );
    Ok(())
}

fn tell(what: &str, mut times: Vec<Duration>, aim: Duration) {
    times.sort();
    let verdict = if times[times.len() / 2] <= aim {
        "met"
    } else {
        "missed"
    };
    println!(
        "{what}: median {:.1?}, worst {:.1?}; the aim of {aim:?} is {verdict}",
        times[times.len() / 2],
        times[times.len() - 1]
    );
}

/// What the daemon keeps between two looks at the folder.
struct Rules {
    reader: Reader,
    library: Library,
}

impl Rules {
    fn new() -> Self {
        Self {
            reader: Reader::default(),
            library: Library::new(parse),
        }
    }

    fn load(&mut self, root: &Path, now: DateTime<Utc>) -> anyhow::Result<Option<Arc<RuleSet>>> {
        let files = folder::list(root)?;
        let snapshot = self.reader.read(&files, now);
        Ok(self.library.update(&Ok(snapshot), now).set)
    }
}

fn path(root: &Path, file: usize) -> std::path::PathBuf {
    root.join(format!("{file:04}.toml"))
}

/// A file as people write them: most keys here and there, some names, a list.
fn text(file: usize, weight: &str) -> String {
    let lists = if file == 0 {
        "[lists]\nfriends = ['friend', 'pal']\n"
    } else {
        ""
    };
    let mut text = format!(
        "# Rules of one curator\nvoters = ['voter{file}', 'second{file}']\ntimezone = 'Europe/Amsterdam'\n{lists}"
    );
    for rule in 0..RULES_PER_FILE {
        let number = file * RULES_PER_FILE + rule;
        text += &match rule % 3 {
            0 => format!(
                "\n[[author]]\nname = 'rule {rule}'\nauthors = ['author{number}', 'list:friends']\nweight = '{weight}'\n\
                 delay = '5m'\nlimit = {{ per_day = 2 }}\ntags = {{ none = ['nsfw'] }}\n"
            ),
            1 => format!(
                "\n[[author]]\nauthors = ['daily{number}', 'other{number}']\nweight = '{weight}'\nmax_age = '1d'\n\
                 schedule = {{ cron = '0 18 * * MON-FRI' }}\nmin_mana = '85%'\n"
            ),
            _ => format!(
                "\n[[trail]]\nleaders = ['leader{number}']\nweight = {{ scale = '{weight}', max = '40%' }}\ndelay = '30s'\n\
                 window = {{ from = '08:00', to = '22:00', days = ['sat', 'sun'] }}\n"
            ),
        };
    }
    text
}
