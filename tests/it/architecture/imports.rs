//! What a source file takes from other modules.

use super::source::{Source, is_word};

/// A path that a file names, in a `use` or elsewhere.
pub struct Import {
    /// The byte of the code at which it stands.
    pub at: usize,
    /// From the root of the crate: `crate::votes::asks::Asks`, or that of another crate.
    pub path: String,
    /// The name under which it is public here as well.
    pub reexported_as: Option<String>,
}

/// Every path that leads out of the file or into its child modules.
pub fn imports(source: &Source) -> Vec<Import> {
    let mut imports = Vec::new();
    let mut rest = source.code.clone();
    for at in source.words("use") {
        let line = source.code[..at]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        let before = source.code[line..at].trim();
        if !before.is_empty() && !before.starts_with("pub") {
            continue;
        }
        let end = at + source.code[at..].find(';').unwrap_or(0);
        let tree: String = source.code[at + "use".len()..end]
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for path in expand(&tree) {
            let (path, name) = match path.split_once(" as ") {
                Some((path, name)) => (path, name),
                None => (&*path, path.rsplit("::").next().unwrap_or_default()),
            };
            let path = path.strip_suffix("::self").unwrap_or(path);
            let is_public = before.starts_with("pub");
            imports.push(Import {
                at,
                path: absolute(source, path),
                reexported_as: is_public.then(|| name.to_owned()),
            });
        }
        rest.replace_range(at..end, &" ".repeat(end - at));
    }
    for (at, path) in paths(&rest) {
        imports.push(Import {
            at,
            path: absolute(source, &path),
            reexported_as: None,
        });
    }
    imports
}

/// The paths of a tree such as `a::{b, c::{self, d as e}}`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![tree.to_owned()];
    };
    let (prefix, inside) = (&tree[..open], &tree[open + 1..]);
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    let mut paths = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inside.char_indices().chain([(inside.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let branch = inside[start..at].trim();
                if !branch.is_empty() {
                    paths.extend(expand(branch).iter().map(|path| format!("{prefix}{path}")));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    paths
}

/// Paths of two segments or more, and where they begin.
fn paths(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let is_path = |letter: char| is_word(letter) || letter == ':';
    let mut start = None;
    for (at, letter) in code.char_indices().chain([(code.len(), ' ')]) {
        match (start, is_path(letter)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let path = code[from..at].trim_end_matches(':');
                if path.contains("::") && !path.starts_with(':') {
                    paths.push((from, path.to_owned()));
                }
                start = None;
            }
            _ => {}
        }
    }
    paths
}

/// A path from the root, where it begins with `crate`, `self`, `super` or a child of this module.
fn absolute(source: &Source, path: &str) -> String {
    let mut module: Vec<&str> = source.module.split("::").collect();
    let mut segments: Vec<&str> = path.split("::").collect();
    match segments[0] {
        "crate" => return path.to_owned(),
        "curatord" => segments[0] = "crate",
        "self" => drop(segments.splice(..1, module)),
        "super" => {
            while segments.first() == Some(&"super") {
                segments.remove(0);
                module.pop();
            }
            segments.splice(..0, module);
        }
        child if declares(source, child) => drop(segments.splice(..0, module)),
        _ => {}
    }
    segments.join("::")
}

fn declares(source: &Source, child: &str) -> bool {
    let declaration = format!("mod {child};");
    source.code.contains(&declaration)
}

#[test]
fn trees_of_imports_are_expanded() {
    assert_eq!(
        expand("a::{b, c::{self, d as e}, f}"),
        ["a::b", "a::c::self", "a::c::d as e", "a::f"]
    );
}
