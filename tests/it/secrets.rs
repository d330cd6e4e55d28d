//! Secrets stay with those whom they concern: in files, on the way, in messages, in memory.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::harness::command::{Said, curatord, folder};

const SIGNER: &str = "[signer]\nclient_id = 'my.app'\nclient_secret = 'hunter2'\n";
const SIGNER_FILE: &str = "[signer]\nclient_id = 'my.app'\nclient_secret_file = 'secret'\n";
const RULES: &str = "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = '50%'\n";

fn run(folder: &Path, arguments: &[&str]) -> Said {
    let said: Said = curatord(folder, arguments).output().unwrap().into();
    assert!(
        !said.out.contains("hunter2") && !said.err.contains("hunter2"),
        "{said:?}"
    );
    said
}

/// Everything it said, without the line breaks that fit it to a terminal.
fn everything(said: &Said) -> String {
    let both = format!("{}{}", said.out, said.err);
    let words: Vec<&str> = both.split_whitespace().collect();
    words.join(" ").replace("./ ", "./")
}

fn check(folder: &Path) -> Said {
    run(folder, &["check"])
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_secrets_file_that_others_can_read_is_refused_with_what_to_type() {
    let files = [
        ("curatord.toml", SIGNER_FILE),
        ("secret", "hunter2"),
        ("rules/a.toml", RULES),
    ];
    let folder = folder(&files);
    let secret = folder.path().join("secret");
    set_mode(folder.path(), 0o755);
    for mode in [0o644, 0o604, 0o602] {
        set_mode(&secret, mode);
        for command in ["check", "run"] {
            let said = run(folder.path(), &[command]);
            assert_eq!(said.code, Some(1), "{mode:o} {command}: {said:?}");
            let told = everything(&said);
            assert!(told.contains("other users can read the file that `client_secret_file` names"));
            assert!(
                told.contains("type `chmod 6") && told.contains("secret`"),
                "{told}"
            );
        }
    }
    for mode in [0o600, 0o640, 0o400] {
        set_mode(&secret, mode);
        assert_eq!(check(folder.path()).code, Some(0), "{mode:o}");
    }
}

#[test]
fn a_configuration_with_a_secret_that_others_can_read_is_a_warning() {
    let folder = folder(&[("rules/a.toml", RULES)]);
    let file = folder.path().join("curatord.toml");
    set_mode(folder.path(), 0o755);
    for secret in [
        SIGNER.to_owned(),
        "[database]\nurl = 'mysql://u:hunter2@localhost/d'\n".to_owned(),
        "[network]\nnodes = ['https://u:hunter2@node.example']\n".to_owned(),
    ] {
        fs::write(&file, secret).unwrap();
        set_mode(&file, 0o644);
        let said = check(folder.path());
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(
            said.out
                .contains("other users can read this file, which holds a secret in `")
        );
        assert!(
            everything(&said).contains("type `chmod 6")
                && everything(&said).contains("curatord.toml`"),
            "{said:?}"
        );
        set_mode(&file, 0o600);
        let said = check(folder.path());
        assert!(!said.out.contains("other users can read"), "{said:?}");
    }
    fs::write(&file, "[signer]\nclient_id = 'my.app'\n").unwrap();
    set_mode(&file, 0o644);
    let said = check(folder.path());
    let is_told = said.out.contains("other users can read");
    assert!(!is_told, "without a secret, everybody may read it");
}

#[test]
fn a_configuration_in_the_folder_of_somebody_else_is_refused_unless_it_is_named() {
    let folder = folder(&[
        ("curatord.toml", "[signer]\nclient_id = 'my.app'\n"),
        ("rules/a.toml", RULES),
    ]);
    let file = folder.path().join("curatord.toml");
    let somebody = Some(54_321);
    if chown(&file, somebody, None).is_err() {
        eprintln!("only root can give files away: not tried");
        return;
    }
    let assert_refused = |why: &str| {
        for command in [
            &["check"][..],
            &["run"],
            &["auth", "list"],
            &["explain", "@bob/x"],
        ] {
            let said = run(folder.path(), command);
            let told = everything(&said);
            assert_eq!(said.code, Some(1), "{command:?}: {told}");
            assert!(
                told.contains(why) && told.contains("`--config ./curatord.toml`"),
                "{told}"
            );
        }
        let named = run(folder.path(), &["check", "--config", "curatord.toml"]);
        assert_eq!(named.code, Some(0), "{named:?}");
    };
    assert_refused("it belongs to another user");
    chown(&file, Some(0), None).unwrap();
    assert_eq!(check(folder.path()).code, Some(0));
    chown(folder.path(), somebody, None).unwrap();
    assert_refused("its folder belongs to another user");
    chown(folder.path(), Some(0), None).unwrap();
    set_mode(folder.path(), 0o777);
    assert_refused("every user may write its folder");
    set_mode(folder.path(), 0o1777);
    assert_eq!(check(folder.path()).code, Some(0));
}

#[test]
fn a_connection_that_others_can_listen_to_is_told() {
    let folder = folder(&[("rules/a.toml", RULES)]);
    let file = folder.path().join("curatord.toml");
    for (config, code, told) in [
        (
            "[signer]\nurl = 'http://signer.example'\n",
            1,
            "the tokens would go to another machine without encryption",
        ),
        (
            "[signer]\nurl = 'http://10.0.0.7:3000'\n",
            1,
            "write https:// instead of http://",
        ),
        (
            "[signer]\nurl = 'https://me:hunter2@signer.example'\n",
            1,
            "must hold no user and no password",
        ),
        (
            "[signer]\nurl = 'https://hunter2@signer.example'\n",
            1,
            "must hold no user and no password",
        ),
        (
            "[network]\nnodes = ['http://node.example/hunter2']\n",
            0,
            "warning: the connection to this node is not encrypted",
        ),
        (
            "[network]\nnodes = ['https://a.example', 'http://10.0.0.7']\n",
            0,
            "curatord.toml:2:31: warning: ",
        ),
        (
            "[database]\nurl = 'mysql://u:hunter2@db/d?ssl-mode=DISABLED'\n",
            0,
            "warning: the connection to the database is not encrypted",
        ),
        (
            "[database]\nurl = 'mysql://u:hunter2@db/d?ssl-mode=REQUIRED'\n",
            0,
            "warning: the certificate of the database is not checked",
        ),
        (
            "[database]\nurl = 'mysql://u:hunter2@db/d?sslMode=hunter2'\n",
            0,
            "warning: an unknown parameter of the address is ignored",
        ),
        (
            "[database]\nurl = 'mysql://u:hunter2@ss/w#rd@db/d'\n",
            1,
            "in user and password `@` as %40",
        ),
    ] {
        fs::write(&file, config).unwrap();
        let said = check(folder.path());
        assert_eq!(said.code, Some(code), "{config}: {said:?}");
        assert!(everything(&said).contains(told), "{config}: {said:?}");
    }
    for quiet in [
        "[signer]\nurl = 'http://127.0.0.1:3000'\n",
        "[signer]\nurl = 'http://localhost:3000'\n[network]\nnodes = ['http://[::1]:8090']\n",
        "[database]\nurl = 'mysql://u:hunter2@db/d'\n",
        "[database]\nurl = 'mysql://u:hunter2@db/d?ssl-ca=/etc/ca.pem'\n",
        "[database]\nurl = 'mysql://u:hunter2@127.0.0.1/d?ssl-mode=DISABLED'\n",
    ] {
        fs::write(&file, quiet).unwrap();
        let said = check(folder.path());
        let warnings = said.out.matches("warning: ").count();
        let complete = said.out.matches("are not set").count();
        assert_eq!(
            (said.code, warnings),
            (Some(0), complete),
            "{quiet}: {said:?}"
        );
    }
}

#[test]
fn the_start_tells_of_a_weak_connection_too() {
    let config =
        format!("{SIGNER}[database]\nurl = 'mysql://u:hunter2@db.invalid/d?ssl-mode=PREFERRED'\n");
    let folder = folder(&[("curatord.toml", &config)]);
    // Without a rules folder it ends at once.
    let said = run(folder.path(), &["run"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains(
            "WARN curatord.toml:5:7: the connection to the database is encrypted only if"
        ),
        "{said:?}"
    );
}

#[test]
fn a_node_is_named_by_its_host_and_never_by_its_path() {
    let config = format!(
        "{SIGNER}[network]\nnodes = ['http://me:hunter2@127.0.0.1:9/rpc/hunter2?key=hunter2']\n"
    );
    let tokens = "[{\"voter\": \"alice\", \"access_token\": \"a\"}]";
    let files = [
        ("curatord.toml", &*config),
        ("rules/a.toml", RULES),
        ("tokens.json", tokens),
    ];
    let folder = folder(&files);
    // An explanation needs a database.
    let said = run(folder.path(), &["auth", "import", "tokens.json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    for arguments in [
        &["explain", "@bob/x"][..],
        &["replay", "--from", "1", "--to", "2", "--rules", "rules"],
    ] {
        let said = run(folder.path(), arguments);
        let told = everything(&said);
        assert!(told.contains("127.0.0.1:9 cannot be reached"), "{told}");
    }
}

#[test]
fn a_server_that_is_not_there_is_named_with_its_port() {
    let config = format!("{SIGNER}[database]\nurl = 'mysql://u:hunter2@127.0.0.1:9/d'\n");
    let folder = folder(&[("curatord.toml", &config)]);
    let said = run(folder.path(), &["auth", "list"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("127.0.0.1:9: ") && said.err.contains("refused"),
        "{said:?}"
    );
}

/// Whether a process leaves a core dump when it is aborted half a second after its start.
fn dumps_core(folder: &Path, program: &str) -> bool {
    let script = format!("ulimit -c unlimited; exec {program}");
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let abort = format!("kill -ABRT {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &abort])
            .status()
            .unwrap()
            .success()
    );
    child.wait().unwrap().core_dumped()
}

#[test]
fn an_abort_leaves_no_core_dump_with_tokens() {
    let folder = folder(&[]);
    let sandbox = format!("'{}' sandbox >/dev/null", env!("CARGO_BIN_EXE_curatord"));
    assert!(!dumps_core(folder.path(), &sandbox));
    // Whether this machine makes any, so that the test can fail.
    if !dumps_core(folder.path(), "sleep 60") {
        eprintln!("nothing leaves a core dump here");
    }
}

#[test]
fn the_files_of_the_sandbox_are_for_their_owner_alone() {
    let folder = folder(&[]);
    let mut command = curatord(folder.path(), &["sandbox"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The instructions follow the files.
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    for name in ["curatord.toml", "tokens.json"] {
        let mode = folder
            .path()
            .join("sandbox")
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// The text of a file of the project.
fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_unit_gives_the_daemon_a_user_a_database_it_may_write_and_secrets_of_its_own() {
    let unit = text("packaging/curatord.service");
    for line in [
        "User=curatord",
        "StateDirectory=curatord",
        "StateDirectoryMode=0700",
        "LimitCORE=0",
        "UMask=0077",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    let config: toml::Table = text("packaging/curatord.toml").parse().unwrap();
    assert_eq!(
        config["database"]["url"].as_str(),
        Some("sqlite:///var/lib/curatord/curatord.db")
    );
    for page in ["packaging/curatord.service", "docs/running.md"] {
        let page = text(page);
        assert!(
            page.contains("install -m 640 -g curatord packaging/curatord.toml"),
            "{page}"
        );
        let (fill_in, start) = (
            page.find("client-secret"),
            page.find("systemctl daemon-reload && systemctl enable --now"),
        );
        assert!(
            fill_in < start,
            "it is started only when the secret is there"
        );
    }
}

#[test]
fn no_page_writes_a_secret_into_a_command_line_or_tokens_for_everybody() {
    let page = text("docs/tokens.md");
    assert!(page.contains("umask 077\ncurl --data @- "));
    for name in [
        "README.md",
        "docs/tokens.md",
        "docs/running.md",
        "docs/configuration.md",
        "SECURITY.md",
    ] {
        for line in text(name)
            .lines()
            .filter(|line| line.starts_with("curl") || line.starts_with("curatord"))
        {
            assert!(!line.contains("SECRET"), "{name}: {line}");
        }
    }
}
