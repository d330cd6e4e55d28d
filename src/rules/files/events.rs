//! Change events of the file system: which folders are watched, and which events matter.
//!
//! Each folder is watched by itself, by its real path: links are followed here, not by the watcher,
//! so that a link that is swapped is noticed where it lies and where it leads.

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

/// As many links as Linux follows in one path.
const MOST_LINKS: usize = 40;

/// Watches the folders that rules come from.
pub struct Events {
    watcher: RecommendedWatcher,
    watched: HashSet<PathBuf>,
    interest: Arc<Mutex<Interest>>,
    /// Folders that could not be watched, and of which that was said.
    refused: HashSet<PathBuf>,
}

/// Which events matter. All paths are real ones, without links on the way.
#[derive(Debug, Default)]
struct Interest {
    /// Folders with rule files.
    folders: HashSet<PathBuf>,
    /// Names elsewhere, or of any kind, that decide what the rule files are.
    names: HashSet<PathBuf>,
}

impl Events {
    /// Wakes `changed` whenever something may have changed, once it was told what to follow.
    ///
    /// # Errors
    /// When the system has no watch to give.
    pub fn new(changed: Arc<Notify>) -> notify::Result<Self> {
        let interest = Arc::new(Mutex::new(Interest::default()));
        let filter = interest.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = match event {
                Ok(event) => lock(&filter).concerns(&event),
                Err(error) => {
                    warn!(%error, "watching the rules folder met an error: looking at all files");
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

    /// Watches what decides the rules at `root`, as `walk` has found it. Says whether any folder is
    /// new: what happened there before this call went unseen.
    pub fn follow(&mut self, root: &Path, walk: &Walk) -> bool {
        let folders: HashSet<PathBuf> = walk.folders.iter().cloned().collect();
        let mut names = HashSet::new();
        for path in walk.links.iter().map(PathBuf::as_path).chain([root]) {
            names.extend(turns(path));
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
            // A folder that was removed has lost its watch already.
            let _ = self.watcher.unwatch(gone);
        }
        let mut any_new = false;
        let mut watched = HashSet::with_capacity(wanted.len());
        for folder in wanted {
            // Also those watched before: the folder may have been replaced by another of that name.
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
                "cannot watch {folder}: changes there take a few seconds to be seen; \
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
        let by_reading = match event.kind {
            EventKind::Access(access) => access != AccessKind::Close(AccessMode::Write),
            _ => false,
        };
        !by_reading
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
        // A database or a log beside the rules is written all the time: of other names only folders
        // matter, and links, which may lead to folders.
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

/// The names that decide where `path` leads: every link on the way, and the end, or where it breaks
/// off. A folder on the way that is renamed is left to the next look at all files.
fn turns(path: &Path) -> Vec<PathBuf> {
    let mut turns = Vec::new();
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
                turns.push(next);
            }
            // Not a link, which is how the system answers for everything else that is there.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                if rest.is_empty() {
                    turns.push(next.clone());
                }
                at = next;
            }
            _ => {
                turns.push(next);
                break;
            }
        }
    }
    turns
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
    fn every_link_on_the_way_and_the_end_decide_where_a_path_leads() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("releases/5/rules")).unwrap();
        symlink("releases/5", root.join("current")).unwrap();
        symlink("../current/rules", root.join("releases/rules")).unwrap();
        assert_eq!(
            turns(&root.join("releases/rules")),
            [
                root.join("releases/rules"),
                root.join("current"),
                root.join("releases/5/rules")
            ]
        );
        assert_eq!(turns(&root.join("no/such")), [root.join("no")]);
        symlink("loop", root.join("loop")).unwrap();
        assert!(!turns(&root.join("loop")).is_empty());
    }

    #[test]
    fn what_other_programs_do_beside_the_rules_does_not_matter() {
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
