//! However a model's weights are held, the worker's results are the same byte for byte.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// One of the parity cases, without what the memory's options add.
#[derive(Debug, Clone, Copy)]
struct Case {
    component: &'static str,
    model: &'static str,
    inputs: &'static str,
    flags: &'static [&'static str],
}

const TRANSFORMER: Case = Case {
    component: "transformer",
    model: "transformer",
    inputs: "transformer/padded-ends",
    flags: &[],
};
const SAMPLE: Case = Case {
    component: "sample",
    model: "transformer-framepack",
    inputs: "sample/1-steps",
    flags: &["--steps", "2"],
};
const LLAMA: Case = Case {
    component: "llama",
    model: "llama",
    inputs: "llama/padded",
    flags: &[],
};
const SIGLIP: Case = Case {
    component: "siglip",
    model: "siglip",
    inputs: "siglip/prefixed",
    flags: &[],
};

type Options = &'static [&'static str];
/// The values that an option takes here, each as arguments.
type Levels = [Options; 4];

/// The transformer of the parity cases has four blocks.
const RESIDENT: Levels = [
    &["--resident-blocks", "0"],
    &["--resident-blocks", "1"],
    &["--resident-blocks", "3"],
    &["--resident-blocks", "4"],
];
const SLOTS: Levels = [
    &["--slots", "1"],
    &["--slots", "2"],
    &["--slots", "3"],
    &["--slots", "4"],
];
const PREFETCH: Levels = [
    &[],
    &["--prefetch", "0"],
    &["--prefetch", "1"],
    &["--prefetch", "9"],
];
const HOST: Levels = [
    &[],
    &["--host-mib", "0"],
    &["--host-mib", "1"],
    &["--host-mib", "4096"],
];
const TRAVEL: Levels = [
    &["--hoist", "on", "--chunk-mib", "1"],
    &["--hoist", "off", "--poison-slots"],
    &["--async-streams", "off", "--poison-slots"],
    &["--pinned", "off", "--chunk-mib", "1000000"],
];

/// Products in the field of four elements, whose sum is the exclusive or.
const PRODUCTS: [[usize; 4]; 4] = [[0, 0, 0, 0], [0, 1, 2, 3], [0, 2, 3, 1], [0, 3, 1, 2]];

/// Sixteen runs in which any two options meet in every pair of their values once: an orthogonal array from the
/// lines of the plane over that field.
fn all_pairs() -> impl Iterator<Item = Vec<&'static str>> {
    (0..4)
        .flat_map(|a| (0..4).map(move |b| (a, b)))
        .map(|(a, b)| {
            [
                RESIDENT[a],
                SLOTS[b],
                PREFETCH[a ^ b],
                HOST[a ^ PRODUCTS[2][b]],
                TRAVEL[a ^ PRODUCTS[3][b]],
            ]
            .concat()
        })
}

#[test]
fn the_transformer_gives_the_same_bytes_in_all_pairs_of_options() {
    let same = Unsplit::run(TRANSFORMER);
    all_pairs().for_each(|options| same.with(&options));
}

#[test]
fn samples_are_the_same_bytes_over_several_steps() {
    let same = Unsplit::run(SAMPLE);
    same.with(&["--resident-blocks", "0", "--slots", "1", "--poison-slots"]);
    same.with(&[
        "--resident-blocks",
        "1",
        "--hoist",
        "off",
        "--host-mib",
        "64",
    ]);
}

#[test]
fn llama_gives_the_same_bytes() {
    let same = Unsplit::run(LLAMA);
    same.with(&["--resident-blocks", "0", "--slots", "1", "--prefetch", "0"]);
    same.with(&["--resident-blocks", "2", "--slots", "2", "--poison-slots"]);
    same.with(&["--resident-blocks", "1", "--slots", "4", "--host-mib", "64"]);
}

#[test]
fn siglip_gives_the_same_bytes() {
    let same = Unsplit::run(SIGLIP);
    same.with(&["--resident-blocks", "0", "--slots", "1", "--poison-slots"]);
    same.with(&["--resident-blocks", "1", "--slots", "3", "--host-mib", "64"]);
}

#[test]
fn models_that_are_loaded_in_chunks_give_the_same_bytes() {
    for case in [TRANSFORMER, SAMPLE, LLAMA, SIGLIP] {
        let same = Unsplit::run(case);
        same.with(&["--chunk-mib", "1"]);
        same.with(&["--chunk-mib", "1000000", "--pinned", "off"]);
    }
}

#[test]
fn models_that_are_loaded_beside_preserved_memory_give_the_same_bytes() {
    for case in [TRANSFORMER, SAMPLE, LLAMA, SIGLIP] {
        let same = Unsplit::run(case);
        same.with(&["--preserve-gib", "0"]);
        same.with(&["--preserve-gib", "0.5", "--slots", "1", "--chunk-mib", "1"]);
    }
}

#[test]
fn options_that_load_all_blocks_first_say_so() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = directory.path().join("output.safetensors");
    let says_so = |options: &[&str]| {
        let ended = worker(TRANSFORMER, &output, options);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{options:?}:\n{said}");
        let how = said.split_once(" resident_blocks=4 streamed_blocks=0");
        how.and_then(|(said, _)| said.rsplit_once("loaded ").map(|(_, how)| how.to_owned()))
    };
    let chunk = ["--chunk-mib", "1"];
    let with = |options: &[&'static str]| says_so(&[&chunk, options].concat());
    assert_eq!(with(&[]).as_deref(), Some("in chunks"));
    assert_eq!(with(&["--resident-blocks", "4"]), None);
    // Nobody knows what is free on the CPU, so all blocks fit beside it.
    let preserving = with(&["--preserve-gib", "1"]);
    assert_eq!(preserving.as_deref(), Some("beside preserved memory"));
}

#[test]
fn a_split_that_is_none_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let cases: [(&[&str], &str); 5] = [
        (&["--resident-blocks", "99"], "the model has 4 blocks"),
        (&["--slots", "0"], "'0' for '--slots"),
        (&["--chunk-mib", "0"], "'0' for '--chunk-mib"),
        (&["--preserve-gib", "-1"], "'-1' for '--preserve-gib"),
        (
            &["--prefetch", "1", "--preserve-gib", "1"],
            "no effect beside --preserve-gib",
        ),
    ];
    for (options, reason) in cases {
        let output = directory.path().join("refused.safetensors");
        let ended = worker(TRANSFORMER, &output, options);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success(), "{options:?} was accepted");
        assert!(said.contains(options[0]) && said.contains(reason), "{said}");
        assert!(!output.exists(), "{options:?} left an output");
    }
}

/// What a case gives with all blocks on the device.
struct Unsplit {
    case: Case,
    directory: TempDir,
    bytes: Vec<u8>,
}

impl Unsplit {
    fn run(case: Case) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let bytes = result(case, directory.path(), &[]);
        Self {
            case,
            directory,
            bytes,
        }
    }

    /// The same bytes come with these options.
    fn with(&self, options: &[&str]) {
        let bytes = result(self.case, self.directory.path(), options);
        assert!(bytes == self.bytes, "other bytes with {options:?}");
    }
}

/// The file that the worker writes.
fn result(case: Case, directory: &Path, options: &[&str]) -> Vec<u8> {
    let output = directory.join("output.safetensors");
    let ended = worker(case, &output, options);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{case:?} {options:?}:\n{said}");
    let bytes = fs::read(&output).expect("the worker writes its output");
    fs::remove_file(&output).expect("it can be removed");
    bytes
}

fn worker(case: Case, output: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_framepack-worker"))
        .args(["forward", case.component, "--dtype", "f32"])
        .arg("--model")
        .arg(fixture(&format!("models/{}", case.model)))
        .arg("--inputs")
        .arg(fixture(&format!("{}.inputs.safetensors", case.inputs)))
        .arg("--output")
        .arg(output)
        .args(case.flags)
        .args(options)
        .env_remove("RUST_LOG")
        .output()
        .expect("the worker starts")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/parity")
        .join(name)
}
