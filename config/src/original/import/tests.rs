//! Scripts, and the configurations that they become.

use super::*;
use crate::original::START_LINES;

fn first(text: &str) -> Imported {
    import(text, Pick::First).unwrap()
}

/// The lines of the configuration that are no comments.
fn yaml(text: &str) -> String {
    keys(&first(text))
}

fn keys(imported: &Imported) -> String {
    let written = imported.to_string();
    let lines = written
        .lines()
        .filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    let mut keys: Vec<&str> = lines.collect();
    // A line end behind the last one.
    keys.extend((!keys.is_empty()).then_some(""));
    keys.join("\n")
}

fn notes(imported: &Imported) -> Vec<String> {
    let notes = imported.translated().notes.iter();
    notes
        .map(|note| format!("{}: {}", note.name, note.text))
        .collect()
}

fn mistakes(text: &str) -> String {
    import(text, Pick::First).unwrap_err().to_string()
}

const FAST: &str = "worker:\n  fast_start: on\n";

#[test]
fn the_first_start_line_is_carried_over_with_each_name() {
    let expected = "\
# The start line on lines 1 to 3: demo_gradio.py.
# Put these keys into a configuration, which also needs `paths` and `models`: into the section of the same name,
# where it has one, since no section may stand there twice.

worker:
  # FRAMEPACK_FAST_START=1, --fast-start
  fast_start: on

idle:
  # FRAMEPACK_BNB_CPU_OFFLOAD=1
  warm_after_secs: 300

vae:
  # FRAMEPACK_VAE_CHUNK_SIZE=2
  chunk: 2

# --xformers-mode standard
attention: standard

memory:
  # --use-memory-v2
  backend: v2

storage:
  # FRAMEPACK_USE_BNB=1, FRAMEPACK_BNB_LOAD_IN_4BIT=1
  transformer: nf4
  # FRAMEPACK_USE_BNB=1, FRAMEPACK_BNB_LOAD_IN_4BIT=1
  text_encoder: nf4
";
    assert_eq!(first(START_LINES[0].text).to_string(), expected);
}

#[test]
fn the_other_start_lines_are_carried_over() {
    let extreme = first(START_LINES[1].text);
    assert_eq!(
        keys(&extreme),
        "worker:\n  cuda_alloc_conf: 'expandable_segments:True,max_split_size_mb:128'\n  fast_start: on\n\
         attention: standard\nstorage:\n  transformer: nf4\n  text_encoder: nf4\n"
    );
    let corrected = "PYTORCH_CUDA_ALLOC_CONF: corrected: `max_split_size_mb=128` is written `max_split_size_mb:128` for torch";
    assert_eq!(notes(&extreme), [corrected]);
    let tensorrt = first(START_LINES[2].text);
    assert_eq!(
        keys(&tensorrt),
        "worker:\n  flash_sdp: off\n  mem_efficient_sdp: off\n  fast_start: on\nattention: aggressive\n\
         memory:\n  backend: v2\nvae:\n  tensorrt: on\nstorage:\n  transformer: nf4\n  text_encoder: nf4\n"
    );
    assert_eq!(notes(&tensorrt), Vec::<String>::new());
    let standard = first("python demo_gradio.py\n").to_string();
    assert!(
        standard.ends_with("# Nothing has to be set: the defaults are meant.\n"),
        "{standard}"
    );
}

#[test]
fn a_variable_reaches_the_command_however_it_is_set() {
    for script in [
        "FRAMEPACK_FAST_START=1 python demo_gradio.py",
        "FRAMEPACK_FAST_START='1' python3 -u ./demo_gradio.py",
        "FRAMEPACK_FAST_START=\"1\" \\\n  python demo_gradio.py\n",
        "export FRAMEPACK_FAST_START=1\npython demo_gradio.py\n",
        "FRAMEPACK_FAST_START=1; export FRAMEPACK_FAST_START; python demo_gradio.py",
        "export HF_HOME=/x FRAMEPACK_FAST_START=1 && python demo_gradio.py",
        "set -a\nFRAMEPACK_FAST_START=1\nset +a\npython demo_gradio.py",
        "env FRAMEPACK_FAST_START=1 python demo_gradio.py",
        "nohup env -u X FRAMEPACK_FAST_START=1 python demo_gradio.py > log.txt 2>&1 &",
        "cd /srv/FramePack && FRAMEPACK_FAST_START=1 python demo_gradio.py | tee log",
        "#!/bin/sh\n# python demo_gradio.py\nFRAMEPACK_FAST_START=1 exec python -m demo_gradio # --share\n",
        "FRAMEPACK_FAST_START=0 FRAMEPACK_FAST_START=1 python demo_gradio.py",
        "export FRAMEPACK_FAST_START=0\nFRAMEPACK_FAST_START=1 python demo_gradio.py",
        "FRAMEPACK_FAST_START=1 ./run.sh",
        // Assignments alone, as in a file for systemd or a container.
        "FRAMEPACK_FAST_START=1\n",
        "# settings\nexport FRAMEPACK_FAST_START=1",
        "setenv FRAMEPACK_FAST_START 1\npython demo_gradio.py",
        "set -gx FRAMEPACK_FAST_START 1\npython demo_gradio.py",
        // Windows.
        "@echo off\r\nset FRAMEPACK_FAST_START=1\r\npython demo_gradio.py\r\n",
        "set \"FRAMEPACK_FAST_START=1\" & python demo_gradio.py",
        "SET framepack_fast_start=1 && C:\\py\\python.exe C:\\FramePack\\demo_gradio.py",
        "rem don't close this\r\nset FRAMEPACK_FAST_START=1\r\npython demo_gradio.py ^\r\n  \r\n",
        "$env:FRAMEPACK_FAST_START = \"1\"\r\npython .\\demo_gradio.py",
        "$Env:FRAMEPACK_FAST_START=1; python demo_gradio.py",
        // Flags.
        "python demo_gradio.py --fast-start",
        "python demo_gradio.py --fast",
        "FRAMEPACK_FAST_START=0 python demo_gradio.py --fast-start",
        "set X=1\r\npython demo_gradio.py ^\r\n --fast-start\r\n",
        "$env:X = 1\npython demo_gradio.py `\n --fast-start",
        "if true; then\n  python demo_gradio.py --fast-start\nfi\n",
        "uv run demo_gradio.py --fast-start",
        "docker run --gpus all -e FRAMEPACK_FAST_START=1 framepack python demo_gradio.py",
        "podman run --env=FRAMEPACK_FAST_START=1 framepack python demo_gradio.py",
        "FRAMEPACK_FAST_START=0 env -u X FRAMEPACK_FAST_START=1 python demo_gradio.py",
        "export FRAMEPACK_USE_BNB=1\nenv -i FRAMEPACK_FAST_START=1 python demo_gradio.py",
        "export FRAMEPACK_USE_BNB=1\nenv --unset=FRAMEPACK_USE_BNB python demo_gradio.py --fast-start",
        "export FRAMEPACK_USE_BNB=1\nunset FRAMEPACK_USE_BNB\npython demo_gradio.py --fast-start",
        "pkill -f demo_gradio.py\necho starting demo_gradio.py\npython demo_gradio.py --fast-start",
        "nohup bash -c 'FRAMEPACK_FAST_START=1 python demo_gradio.py' &",
        "export FRAMEPACK_FAST_START=1\nssh farm \"cd FramePack && python demo_gradio.py\"",
        "start() {\n  python demo_gradio.py --fast-start\n}\n",
        "C:\\py\\python.exe C:\\FramePack\\demo_gradio.py --fast-start",
    ] {
        assert_eq!(yaml(script), FAST, "{script}");
    }
}

#[test]
fn the_program_of_f1_is_its_model() {
    for script in [
        "python demo_gradio_f1.py",
        "cd /srv/FramePack && python /srv/FramePack/demo_gradio_f1.py",
        "python -m demo_gradio_f1",
        "bash -c 'python demo_gradio_f1.py'",
        "set X=1\r\npython.exe C:\\FramePack\\demo_gradio_F1.py\r\n",
    ] {
        assert_eq!(yaml(script), "model: f1\n", "{script}");
    }
    let written = first("python demo_gradio_f1.py --fast-start").to_string();
    assert!(
        written.contains("\n# demo_gradio_f1.py\nmodel: f1\n"),
        "{written}"
    );
    assert!(written.ends_with("fast_start: on\n"), "{written}");
}

#[test]
fn what_does_not_reach_the_command_is_left_out_and_told() {
    for (script, note) in [
        (
            "FRAMEPACK_FAST_START=1\npython demo_gradio.py",
            "FRAMEPACK_FAST_START: left out: line 1 sets it without `export`, so that it does not reach the command",
        ),
        (
            "FRAMEPACK_FAST_START=$FAST python demo_gradio.py",
            "FRAMEPACK_FAST_START: left out: `$FAST` is not expanded here",
        ),
        (
            "FRAMEPACK_FAST_START=\"${FAST:-1}\" python demo_gradio.py",
            "FRAMEPACK_FAST_START: left out: `${FAST:-1}` is not expanded here",
        ),
        (
            "FRAMEPACK_VAE_CHUNK_SIZE=$(nproc --all | head -1) python demo_gradio.py",
            "FRAMEPACK_VAE_CHUNK_SIZE: left out: `$(nproc --all | head -1)` is not expanded here",
        ),
        (
            "FRAMEPACK_VAE_CHUNK_SIZE=`nproc` python demo_gradio.py",
            "FRAMEPACK_VAE_CHUNK_SIZE: left out: ``nproc`` is not expanded here",
        ),
        (
            "@echo off\nset FRAMEPACK_FAST_START=%FAST%\npython demo_gradio.py",
            "FRAMEPACK_FAST_START: left out: `%FAST%` is not expanded here",
        ),
        (
            "python demo_gradio.py --xformers-mode $MODE",
            "--xformers-mode: left out: `$MODE` is not expanded here",
        ),
        (
            "python demo_gradio.py --xformers-mode=$MODE",
            "--xformers-mode: left out: `$MODE` is not expanded here",
        ),
        (
            "python demo_gradio.py \"$@\"",
            "$@: left out: `$@` is not expanded here",
        ),
        (
            "FRAMEPACK_FAST_START= python demo_gradio.py",
            "FRAMEPACK_FAST_START: empty, which counts as not set",
        ),
        (
            "CUDA_VISIBLE_DEVICES=1 python demo_gradio.py",
            "CUDA_VISIBLE_DEVICES: not a variable of the Python application; set it in the daemon's environment if its workers need it",
        ),
        (
            "python demo_gradio.py photo.png",
            "photo.png: not an argument of the Python application; ignored",
        ),
        (
            "python demo_gradio.py --listen",
            "--listen: not an argument of the Python application; ignored",
        ),
        (
            "python demo_gradio.py --server 127.0.0.1",
            "--server: not needed: there is no web page; the daemon listens at `paths.socket`, on this machine alone",
        ),
    ] {
        let imported = first(script);
        assert_eq!(notes(&imported), [note], "{script}");
        assert_eq!(keys(&imported), "", "{script}");
    }
    // In single quotes nothing is expanded, and the value is none.
    let literal = mistakes("FRAMEPACK_FAST_START='$FAST' python demo_gradio.py");
    assert_eq!(
        literal,
        "line 1, column 1: FRAMEPACK_FAST_START: expected 0 or 1; found `$FAST` (write 1 for on, 0 for off)"
    );
}

#[test]
fn flags_turn_caches_off_and_win_over_variables() {
    for (script, expected) in [
        (
            "python demo_gradio.py --disable-fbcache --disable-sim-cache --disable-kv-cache",
            "cache:\n  kind: off\n",
        ),
        (
            "python demo_gradio.py --disable-kv-cache",
            "cache:\n  kind: off\n",
        ),
        (
            "FRAMEPACK_ENABLE_FBCACHE=1 python demo_gradio.py --disable-fbcache",
            "cache:\n  kind: off\n",
        ),
        (
            "FRAMEPACK_ENABLE_FBCACHE=1 FRAMEPACK_ENABLE_SIM_CACHE=1 python demo_gradio.py --disable-fbcache",
            "cache:\n  kind: simcache\n",
        ),
        (
            "FRAMEPACK_XFORMERS_MODE=off python demo_gradio.py --xformers-mode aggressive",
            "attention: aggressive\n",
        ),
        (
            "python demo_gradio.py --xformers-mode=off --xformers-mode=standard",
            "attention: standard\n",
        ),
        (
            "python demo_gradio.py --enable-tensorrt",
            "vae:\n  tensorrt: on\n",
        ),
    ] {
        assert_eq!(yaml(script), expected, "{script}");
    }
    let both =
        first("FRAMEPACK_XFORMERS_MODE=off python demo_gradio.py --xformers-mode aggressive");
    let expected =
        "FRAMEPACK_XFORMERS_MODE: --xformers-mode is stronger, and sets attention to aggressive";
    assert_eq!(notes(&both), [expected]);
}

#[test]
fn what_is_given_more_than_once_is_noted_with_what_counts() {
    for (script, keys, expected) in [
        (
            "python demo_gradio.py --xformers-mode=off --xformers-mode=standard",
            "attention: standard\n",
            "--xformers-mode: given 2 times: the last, `standard`, counts, and not `off` on line 1",
        ),
        (
            "python demo_gradio.py --xformers off \\\n--xformers-mode off --xformers-m=aggressive",
            "attention: aggressive\n",
            "--xformers-mode: given 3 times: the last, `aggressive`, counts, and not `off` on line 1, `off` on line 2",
        ),
        (
            "python demo_gradio.py --fast-start --fast-start",
            FAST,
            "--fast-start: given 2 times, each time the same",
        ),
        (
            "FRAMEPACK_FAST_START=0 FRAMEPACK_FAST_START=1 python demo_gradio.py",
            FAST,
            "FRAMEPACK_FAST_START: given 2 times: the last, `1`, counts, and not `0` on line 1",
        ),
        (
            "export FRAMEPACK_FAST_START=0\nexport FRAMEPACK_FAST_START=\nFRAMEPACK_FAST_START=1 python demo_gradio.py",
            FAST,
            "FRAMEPACK_FAST_START: given 3 times: the last, `1`, counts, and not `0` on line 1, the empty one on line 2",
        ),
        (
            "FRAMEPACK_FAST_START=true\nFRAMEPACK_FAST_START=1",
            FAST,
            "FRAMEPACK_FAST_START: given 2 times: the last, `1`, counts, and not `true` on line 1",
        ),
        (
            "set FRAMEPACK_FAST_START=1\r\nset FRAMEPACK_FAST_START=0\r\npython demo_gradio.py\r\n",
            "worker:\n  fast_start: off\n",
            "FRAMEPACK_FAST_START: given 2 times: the last, `0`, counts, and not `1` on line 1",
        ),
        (
            "docker run -e FRAMEPACK_FAST_START=0 -e FRAMEPACK_FAST_START=1 framepack python demo_gradio.py",
            FAST,
            "FRAMEPACK_FAST_START: given 2 times: the last, `1`, counts, and not `0` on line 1",
        ),
        (
            "FRAMEPACK_USE_BNB=1 FRAMEPACK_ENABLE_FP8=1 python demo_gradio.py",
            "storage:\n  transformer: fp8_e4m3\n  text_encoder: int8\n",
            "FRAMEPACK_USE_BNB: FRAMEPACK_ENABLE_FP8 is stronger, and sets storage.transformer to fp8_e4m3",
        ),
        (
            "FRAMEPACK_FAST_START=0 python demo_gradio.py --fast-start",
            FAST,
            "FRAMEPACK_FAST_START: --fast-start is stronger, and sets worker.fast_start to on",
        ),
    ] {
        assert_eq!(yaml(script), keys, "{script}");
        assert_eq!(notes(&first(script)), [expected], "{script}");
    }
    // A later start line's own variable overrules nothing of the first one's.
    let two = "FRAMEPACK_FAST_START=1 python a/demo_gradio.py\nFRAMEPACK_FAST_START=0 python demo_gradio.py";
    assert_eq!(notes(&first(two)), [""; 0]);
    let token = "HF_TOKEN=hf_old HF_TOKEN=hf_new python demo_gradio.py --fast-start";
    let written = first(token).to_string();
    assert!(
        written.contains("given 2 times: the last counts, and not that on line 1"),
        "{written}"
    );
    assert!(!written.contains("hf_"), "{written}");
    let expanded = first("python demo_gradio.py --xformers-mode off --xformers-mode $MODE");
    assert_eq!(keys(&expanded), "");
    let expected =
        "--xformers-mode: given 2 times: the last, `$MODE`, counts, and not `off` on line 1";
    assert!(
        notes(&expanded).iter().any(|note| note == expected),
        "{:?}",
        notes(&expanded)
    );
}

#[test]
fn mistakes_are_told_with_line_and_column() {
    for (script, expected) in [
        (
            "# start\nFRAMEPACK_USE_BNB=true python demo_gradio.py",
            "line 2, column 1: FRAMEPACK_USE_BNB: expected 0 or 1; found `true` (write 1)",
        ),
        (
            "FRAMEPACK_FAST_START=1 FRAMEPACK_VAE_CHUNK_SIZES=2 \\\npython demo_gradio.py --xformer-mode standard",
            "line 1, column 24: FRAMEPACK_VAE_CHUNK_SIZES: unknown variable (did you mean `FRAMEPACK_VAE_CHUNK_SIZE`?)\n\
             line 2, column 23: --xformer-mode: unknown flag (did you mean `--xformers-mode`?)",
        ),
        (
            "python demo_gradio.py --xformers-mode",
            "line 1, column 23: --xformers-mode: has no value (write a value behind it: `off`, `standard`, `aggressive`)",
        ),
        (
            "python demo_gradio.py --xformers-mode --fast-start",
            "line 1, column 23: --xformers-mode: has no value (write a value behind it: `off`, `standard`, `aggressive`)",
        ),
        (
            "python demo_gradio.py --xformers-mode fast",
            "line 1, column 23: --xformers-mode: `fast` is not an attention mode; expected off, standard or aggressive",
        ),
        (
            "python demo_gradio.py –fast-start",
            "line 1, column 23: –fast-start: unknown flag (did you mean `--fast-start`?)",
        ),
        (
            "python demo_gradio.py -share",
            "line 1, column 23: -share: unknown flag (did you mean `--share`?)",
        ),
        (
            "python demo_gradio.py --fast-start=1",
            "line 1, column 23: --fast-start: takes no value; found `1` (write --fast-start)",
        ),
        (
            "python demo_gradio.py --disable",
            "line 1, column 23: --disable: this may be --disable-fbcache or --disable-sim-cache or --disable-kv-cache or --disable-bettertransformer (write the whole name)",
        ),
        (
            "FRAMEPACK_FAST_START='1 python demo_gradio.py",
            "line 1, column 22: the quote ' is not closed (write a ' at the end of the value)",
        ),
        (
            "",
            "no start line of the Python application (expected variables such as FRAMEPACK_USE_BNB=1, or a command such as `python demo_gradio.py --fast-start`)",
        ),
        (
            "# Line 1 is FRAMEPACK_FAST_START=1 python demo_gradio.py\npip install xformers\n",
            "no start line of the Python application (expected variables such as FRAMEPACK_USE_BNB=1, or a command such as `python demo_gradio.py --fast-start`)",
        ),
        (
            "# FRAMEPACK_FAST_START=1 python demo_gradio.py\npip install xformers\n",
            "no start line of the Python application (start lines are commented out on: 1; `--line N` imports one)",
        ),
        (
            "set FRAMEPACK_USE_BNB=yes\r\npython demo_gradio.py\r\n",
            "line 1, column 1: FRAMEPACK_USE_BNB: expected 0 or 1; found `yes` (write 1)",
        ),
    ] {
        assert_eq!(mistakes(script), expected, "{script}");
    }
}

#[test]
fn one_of_several_start_lines_is_picked() {
    let script = "#!/bin/bash\n\n\
                  FRAMEPACK_VAE_CHUNK_SIZE=3 python demo_gradio.py\n\n\
                  # FRAMEPACK_VAE_CHUNK_SIZE=6 \\\n# python demo_gradio.py --fast-start\n\n\
                  FRAMEPACK_VAE_CHUNK_SIZE=8 \\\npython demo_gradio.py\n";
    let chunk = |pick| import(script, pick).map(|imported| (keys(&imported), imported.lines));
    assert_eq!(
        chunk(Pick::First).unwrap(),
        ("vae:\n  chunk: 3\n".to_owned(), (3, 3))
    );
    assert_eq!(
        chunk(Pick::Line(8)).unwrap(),
        ("vae:\n  chunk: 8\n".to_owned(), (8, 9))
    );
    assert_eq!(chunk(Pick::Line(9)).unwrap().1, (8, 9));
    let commented_out = "vae:\n  chunk: 6\nworker:\n  fast_start: on\n".to_owned();
    for line in [5, 6] {
        let expected = (commented_out.clone(), (5, 6));
        assert_eq!(chunk(Pick::Line(line)).unwrap(), expected, "{line}");
    }
    for line in [0, 2, 4, 99] {
        let expected =
            format!("no start line on line {line} (start lines are on: 3, 8; commented out on: 5)");
        assert_eq!(chunk(Pick::Line(line)).unwrap_err().to_string(), expected);
    }
    let written = first(script).to_string();
    assert!(
        written.contains(
            "# Other start lines are on: 8; commented out on: 5. `--line N` imports another one.\n"
        ),
        "{written}"
    );
}

#[test]
fn a_backslash_before_a_comment_continues_the_line_as_it_was_meant() {
    let usage = "PYTORCH_ENABLE_FLASH_SDP=0 \\  # Disable Flash Attention\npython demo_gradio.py --enable-tensorrt\n";
    assert_eq!(
        yaml(usage),
        "worker:\n  flash_sdp: off\nvae:\n  tensorrt: on\n"
    );
    let written = first(usage).to_string();
    assert!(
        written.contains("# line 1, column 28: `\\` is not the last character of its line"),
        "{written}"
    );
    assert_eq!(
        yaml("FRAMEPACK_FAST_START=1 \\  \npython demo_gradio.py"),
        FAST
    );
}
