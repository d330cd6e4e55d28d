//! File system events: which folders are watched, and which events are relevant.
//!
//! Each folder is watched on its own by its real path. Links are followed here and not by the watcher, so that a
//! replaced link is noticed both in its own folder and at its target.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tracing::warn;

use crate::rules::files::folder::{Walk, is_hidden, is_rule_file};

/// Maximum number of links in one path, as in Linux.
const MOST_LINKS: usize = 40;

/// Watches the folders that rules come from.
pub struct Events {
    watcher: RecommendedWatcher,
    watched: HashSet<PathBuf>,
    interest: Arc<Mutex<Interest>>,
    /// Folders that cannot be watched, for which the warning was logged.
    refused: HashSet<PathBuf>,
}

/// Paths whose events are relevant. They contain no links.
#[derive(Debug, Default)]
struct Interest {
    /// Folders with rule files.
    folders: HashSet<PathBuf>,
    /// Other files, folders and links that determine the rule files.
    names: HashSet<PathBuf>,
}

impl Events {
    /// Creates a watcher that wakes `changed` on every relevant event. It watches nothing before [`Events::follow`].
    ///
    /// # Errors
    /// If the system provides no watcher.
    pub fn new(changed: Arc<Notify>) -> notify::Result<Self> {
        let interest = Arc::new(Mutex::new(Interest::default()));
        let filter = interest.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = match event {
                Ok(event) => lock(&filter).concerns(&event),
                Err(error) => {
                    warn!(%error, "watching the rules folder failed: checking all files");
                    true
                }
            };
            if matters {
                changed.notify_one();
            }
        })?;
        Ok(Self {
            watcher,
            watched: HashSet::new(),
            interest,
            refused: HashSet::new(),
        })
    }

    /// Watches everything that determines the rules at `root`, as found by `walk`. Returns whether a folder is new:
    /// earlier changes in it were not noticed.
    pub fn follow(&mut self, root: &Path, walk: &Walk) -> bool {
        let folders: HashSet<PathBuf> = walk.folders.iter().cloned().collect();
        let mut names = HashSet::new();
        for path in walk.links.iter().map(PathBuf::as_path).chain([root]) {
            names.extend(resolution(path));
        }
        let beside = names.iter().filter_map(|name| name.parent());
        let wanted: HashSet<PathBuf> = folders
            .iter()
            .map(PathBuf::as_path)
            .chain(beside)
            .map(Path::to_owned)
            .collect();
        *lock(&self.interest) = Interest { folders, names };

        for gone in self.watched.difference(&wanted) {
            // The watch of a removed folder is already gone, which is an error here.
            let _ = self.watcher.unwatch(gone);
        }
        let mut any_new = false;
        let mut watched = HashSet::with_capacity(wanted.len());
        for folder in wanted {
            // Folders already watched are included, since another folder may have taken the name.
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.refused.remove(&folder);
                    any_new |= !self.watched.contains(&folder);
                    watched.insert(folder);
                }
                Err(error) => self.refuse(folder, &error),
            }
        }
        self.watched = watched;
        any_new
    }

    fn refuse(&mut self, folder: PathBuf, error: &notify::Error) {
        if matches!(error.kind, notify::ErrorKind::PathNotFound) {
            return;
        }
        if self.refused.insert(folder.clone()) {
            let folder = folder.display();
            warn!(
                %folder, %error,
                "cannot watch {folder}: changes there are noticed after a few seconds; \
                 if a limit was reached, raise fs.inotify.max_user_watches"
            );
        }
    }
}

fn lock(interest: &Mutex<Interest>) -> MutexGuard<'_, Interest> {
    interest.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Interest {
    fn concerns(&self, event: &Event) -> bool {
        let is_read = match event.kind {
            EventKind::Access(access) => access != AccessKind::Close(AccessMode::Write),
            _ => false,
        };
        !is_read
            && (event.need_rescan()
                || event.paths.is_empty()
                || event
                    .paths
                    .iter()
                    .any(|path| self.concerns_path(event, path)))
    }

    fn concerns_path(&self, event: &Event, path: &Path) -> bool {
        if self.names.contains(path) || self.folders.contains(path) {
            return true;
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return false;
        };
        if !self.folders.contains(folder) || is_hidden(name) {
            return false;
        }
        // A database or a log in the rules folder changes constantly. Of other names only folders are relevant, and
        // links, which can lead to folders.
        is_rule_file(name)
            || match event.kind {
                EventKind::Create(CreateKind::File) => path.is_symlink(),
                EventKind::Remove(RemoveKind::File)
                | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_))
                | EventKind::Access(_) => false,
                _ => true,
            }
    }
}

/// The paths that determine where `path` leads: every link on the way, and its end or the first missing part. Renaming
/// a folder on the way is noticed by the next check of all files.
fn resolution(path: &Path) -> Vec<PathBuf> {
    let mut resolution = Vec::new();
    let mut links = 0;
    let mut at = PathBuf::from("/");
    let mut rest: VecDeque<OsString> = parts(path).collect();
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(name);
        match fs::read_link(&next) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(part);
                }
                resolution.push(next);
            }
            // The system answers so for everything that exists and is not a link.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                if rest.is_empty() {
                    resolution.push(next.clone());
                }
                at = next;
            }
            _ => {
                resolution.push(next);
                break;
            }
        }
    }
    resolution
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use notify::event::{DataChange, Flag, RenameMode};

    use super::*;

    #[test]
    fn a_path_is_determined_by_every_link_on_the_way_and_its_end() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("releases/5/rules")).unwrap();
        symlink("releases/5", root.join("current")).unwrap();
        symlink("../current/rules", root.join("releases/rules")).unwrap();
        assert_eq!(
            resolution(&root.join("releases/rules")),
            [
                root.join("releases/rules"),
                root.join("current"),
                root.join("releases/5/rules")
            ]
        );
        assert_eq!(resolution(&root.join("no/such")), [root.join("no")]);
        symlink("loop", root.join("loop")).unwrap();
        assert!(!resolution(&root.join("loop")).is_empty());
    }

    #[test]
    fn events_of_other_files_in_the_rules_folder_are_not_relevant() {
        let interest = Interest {
            folders: ["/etc/rules".into()].into(),
            names: ["/etc/rules/..data".into(), "/etc/rules".into()].into(),
        };
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        for (kind, path, expected) in [
            (data, "/etc/rules/a.toml", true),
            (written, "/etc/rules/a.toml", true),
            (read, "/etc/rules/a.toml", false),
            (data, "/etc/rules/curatord.db", false),
            (written, "/etc/rules/curatord.db", false),
            (
                EventKind::Create(CreateKind::File),
                "/etc/rules/curatord.db-wal",
                false,
            ),
            (
                EventKind::Create(CreateKind::Folder),
                "/etc/rules/more",
                true,
            ),
            (
                EventKind::Remove(RemoveKind::Folder),
                "/etc/rules/more",
                true,
            ),
            (renamed, "/etc/rules/more", true),
            (renamed, "/etc/rules/..data", true),
            (renamed, "/etc/rules/.a.toml.swp", false),
            (renamed, "/etc/rules", true),
            (renamed, "/etc/passwd", false),
        ] {
            let event = Event::new(kind).add_path(path.into());
            assert_eq!(interest.concerns(&event), expected, "{kind:?} {path}");
        }
        assert!(interest.concerns(&Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    }
}
