//! Imports of `daemon/src`, `engine/src` and `hub/src`: no large circle of files, and none of folders.
//!
//! # What counts as an import
//!
//! A file imports another if a path in it leads there: in a `use`, an expression, a type, the tokens of a macro, or a
//! string in an attribute (`#[serde(with = "crate::…")]`). A path leads to the file of its longest prefix that is a
//! module, so a name that `mod.rs` re-exports is imported from `mod.rs`. Declarations (`mod x;`) are no imports, and
//! neither are doc comments, `pub(in …)`, and whatever is built for tests only.
//!
//! Not seen: methods of a type that another file got hold of, and names that come in through a glob.
//!
//! # What the engine's rooms may import
//!
//! See [`rules`], and [`crates`] for the crates of others. There, the names in a file count too. [`document`] holds the table of rooms in docs/ARCHITECTURE.md
//! against the imports.
//!
//! # What counts as a circle
//!
//! - *Files* are in a circle if each leads to each of the others, over any number of imports.
//! - A *folder*, seen from the folder that it lies in, is one thing: an import by any file below it is an import by the
//!   folder. It must be in no circle, neither with another folder nor with a file beside it. So `store/` and `queue/` may
//!   not import each other, however deep the files are and even if no two files do; and what `spool/bundle/` needs of a
//!   `spool/name.rs` must not need the bundles in turn. A folder's `mod.rs` is a file like the others inside it: it may
//!   re-export what lies below, and then nothing below may import from it. Where a module is `pipeline.rs` beside
//!   `pipeline/`, the file belongs to the folder.
//!
//! `cargo test --test imports -- --nocapture` prints all circles, and for each crate the graph of its rooms: a line for each
//! folder and file in `src` with what it imports.

mod analysis;
mod circles;
mod crates;
mod document;
mod modules;
mod paths;
mod rooms;
mod rules;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use circles::{Circle, Graph};

/// More files than that cannot be read one after the other.
const LARGEST_CIRCLE_OF_FILES: usize = 4;

/// The sources of one crate: path below `src`, text.
type Sources = BTreeMap<String, String>;

fn read(folder: &Path, below: &str, into: &mut Sources) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("an entry has a name");
        let name = format!("{below}{}", name.to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), into);
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            let text = fs::read_to_string(&path).expect("sources are text");
            into.insert(name, text);
        }
    }
}

fn sources_of(folder: &str) -> Sources {
    let mut sources = Sources::new();
    read(&in_repository(folder), "", &mut sources);
    sources
}

fn in_repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(path)
}

fn architecture() -> String {
    let text = fs::read_to_string(in_repository("docs/ARCHITECTURE.md"));
    text.expect("the document is there")
}

fn report(of: &str, circles: &[Circle]) -> String {
    let sizes: Vec<_> = circles.iter().map(Circle::len).collect();
    let mut text = format!(
        "circles of {of}: {}, with {sizes:?} members\n",
        circles.len()
    );
    for circle in circles {
        text.push_str(&circle.to_string());
    }
    text
}

/// All circles of a crate and the graph of its rooms, for people.
fn check(folder: &str, library: &str) -> String {
    let graph = Graph::of(&sources_of(folder), library);
    let (files, folders) = (graph.circles_of_files(), graph.circles_of_folders());
    let told = [
        report(&format!("files in {folder}"), &files),
        report(&format!("folders in {folder}"), &folders),
    ]
    .concat();
    let largest = files.first().map_or(0, Circle::len);
    assert!(
        largest <= LARGEST_CIRCLE_OF_FILES && folders.is_empty(),
        "{largest} files in one circle of imports ({LARGEST_CIRCLE_OF_FILES} allowed), \
         {} circles of folders (none allowed)\n{told}",
        folders.len(),
    );
    format!("{told}{folder}:\n{}\n", rooms::told(&graph.of_rooms()))
}

#[test]
fn imports_of_the_daemon_form_no_large_circle() {
    println!("{}", check("daemon/src", "framepackd"));
}

#[test]
fn imports_of_the_engine_form_no_large_circle() {
    println!("{}", check("engine/src", "framepack_engine"));
}

#[test]
fn imports_of_the_hub_form_no_large_circle() {
    println!("{}", check("hub/src", "framepack_hub"));
}

#[test]
fn crates_of_others_are_reached_by_whom_the_document_says() {
    let lock = fs::read_to_string(in_repository("Cargo.lock")).expect("the lock file is there");
    let wrong = crates::wrong_reach(&lock);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn models_do_not_say_where_their_weights_are_and_offload_names_no_model() {
    let broken = rules::broken(&sources_of("engine/src"), "framepack_engine");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn rooms_of_the_engine_import_downwards_in_the_documents_table() {
    let sources = sources_of("engine/src");
    let wrong = document::wrong_rooms(&architecture(), &sources, "framepack_engine");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn paths_in_the_documents_tables_exist() {
    let exists = |path: &str| {
        let places = [in_repository(path), in_repository("engine/src").join(path)];
        places.iter().any(|place| place.exists())
    };
    let missing = document::missing_paths(&architecture(), exists);
    assert!(missing.is_empty(), "not there: {}", missing.join(", "));
}
