//! The graph of a crate's rooms, for people: the folders and files in `src` itself, and what each imports.

use std::collections::{BTreeMap, BTreeSet};

use crate::circles::Edges;

/// One line for each room, `pipeline -> models plan`, the importing ones before those that they import.
pub(crate) fn told(edges: &Edges) -> String {
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in edges.keys() {
        imports.entry(name(from)).or_default().insert(name(to));
        imports.entry(name(to)).or_default();
    }
    let mut order = Vec::new();
    for room in imports.keys() {
        append(room, &imports, &mut BTreeSet::new(), &mut order);
    }
    order.reverse();
    let line = |room: &&str| {
        let imported = order.iter().filter(|to| imports[room].contains(*to));
        let imported: Vec<_> = imported.copied().collect();
        match imported[..] {
            [] => (*room).to_owned(),
            _ => format!("{room} -> {}", imported.join(" ")),
        }
    };
    order.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The room behind all that it imports.
fn append<'a>(
    room: &'a str,
    imports: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    begun: &mut BTreeSet<&'a str>,
    order: &mut Vec<&'a str>,
) {
    if order.contains(&room) || !begun.insert(room) {
        return;
    }
    for imported in &imports[room] {
        append(imported, imports, begun, order);
    }
    order.push(room);
}

fn name(room: &str) -> &str {
    room.trim_end_matches('/').trim_end_matches(".rs")
}
