//! Rule files that someone saves while the demo runs, and what the daemon makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::counted;
use crate::rules;

/// The texts of the rule files, by name.
type Texts = BTreeMap<String, String>;

/// The rules folder, as it was at the last look.
pub struct Saves {
    folder: PathBuf,
    told: Texts,
    before: Texts,
}

/// A save, described for people.
#[derive(Debug, PartialEq)]
pub struct Save {
    pub is_good: bool,
    pub text: String,
}

impl Saves {
    /// Tells of what changes from now on.
    pub fn of(folder: &Path) -> Self {
        let now = texts(folder);
        Self {
            folder: folder.to_owned(),
            told: now.clone(),
            before: now,
        }
    }

    /// The saves since the last look. A file counts as saved when two looks have found the same text.
    pub fn look(&mut self) -> Vec<Save> {
        let now = texts(&self.folder);
        let is_being_written = now != self.before;
        self.before = now;
        if is_being_written || self.before == self.told {
            return Vec::new();
        }
        let was = std::mem::replace(&mut self.told, self.before.clone());
        let read = rules::files::read::read(&self.folder);
        let errors = read.problems.iter().filter(|problem| problem.is_error());
        let folder = format!("{}/", self.folder.display());
        let errors: Vec<String> = errors
            .map(|problem| problem.to_string().replace(&folder, ""))
            .collect();
        let mut saves = Vec::new();
        for name in was.keys().filter(|name| !self.told.contains_key(*name)) {
            saves.push(good(format!("{name} was removed with its rules")));
        }
        for (name, text) in &self.told {
            let old = was.get(name);
            if old == Some(text) {
                continue;
            }
            let of_file = format!("{name}:");
            let error = errors.iter().find(|error| error.starts_with(&of_file));
            saves.push(match error {
                Some(error) => Save {
                    is_good: false,
                    text: format!("{error}; its rules stay as they were"),
                },
                None => {
                    let rules = read.rules.iter();
                    let count = rules.filter(|rule| rule.id.as_str().starts_with(&of_file));
                    let rules = counted(count.count(), "rule");
                    let change = old.and_then(|old| changed_line(old, text));
                    let change = change
                        .map(|change| format!(": {change}"))
                        .unwrap_or_default();
                    good(format!("{name}, {rules}{change}; queued votes follow"))
                }
            });
        }
        saves
    }
}

fn good(text: String) -> Save {
    Save {
        is_good: true,
        text,
    }
}

/// `weight = "50%" is now weight = "25%"`, if nothing else has changed.
fn changed_line(old: &str, new: &str) -> Option<String> {
    if old.lines().count() != new.lines().count() {
        return None;
    }
    let mut changes = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
    let (old, new) = changes.next()?;
    let change = format!("{} is now {}", old.trim(), new.trim());
    changes.next().is_none().then_some(change)
}

/// Files that cannot be read are left out; the daemon's next look finds them.
fn texts(folder: &Path) -> Texts {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.ends_with(".toml") && !name.starts_with('.');
        let text = is_ours.then(|| fs::read_to_string(entry.path()).ok())??;
        Some((name, text))
    });
    files.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRIENDS: &str = "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '50%'\n";

    /// What is told after a file was saved.
    fn told(saves: &mut Saves) -> Vec<(bool, String)> {
        assert_eq!(saves.look(), [], "it may be written further");
        let told = saves.look();
        assert_eq!(saves.look(), [], "each save is told once");
        told.into_iter()
            .map(|save| (save.is_good, save.text))
            .collect()
    }

    #[test]
    fn good_and_bad_saves_are_told_once_with_what_they_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("friends.toml");
        fs::write(&file, FRIENDS).unwrap();
        let mut saves = Saves::of(folder.path());
        assert_eq!(saves.look(), []);
        fs::write(&file, FRIENDS.replace("50%", "25%")).unwrap();
        let change =
            "friends.toml, 1 rule: weight = '50%' is now weight = '25%'; queued votes follow";
        assert_eq!(told(&mut saves), [(true, change.to_owned())]);
        fs::write(&file, FRIENDS.replace("'50%'", "half")).unwrap();
        let bad = told(&mut saves);
        assert!(!bad[0].0, "{bad:?}");
        assert!(bad[0].1.starts_with("friends.toml:4:10: "), "{bad:?}");
        assert!(
            bad[0].1.ends_with("; its rules stay as they were"),
            "{bad:?}"
        );
        fs::write(folder.path().join("more.toml"), FRIENDS).unwrap();
        let more = "more.toml, 1 rule; queued votes follow";
        assert_eq!(told(&mut saves), [(true, more.to_owned())]);
        fs::remove_file(&file).unwrap();
        let removed = "friends.toml was removed with its rules";
        assert_eq!(told(&mut saves), [(true, removed.to_owned())]);
    }
}
