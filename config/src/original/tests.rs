//! What each name means, and what start lines become.

mod values;

use super::*;

/// Keys and values that variables set.
fn set(variables: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let translated = read(variables);
    assert_eq!(translated.problems, framepack_yaml::Problems::default());
    let settings = translated.settings.into_iter();
    settings.map(|meant| (meant.key, meant.text)).collect()
}

fn read(variables: &[(&str, &str)]) -> Translated {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    settings(&variables.iter().map(owned).collect::<Vec<_>>())
}

fn keys(expected: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    expected
        .iter()
        .map(|(key, text)| (*key, (*text).to_owned()))
        .collect()
}

#[test]
fn each_variable_with_a_key_sets_it() {
    for (variables, expected) in [
        (
            &[("FRAMEPACK_FAST_START", "1")][..],
            &[("worker.fast_start", "on")][..],
        ),
        (
            &[("FRAMEPACK_FAST_START", "0")],
            &[("worker.fast_start", "off")],
        ),
        (&[("FRAMEPACK_FAST_START", "")], &[]),
        (&[("FRAMEPACK_VAE_CHUNK_SIZE", "2")], &[("vae.chunk", "2")]),
        (&[("FRAMEPACK_VAE_CHUNK_SIZE", "8")], &[("vae.chunk", "8")]),
        (
            &[("FRAMEPACK_VAE_CHUNK_SIZE", "0")],
            &[("vae.chunk", "auto")],
        ),
        (
            &[("FRAMEPACK_XFORMERS_MODE", "off")],
            &[("attention", "off")],
        ),
        (
            &[("FRAMEPACK_XFORMERS_MODE", "standard")],
            &[("attention", "standard")],
        ),
        (
            &[("FRAMEPACK_XFORMERS_MODE", "aggressive")],
            &[("attention", "aggressive")],
        ),
        (
            &[("FRAMEPACK_ENABLE_TENSORRT", "1")],
            &[("vae.tensorrt", "on")],
        ),
        (
            &[("FRAMEPACK_BNB_CPU_OFFLOAD", "0")],
            &[("idle.warm_after_secs", "never")],
        ),
        (
            &[("FRAMEPACK_BNB_CPU_OFFLOAD", "1")],
            &[("idle.warm_after_secs", "300")],
        ),
        (
            &[("PYTORCH_ENABLE_FLASH_SDP", "0")],
            &[("worker.flash_sdp", "off")],
        ),
        (
            &[("PYTORCH_ENABLE_FLASH_SDP", "1")],
            &[("worker.flash_sdp", "on")],
        ),
        (
            &[("PYTORCH_ENABLE_MEM_EFFICIENT_SDP", "0")],
            &[("worker.mem_efficient_sdp", "off")],
        ),
        (
            &[(
                "PYTORCH_CUDA_ALLOC_CONF",
                "expandable_segments:True,max_split_size_mb=128",
            )],
            &[(
                "worker.cuda_alloc_conf",
                "expandable_segments:True,max_split_size_mb:128",
            )],
        ),
    ] {
        assert_eq!(set(variables), keys(expected), "{variables:?}");
    }
}

#[test]
fn storage_types_are_chosen_together() {
    const BOTH_INT8: &[(&str, &str)] = &[
        ("storage.transformer", "int8"),
        ("storage.text_encoder", "int8"),
    ];
    const BOTH_NF4: &[(&str, &str)] = &[
        ("storage.transformer", "nf4"),
        ("storage.text_encoder", "nf4"),
    ];
    for (variables, expected) in [
        (&[("FRAMEPACK_USE_BNB", "1")][..], BOTH_INT8),
        (
            &[
                ("FRAMEPACK_USE_BNB", "1"),
                ("FRAMEPACK_BNB_LOAD_IN_4BIT", "0"),
            ],
            BOTH_INT8,
        ),
        (
            &[
                ("FRAMEPACK_USE_BNB", "1"),
                ("FRAMEPACK_BNB_LOAD_IN_4BIT", "1"),
            ],
            BOTH_NF4,
        ),
        (
            &[
                ("FRAMEPACK_BNB_LOAD_IN_4BIT", "1"),
                ("FRAMEPACK_USE_BNB", "1"),
            ],
            BOTH_NF4,
        ),
        (&[("FRAMEPACK_BNB_LOAD_IN_4BIT", "1")], &[]),
        (
            &[
                ("FRAMEPACK_USE_BNB", "0"),
                ("FRAMEPACK_BNB_LOAD_IN_4BIT", "1"),
            ],
            &[
                ("storage.transformer", "auto"),
                ("storage.text_encoder", "auto"),
            ],
        ),
        (&[("FRAMEPACK_ENABLE_QUANT", "1")], BOTH_INT8),
        (
            &[
                ("FRAMEPACK_ENABLE_QUANT", "1"),
                ("FRAMEPACK_QUANT_BITS", "4"),
            ],
            BOTH_NF4,
        ),
        (&[("FRAMEPACK_QUANT_BITS", "4")], &[]),
        (
            &[("FRAMEPACK_ENABLE_FP8", "1")],
            &[("storage.transformer", "fp8_e4m3")],
        ),
        // Each component by the variable that had it there.
        (
            &[("FRAMEPACK_USE_BNB", "1"), ("FRAMEPACK_ENABLE_FP8", "1")],
            &[
                ("storage.transformer", "fp8_e4m3"),
                ("storage.text_encoder", "int8"),
            ],
        ),
        (
            &[
                ("FRAMEPACK_ENABLE_QUANT", "1"),
                ("FRAMEPACK_USE_BNB", "1"),
                ("FRAMEPACK_BNB_LOAD_IN_4BIT", "1"),
            ],
            BOTH_NF4,
        ),
    ] {
        assert_eq!(set(variables), keys(expected), "{variables:?}");
    }
    let by_two = read(&[
        ("FRAMEPACK_USE_BNB", "1"),
        ("FRAMEPACK_BNB_LOAD_IN_4BIT", "1"),
    ]);
    let names = by_two.settings[0].variable();
    assert_eq!(names, "FRAMEPACK_USE_BNB and FRAMEPACK_BNB_LOAD_IN_4BIT");
    assert_eq!(
        note(&read(&[("FRAMEPACK_BNB_LOAD_IN_4BIT", "1")])),
        "FRAMEPACK_BNB_LOAD_IN_4BIT: nothing by itself; with FRAMEPACK_USE_BNB=1 it is 4 bits instead of 8"
    );
}

/// The only note.
fn note(translated: &Translated) -> String {
    let [Note { name, text }] = translated.notes.as_slice() else {
        panic!("{:?}", translated.notes);
    };
    format!("{name}: {text}")
}

#[test]
fn one_step_cache_is_chosen_as_in_the_application() {
    for (variables, expected) in [
        (
            &[("FRAMEPACK_ENABLE_FBCACHE", "1")][..],
            &[("cache.kind", "fbcache")][..],
        ),
        (
            &[("FRAMEPACK_ENABLE_SIM_CACHE", "1")],
            &[("cache.kind", "simcache")],
        ),
        (
            &[("FRAMEPACK_ENABLE_KV_CACHE", "1")],
            &[("cache.kind", "kv")],
        ),
        (&[("FRAMEPACK_ENABLE_KV_CACHE", "0")], &[]),
        (
            &[
                ("FRAMEPACK_ENABLE_SIM_CACHE", "1"),
                ("FRAMEPACK_ENABLE_FBCACHE", "1"),
            ],
            &[("cache.kind", "fbcache")],
        ),
        (
            &[
                ("FRAMEPACK_ENABLE_FBCACHE", "1"),
                ("FRAMEPACK_FBCACHE_THRESHOLD", "0.05"),
            ],
            &[("cache.kind", "fbcache"), ("cache.threshold", "0.05")],
        ),
        (
            &[
                ("FRAMEPACK_ENABLE_SIM_CACHE", "1"),
                ("FRAMEPACK_SIM_CACHE_THRESHOLD", "1"),
                ("FRAMEPACK_SIM_CACHE_MAX_SKIP", "3"),
            ],
            &[
                ("cache.kind", "simcache"),
                ("cache.threshold", "1"),
                ("cache.max_skip", "3"),
            ],
        ),
        (
            &[
                ("FRAMEPACK_ENABLE_SIM_CACHE", "1"),
                ("FRAMEPACK_FBCACHE_THRESHOLD", "0.05"),
            ],
            &[("cache.kind", "simcache")],
        ),
        (&[("FRAMEPACK_FBCACHE_THRESHOLD", "0.05")], &[]),
    ] {
        assert_eq!(set(variables), keys(expected), "{variables:?}");
    }
    let several = read(&[
        ("FRAMEPACK_ENABLE_KV_CACHE", "1"),
        ("FRAMEPACK_ENABLE_SIM_CACHE", "1"),
    ]);
    assert_eq!(
        note(&several),
        "FRAMEPACK_ENABLE_KV_CACHE: one step cache at a time: FRAMEPACK_ENABLE_SIM_CACHE is stronger, as in the Python application"
    );
}

/// A variable, a value, and what is told of it.
const REFUSED: [(&str, &str, &str); 19] = [
    (
        "FRAMEPACK_FAST_START",
        "true",
        "expected 0 or 1; found `true` (write 1)",
    ),
    (
        "FRAMEPACK_USE_BNB",
        "no",
        "expected 0 or 1; found `no` (write 0)",
    ),
    (
        "FRAMEPACK_USE_BNB",
        "2",
        "expected 0 or 1; found `2` (write 1 for on, 0 for off)",
    ),
    (
        "PYTORCH_ENABLE_FLASH_SDP",
        "False",
        "expected 0 or 1; found `False` (write 0)",
    ),
    (
        "FRAMEPACK_VAE_CHUNK_SIZE",
        "9",
        "9 is out of range (0 to 8)",
    ),
    (
        "FRAMEPACK_VAE_CHUNK_SIZE",
        "-1",
        "-1 is out of range (0 to 8)",
    ),
    (
        "FRAMEPACK_VAE_CHUNK_SIZE",
        "two",
        "expected a whole number, 0 to 8; found `two`",
    ),
    (
        "FRAMEPACK_XFORMERS_MODE",
        "aggressive1",
        "`aggressive1` is not an attention mode; expected off, standard or aggressive (did you mean `aggressive`?)",
    ),
    (
        "FRAMEPACK_FBCACHE_THRESHOLD",
        "1.5",
        "1.5 is out of range (0 to 1)",
    ),
    ("FRAMEPACK_QUANT_BITS", "16", "16 is out of range (4 to 8)"),
    (
        "PYTORCH_CUDA_ALLOC_CONF",
        "max_split_size_mb=8",
        "max_split_size_mb: expected a whole number, 20 or more; found `8` (write max_split_size_mb:20 or more)",
    ),
    (
        "FRAMEPACK_FASTSTART",
        "1",
        "unknown variable (did you mean `FRAMEPACK_FAST_START`?)",
    ),
    (
        "FRAMEPACK_USE_BMB",
        "1",
        "unknown variable (did you mean `FRAMEPACK_USE_BNB`?)",
    ),
    (
        "PYTORCH_ENABLE_FLASH_SPD",
        "0",
        "unknown variable (did you mean `PYTORCH_ENABLE_FLASH_SDP`?)",
    ),
    (
        "PYTORCH_CUDA_ALLOC_CONFIG",
        "x",
        "unknown variable (did you mean `PYTORCH_CUDA_ALLOC_CONF`?)",
    ),
    (
        "FRAMEPACK_VAE_CHUNK",
        "2",
        "unknown variable (did you mean `FRAMEPACK_VAE_CHUNK_SIZE`?)",
    ),
    (
        "FRAMEPACK_FBCACHE",
        "1",
        "unknown variable (did you mean `FRAMEPACK_ENABLE_FBCACHE`?)",
    ),
    (
        "FRAMEPACK_BNB_4BIT",
        "1",
        "unknown variable (did you mean `FRAMEPACK_BNB_LOAD_IN_4BIT`?)",
    ),
    (
        "FRAMEPACK_ENABLE_FAST_START",
        "1",
        "unknown variable (did you mean `FRAMEPACK_FAST_START`?)",
    ),
];

#[test]
fn a_value_that_is_none_is_told_with_what_to_write() {
    for (name, text, message) in REFUSED {
        let translated = read(&[(name, text)]);
        assert_eq!(
            translated.problems.to_string(),
            format!("{name}: {message}")
        );
        assert_eq!(translated.settings, [], "{name}={text}");
    }
    let six_bits = read(&[
        ("FRAMEPACK_ENABLE_QUANT", "1"),
        ("FRAMEPACK_QUANT_BITS", "6"),
    ]);
    let message = "FRAMEPACK_QUANT_BITS: expected 4 or 8; found `6`";
    assert_eq!(six_bits.problems.to_string(), message);
}

#[test]
fn names_that_need_nothing_are_notes() {
    for (name, text, expected) in [
        (
            "FRAMEPACK_PARALLEL_LOADERS",
            "4",
            "not needed: weights are mapped from their files and read when they are needed",
        ),
        (
            "FRAMEPACK_JIT_LOAD",
            "/x.pt",
            "inactive: a TorchScript module is not read or written",
        ),
        (
            "FRAMEPACK_MODULE_CACHE_SIZE_CLIP",
            "8",
            "not needed: at most 512 embeddings are kept, about 0.7 GB",
        ),
        (
            "HF_TOKEN",
            "secret",
            "not needed: the daemon opens no connection to the network",
        ),
        (
            "FRAMEPACK_MODE",
            "production",
            "not a variable of the Python application; ignored",
        ),
        (
            "FRAMEPACK_SOMETHING_ELSE",
            "1",
            "not a variable of the Python application; ignored",
        ),
    ] {
        let translated = read(&[(name, text)]);
        assert_eq!(note(&translated), format!("{name}: {expected}"));
        assert_eq!(translated.settings, []);
        assert_eq!(translated.problems, framepack_yaml::Problems::default());
    }
    let others = read(&[
        ("PATH", "/bin"),
        ("FRAMEPACKD_STEPS", "7"),
        ("PYTORCH_NVML_BASED_CUDA_CHECK", "1"),
    ]);
    assert_eq!(others, Translated::default());
}
