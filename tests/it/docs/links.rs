//! Links lead to what is there, and everything is linked.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::page::{Page, root};

/// What stands in the round brackets of `[text](target)`.
fn targets(page: &Page) -> Vec<String> {
    let mut targets = Vec::new();
    for line in page.prose() {
        let ends = line.match_indices("](").map(|(at, _)| &line[at + 2..]);
        targets.extend(ends.filter_map(|rest| rest.split(')').next().map(str::to_owned)));
    }
    targets
}

/// `docs/../rules` as `rules`.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leads out", path.display()),
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let pages: HashMap<_, _> = Page::all()
        .into_iter()
        .map(|page| (page.path.clone(), page))
        .collect();
    for page in pages.values() {
        let folder = page.path.parent().unwrap();
        for target in targets(page) {
            if target.contains("://") {
                continue;
            }
            let place = format!("{}: {target}", page.path.display());
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => page.path.clone(),
                file => without_dots(&folder.join(file)),
            };
            assert!(root().join(&path).exists(), "{place}");
            if !anchor.is_empty() {
                let anchors = pages.get(&path).expect(&place).anchors();
                let count = anchors.iter().filter(|own| *own == anchor).count();
                assert_eq!(count, 1, "{place}: headings with this anchor");
            }
        }
    }
}

#[test]
fn the_readme_has_at_most_200_lines_and_leads_to_every_page() {
    let readme = Page::read("README.md");
    assert!(readme.text.lines().count() <= 200);
    let targets = targets(&readme);
    for page in Page::all() {
        let path = page.path.to_str().unwrap();
        assert!(
            path == "README.md" || targets.iter().any(|target| target == path),
            "{path}"
        );
    }
}
