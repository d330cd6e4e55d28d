//! The commands that the sandbox prints can be typed.

use std::process::Command;

use super::program::Program;

#[test]
fn the_printed_commands_work_in_any_folder_and_a_signal_ends_the_sandbox() {
    for signal in ["INT", "TERM"] {
        let sandbox = Program::start(&["sandbox", "--block-interval", "100ms"]);
        let lines = sandbox.lines_until(|line| line.contains("Ctrl-C"));
        let printed = |part: &str| {
            let line = lines.iter().find(|line| line.contains(part));
            line.unwrap_or_else(|| panic!("{lines:#?}")).trim()
        };
        let import = Command::new("sh")
            .args(["-c", printed(" auth import ")])
            .current_dir("/")
            .output()
            .unwrap();
        assert!(import.status.success(), "{import:?}");
        let run = printed(" run");
        let check = format!("{} check", run.strip_suffix(" run").unwrap());
        let check = Command::new("sh")
            .args(["-c", &check])
            .current_dir("/")
            .output()
            .unwrap();
        assert!(check.status.success(), "{check:?}");
        sandbox.signal(signal);
        let ended = sandbox.end();
        assert!(ended.status.success(), "{signal}: {ended:?}");
    }
}
