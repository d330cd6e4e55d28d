//! The file of the database, and the lock beside it.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::store::connection::Missing;
use crate::store::error::StoreError;

/// Locks a file beside the database, and not the database itself, so that commands can write while the daemon runs.
/// The system releases the lock when the file is closed or the process ends in any way.
pub fn lock_beside(database: &Path) -> Result<File, StoreError> {
    let mut path = database.to_owned().into_os_string();
    path.push(".lock");
    let path = PathBuf::from(path);
    let failed = |error: std::io::Error| {
        StoreError::Refused(format!("{} cannot be locked: {error}", path.display()))
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Refused(format!(
            "another curatord runs on {}: stop it first, or give this one its own database",
            database.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The error of a command that makes no database of its own.
pub fn no_database(path: &Path) -> StoreError {
    StoreError::Refused(format!(
        "there is no database of curatord at {}: correct database.url, or start `curatord run`, which makes one",
        path.display()
    ))
}

/// Creates a file that is `missing` where that is wanted, readable only by its owner since it holds tokens; SQLite gives the files
/// beside it the same mode. Says why the file cannot be used, where SQLite says only "unable to open
/// database file".
pub fn prepare(path: &Path, missing: Missing) -> Result<(), StoreError> {
    let refused = |text: String| Err(StoreError::Refused(text));
    if path.as_os_str().is_empty() || path.to_string_lossy().starts_with("file:") {
        return refused("the address names no file: write sqlite://curatord.db".to_owned());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return refused(format!(
            "the folder {} does not exist: create it, or correct database.url",
            folder.display()
        ));
    }
    if path.is_dir() {
        return refused(format!("{} is a folder: name a file in it", path.display()));
    }
    if missing == Missing::Refuse && !path.exists() {
        return Err(no_database(path));
    }
    let opened = File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    match opened {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => refused(format!(
            "{} cannot be written: give this user the right to write the file and its folder",
            path.display()
        )),
        _ => Ok(()),
    }
}
