//! `framepackd config import-env`: scripts of the Python application, and the configurations that they become.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::client::assert_code;

/// The start lines of the application's document, word for word.
pub(crate) const START_LINES: [&str; 3] = [
    "FRAMEPACK_FAST_START=1 FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \\\n\
     FRAMEPACK_BNB_CPU_OFFLOAD=1 FRAMEPACK_VAE_CHUNK_SIZE=2 \\\n\
     python demo_gradio.py --fast-start --xformers-mode standard --use-memory-v2\n",
    "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True,max_split_size_mb=128 \\\n\
     FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \\\n\
     python demo_gradio.py --fast-start --xformers-mode standard\n",
    "PYTORCH_ENABLE_FLASH_SDP=0 PYTORCH_ENABLE_MEM_EFFICIENT_SDP=0 \\\n\
     FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \\\n\
     python demo_gradio.py --fast-start --xformers-mode aggressive \\\n\
     --use-memory-v2 --enable-tensorrt\n",
];

/// What each of them sets, as `config show` prints it.
const SET: [&[&str]; 3] = [
    &[
        "worker.fast_start: \"on\"",
        "vae.chunk: 2",
        "attention: \"standard\"",
        "memory.backend: \"v2\"",
        "storage.transformer: \"nf4\"",
        "storage.text_encoder: \"nf4\"",
    ],
    &[
        "worker.cuda_alloc_conf: \"expandable_segments:True,max_split_size_mb:128\"",
        "worker.fast_start: \"on\"",
        "attention: \"standard\"",
        "storage.transformer: \"nf4\"",
        "storage.text_encoder: \"nf4\"",
    ],
    &[
        "worker.flash_sdp: \"off\"",
        "worker.mem_efficient_sdp: \"off\"",
        "worker.fast_start: \"on\"",
        "attention: \"aggressive\"",
        "memory.backend: \"v2\"",
        "vae.tensorrt: \"on\"",
        "storage.transformer: \"nf4\"",
        "storage.text_encoder: \"nf4\"",
    ],
];

/// The five keys that a configuration has to have.
const REQUIRED: &str = "paths: {jobs: jobs, state: state, outputs: videos, socket: framepackd.sock}\n\
                        models: {bundle: models}\n";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::with_prefix("framepackd-test.").unwrap())
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// What a script becomes.
pub(crate) fn imported(script: &str) -> String {
    printed(&framepackd(&["config", "import-env", "-"], script))
}

fn framepackd(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_framepackd"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Fails where the program has ended without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
    child.wait_with_output().unwrap()
}

/// What a successful command prints.
fn printed(output: &Output) -> String {
    assert_code(output, 0);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn each_start_line_becomes_a_configuration_that_the_daemon_takes() {
    let folder = Folder::new();
    for (line, set) in START_LINES.iter().zip(SET) {
        let script = folder.file("start.sh", line);
        let from_file = printed(&framepackd(
            &["config", "import-env", script.to_str().unwrap()],
            "",
        ));
        let from_stdin = printed(&framepackd(&["config", "import-env", "-"], line));
        assert_eq!(from_file, from_stdin);

        let config = folder.file("framepackd.yaml", format!("{REQUIRED}{from_file}"));
        let config = config.to_str().unwrap();
        let check = printed(&framepackd(&["--config", config, "config", "check"], ""));
        assert_eq!(check, format!("{config}: valid\n"));
        let shown = printed(&framepackd(&["--config", config, "config", "show"], ""));
        for expected in set {
            assert!(
                shown.lines().any(|line| line.starts_with(expected)),
                "{expected} in\n{shown}"
            );
        }
    }
}

#[test]
fn a_script_with_all_of_them_is_read_by_line() {
    let script = format!(
        "#!/bin/bash\n\n{}\n\n# Extreme\n# bash start.sh\n{}\n\n# TensorRT\n{}",
        START_LINES[0],
        // Commented out, as they are in the application.
        commented(START_LINES[1]),
        commented(START_LINES[2]),
    )
    .replace('\n', "\r\n");
    let import =
        |line: &[&str]| framepackd(&[&["config", "import-env", "-"], line].concat(), &script);
    let first = printed(&import(&[]));
    for part in [
        "The start line on lines 3 to 5: demo_gradio.py.",
        "# Other start lines are commented out on: 10, 16. `--line N` imports another one.\n",
    ] {
        assert!(first.contains(part), "{first}");
    }
    // From its first line to its last, a start line is all of it.
    for (lines, part) in [
        (10..=12, "max_split_size_mb:128"),
        (16..=19, "mem_efficient_sdp: off"),
    ] {
        for line in lines {
            let text = printed(&import(&["--line", &line.to_string()]));
            assert!(text.contains(part), "{line}: {text}");
        }
    }
    let none = import(&["--line", "2"]);
    assert_code(&none, 2);
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(
        said.contains("no start line on line 2 (start lines are on: 3; commented out on: 10, 16)"),
        "{said}"
    );
}

fn commented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("# {line}")).collect();
    lines.join("\n") + "\n"
}

#[test]
fn mistakes_go_to_stderr_with_their_places_and_nothing_is_printed() {
    let folder = Folder::new();
    let script = folder.file(
        "start.sh",
        "FRAMEPACK_USE_BMB=1 \\\nFRAMEPACK_FAST_START=true python demo_gradio.py\n",
    );
    let path = script.to_str().unwrap();
    let missing = format!("{path}.missing");
    let too_long = vec![b'#'; (1 << 20) + 1];
    for (file, stdin, parts) in [
        (
            path,
            &b""[..],
            &[
                path,
                "line 1, column 1: FRAMEPACK_USE_BMB: unknown variable (did you mean `FRAMEPACK_USE_BNB`?)",
                "line 2, column 1: FRAMEPACK_FAST_START: expected 0 or 1; found `true` (write 1)",
                "docs/FROM-FRAMEPACK.md",
                "[FP8002]",
            ][..],
        ),
        (
            "-",
            b"",
            &[
                "standard input",
                "no start line of the Python application",
                "[FP8002]",
            ],
        ),
        (
            "-",
            b"FRAMEPACK_USE_BNB='1",
            &["line 1, column 19: the quote ' is not closed", "[FP8002]"],
        ),
        (
            "-",
            b"FRAMEPACK_USE_BNB=\xff",
            &["not UTF-8 text", "[FP8002]"],
        ),
        ("-", &too_long, &["more than the 1048576 bytes", "[FP8002]"]),
        (
            &missing,
            b"",
            &[
                "No such file",
                "name a script, or - for standard input",
                "[FP8001]",
            ],
        ),
        (
            folder.0.path().to_str().unwrap(),
            b"",
            &["Is a directory", "[FP8001]"],
        ),
    ] {
        let output = framepackd(&["config", "import-env", file], stdin);
        assert_code(&output, 2);
        assert_eq!(output.stdout, b"");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for part in parts {
            assert!(said.contains(part), "{part} in\n{said}");
        }
    }
}
