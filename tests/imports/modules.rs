//! The modules of a crate, read from its sources, and where a path leads.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Sources,
    paths::{Found, Kind, read_items},
};

pub(crate) type ModuleId = usize;

/// One module: a file, or a part of one.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) file: String,
    root: ModuleId,
    parent: Option<ModuleId>,
    children: BTreeMap<String, ModuleId>,
    /// What `use` calls by a name here.
    aliases: BTreeMap<String, Vec<String>>,
    /// Items that are defined here.
    items: BTreeSet<String>,
    pub(crate) paths: Vec<Found>,
    /// Words, and methods that are called by name or path, each with the line where it comes first.
    pub(crate) words: BTreeMap<String, usize>,
    pub(crate) calls: BTreeMap<String, usize>,
}

/// A crate: its library and the program beside it.
#[derive(Debug)]
pub(crate) struct Modules<'a> {
    sources: &'a Sources,
    /// What the program calls the library.
    library: &'a str,
    pub(crate) all: Vec<Module>,
}

impl<'a> Modules<'a> {
    pub(crate) fn of(sources: &'a Sources, library: &'a str) -> Self {
        let mut modules = Self {
            sources,
            library,
            all: Vec::new(),
        };
        for root in ["lib.rs", "main.rs"] {
            if sources.contains_key(root) {
                modules.add_file(root, "", None);
            }
        }
        modules
    }

    /// Reads a file whose child modules lie in `folder`.
    fn add_file(&mut self, file: &str, folder: &str, parent: Option<ModuleId>) -> ModuleId {
        let text = &self.sources[file];
        let parsed = syn::parse_file(text).unwrap_or_else(|e| panic!("{file}: {e}"));
        self.add(file, folder, parent, &parsed.items)
    }

    fn add(
        &mut self,
        file: &str,
        folder: &str,
        parent: Option<ModuleId>,
        items: &[syn::Item],
    ) -> ModuleId {
        let id = self.all.len();
        let read = read_items(items);
        let aliases = read.paths.iter().filter_map(|found| match &found.kind {
            Kind::Use { name } => Some((name.clone(), found.segments.clone())),
            Kind::Glob | Kind::Mention => None,
        });
        self.all.push(Module {
            file: file.to_owned(),
            root: parent.map_or(id, |parent| self.all[parent].root),
            parent,
            children: BTreeMap::new(),
            aliases: aliases.collect(),
            items: read.names,
            paths: read.paths,
            words: read.words,
            calls: read.calls,
        });
        for declared in read.modules {
            let name = declared.ident.to_string();
            let child = if let Some((_, items)) = &declared.content {
                self.add(file, &format!("{folder}{name}/"), Some(id), items)
            } else {
                let beside = format!("{folder}{name}.rs");
                let inside = format!("{folder}{name}/mod.rs");
                let file = if self.sources.contains_key(&beside) {
                    beside
                } else {
                    inside
                };
                self.add_file(&file, &format!("{folder}{name}/"), Some(id))
            };
            self.all[id].children.insert(name, child);
        }
        id
    }

    /// The files that a path leads to from a module.
    pub(crate) fn files_of(&self, from: ModuleId, found: &Found) -> Vec<&str> {
        let Some((module, rest)) = self.walk(from, &found.segments, &mut Vec::new()) else {
            return Vec::new();
        };
        let mut reached = vec![module];
        if rest.is_empty() {
            let last = found.segments.last().expect("a path has segments");
            let parent = self.all[module].parent;
            let shared = parent.filter(|&parent| self.all[parent].binds(last));
            match found.kind {
                // A name in a `use` is the module and, where there is one, the item of that name.
                Kind::Use { .. } => reached.extend(shared),
                // The end of any other path is no module.
                Kind::Mention => reached = parent.into_iter().collect(),
                Kind::Glob => {}
            }
        }
        let files = reached.iter().map(|&module| self.all[module].file.as_str());
        files.collect()
    }

    /// The module of a path's longest prefix that is one, and what of the path is left.
    fn walk<'p>(
        &self,
        from: ModuleId,
        path: &'p [String],
        aliases: &mut Vec<(ModuleId, &'p str)>,
    ) -> Option<(ModuleId, &'p [String])> {
        let (first, mut rest) = path.split_first()?;
        let here = &self.all[from];
        let mut module = match first.as_str() {
            "crate" => here.root,
            "self" => from,
            "super" => here.parent?,
            name if name == self.library => 0,
            name => match here.children.get(name) {
                Some(&child) => child,
                None => self.aliased(from, name, aliases)?,
            },
        };
        while let Some((next, after)) = rest.split_first() {
            let below = match next.as_str() {
                "super" => self.all[module].parent,
                name => self.all[module].children.get(name).copied(),
            };
            let Some(below) = below else { break };
            (module, rest) = (below, after);
        }
        Some((module, rest))
    }

    /// The module that `use` calls by a name here.
    fn aliased<'p>(
        &self,
        from: ModuleId,
        name: &'p str,
        aliases: &mut Vec<(ModuleId, &'p str)>,
    ) -> Option<ModuleId> {
        // `use log::log` would lead to itself.
        if aliases.contains(&(from, name)) {
            return None;
        }
        aliases.push((from, name));
        let path = self.all[from].aliases.get(name)?.clone();
        let mut nested = aliases.iter().map(|(id, name)| (*id, *name)).collect();
        match self.walk(from, &path, &mut nested)? {
            (module, []) => Some(module),
            _ => None,
        }
    }
}

impl Module {
    fn binds(&self, name: &str) -> bool {
        self.items.contains(name) || self.aliases.contains_key(name)
    }
}
