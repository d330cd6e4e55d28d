//! The file of the configuration: whose it is, and who else may read it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::private_file::{Exposed, exposed_in_open_folder, shell_word};

const WRITE_BY_OTHERS: u32 = 0o002;
/// In such a folder, nobody but the owner of a file may replace it.
const STICKY: u32 = 0o1000;

/// A file that may be used.
#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    pub text: Zeroizing<String>,
    /// Other users may read it, so that it may hold no secret.
    pub exposed: Option<Exposed>,
}

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    #[error("it is not UTF-8 text")]
    NotText,
    /// Somebody else may have put it there, to be found by whoever runs a command in this folder.
    #[error("{0}")]
    Foreign(&'static str),
}

impl Refused {
    /// What to do.
    pub(super) fn help(&self, path: &Path) -> String {
        match self {
            Self::Unreadable(_) => "`--config FILE` names the configuration file".to_owned(),
            Self::NotText => "save it with the encoding UTF-8".to_owned(),
            Self::Foreign(_) => format!(
                "it could send your tokens elsewhere: if you trust it, name it with `--config ./{}`",
                shell_word(path)
            ),
        }
    }
}

/// Reads the file at `path`. One that nobody `named`, but that was found in the working directory, must be the user's
/// own or root's, and so must the folder.
pub(super) fn open(path: &Path, named: bool) -> Result<Found, Refused> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if !named && path.is_relative() {
        let link = fs::symlink_metadata(path)?;
        let folder = fs::metadata(".")?;
        let user = rustix::process::geteuid().as_raw();
        if let Some(why) = foreign(&[&metadata, &link], &folder, user) {
            return Err(Refused::Foreign(why));
        }
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Refused::NotText)?;
    Ok(Found {
        path: path.to_owned(),
        text: Zeroizing::new(text.to_owned()),
        exposed: exposed_in_open_folder(path, &file),
    })
}

/// Why somebody else than `user` and root may have written a file: the file itself, or the link to it, is among
/// `files`.
fn foreign(files: &[&Metadata], folder: &Metadata, user: u32) -> Option<&'static str> {
    let others = |metadata: &Metadata| metadata.uid() != user && metadata.uid() != 0;
    let open = |metadata: &Metadata| metadata.mode() & WRITE_BY_OTHERS != 0;
    if files.iter().any(|file| others(file)) {
        return Some("it belongs to another user");
    }
    if others(folder) {
        return Some("its folder belongs to another user");
    }
    // The mode of a link means nothing.
    if files.iter().any(|file| !file.is_symlink() && open(file)) {
        return Some("every user may write it");
    }
    let is_shared = open(folder) && folder.mode() & STICKY == 0;
    is_shared.then_some("every user may write its folder")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// What is said of a file of this mode in a folder of this mode, to its owner and to another user.
    fn told(file: u32, folder: u32) -> [Option<&'static str>; 2] {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("curatord.toml");
        fs::write(&path, "").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        set(&path, file).unwrap();
        set(place.path(), folder).unwrap();
        let (file, folder) = (path.metadata().unwrap(), place.path().metadata().unwrap());
        [file.uid(), file.uid() + 1].map(|user| foreign(&[&file], &folder, user))
    }

    #[test]
    fn ones_own_file_is_found_in_ones_own_folder() {
        assert_eq!(told(0o600, 0o700)[0], None);
        assert_eq!(told(0o644, 0o755)[0], None);
        assert_eq!(told(0o664, 0o1777)[0], None);
    }

    #[test]
    fn a_file_or_folder_that_every_user_may_write_is_foreign() {
        assert_eq!(told(0o646, 0o755)[0], Some("every user may write it"));
        assert_eq!(
            told(0o644, 0o777)[0],
            Some("every user may write its folder")
        );
    }

    #[test]
    fn a_file_of_another_user_is_foreign_and_one_of_roots_is_not() {
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let other = told(0o600, 0o700)[1];
        match is_root {
            true => assert_eq!(other, None),
            false => assert_eq!(other, Some("it belongs to another user")),
        }
    }

    #[test]
    fn the_mode_of_a_link_does_not_count() {
        let place = tempfile::tempdir().unwrap();
        let (file, link) = (place.path().join("a"), place.path().join("b"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        let folder = place.path().metadata().unwrap();
        let (file, link) = (
            file.metadata().unwrap(),
            fs::symlink_metadata(&link).unwrap(),
        );
        assert_eq!(foreign(&[&file, &link], &folder, file.uid()), None);
    }
}
