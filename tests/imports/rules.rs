//! What the engine's rooms may know of each other: models nothing of where their weights are, and what moves weights
//! nothing of models.

use crate::{
    Sources,
    circles::Graph,
    modules::{Module, Modules},
};

/// The rooms of the models, and of the layers and operations that they are made of.
const MODELS: &[&str] = &["transformer", "vae", "text", "vision", "nn", "kernels"];
/// The rooms that run models, and know as little of where their weights are.
const RUNNERS: &[&str] = &["sampler", "condition"];

/// Rooms that some files import, and no others or anything but them.
enum Rooms {
    Only(&'static [&'static str]),
    None(&'static [&'static str]),
}

struct Rule {
    files: fn(&str) -> bool,
    imports: Rooms,
    why: &'static str,
}

const RULES: [Rule; 3] = [
    Rule {
        files: |file| room(file) == "offload",
        imports: Rooms::Only(&["offload", "device", "error", "weights"]),
        why: "offload/ moves the weights of any model and is planned with",
    },
    Rule {
        files: |file| MODELS.contains(&room(file)),
        // Names of plan/ are re-exported by lib.rs.
        imports: Rooms::None(&["plan", "lib"]),
        why: "plan/ asks models what they cost; they do not ask it",
    },
    Rule {
        files: |file| MODELS.contains(&room(file)) && is_cost(file),
        imports: Rooms::None(&["plan", "offload"]),
        why: "a model's cost does not depend on where its weights are",
    },
];

/// What only who moves weights names.
const WORDS: [&str; 12] = [
    "Residency",
    "evict_all",
    "evict_place",
    "release_slots",
    "empty_cache",
    "load_model_chunked",
    "move_model_to_device_with_memory_preservation",
    "offload_model_from_device_for_memory_preservation",
    "force_free_vram",
    "wait_for_host",
    "fill_host",
    "set_chunk_bytes",
];
/// What only they call, as a method or by its path; as a word it may be anything.
const CALLS: [&str; 4] = ["place", "settle", "acquire", "evict"];

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
        for rule in &RULES {
            let is_allowed = match rule.imports {
                Rooms::Only(rooms) => rooms.contains(&room(to)),
                Rooms::None(rooms) => !rooms.contains(&room(to)),
            };
            if (rule.files)(from) && !is_allowed {
                broken.push(format!("{place} imports {to}: {}", rule.why));
            }
        }
    }
    broken
}

fn forbidden_names(modules: &Modules<'_>) -> Vec<String> {
    let bound = |module: &&Module| {
        let room = room(&module.file);
        MODELS.contains(&room) || RUNNERS.contains(&room)
    };
    let mut broken = Vec::new();
    for module in modules.all.iter().filter(bound) {
        let words = WORDS
            .iter()
            .filter_map(|word| Some((word, module.words.get(*word)?)));
        let calls = CALLS
            .iter()
            .filter_map(|call| Some((call, module.calls.get(*call)?)));
        for (name, line) in words.chain(calls) {
            broken.push(format!(
                "{}:{line}: {name}: models and who runs them do not say where weights are",
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

/// Whether a file says what a model costs.
fn is_cost(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name == "cost.rs" || name.ends_with("_cost.rs")
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
            "nn",
            "kernels",
            "sampler",
            "condition",
            "models",
            "history",
            "device",
            "error",
            "weights",
        ];
        let mut sources: Sources = rooms
            .map(|room| {
                (
                    format!("{room}/mod.rs"),
                    "pub mod cost; pub mod one_cost; pub mod other; pub struct X;".to_owned(),
                )
            })
            .into();
        for room in rooms {
            for child in ["cost", "one_cost", "other"] {
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
    fn what_moves_weights_imports_devices_errors_and_weights_only() {
        for import in [
            "use crate::ROOM::X;",
            "fn f() { crate::ROOM::other::g() }",
            "fn f(x: &crate::ROOM::X) {}",
        ] {
            for room in ["transformer", "nn", "plan", "sampler", "models", "history"] {
                let import = import.replace("ROOM", room);
                let told = broken_by("offload/other.rs", &import);
                assert_eq!(told.len(), 1, "{import}: {told:?}");
                let place = "offload/other.rs:2: crate::";
                assert!(told[0].starts_with(place), "{told:?}");
            }
            for room in ["offload", "device", "error", "weights"] {
                let import = import.replace("ROOM", room);
                assert_eq!(broken_by("offload/other.rs", &import), [""; 0]);
            }
        }
        assert_eq!(broken_by("offload/other.rs", "use crate::P;").len(), 1);
        let test = "#[cfg(test)] mod tests { use crate::transformer::X; }";
        assert_eq!(broken_by("offload/other.rs", test), [""; 0]);
    }

    #[test]
    fn models_and_who_runs_them_do_not_name_where_weights_are() {
        for text in [
            "use crate::offload::Residency;",
            "use crate::offload::Residency as R;",
            "pub fn evict_all() {}",
            "fn f(x: X) { x.blocks.release_slots(); }",
            "fn f() { crate::device::empty_cache() }",
            "fn f(x: X) { vec![x.fill_host(3)] }",
            "fn f(x: X) { x.wait_for_host() }",
            "fn f(x: X) { x.vram().force_free_vram(3, &[]) }",
            "use crate::offload::load_model_chunked;",
            "fn f(x: X) { move_model_to_device_with_memory_preservation(x) }",
            "fn f(x: X) { offload_model_from_device_for_memory_preservation(x) }",
            "fn f(x: X) { x.place(3) }",
            "fn f(x: X) { x.evict(3) }",
            "mod inner { fn f(x: X) { x.settle(0) } }",
            "fn f(s: S) { DynamicSwap::place(s, 3) }",
            "fn f(s: S) { DynamicSwap::<B>::place(s, 3) }",
            "fn f(s: S) { <DynamicSwap<B>>::acquire(s) }",
            "fn f(s: S) { s.map(S::settle) }",
            "fn f(s: S) { vec![S::settle(s)] }",
            "fn f(s: S) { vec![DynamicSwap::<B>::settle(s)] }",
        ] {
            for room in ["text", "nn", "kernels", "sampler", "condition"] {
                let file = format!("{room}/other.rs");
                let told = broken_by(&file, text);
                assert_eq!(told.len(), 1, "{text}: {told:?}");
                assert!(told[0].starts_with(&format!("{file}:2: ")), "{told:?}");
            }
            assert_eq!(broken_by("models/other.rs", text), [""; 0], "{text}");
        }
        for text in [
            "fn f(place: usize) -> usize { place }",
            "fn f(place: P) -> usize { place.start }",
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
        for file in ["transformer/cost.rs", "nn/cost.rs", "nn/one_cost.rs"] {
            assert_eq!(broken_by(file, import).len(), 1, "{file}");
        }
        assert_eq!(broken_by("transformer/other.rs", import), [""; 0]);
        assert_eq!(broken_by("plan/cost.rs", import), [""; 0]);
    }
}
