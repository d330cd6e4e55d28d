//! The program's commands, which end by themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// `curatord` in `folder`, without the environment of the tests.
pub fn curatord(folder: &Path, arguments: &[&str]) -> Command {
    program_in(Path::new(env!("CARGO_BIN_EXE_curatord")), folder, arguments)
}

/// A program in a folder, with nothing of the environment of the tests.
pub fn program_in(program: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// An empty folder that nobody else may enter: a configuration with a secret in it may lie there whatever its mode.
pub fn private_folder() -> TempDir {
    let mut builder = tempfile::Builder::new();
    let private = fs::Permissions::from_mode(0o700);
    builder.permissions(private).tempdir().unwrap()
}

/// A private folder with these files.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = private_folder();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        // Some hold secrets.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

/// Exit code and output of a command.
#[derive(Debug)]
pub struct Said {
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
