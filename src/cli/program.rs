//! The program and file names as typed in a shell.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The word that starts this program in another terminal: its path, or its name if it was started by name.
pub fn name() -> String {
    let typed = std::env::args_os().next();
    word(typed.as_deref(), std::env::current_exe().ok().as_deref())
}

fn word(typed: Option<&OsStr>, exe: Option<&Path>) -> String {
    let typed = Path::new(typed.unwrap_or(OsStr::new("curatord")));
    let by_name = typed.components().count() == 1 && !typed.starts_with(".");
    match exe {
        Some(exe) if !by_name => quoted(exe),
        _ => quoted(typed),
    }
}

/// The absolute form of a path, quoted for a shell.
pub fn path(path: &Path) -> String {
    let absolute: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    quoted(&absolute)
}

fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:=@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
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
        assert_eq!(quoted(Path::new("/srv/my-rules")), "/srv/my-rules");
        assert_eq!(quoted(Path::new("/srv/my rules")), "'/srv/my rules'");
        assert_eq!(quoted(Path::new("it's")), "'it'\\''s'");
        assert!(path(Path::new("rules")).ends_with("/rules"));
    }
}
