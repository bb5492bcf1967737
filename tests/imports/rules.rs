//! What the engine's rooms may know of each other: models nothing of where their weights are, and what moves weights
//! nothing of models.

use crate::{Sources, circles::Graph, modules::Modules};

/// The rooms of the models, and of the layers that they are made of.
const MODELS: &[&str] = &["transformer", "vae", "text", "vision", "nn"];

/// Files that may not import some rooms.
struct Ban {
    files: fn(&str) -> bool,
    rooms: &'static [&'static str],
    why: &'static str,
}

const BANS: [Ban; 3] = [
    Ban {
        files: |file| room(file) == "offload",
        rooms: &[
            "transformer",
            "vae",
            "text",
            "vision",
            "nn",
            "plan",
            "condition",
            "sampler",
            "models",
            "pipeline",
        ],
        why: "offload/ moves the weights of any model and is planned with",
    },
    Ban {
        files: |file| MODELS.contains(&room(file)),
        // Names of plan/ are re-exported by lib.rs.
        rooms: &["plan", "lib"],
        why: "plan/ asks models what they cost; they do not ask it",
    },
    Ban {
        files: |file| MODELS.contains(&room(file)) && file.ends_with("/cost.rs"),
        rooms: &["plan", "offload"],
        why: "a model's cost does not depend on where its weights are",
    },
];

/// What only who moves weights names.
const WORDS: [&str; 4] = ["Residency", "evict_all", "release_slots", "empty_cache"];
/// What only they call; as a word it may be anything.
const CALLS: [&str; 4] = ["place", "settle", "acquire", "fill_host"];

/// All that is against the rules, each with its place.
pub(crate) fn broken(sources: &Sources, library: &str) -> Vec<String> {
    let graph = Graph::of(sources, library);
    let modules = Modules::of(sources, library);
    let mut broken = forbidden_imports(&graph);
    broken.extend(forbidden_names(&modules));
    broken
}

fn forbidden_imports(graph: &Graph) -> Vec<String> {
    let mut broken = Vec::new();
    for ((from, to), place) in graph.of_files() {
        for ban in &BANS {
            if (ban.files)(from) && ban.rooms.contains(&room(to)) {
                broken.push(format!("{place} imports {to}: {}", ban.why));
            }
        }
    }
    broken
}

fn forbidden_names(modules: &Modules<'_>) -> Vec<String> {
    let models = modules
        .all
        .iter()
        .filter(|module| MODELS.contains(&room(&module.file)));
    let mut broken = Vec::new();
    for module in models {
        let words = WORDS
            .iter()
            .filter_map(|word| Some((word, module.words.get(*word)?)));
        let calls = CALLS
            .iter()
            .filter_map(|call| Some((call, module.calls.get(*call)?)));
        for (name, line) in words.chain(calls) {
            broken.push(format!(
                "{}:{line}: {name}: models do not say where weights are",
                module.file
            ));
        }
    }
    broken
}

/// The folder or file in `src` itself that a file belongs to.
fn room(file: &str) -> &str {
    let room = file.split('/').next().unwrap_or(file);
    room.trim_end_matches(".rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a crate breaks whose file `file` says `text`.
    fn broken_by(file: &str, text: &str) -> Vec<String> {
        let rooms = [
            "offload",
            "plan",
            "transformer",
            "text",
            "sampler",
            "models",
            "device",
        ];
        let mut sources: Sources = rooms
            .map(|room| {
                (
                    format!("{room}/mod.rs"),
                    "pub mod cost; pub mod other; pub struct X;".to_owned(),
                )
            })
            .into();
        for room in rooms {
            for child in ["cost", "other"] {
                sources.insert(format!("{room}/{child}.rs"), "pub struct Y;".to_owned());
            }
        }
        let declared = rooms.map(|room| format!("pub mod {room};")).concat();
        sources.insert(
            "lib.rs".to_owned(),
            format!("{declared} pub use plan::X as P;"),
        );
        assert_eq!(
            broken(&sources, "tiny"),
            [""; 0],
            "the crate keeps the rules"
        );
        let file = sources.get_mut(file).expect("the crate has the file");
        file.push('\n');
        file.push_str(text);
        broken(&sources, "tiny")
    }

    #[test]
    fn what_moves_weights_names_no_model_and_nobody_above() {
        for room in ["transformer", "text", "plan", "sampler", "models"] {
            for import in [
                "use crate::ROOM::X;",
                "fn f() { crate::ROOM::other::g() }",
                "fn f(x: &crate::ROOM::X) {}",
            ] {
                let import = import.replace("ROOM", room);
                let told = broken_by("offload/other.rs", &import);
                assert_eq!(told.len(), 1, "{import}: {told:?}");
                assert!(
                    told[0].starts_with("offload/other.rs:2: crate::"),
                    "{told:?}"
                );
            }
        }
        assert_eq!(
            broken_by("offload/other.rs", "use crate::device::X;"),
            [""; 0]
        );
        let test = "#[cfg(test)] mod tests { use crate::transformer::X; }";
        assert_eq!(broken_by("offload/other.rs", test), [""; 0]);
    }

    #[test]
    fn models_do_not_name_where_weights_are() {
        for text in [
            "use crate::offload::Residency;",
            "use crate::offload::Residency as R;",
            "fn f(x: X) { x.evict_all() }",
            "pub fn evict_all() {}",
            "fn f(x: X) { x.blocks.release_slots(); }",
            "fn f() { crate::device::empty_cache() }",
            "fn f(x: X) { x.place(3) }",
            "fn f(x: X) { vec![x.fill_host(3)] }",
            "mod inner { fn f(x: X) { x.settle(0) } }",
        ] {
            let told = broken_by("text/other.rs", text);
            assert_eq!(told.len(), 1, "{text}: {told:?}");
            assert!(told[0].starts_with("text/other.rs:2: "), "{told:?}");
            assert_eq!(broken_by("models/other.rs", text), [""; 0], "{text}");
        }
        for text in [
            "fn f(place: usize) -> usize { place }",
            "/// Not [`Residency`].\nfn f() {}",
            "#[cfg(test)] mod tests { fn f(x: X) { x.evict_all() } }",
            "use crate::offload::X;",
        ] {
            assert_eq!(broken_by("text/other.rs", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn models_do_not_ask_the_plan_and_costs_not_where_weights_are() {
        for import in [
            "use crate::plan::X;",
            "use crate::plan::other::Y;",
            "use crate::P;",
        ] {
            let told = broken_by("transformer/other.rs", import);
            assert_eq!(told.len(), 1, "{import}: {told:?}");
        }
        let import = "use crate::offload::X;";
        assert_eq!(broken_by("transformer/cost.rs", import).len(), 1);
        assert_eq!(broken_by("transformer/other.rs", import), [""; 0]);
        assert_eq!(broken_by("plan/cost.rs", import), [""; 0]);
    }
}
