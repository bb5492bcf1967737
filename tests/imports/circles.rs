//! Who imports whom, and the circles in that.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{Sources, modules::Modules};

/// The imports between some things, each with a place in the sources where it happens.
pub(crate) type Edges = BTreeMap<(String, String), String>;

/// The imports of a crate's files.
#[derive(Debug)]
pub(crate) struct Graph {
    edges: Edges,
    /// Files and folders on the way from `src` to a file, its own name last.
    ways: BTreeMap<String, Vec<String>>,
}

/// Files or folders of which each leads to each of the others.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    pub(crate) members: BTreeSet<String>,
    edges: Edges,
}

impl Graph {
    pub(crate) fn of(sources: &Sources, library: &str) -> Self {
        let modules = Modules::of(sources, library);
        let mut edges = Edges::new();
        for (id, module) in modules.all.iter().enumerate() {
            for found in &module.paths {
                for file in modules.files_of(id, found) {
                    if file != module.file {
                        let path = found.segments.join("::");
                        edges
                            .entry((module.file.clone(), file.to_owned()))
                            .or_insert_with(|| format!("{}:{}: {path}", module.file, found.line));
                    }
                }
            }
        }
        let ways = sources
            .keys()
            .map(|file| (file.clone(), way(file, sources)));
        Self {
            ways: ways.collect(),
            edges,
        }
    }

    /// Circles of files, the largest first.
    pub(crate) fn circles_of_files(&self) -> Vec<Circle> {
        circles(&self.edges)
    }

    /// Circles with a folder in them, the largest first: in each folder, its folders and files.
    pub(crate) fn circles_of_folders(&self) -> Vec<Circle> {
        let levels = self.levels();
        let mut found: Vec<_> = levels.values().flat_map(circles).collect();
        found.retain(|circle| circle.members.iter().any(|member| member.ends_with('/')));
        found.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        found
    }

    /// The imports between the folders and files in `src` itself, each folder as one thing.
    pub(crate) fn of_rooms(&self) -> Edges {
        self.levels().remove("").unwrap_or_default()
    }

    /// The imports between all files.
    pub(crate) fn of_files(&self) -> &Edges {
        &self.edges
    }

    /// For each folder, the imports between the folders and files in it.
    fn levels(&self) -> BTreeMap<String, Edges> {
        let mut levels: BTreeMap<String, Edges> = BTreeMap::new();
        for ((from, to), place) in &self.edges {
            let (from, to) = (&self.ways[from], &self.ways[to]);
            let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
            let level = from[..shared].concat();
            let edge = (from[..=shared].concat(), to[..=shared].concat());
            let edges = levels.entry(level).or_default();
            edges.entry(edge).or_insert_with(|| place.clone());
        }
        levels
    }
}

impl Circle {
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  circle of {}:", self.len())?;
        for member in &self.members {
            writeln!(f, "    {member}")?;
            for ((from, to), place) in &self.edges {
                if from == member {
                    writeln!(f, "      imports {to}  ({place})")?;
                }
            }
        }
        Ok(())
    }
}

/// `a/b/c.rs` → `a/`, `b/`, `c.rs`; where there is a folder `c`, `c.rs` is a file of it.
fn way(file: &str, sources: &Sources) -> Vec<String> {
    let mut way: Vec<_> = file.split_inclusive('/').map(str::to_owned).collect();
    let folder = format!("{}/", file.trim_end_matches(".rs"));
    if sources.keys().any(|other| other.starts_with(&folder)) {
        let name = way.pop().expect("a path has a name");
        way.push(format!("{}/", name.trim_end_matches(".rs")));
        way.push(name);
    }
    way
}

/// The strongly connected parts of a graph that have more than one member, the largest first.
fn circles(edges: &Edges) -> Vec<Circle> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges.keys() {
        next.entry(from).or_default().push(to);
    }
    let reached: BTreeMap<_, _> = next
        .keys()
        .map(|from| (*from, reach(from, &next)))
        .collect();
    let mut members: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for (from, to) in &reached {
        let both = to
            .iter()
            .filter(|to| reached.get(*to).is_some_and(|back| back.contains(from)));
        let circle: BTreeSet<_> = both.map(|&name| name.to_owned()).collect();
        if circle.len() > 1 {
            members.insert(circle);
        }
    }
    let mut found: Vec<_> = members
        .into_iter()
        .map(|members| within(members, edges))
        .collect();
    found.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    found
}

/// All that imports lead to from here.
fn reach<'a>(from: &str, next: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = next.get(from).cloned().unwrap_or_default();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(next.get(name).into_iter().flatten());
        }
    }
    reached
}

fn within(members: BTreeSet<String>, edges: &Edges) -> Circle {
    let inner = edges
        .iter()
        .filter(|((from, to), _)| members.contains(from) && members.contains(to));
    let edges = inner
        .map(|(edge, place)| (edge.clone(), place.clone()))
        .collect();
    Circle { members, edges }
}
