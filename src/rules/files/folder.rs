//! Which files below the rules folder are rule files, in which order, and what they hold.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A rule file is lists of names: beyond this size it is something else.
const LARGEST: u64 = 16 << 20;

/// A rule file as it lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// Below the rules folder, with `/`: the file's part of a rule's name. A folder that cannot be
    /// read is listed in place of its files; then this ends in `/`, and [`RuleFile::read`] says why.
    pub relative: String,
    /// Where to open it.
    pub absolute: PathBuf,
}

/// Why the rules folder as a whole gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// There is no folder at this path.
    #[error("the rules folder {0} does not exist: create it, or have `rules` name another")]
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

/// Why one file or sub-folder gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not there (any more).
    #[error("there is no such file or folder")]
    Gone,
    /// A symbolic link to nothing.
    #[error("this is a link to a file that does not exist: mend the link or remove it")]
    DeadLink,
    /// A device, pipe or socket.
    #[error("this is no ordinary file: put a text file in its place")]
    NotAFile,
    /// A file of more than 16 MiB.
    #[error("the file is larger than 16 MiB: split it")]
    TooLarge,
    /// The first line that is not UTF-8, from 1.
    #[error("line {0} is not UTF-8: save the file as UTF-8")]
    NotUtf8(usize),
    /// The system's error.
    #[error("cannot be read: {0}")]
    Io(String),
}

/// What lies below the rules folder, with what has to be watched to see it change.
#[derive(Debug, Default)]
pub struct Walk {
    /// In order of precedence.
    pub files: Vec<RuleFile>,
    /// The folders that hold them, the rules folder included, without links in their paths.
    pub folders: Vec<PathBuf>,
    /// Symbolic links met, each in a folder of `folders`.
    pub links: Vec<PathBuf>,
}

/// All rule files below `root`: what ends in `.toml`, in the order of precedence, which is that of
/// path components compared byte by byte. Hidden files and folders are passed over, symbolic links
/// are followed under their own names, a link to a folder that holds it is not entered.
///
/// # Errors
/// Only if `root` itself cannot be read; for anything below it, see [`RuleFile::read`].
pub fn list(root: &Path) -> Result<Vec<RuleFile>, FolderError> {
    Ok(walk(root)?.files)
}

/// As [`list`], and what there is to watch.
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

/// Whether a file of this name is a rule file.
pub fn is_rule_file(name: &OsStr) -> bool {
    !is_hidden(name) && name.as_bytes().ends_with(b".toml")
}

/// Whether a file or folder of this name is passed over.
pub fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

impl Walk {
    /// Adds what lies in `folder`, whose path holds no link. `prefix` is empty or ends in `/`;
    /// `above` are device and inode of the folders on the way.
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
        let relative = format!("{prefix}{}", name.to_string_lossy());
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
                    self.files.push(RuleFile {
                        relative,
                        absolute: folder,
                    });
                }
                _ => {}
            }
        } else if is_rule_file(&name) {
            self.files.push(RuleFile {
                relative,
                absolute: path,
            });
        }
    }
}

impl RuleFile {
    /// What the file holds now.
    ///
    /// # Errors
    /// Always for a folder that could not be read. See [`ReadError`].
    pub fn read(&self) -> Result<String, ReadError> {
        if self.relative.ends_with('/') {
            return Err(match fs::read_dir(&self.absolute) {
                Ok(_) => ReadError::Io("its list of files broke off".to_owned()),
                Err(error) => self.failed(&error),
            });
        }
        self.read_file().map(|(text, _)| text)
    }

    /// As [`RuleFile::read`], for what is no folder, with the metadata that the file had before.
    pub(super) fn read_file(&self) -> Result<(String, fs::Metadata), ReadError> {
        let failed = |error: io::Error| self.failed(&error);
        // Asked before it is opened: opening a pipe waits for somebody to write to it.
        if !fs::metadata(&self.absolute).map_err(failed)?.is_file() {
            return Err(ReadError::NotAFile);
        }
        let file = fs::File::open(&self.absolute).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > LARGEST {
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
    fn files_come_in_the_byte_order_of_their_path_components() {
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
    fn hidden_files_hidden_folders_and_editor_leftovers_are_passed_over() {
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
    fn links_count_under_their_own_names() {
        let root = folder_with(&["..2024_1/a.toml", "..2024_1/sub/b.toml"]);
        symlink("..2024_1", root.path().join("..data")).unwrap();
        symlink("..data/a.toml", root.path().join("x.toml")).unwrap();
        symlink("..data/sub", root.path().join("linked")).unwrap();
        assert_eq!(names(root.path()), ["linked/b.toml", "x.toml"]);
    }

    #[test]
    fn a_link_to_a_folder_above_is_not_entered_again() {
        let root = folder_with(&["sub/a.toml"]);
        symlink("..", root.path().join("sub/up")).unwrap();
        symlink("self", root.path().join("self")).unwrap();
        assert_eq!(names(root.path()), ["sub/a.toml"]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_listed_and_says_why() {
        let root = folder_with(&["good.toml"]);
        fs::write(root.path().join("bytes.toml"), b"a = 1\nb = \"\xff\"").unwrap();
        symlink("nowhere", root.path().join("dead.toml")).unwrap();
        symlink("/dev/null", root.path().join("device.toml")).unwrap();
        fs::File::create(root.path().join("huge.toml"))
            .and_then(|file| file.set_len(LARGEST + 1))
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
    fn a_folder_that_is_missing_or_none_is_an_error() {
        let root = folder_with(&["a.toml"]);
        let missing = root.path().join("missing");
        assert_eq!(list(&missing), Err(FolderError::Missing(missing)));
        assert!(matches!(
            list(&root.path().join("a.toml")),
            Err(FolderError::Unreadable { .. })
        ));
    }
}
