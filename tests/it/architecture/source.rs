//! The project's source as the tests of its structure read it: text, without a parser.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// A source file that is not a test.
pub struct Source {
    /// Such as `src/votes/asks.rs`.
    pub path: String,
    /// Such as `crate::votes::asks`.
    pub module: String,
    /// Its text with as many lines, and blanks for comments, the contents of literals, and test modules.
    pub code: String,
}

/// All source files below a folder of this repository, except tests.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut test_modules = HashSet::new();
    read_folder(folder, &mut sources, &mut test_modules);
    assert!(!sources.is_empty(), "there is no source in {folder}");
    let is_test = |source: &Source| {
        let is_in = |tests: &String| {
            let rest = source.module.strip_prefix(tests.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        test_modules.iter().any(is_in)
    };
    sources.retain(|source| !is_test(source));
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// All source files of the library and the program.
pub fn all_sources() -> Vec<Source> {
    sources("src")
}

fn read_folder(folder: &str, sources: &mut Vec<Source>, test_modules: &mut HashSet<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read_folder(&path, sources, test_modules);
        } else if path.ends_with(".rs") {
            let module = module_of(&path);
            let text = fs::read_to_string(root.join(&path)).unwrap();
            let (code, tests) = without_tests(&without_comments_and_literals(&text));
            test_modules.extend(tests.iter().map(|name| format!("{module}::{name}")));
            sources.push(Source { path, module, code });
        }
    }
}

/// The module that a file holds: `src/votes/mod.rs` is `crate::votes`.
fn module_of(path: &str) -> String {
    let path = path.strip_suffix(".rs").unwrap();
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" | "main" => "crate".to_owned(),
        path => format!("crate::{}", path.replace('/', "::")),
    }
}

impl Source {
    /// The number of the line that holds this byte of the code, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// `src/votes/asks.rs:12`.
    pub fn place(&self, at: usize) -> String {
        format!("{}:{}", self.path, self.line(at))
    }

    /// How many lines hold code.
    pub fn code_lines(&self) -> usize {
        let lines = self.code.lines();
        lines.filter(|line| !line.trim().is_empty()).count()
    }

    /// Where this word stands alone.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.match_indices(word).filter_map(|(at, _)| {
            let before = self.code[..at].chars().next_back();
            let after = self.code[at + word.len()..].chars().next();
            let alone = !before.is_some_and(is_word) && !after.is_some_and(is_word);
            alone.then_some(at)
        })
    }
}

pub fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The byte after the brace that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, letter) in code[open..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

fn blank(text: &str) -> impl Iterator<Item = char> + '_ {
    let blank = |letter| if letter == '\n' { '\n' } else { ' ' };
    text.chars().map(blank)
}

/// Blanks comments and what stands between quotes.
fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = code.chars().next_back().is_some_and(is_word);
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest, 1),
            'r' | 'b' | 'c' if !after_word => prefixed_string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(blank(&rest[..length]));
            rest = &rest[length..];
        }
    }
    code
}

/// The length of the block comment at the beginning; they can be nested.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    for at in text.char_indices().map(|(at, _)| at) {
        if text[at..].starts_with("/*") {
            depth += 1;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            if depth == 0 {
                return at + 2;
            }
        }
    }
    text.len()
}

/// The length of a text in quotes, of which `from` is the first byte inside.
fn quoted(text: &str, from: usize) -> usize {
    let mut escaped = false;
    for (at, letter) in text[from..].char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return from + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `b"…"`, `r#"…"#` and the like; 0 for anything else.
fn prefixed_string(text: &str) -> usize {
    let after = text.trim_start_matches(['b', 'c']);
    if after.starts_with('"') {
        return quoted(text, text.len() - after.len() + 1);
    }
    let Some(raw) = after.strip_prefix('r') else {
        return 0;
    };
    let inside = raw.trim_start_matches('#');
    let hashes = raw.len() - inside.len();
    let Some(inside) = inside.strip_prefix('"') else {
        return 0;
    };
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    text.len() - inside.len() + length
}

/// The length of a character in quotes; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => {
            let (at, _) = letters.next().unwrap_or_default();
            let end = text[at + 1..].find('\'');
            end.map_or(0, |end| at + 1 + end + 1)
        }
        Some(_) => match letters.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// Blanks what is compiled for tests only; also the names of test modules in files of their own.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::new();
    let mut modules = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        let item = &rest[at + MARK.len()..];
        let stop = item.find(['{', ';']).unwrap_or(item.len());
        let in_braces = item[stop..].starts_with('{');
        let end = if in_braces {
            closing(item, stop)
        } else {
            (stop + 1).min(item.len())
        };
        let name = item[..stop].split_whitespace().rev().collect::<Vec<_>>();
        if let ([name, "mod", ..], false) = (&name[..], in_braces) {
            modules.push((*name).to_owned());
        }
        kept.push_str(&rest[..at]);
        kept.extend(blank(&rest[at..at + MARK.len() + end]));
        rest = &rest[at + MARK.len() + end..];
    }
    kept.push_str(rest);
    (kept, modules)
}

#[test]
fn source_is_read_without_comments_literals_and_tests() {
    let text = "let a = \"// {\"; // }\nlet b = r#\"\"{\"#; /* { /* */ */ let c = '{'; fn d<'a>() {}\n\
                #[cfg(test)]\nmod tests {\n    fn e() {}\n}\n#[cfg(test)]\nmod others;\nlet f = b'\\'';";
    let (code, modules) = without_tests(&without_comments_and_literals(text));
    let words: Vec<_> = code.split_whitespace().collect();
    assert_eq!(
        words.join(" "),
        "let a = ; let b = ; let c = ; fn d<'a>() {} let f = b ;"
    );
    assert_eq!(modules, ["others"]);
    assert_eq!(code.matches('\n').count(), text.matches('\n').count());
}
