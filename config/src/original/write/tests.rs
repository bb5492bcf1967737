//! What is printed, whatever a script says.

use crate::original::{Pick, import};

#[test]
fn what_is_printed_is_yaml_whatever_the_script_says() {
    for script in [
        "HF_TOKEN=hf_secret python demo_gradio.py --fast-start",
        "FRAMEPACK_JIT_LOAD='a\u{2028}b: c\u{7}\nd: e' python demo_gradio.py --fast-start",
        "python demo_gradio.py --fast-start 'x\ny: z'",
        "FRAMEPACK_SLOW_PROMPT_HINT='slow: # motion\u{85}x: y' python demo_gradio.py --fast-start",
    ] {
        let written = import(script, Pick::First).unwrap().to_string();
        let node = framepack_yaml::parse(&written).unwrap();
        assert_eq!(
            node,
            framepack_yaml::parse("worker:\n  fast_start: on\n").unwrap(),
            "{written}"
        );
        assert!(!written.contains("hf_secret"), "{written}");
    }
}

#[test]
fn no_script_makes_it_panic() {
    let scripts = [
        "\\",
        "'",
        "\"",
        "$",
        "${",
        "$(",
        "`",
        "%",
        "&>",
        "<<<",
        "2>",
        ">",
        "a=",
        "=",
        "==",
        "--",
        "-",
        "set",
        "set ",
        "set =",
        "export",
        "export =",
        "env",
        "env -u",
        "$env:",
        "$env:=",
        "$env:a",
        "@",
        "::",
        "rem",
        "^",
        "é=ü",
        "\u{feff}FRAMEPACK_USE_BNB=1",
        "python -m",
        "demo_gradio.py --",
        "demo_gradio.py =",
        "#",
        "# \\",
        "a\u{2003}demo_gradio",
        "'a\u{2003} demo_gradio'",
        "\"'a demo_gradio'\"",
        "FRAMEPACK_MODULE_CACHE_SIZE_=1",
        "set \"",
        "set \"A",
        "set \"A=",
        "SET É=1",
        "$ENV:É=1",
        "))((",
        "{ }",
        "if",
    ];
    for script in scripts {
        for pick in [Pick::First, Pick::Line(1), Pick::Line(0)] {
            if let Ok(imported) = import(script, pick) {
                assert!(imported.to_string().starts_with("# "));
            }
        }
        let both = format!("{script}\n{script}");
        let _ = import(&both, Pick::Line(2)).is_ok();
    }
}

#[test]
fn whatever_a_script_is_made_of_it_is_yaml_or_a_mistake() {
    const PARTS: [&str; 40] = [
        "\\",
        "'",
        "\"",
        "$",
        "`",
        "%",
        "^",
        "{",
        "}",
        "(",
        ")",
        "<",
        ">",
        "|",
        "&",
        ";",
        "#",
        "=",
        "-",
        "--",
        " ",
        " ",
        "\n",
        "\r\n",
        "\t",
        "set ",
        "$env:",
        "export ",
        "env ",
        "python demo_gradio.py ",
        "demo_gradio.py",
        "FRAMEPACK_USE_BNB=1 ",
        "FRAMEPACK_FAST_START",
        "PYTORCH_CUDA_ALLOC_CONF=",
        "expandable_segments:True",
        "--fast-start",
        "--xformers-mode ",
        "1",
        "standard",
        "é\u{2028}",
    ];
    // Numbers of a linear congruential generator: the same in each run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    let mut imported = 0;
    for _ in 0..20_000 {
        let script: String = (0..next(25)).map(|_| PARTS[next(PARTS.len())]).collect();
        let pick = [Pick::First, Pick::Line(1), Pick::Line(2)][next(3)];
        if let Ok(read) = import(&script, pick)
            && !read.translated().settings.is_empty()
        {
            let written = read.to_string();
            let node = framepack_yaml::parse(&written);
            assert!(node.is_ok(), "{script:?}\n{written}\n{node:?}");
            imported += 1;
        }
    }
    assert!(imported > 500, "{imported} scripts set something");
}
