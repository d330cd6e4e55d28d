//! Symbolic links: to files, to folders, and as the rules folder itself.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::watched::{EVENTS_ONLY, Watched, names, with_files};

/// A folder of files, mounted as Kubernetes mounts a ConfigMap.
fn mount(folder: &Path, version: &str, files: &[(&str, &str)]) {
    fs::create_dir_all(folder.join(version)).unwrap();
    for (name, text) in files {
        fs::write(folder.join(version).join(name), text).unwrap();
    }
    symlink(version, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
}

#[tokio::test]
async fn a_replaced_config_map_is_one_change() {
    let mut rules = Watched::start(EVENTS_ONLY, |home| {
        let folder = home.join("rules");
        mount(&folder, "..2024_1", &[("a.toml", "one"), ("b.toml", "one")]);
        symlink("..data/a.toml", folder.join("a.toml")).unwrap();
        symlink("..data/b.toml", folder.join("b.toml")).unwrap();
    })
    .await;
    rules.shows(&["a.toml:one", "b.toml:one"]).await;
    for (old, new, name) in [
        ("..2024_1", "..2024_2", "two"),
        ("..2024_2", "..2024_3", "three"),
    ] {
        mount(&rules.path(""), new, &[("a.toml", name), ("b.toml", name)]);
        fs::remove_dir_all(rules.path(old)).unwrap();
        let expected = [format!("a.toml:{name}"), format!("b.toml:{name}")];
        assert_eq!(names(&*rules.next().await), expected);
    }
}

#[tokio::test]
async fn a_rules_folder_that_is_a_link_can_be_replaced() {
    let mut rules = Watched::start(EVENTS_ONLY, |home| {
        for release in ["1", "2"] {
            let folder = home.join("releases").join(release).join("rules");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("a.toml"), format!("of-{release}")).unwrap();
        }
        symlink("releases/1", home.join("current")).unwrap();
        symlink("current/rules", home.join("rules")).unwrap();
    })
    .await;
    rules.shows(&["a.toml:of-1"]).await;
    let home = rules.home.path().to_owned();
    symlink("releases/2", home.join("next")).unwrap();
    fs::rename(home.join("next"), home.join("current")).unwrap();
    rules.shows(&["a.toml:of-2"]).await;
    fs::write(home.join("releases/2/rules/a.toml"), "edited").unwrap();
    rules.shows(&["a.toml:edited"]).await;
}

#[tokio::test]
async fn the_target_of_a_link_is_watched() {
    let mut rules = Watched::start(EVENTS_ONLY, |home| {
        with_files(&[])(home);
        fs::create_dir_all(home.join("shared/more")).unwrap();
        fs::write(home.join("shared/settings"), "one").unwrap();
        fs::write(home.join("shared/more/b.toml"), "one").unwrap();
        symlink("../shared/settings", home.join("rules/a.toml")).unwrap();
        symlink("../shared/more", home.join("rules/more")).unwrap();
    })
    .await;
    rules.shows(&["a.toml:one", "more/b.toml:one"]).await;
    let shared = rules.home.path().join("shared");
    fs::write(shared.join("settings"), "two").unwrap();
    rules.shows(&["a.toml:two", "more/b.toml:one"]).await;
    fs::write(shared.join("more/b.toml"), "two").unwrap();
    rules.shows(&["a.toml:two", "more/b.toml:two"]).await;
    fs::write(shared.join("new"), "three").unwrap();
    fs::rename(shared.join("new"), shared.join("settings")).unwrap();
    rules.shows(&["a.toml:three", "more/b.toml:two"]).await;
}

#[tokio::test]
async fn a_link_to_a_folder_can_be_added_and_removed() {
    let mut rules = Watched::start(EVENTS_ONLY, with_files(&[])).await;
    let elsewhere = rules.home.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("a.toml"), "one").unwrap();
    symlink(&elsewhere, rules.path("linked")).unwrap();
    rules.shows(&["linked/a.toml:one"]).await;
    fs::remove_file(rules.path("linked")).unwrap();
    rules.shows(&[]).await;
}

#[tokio::test]
async fn a_dead_link_has_no_rules_and_is_reported() {
    let mut rules = Watched::start(EVENTS_ONLY, |home| {
        with_files(&[])(home);
        fs::write(home.join("target"), "one").unwrap();
        symlink("../target", home.join("rules/a.toml")).unwrap();
    })
    .await;
    fs::remove_file(rules.home.path().join("target")).unwrap();
    rules.shows(&[]).await;
    assert!(rules.report().await.message.contains("a link to a file"));
    fs::write(rules.home.path().join("target"), "two").unwrap();
    rules.shows(&["a.toml:two"]).await;
}
