//! Files with secrets: who else may read them, and what to type against it.

use std::fs::{File, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Folders in which a service manager or a container runtime hands over secrets. The modes of files there are not
/// the user's to choose: Docker mounts secrets with mode 0444 in a container that nobody else uses.
const HANDED_OVER: [&str; 2] = ["/run/credentials", "/run/secrets"];

const READ_BY_OTHERS: u32 = 0o004;
const WRITE_BY_OTHERS: u32 = 0o002;
const ENTER_BY_OTHERS: u32 = 0o001;

/// What to type so that nobody but the owner, and the group where it is needed, may read or write a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// `chmod 600 curatord.toml`.
    pub command: String,
}

/// Whether the mode of the open `file` lets users read or write it who are neither its owner nor in its group. Files
/// handed over by a service manager, and what is not a regular file, never count.
pub fn exposed(path: &Path, file: &File) -> Option<Exposed> {
    let metadata = file.metadata().ok()?;
    let open_to_others = metadata.permissions().mode() & (READ_BY_OTHERS | WRITE_BY_OTHERS) != 0;
    let is_exposed = metadata.is_file() && open_to_others && !is_handed_over(path);
    is_exposed.then(|| Exposed {
        command: command(path, &metadata),
    })
}

/// The same, for a file that counts only if the folders above it let others in.
pub fn exposed_in_open_folder(path: &Path, file: &File) -> Option<Exposed> {
    exposed(path, file).filter(|_| others_may_enter(path))
}

/// Mode 600, or 640 for a file of root's that a service's user reads through its group.
fn command(path: &Path, metadata: &Metadata) -> String {
    let mode = match (metadata.uid(), metadata.gid()) {
        (0, group) if group != 0 => "640",
        _ => "600",
    };
    format!("chmod {mode} {}", shell_word(path))
}

fn is_handed_over(path: &Path) -> bool {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    let real = path.canonicalize();
    let real = real.as_deref().unwrap_or(path);
    let is_below = |folder: &Path| path.starts_with(folder) || real.starts_with(folder);
    HANDED_OVER.iter().any(|folder| is_below(Path::new(folder)))
        || credentials.is_some_and(|folder| !folder.is_empty() && is_below(Path::new(&folder)))
}

/// Whether every folder above `path` lets everybody in.
fn others_may_enter(path: &Path) -> bool {
    let Ok(real) = path.canonicalize() else {
        return true;
    };
    let lets_in = |folder: &Path| {
        folder
            .metadata()
            .map_or(true, |folder| folder.mode() & ENTER_BY_OTHERS != 0)
    };
    real.ancestors().skip(1).all(lets_in)
}

/// `path` as it is typed in a shell.
pub fn shell_word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:=@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn with_mode(path: &Path, mode: u32) -> File {
        fs::write(path, "hunter2").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        File::open(path).unwrap()
    }

    #[test]
    fn a_file_that_others_may_read_or_write_is_exposed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a secret");
        for mode in [0o644, 0o604, 0o666, 0o602, 0o444] {
            let found = exposed(&path, &with_mode(&path, mode)).unwrap();
            let word = shell_word(&path);
            assert!(word.starts_with('\''), "{word}");
            let command = [format!("chmod 600 {word}"), format!("chmod 640 {word}")];
            assert!(command.contains(&found.command), "{found:?}");
        }
        for mode in [0o600, 0o400, 0o640, 0o440, 0o660] {
            assert_eq!(exposed(&path, &with_mode(&path, mode)), None, "{mode:o}");
        }
    }

    #[test]
    fn a_folder_that_lets_nobody_in_protects_its_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let path = folder.path().join("curatord.toml");
        let file = with_mode(&path, 0o644);
        assert_eq!(exposed_in_open_folder(&path, &file), None);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let all_open = folder
            .path()
            .ancestors()
            .skip(1)
            .all(|above| above.metadata().unwrap().mode() & ENTER_BY_OTHERS != 0);
        assert_eq!(exposed_in_open_folder(&path, &file).is_some(), all_open);
    }

    #[test]
    fn a_pipe_is_not_a_file_that_others_may_read() {
        let null = File::open("/dev/null").unwrap();
        assert_eq!(exposed(Path::new("/dev/null"), &null), None);
    }

    #[test]
    fn secrets_that_a_container_runtime_hands_over_have_the_mode_that_it_chooses() {
        assert!(is_handed_over(Path::new("/run/secrets/client_secret")));
        assert!(is_handed_over(Path::new(
            "/run/credentials/curatord.service/client-secret"
        )));
        assert!(!is_handed_over(Path::new("/run/secretsauce")));
        assert!(!is_handed_over(Path::new("/etc/curatord/client-secret")));
    }
}
