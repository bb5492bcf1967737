//! Settings that exclude each other.

use super::{MINIMAL, loaded, sources::set};

const BOTH_OFF: [(&str, &str); 2] = [
    ("PYTORCH_ENABLE_FLASH_SDP", "0"),
    ("PYTORCH_ENABLE_MEM_EFFICIENT_SDP", "0"),
];

#[test]
fn attention_without_its_kernels_in_one_file_is_an_error_with_all_places() {
    let file = format!(
        "{MINIMAL}attention: standard\nworker:\n  flash_sdp: off\n  mem_efficient_sdp: off\n"
    );
    let expected = "line 3, column 12: attention: `standard` is the memory-efficient or the flash kernel, and \
                    worker.flash_sdp (line 5) and worker.mem_efficient_sdp (line 6) are off in the same file \
                    (turn one of them on, or write `attention: auto`)";
    assert_eq!(loaded(&file, &[]).unwrap_err(), expected);
}

#[test]
fn attention_without_its_kernels_from_several_sources_is_inactive() {
    for (file, environment, origin) in [
        ("profile: bnb4\n", &BOTH_OFF[..], "profile bnb4"),
        (
            "profile: standard\nworker: {flash_sdp: off, mem_efficient_sdp: off}\n",
            &[],
            "profile standard",
        ),
        (
            "preset: mine\npresets: {mine: {attention: standard}}\n",
            &BOTH_OFF,
            "preset mine",
        ),
        ("attention: standard\n", &BOTH_OFF, "configuration file"),
        (
            "",
            &[
                BOTH_OFF[0],
                BOTH_OFF[1],
                ("FRAMEPACK_XFORMERS_MODE", "standard"),
            ],
            "FRAMEPACK_XFORMERS_MODE",
        ),
    ] {
        let shown = set(file, environment);
        let attention = shown.iter().find(|line| line.starts_with("attention: "));
        let expected = format!(
            "attention: \"standard\"  # {origin}; inactive: it is the memory-efficient or the flash kernel, and "
        );
        let attention = attention.unwrap();
        assert!(attention.starts_with(&expected), "{attention}");
        assert!(attention.ends_with(" leave neither"), "{attention}");
    }
    for (file, environment) in [
        ("profile: tensorrt\n", &[][..]),
        ("profile: bnb4\n", &BOTH_OFF[..1]),
        ("attention: off\n", &BOTH_OFF),
    ] {
        let shown = set(file, environment).join("\n");
        assert!(!shown.contains("leave neither"), "{shown}");
    }
}

#[test]
fn what_the_vaes_settings_overrule_is_inactive() {
    let all = "vae: {mode: reference, chunk: 2, quality: on}\n";
    for (text, environment, expected) in [
        (
            all,
            &[][..],
            &[
                "vae.mode: \"reference\"  # configuration file",
                "vae.chunk: 2  # configuration file; inactive: `vae.mode: reference` (from configuration file) decodes without it",
                "vae.quality: \"on\"  # configuration file; inactive: `vae.mode: reference` (from configuration file) decodes \
                 without it",
            ][..],
        ),
        (
            all,
            &[("FRAMEPACK_VAE_CHUNK_SIZE", "3")],
            &[
                "vae.mode: \"reference\"  # configuration file; inactive: `vae.chunk: 3` (from FRAMEPACK_VAE_CHUNK_SIZE) is \
                 stronger",
                "vae.chunk: 3  # FRAMEPACK_VAE_CHUNK_SIZE",
                "vae.quality: \"on\"  # configuration file; inactive: `vae.mode: reference` (from configuration file) decodes \
                 without it",
            ],
        ),
        (
            "preset: quality\n",
            &[
                ("FRAMEPACKD_VAE_CHUNK", "1"),
                ("FRAMEPACKD_VAE_BLEND", "auto"),
            ],
            &[
                "vae.chunk: 1  # FRAMEPACKD_VAE_CHUNK; inactive: `vae.quality: on` (from preset quality) decodes in larger \
                 tiles than any chunk, and fades as it needs",
                "vae.quality: \"on\"  # preset quality",
                "vae.blend: \"auto\"  # FRAMEPACKD_VAE_BLEND",
            ],
        ),
    ] {
        let shown = set(text, environment);
        let of_the_vae: Vec<&String> = shown
            .iter()
            .filter(|line| line.starts_with("vae."))
            .collect();
        assert_eq!(of_the_vae, expected, "{text} {environment:?}");
    }
}

#[test]
fn what_contradicts_other_settings_is_told_with_what_to_do() {
    let reference = "decodes without it";
    let hint = "; remove one of the two, or write `vae: {mode: auto}`";
    for (file, environment, key, parts) in [
        (
            "vae: {mode: reference, chunk: 2}\n",
            &[][..],
            "vae.chunk: inactive: ",
            [reference, " (2, from configuration file)", hint],
        ),
        (
            "vae: {mode: reference, quality: on}\n",
            &[],
            "vae.quality: inactive: ",
            [reference, " (\"on\", from configuration file)", hint],
        ),
        (
            "",
            &[
                ("FRAMEPACKD_VAE_MODE", "reference"),
                ("FRAMEPACKD_VAE_QUALITY", "on"),
            ],
            "vae.quality: inactive: ",
            [reference, "FRAMEPACKD_VAE_QUALITY", hint],
        ),
        (
            "presets: {mine: {vae: {mode: reference, quality: on}}}\n",
            &[],
            "presets.mine.vae.quality: inactive: ",
            [reference, "from preset mine", hint],
        ),
        (
            "cache: {kind: kv, threshold: 0.2}\n",
            &[],
            "cache.threshold: inactive: ",
            [
                "`kv` measures nothing",
                "from configuration file",
                "; remove it",
            ],
        ),
        (
            "presets: {mine: {cache: {kind: off, refresh: 3}}}\n",
            &[],
            "presets.mine.cache.refresh: inactive: ",
            ["`cache.kind` is `off`", " (3)", "; remove it"],
        ),
        (
            "profile: bnb4\n",
            &BOTH_OFF,
            "attention: inactive: ",
            [
                "leave neither",
                "from profile bnb4",
                "; turn one of them on",
            ],
        ),
    ] {
        let notices = loaded(&format!("{MINIMAL}{file}"), environment)
            .unwrap()
            .notices;
        let [notice] = notices.as_slice() else {
            panic!("{file}: {notices:?}");
        };
        assert!(notice.starts_with(key), "{notice}");
        for part in parts {
            assert!(notice.contains(part), "{part}: {notice}");
        }
    }
    // What stands beneath is meant to be overruled, and what is not built is in `config show`.
    for file in [
        "profile: bnb4\npreset: quality\n",
        "profile: bnb4\nvae: {mode: reference}\n",
        "profile: tensorrt\n",
    ] {
        let notices = loaded(&format!("{MINIMAL}{file}"), &[]).unwrap().notices;
        assert_eq!(notices, Vec::<String>::new(), "{file}");
    }
}
