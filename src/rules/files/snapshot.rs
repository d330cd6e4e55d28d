//! Contents of the rule files at one moment. Only files that may have changed are read again.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::rules::files::folder::{FolderError, ReadError, RuleFile};

/// Coarsest resolution of file timestamps: 2 seconds. A file that changed less than this before it was read can change
/// again without a new timestamp.
const COARSEST_TIMESTAMP: TimeDelta = TimeDelta::seconds(2);

/// The rule files in order of precedence, or why the folder cannot be read.
pub type Snapshot = Result<Vec<FileNow>, FolderError>;

/// One rule file, or one sub-folder that cannot be read, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNow {
    /// Same as [`RuleFile::relative`].
    pub relative: String,
    /// Not [`ReadError::Gone`]: such files are left out.
    pub contents: Result<Arc<str>, ReadError>,
}

/// Reads rule files, and caches those whose metadata shows every change.
#[derive(Debug, Default)]
pub struct Reader {
    seen: HashMap<PathBuf, Seen>,
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    text: Arc<str>,
}

/// Metadata that changes with every change of a file. Size and modification time can be restored; the change time
/// (`ctime`) cannot be set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Reader {
    /// Reads `files` at `now`. Files that do not exist any more are left out.
    pub fn read(&mut self, files: &[RuleFile], now: DateTime<Utc>) -> Vec<FileNow> {
        let mut before = std::mem::take(&mut self.seen);
        let mut snapshot = Vec::with_capacity(files.len());
        for file in files {
            let contents = match before.remove(&file.absolute) {
                Some(seen) if seen.is_unchanged(file) => {
                    let text = seen.text.clone();
                    self.seen.insert(file.absolute.clone(), seen);
                    Ok(text)
                }
                _ => self.read_file(file, now),
            };
            if contents != Err(ReadError::Gone) {
                snapshot.push(FileNow {
                    relative: file.relative.clone(),
                    contents,
                });
            }
        }
        snapshot
    }

    /// Clears the cache: the next read opens every file.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    fn read_file(&mut self, file: &RuleFile, now: DateTime<Utc>) -> Result<Arc<str>, ReadError> {
        if file.relative.ends_with('/') {
            return file.read().map(Arc::from);
        }
        let (text, metadata) = file.read_file()?;
        let text: Arc<str> = text.into();
        let stamp = Stamp::of(&metadata);
        if stamp.is_older_than(now - COARSEST_TIMESTAMP) {
            let text = text.clone();
            self.seen
                .insert(file.absolute.clone(), Seen { stamp, text });
        }
        Ok(text)
    }
}

impl Seen {
    fn is_unchanged(&self, file: &RuleFile) -> bool {
        fs::metadata(&file.absolute).is_ok_and(|metadata| Stamp::of(&metadata) == self.stamp)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn is_older_than(&self, moment: DateTime<Utc>) -> bool {
        self.modified.0.max(self.changed.0) < moment.timestamp()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Clock;
    use crate::rules::files::folder;

    fn texts(reader: &mut Reader, root: &Path, now: DateTime<Utc>) -> Vec<String> {
        let files = reader.read(&folder::list(root).unwrap(), now);
        let text = |file: FileNow| file.contents.unwrap().to_string();
        files.into_iter().map(text).collect()
    }

    #[test]
    fn a_change_that_keeps_size_and_modification_time_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.toml");
        fs::write(&path, "old").unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let mut reader = Reader::default();
        // Late enough for the file to be cached at the first read.
        let later = Clock::system().now() + TimeDelta::hours(1);
        assert_eq!(texts(&mut reader, root.path(), later), ["old"]);
        assert!(reader.seen.contains_key(&path.canonicalize().unwrap()));
        fs::write(&path, "new").unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(modified))
            .unwrap();
        assert_eq!(texts(&mut reader, root.path(), later), ["new"]);
    }

    #[test]
    fn a_file_that_has_just_changed_is_not_cached() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.toml"), "old").unwrap();
        let mut reader = Reader::default();
        let now = Clock::system().now();
        assert_eq!(texts(&mut reader, root.path(), now), ["old"]);
        assert!(reader.seen.is_empty());
    }
}
