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
