//! Values of names that set nothing.

use super::{Pick, import, read};

#[test]
fn a_value_that_is_none_is_an_error_also_where_the_name_sets_nothing() {
    for (name, value, expected) in [
        ("FRAMEPACK_TRT_WORKSPACE_MB", "abc", "whole number"),
        ("FRAMEPACK_TRT_WORKSPACE_MB", "1", "out of range"),
        ("FRAMEPACK_ENABLE_PRUNE", "yes?", "expected 0 or 1"),
        ("FRAMEPACK_PRUNE_DUAL_RATIO", "3", "out of range (0 to 1)"),
        ("FRAMEPACK_AUTOCAST_DTYPE", "bf17", "did you mean `bf16`?"),
        ("FRAMEPACK_RESERVED_VRAM_GB", "x", "number"),
        ("FRAMEPACK_MODULE_CACHE_SIZE_CLIP", "many", "whole number"),
    ] {
        let problems = read(&[(name, value)]).problems.to_string();
        assert!(problems.starts_with(&format!("{name}: ")), "{problems}");
        assert!(problems.contains(expected), "{name}={value}: {problems}");
        assert_eq!(read(&[(name, "")]).problems.to_string(), "");
    }
    for (flag, expected) in [
        ("--port abc", "whole number"),
        ("--port 99999", "out of range (0 to 65535)"),
        ("--cache-mode fast", "cache mode"),
    ] {
        let script = format!("python demo_gradio.py {flag}");
        let problems = import(&script, Pick::First).unwrap_err().to_string();
        assert!(problems.contains(expected), "{flag}: {problems}");
    }
    // Each value that a name had by itself, or that the document has, is one.
    for (name, value) in [
        ("FRAMEPACK_TRT_WORKSPACE_MB", "4096"),
        ("FRAMEPACK_AUTOCAST_DTYPE", "auto"),
        ("FRAMEPACK_SLOW_PROMPT_HINT", "slowly, gently"),
        ("HF_TOKEN", "hf_x"),
    ] {
        assert_eq!(read(&[(name, value)]).problems.to_string(), "", "{name}");
    }
}
