//! Pages of documentation, taken apart.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One Markdown file.
pub struct Page {
    /// Relative to [`root`].
    pub path: PathBuf,
    pub text: String,
}

/// A block between lines of three backticks.
pub struct Block {
    /// File and line, for messages.
    pub place: String,
    /// What follows the backticks, such as `toml,configuration`.
    pub info: String,
    pub text: String,
}

impl Page {
    /// Reads the page at `path`, which is relative to [`root`].
    pub fn read(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        let text = fs::read_to_string(root().join(&path));
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// Every page: those in [`root`] and those in `docs`.
    pub fn all() -> Vec<Self> {
        let mut paths = Vec::new();
        for folder in ["", "docs"] {
            for entry in fs::read_dir(root().join(folder)).unwrap() {
                let name = entry.unwrap().file_name();
                if Path::new(&name).extension().is_some_and(|ext| ext == "md") {
                    paths.push(Path::new(folder).join(name));
                }
            }
        }
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    /// The blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_open = false;
        for (number, line) in (1..).zip(self.text.lines()) {
            if let Some(info) = line.trim_start().strip_prefix("```") {
                is_open = !is_open;
                if is_open {
                    blocks.push(Block {
                        place: format!("{}:{number}", self.path.display()),
                        info: info.to_owned(),
                        text: String::new(),
                    });
                }
            } else if is_open && let Some(block) = blocks.last_mut() {
                block.text += line;
                block.text.push('\n');
            }
        }
        assert!(!is_open, "{}: a block does not end", self.path.display());
        blocks
    }

    /// The lines outside of blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut is_open = false;
        let outside = |line: &&str| {
            let is_fence = line.trim_start().starts_with("```");
            is_open ^= is_fence;
            !is_open && !is_fence
        };
        self.text.lines().filter(outside).collect()
    }

    /// The anchors of the headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let prose = self.prose();
        let headings = prose.iter().filter_map(|line| heading(line));
        let slug = |title: &str| {
            let kept = title.to_lowercase().replace(' ', "-");
            let is_kept = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
            kept.chars().filter(is_kept).collect()
        };
        headings.map(slug).collect()
    }

    /// The rows of all tables below the heading `title`, up to the next heading, without the rows of column names.
    pub fn rows(&self, title: &str) -> Vec<Vec<String>> {
        let prose = self.prose();
        let start = prose.iter().position(|line| heading(line) == Some(title));
        let start = start.unwrap_or_else(|| panic!("{}: no `{title}`", self.path.display()));
        let section = prose[start + 1..].iter();
        let lines: Vec<_> = section.take_while(|line| heading(line).is_none()).collect();
        let is_rule = |line: &str| line.starts_with("| ---");
        let rows = lines.iter().enumerate().filter(|(at, line)| {
            let is_head = lines.get(at + 1).is_some_and(|next| is_rule(next));
            line.starts_with('|') && !is_rule(line) && !is_head
        });
        rows.map(|(_, line)| cells(line)).collect()
    }

    /// The first column of [`Page::rows`], each cell without backticks and taken apart at commas.
    pub fn names(&self, title: &str) -> Vec<String> {
        let rows = self.rows(title);
        let cells = rows.iter().flat_map(|row| row[0].split(", "));
        cells.map(|cell| cell.replace('`', "")).collect()
    }
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    (title.len() < line.len()).then_some(title.strip_prefix(' ')?)
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}
