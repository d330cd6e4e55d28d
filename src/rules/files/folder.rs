//! The rule files below the rules folder: their names, order and contents.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Maximum size of a rule file in bytes: 16 MiB.
const MAX_SIZE: u64 = 16 << 20;

/// Maximum number of paths to one folder: links to folders with links to folders multiply them.
const MAX_PATHS: usize = 16;

/// Maximum number of folders below the rules folder, as where a link leads to the root of the file system.
const MAX_FOLDERS: usize = 10_000;

/// What is said of a file that is left out because [`is_copy`].
pub const COPY: &str = "this copy of a rule file is not read";

/// Help for a file that is left out because [`is_copy`].
pub const COPY_HELP: &str =
    "a program made it: remove it, or rename it if its rules are to be in force";

/// A rule file in the rules folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// Path relative to the rules folder, separated by `/`: the first part of a rule's identifier. A folder that
    /// cannot be read is listed in place of its files; then this ends in `/`, and [`RuleFile::read`] returns the
    /// error.
    pub relative: String,
    /// Path to open.
    pub absolute: PathBuf,
    /// It stands for folders that are not read because there are too many paths to them.
    is_beyond_bounds: bool,
}

/// Why the rules folder cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// There is no folder at this path.
    #[error("the rules folder {0} does not exist: create it, or set `rules` to another folder")]
    Missing(PathBuf),
    /// The folder cannot be listed.
    #[error("the rules folder {path} cannot be read: {reason}")]
    Unreadable {
        /// The rules folder.
        path: PathBuf,
        /// The system's error.
        reason: String,
    },
}

/// Why a file or sub-folder cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It does not exist, or was removed.
    #[error("there is no such file or folder")]
    Gone,
    /// One of too many paths to a folder, or one of too many folders.
    #[error(
        "this folder is not read: links make too many paths to it, or too many folders of it; remove the links"
    )]
    TooManyPaths,
    /// A symbolic link to nothing.
    #[error("this is a link to a file that does not exist: fix the link or remove it")]
    DeadLink,
    /// A device, pipe or socket.
    #[error("this is not a regular file: put a text file in its place")]
    NotAFile,
    /// A file of more than 16 MiB.
    #[error("the file is larger than 16 MiB: split it into several files")]
    TooLarge,
    /// The first line that is not UTF-8, from 1.
    #[error("line {0} is not UTF-8: save the file as UTF-8")]
    NotUtf8(usize),
    /// The system's error.
    #[error("cannot be read: {0}")]
    Io(String),
}

/// The files below the rules folder, with the folders and links to watch for changes.
#[derive(Debug, Default)]
pub struct Walk {
    /// In order of precedence.
    pub files: Vec<RuleFile>,
    /// Folders that contain them, including the rules folder; the paths contain no links.
    pub folders: Vec<PathBuf>,
    /// Symbolic links, each in a folder of `folders`.
    pub links: Vec<PathBuf>,
    /// Relative paths of copies that other programs made of rule files; they are not read.
    pub copies: Vec<String>,
    /// How often each folder was entered, by device and inode.
    entered: HashMap<(u64, u64), usize>,
}

/// Lists all rule files below `root`: names that end in `.toml`, in order of precedence, which compares path components
/// byte by byte. Hidden files and folders are ignored. Symbolic links are followed and keep their own names; a link to a
/// folder that contains it is not entered.
///
/// # Errors
/// If `root` itself cannot be read. Errors below it are reported by [`RuleFile::read`].
pub fn list(root: &Path) -> Result<Vec<RuleFile>, FolderError> {
    Ok(walk(root)?.files)
}

/// Like [`list`], with the folders and links to watch.
///
/// # Errors
/// As [`list`].
pub fn walk(root: &Path) -> Result<Walk, FolderError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => FolderError::Missing(root.to_owned()),
        _ => FolderError::Unreadable {
            path: root.to_owned(),
            reason: error.to_string(),
        },
    };
    let real = fs::canonicalize(root).map_err(failed)?;
    let mut walk = Walk::default();
    walk.enter(&real, "", &mut Vec::new()).map_err(failed)?;
    Ok(walk)
}

/// Whether a file with this name is a rule file.
pub fn is_rule_file(name: &OsStr) -> bool {
    !is_hidden(name) && name.as_bytes().ends_with(b".toml")
}

/// Whether a program made this file as a copy of another one: at synchronisation, in conflicts, or before it changed it.
pub fn is_copy(name: &OsStr) -> bool {
    const ENDS: [&str; 4] = [".orig.toml", ".rej.toml", ".bak.toml", "~.toml"];
    const SIDES: [&str; 4] = ["backup", "base", "local", "remote"];
    let name = name.to_string_lossy().to_lowercase();
    // `a.LOCAL.1234.toml`, `a_LOCAL_1234.toml`
    let mut parts = name.rsplit(['.', '_']).skip(1);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_side = parts.next().is_some_and(is_number)
        && parts.next().is_some_and(|part| SIDES.contains(&part));
    name.contains(".sync-conflict-")
        || name.contains("conflicted copy")
        || name.contains("_conflict-")
        || name.contains("(case conflict")
        || ENDS.iter().any(|end| name.ends_with(end))
        || is_side
}

/// The name of a file for its identifier. Bytes that are not UTF-8 are escaped, so that two names stay different.
fn readable(name: &OsStr) -> String {
    let mut readable = String::with_capacity(name.len());
    for chunk in name.as_bytes().utf8_chunks() {
        readable.push_str(chunk.valid());
        for byte in chunk.invalid() {
            readable.push_str(&format!("\\x{byte:02X}"));
        }
    }
    readable
}

/// Whether a file or folder with this name is ignored.
pub fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

impl Walk {
    /// Adds the contents of `folder`, whose path contains no link. `prefix` is empty or ends in `/`; `above` holds
    /// device and inode of the folders above.
    fn enter(
        &mut self,
        folder: &Path,
        prefix: &str,
        above: &mut Vec<(u64, u64)>,
    ) -> io::Result<()> {
        let metadata = fs::metadata(folder)?;
        let identity = (metadata.dev(), metadata.ino());
        if above.contains(&identity) {
            return Ok(());
        }
        let entered = self.entered.entry(identity).or_default();
        *entered += 1;
        if *entered > MAX_PATHS || self.folders.len() >= MAX_FOLDERS {
            // One line in the list of files is enough.
            let is_first = !self.files.iter().any(|file| file.is_beyond_bounds);
            if is_first {
                self.files.push(RuleFile {
                    relative: prefix.to_owned(),
                    absolute: folder.to_owned(),
                    is_beyond_bounds: true,
                });
            }
            return Ok(());
        }
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.retain(|entry| !is_hidden(&entry.file_name()));
        entries.sort_by_key(fs::DirEntry::file_name);
        self.folders.push(folder.to_owned());
        above.push(identity);
        for entry in entries {
            self.add(&entry, prefix, above);
        }
        above.pop();
        Ok(())
    }

    fn add(&mut self, entry: &fs::DirEntry, prefix: &str, above: &mut Vec<(u64, u64)>) {
        let (path, name) = (entry.path(), entry.file_name());
        let relative = format!("{prefix}{}", readable(&name));
        let kind = entry.file_type();
        let is_link = kind.as_ref().is_ok_and(fs::FileType::is_symlink);
        if is_link {
            self.links.push(path.clone());
        }
        let folder = if is_link {
            fs::canonicalize(&path).ok().filter(|real| real.is_dir())
        } else {
            kind.is_ok_and(|kind| kind.is_dir()).then(|| path.clone())
        };
        if let Some(folder) = folder {
            let relative = relative + "/";
            match self.enter(&folder, &relative, above) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    self.files.push(RuleFile::new(relative, folder));
                }
                _ => {}
            }
        } else if is_rule_file(&name) {
            match is_copy(&name) {
                true => self.copies.push(relative),
                false => self.files.push(RuleFile::new(relative, path)),
            }
        }
    }
}

impl RuleFile {
    /// The file at `absolute`, with its path relative to the rules folder.
    pub fn new(relative: String, absolute: PathBuf) -> Self {
        Self {
            relative,
            absolute,
            is_beyond_bounds: false,
        }
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// See [`ReadError`]. A folder that is listed in place of its files is always an error.
    pub fn read(&self) -> Result<String, ReadError> {
        if self.is_beyond_bounds {
            return Err(ReadError::TooManyPaths);
        }
        if self.relative.ends_with('/') {
            return Err(match fs::read_dir(&self.absolute) {
                Ok(_) => ReadError::Io("listing its files failed".to_owned()),
                Err(error) => self.failed(&error),
            });
        }
        self.read_file().map(|(text, _)| text)
    }

    /// Reads the text and the metadata of a file. The metadata is that before reading.
    pub(super) fn read_file(&self) -> Result<(String, fs::Metadata), ReadError> {
        let failed = |error: io::Error| self.failed(&error);
        // Checked before opening, since opening a pipe blocks until another process writes to it.
        if !fs::metadata(&self.absolute).map_err(failed)?.is_file() {
            return Err(ReadError::NotAFile);
        }
        let file = fs::File::open(&self.absolute).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(MAX_SIZE + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(ReadError::TooLarge);
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            ReadError::NotUtf8(1 + good.iter().filter(|byte| **byte == b'\n').count())
        })?;
        Ok((text, metadata))
    }

    fn failed(&self, error: &io::Error) -> ReadError {
        if error.kind() != io::ErrorKind::NotFound {
            return ReadError::Io(error.to_string());
        }
        match fs::symlink_metadata(&self.absolute) {
            Ok(_) => ReadError::DeadLink,
            Err(_) => ReadError::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("# {file}")).unwrap();
        }
        root
    }

    fn names(root: &Path) -> Vec<String> {
        let files = list(root).unwrap();
        files.into_iter().map(|file| file.relative).collect()
    }

    #[test]
    fn files_are_in_byte_order_of_their_path_components() {
        // As one string, `a-b.toml` and `a.toml` would come before `a/z.toml`.
        let root = folder_with(&[
            "b.toml", "a.toml", "a/z.toml", "a-b.toml", "a/B.toml", "é.toml",
        ]);
        assert_eq!(
            names(root.path()),
            [
                "a/B.toml", "a/z.toml", "a-b.toml", "a.toml", "b.toml", "é.toml"
            ]
        );
    }

    #[test]
    fn hidden_files_hidden_folders_and_editor_leftovers_are_ignored() {
        let root = folder_with(&[
            "a.toml",
            ".a.toml",
            "a.toml~",
            "#a.toml#",
            ".a.toml.swp",
            "a.toml.swp",
            "a.txt",
            ".git/b.toml",
            ".toml",
            "A.TOML",
        ]);
        assert_eq!(names(root.path()), ["a.toml"]);
    }

    #[test]
    fn links_are_listed_under_their_own_names() {
        let root = folder_with(&["..2024_1/a.toml", "..2024_1/sub/b.toml"]);
        symlink("..2024_1", root.path().join("..data")).unwrap();
        symlink("..data/a.toml", root.path().join("x.toml")).unwrap();
        symlink("..data/sub", root.path().join("linked")).unwrap();
        assert_eq!(names(root.path()), ["linked/b.toml", "x.toml"]);
    }

    #[test]
    fn a_link_to_a_parent_folder_is_not_entered() {
        let root = folder_with(&["sub/a.toml"]);
        symlink("..", root.path().join("sub/up")).unwrap();
        symlink("self", root.path().join("self")).unwrap();
        assert_eq!(names(root.path()), ["sub/a.toml"]);
    }

    #[test]
    fn a_fan_of_links_is_walked_within_bounds_and_named() {
        let root = folder_with(&["level-0/a.toml"]);
        for level in 1..=22 {
            let folder = root.path().join(format!("level-{level}"));
            fs::create_dir(&folder).unwrap();
            for name in ["x", "y"] {
                symlink(format!("../level-{}", level - 1), folder.join(name)).unwrap();
            }
        }
        let walk = walk(root.path()).unwrap();
        assert!(
            walk.folders.len() <= MAX_PATHS * 24,
            "{}",
            walk.folders.len()
        );
        let refused = |file: &&RuleFile| file.read() == Err(ReadError::TooManyPaths);
        assert_eq!(walk.files.iter().filter(refused).count(), 1);
        assert!(
            walk.files
                .iter()
                .any(|file| file.relative == "level-0/a.toml")
        );
    }

    #[test]
    fn names_that_differ_only_in_bytes_that_are_not_utf_8_are_two_files() {
        let root = folder_with(&[]);
        for name in [&b"a\xe8.toml"[..], b"a\xe9.toml"] {
            fs::write(root.path().join(OsStr::from_bytes(name)), "").unwrap();
        }
        assert_eq!(names(root.path()), ["a\\xE8.toml", "a\\xE9.toml"]);
    }

    #[test]
    fn copies_made_by_other_programs_are_left_out_and_named() {
        let copies = [
            "a (Bob's conflicted copy 2026-01-02).toml",
            "a (conflicted copy 2026-01-02 101010).toml",
            "a.LOCAL.1234.toml",
            "a.bak.toml",
            "a.orig.toml",
            "a.sync-conflict-20260102-101010-ABCDEFG.toml",
            "a_BASE_12.toml",
            "a_conflict-20260102-101010.toml",
        ];
        let root = folder_with(&copies);
        for good in [
            "a.toml",
            "local.toml",
            "original.toml",
            "conflict.toml",
            "remote.toml",
        ] {
            fs::write(root.path().join(good), "").unwrap();
        }
        let walk = walk(root.path()).unwrap();
        assert_eq!(walk.copies, copies[..]);
        assert_eq!(walk.files.len(), 5);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_listed_and_returns_its_error() {
        let root = folder_with(&["good.toml"]);
        fs::write(root.path().join("bytes.toml"), b"a = 1\nb = \"\xff\"").unwrap();
        symlink("nowhere", root.path().join("dead.toml")).unwrap();
        symlink("/dev/null", root.path().join("device.toml")).unwrap();
        fs::File::create(root.path().join("huge.toml"))
            .and_then(|file| file.set_len(MAX_SIZE + 1))
            .unwrap();
        let files = list(root.path()).unwrap();
        let read: Vec<_> = files
            .iter()
            .map(|file| (file.relative.as_str(), file.read()))
            .collect();
        assert_eq!(
            read,
            [
                ("bytes.toml", Err(ReadError::NotUtf8(2))),
                ("dead.toml", Err(ReadError::DeadLink)),
                ("device.toml", Err(ReadError::NotAFile)),
                ("good.toml", Ok("# good.toml".to_owned())),
                ("huge.toml", Err(ReadError::TooLarge)),
            ]
        );
        fs::remove_file(root.path().join("good.toml")).unwrap();
        assert_eq!(files[3].read(), Err(ReadError::Gone));
    }

    #[test]
    fn a_missing_folder_and_a_file_in_its_place_are_errors() {
        let root = folder_with(&["a.toml"]);
        let missing = root.path().join("missing");
        assert_eq!(list(&missing), Err(FolderError::Missing(missing)));
        assert!(matches!(
            list(&root.path().join("a.toml")),
            Err(FolderError::Unreadable { .. })
        ));
    }
}
