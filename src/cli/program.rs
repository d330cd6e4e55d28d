//! The program and file names as typed in a shell.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::private_file::shell_word;

/// The word that starts this program in another terminal: its path, or its name if it was started by name.
pub fn name() -> String {
    let typed = std::env::args_os().next();
    word(typed.as_deref(), std::env::current_exe().ok().as_deref())
}

fn word(typed: Option<&OsStr>, exe: Option<&Path>) -> String {
    let typed = Path::new(typed.unwrap_or(OsStr::new("curatord")));
    let by_name = typed.components().count() == 1 && !typed.starts_with(".");
    match exe {
        Some(exe) if !by_name => shell_word(exe),
        _ => shell_word(typed),
    }
}

/// The absolute form of a path, quoted for a shell.
pub fn path(path: &Path) -> String {
    let absolute: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    shell_word(&absolute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_started_by_name_keeps_its_name() {
        let exe = Some(Path::new("/usr/bin/curatord"));
        for (typed, called) in [
            ("curatord", "curatord"),
            ("target/release/curatord", "/usr/bin/curatord"),
            ("./curatord", "/usr/bin/curatord"),
        ] {
            assert_eq!(word(Some(OsStr::new(typed)), exe), called, "{typed}");
        }
        assert_eq!(word(None, None), "curatord");
    }

    #[test]
    fn paths_with_special_characters_are_quoted() {
        assert_eq!(shell_word(Path::new("/srv/my-rules")), "/srv/my-rules");
        assert_eq!(shell_word(Path::new("/srv/my rules")), "'/srv/my rules'");
        assert_eq!(shell_word(Path::new("it's")), "'it'\\''s'");
        assert!(path(Path::new("rules")).ends_with("/rules"));
    }
}
