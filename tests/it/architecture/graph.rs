//! Which source file uses items of which other.

use std::collections::HashMap;

use super::imports::{Import, imports};
use super::source::Source;

/// The uses among files, through re-exports to where the items are.
pub struct Graph<'a> {
    sources: &'a [Source],
    /// For each source the others, and where the first use is.
    pub uses: Vec<HashMap<usize, usize>>,
}

impl<'a> Graph<'a> {
    /// The graph of these files. A re-export is not a use: what goes through it leads to the file behind.
    pub fn of(sources: &'a [Source]) -> Self {
        let all: Vec<Vec<Import>> = sources.iter().map(imports).collect();
        let mut reexports = HashMap::new();
        for (source, imports) in sources.iter().zip(&all) {
            for import in imports {
                if let Some(name) = &import.reexported_as {
                    reexports.insert(format!("{}::{name}", source.module), import.path.clone());
                }
            }
        }
        let files: HashMap<&str, usize> = (0..)
            .zip(sources)
            .map(|(number, source)| (&*source.module, number))
            .collect();
        let uses = |(number, imports): (usize, &Vec<Import>)| {
            let mut uses = HashMap::new();
            for import in imports
                .iter()
                .filter(|import| import.reexported_as.is_none())
            {
                let owner = owner(&files, &follow(&reexports, &import.path));
                if let Some(owner) = owner.filter(|owner| *owner != number) {
                    uses.entry(owner).or_insert(import.at);
                }
            }
            uses
        };
        let uses = all.iter().enumerate().map(uses).collect();
        Self { sources, uses }
    }

    /// The shortest way from a file back to itself, as the places of the uses.
    fn cycle_from(&self, start: usize) -> Option<Vec<usize>> {
        let mut ways = vec![vec![start]];
        let mut seen = Vec::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                for &next in self.uses[way[way.len() - 1]].keys() {
                    if next == start {
                        return Some(way);
                    }
                    if !seen.contains(&next) {
                        seen.push(next);
                        longer.push([&way[..], &[next]].concat());
                    }
                }
            }
            ways = longer;
        }
        None
    }

    /// A cycle for each file that is in one, but each cycle once.
    pub fn cycles(&self) -> Vec<String> {
        let mut found: Vec<Vec<usize>> = Vec::new();
        for start in 0..self.sources.len() {
            let Some(cycle) = self.cycle_from(start) else {
                continue;
            };
            if !found
                .iter()
                .any(|known| cycle.iter().all(|file| known.contains(file)))
            {
                found.push(cycle);
            }
        }
        found.iter().map(|cycle| self.describe(cycle)).collect()
    }

    fn describe(&self, cycle: &[usize]) -> String {
        let next = cycle.iter().cycle().skip(1);
        let steps = cycle.iter().zip(next).map(|(from, to)| {
            let place = self.sources[*from].place(self.uses[*from][to]);
            format!("{place} uses {}", self.sources[*to].path)
        });
        steps.collect::<Vec<_>>().join(", ")
    }
}

/// Where a re-exported path really leads.
fn follow(reexports: &HashMap<String, String>, path: &str) -> String {
    let mut path = path.to_owned();
    // So many steps that only a circle of re-exports takes more.
    for _ in 0..10 {
        let behind = reexports.iter().find_map(|(name, behind)| {
            let rest = path.strip_prefix(name.as_str())?;
            (rest.is_empty() || rest.starts_with("::")).then(|| format!("{behind}{rest}"))
        });
        match behind {
            Some(behind) if behind != path => path = behind,
            _ => break,
        }
    }
    path
}

/// The file of the longest module that begins the path.
fn owner(files: &HashMap<&str, usize>, path: &str) -> Option<usize> {
    let mut path = path;
    loop {
        if let Some(number) = files.get(path) {
            return Some(*number);
        }
        path = path.rsplit_once("::")?.0;
    }
}
