//! Profiles, presets and the Python application's variables beside file and environment.

use framepack_jobs::settings::{Origin, Setting};

use super::{MINIMAL, loaded};

/// Key, value and origin of each setting that somebody set, as `config show --origin` prints them.
pub(super) fn set(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let loaded = loaded(&format!("{MINIMAL}{text}"), environment).unwrap();
    let is_set = |setting: &&Setting| {
        setting.origin != Origin::Default
            && !setting.key.starts_with("paths.")
            && setting.key != "models.bundle"
    };
    let set = loaded.settings.iter().filter(is_set);
    set.map(Setting::with_origin).collect()
}

#[test]
fn the_seeds_first_start_line_is_what_it_says() {
    let line = [
        ("FRAMEPACK_FAST_START", "1"),
        ("FRAMEPACK_USE_BNB", "1"),
        ("FRAMEPACK_BNB_LOAD_IN_4BIT", "1"),
        ("FRAMEPACK_BNB_CPU_OFFLOAD", "1"),
        ("FRAMEPACK_VAE_CHUNK_SIZE", "2"),
    ];
    let shown = set("", &line);
    let starts = |part: &str| shown.iter().any(|line| line.starts_with(part));
    for part in [
        "vae.chunk: 2  # FRAMEPACK_VAE_CHUNK_SIZE",
        "storage.transformer: \"nf4\"  # FRAMEPACK_USE_BNB and FRAMEPACK_BNB_LOAD_IN_4BIT; inactive: ",
        "storage.text_encoder: \"nf4\"  # FRAMEPACK_USE_BNB and FRAMEPACK_BNB_LOAD_IN_4BIT; inactive: ",
        "worker.fast_start: \"on\"  # FRAMEPACK_FAST_START",
    ] {
        assert!(starts(part), "{part}: {shown:#?}");
    }
    assert!(
        starts("idle.warm_after_secs: 300  # FRAMEPACK_BNB_CPU_OFFLOAD"),
        "{shown:#?}"
    );
}

#[test]
fn sources_of_a_setting_in_their_order() {
    let file = "profile: aggressive\nmemory: {offload: normal}\npreset: night\npresets: {night: {steps: 30, attention: off}}\n";
    let environment = [
        ("FRAMEPACK_XFORMERS_MODE", "aggressive"),
        ("FRAMEPACKD_STEPS", "9"),
    ];
    let shown = set(file, &environment);
    let of = |key: &str| {
        shown
            .iter()
            .find(|line| line.starts_with(key))
            .unwrap()
            .as_str()
    };
    assert_eq!(of("steps"), "steps: 9  # FRAMEPACKD_STEPS");
    assert_eq!(
        of("attention"),
        "attention: \"aggressive\"  # FRAMEPACK_XFORMERS_MODE"
    );
    assert_eq!(
        of("memory.offload"),
        "memory.offload: \"normal\"  # configuration file"
    );
    assert_eq!(
        of("memory.preserve_gb"),
        "memory.preserve_gb: 12.0  # profile aggressive"
    );
    let shown = set(file, &[]);
    assert!(
        shown.contains(&"attention: \"off\"  # preset night".to_owned()),
        "{shown:#?}"
    );
    // Both names, and the same value.
    let both = [
        ("FRAMEPACK_VAE_CHUNK_SIZE", "2"),
        ("FRAMEPACKD_VAE_CHUNK", "2"),
    ];
    assert_eq!(set("", &both), ["vae.chunk: 2  # FRAMEPACKD_VAE_CHUNK"]);
}

#[test]
fn presets_in_a_variable_are_written_as_in_the_file() {
    for (text, expected) in [
        ("[]", "preset: \"\"  # FRAMEPACKD_PRESET"),
        (
            "[quality, hands]",
            "preset: \"quality,hands\"  # FRAMEPACKD_PRESET",
        ),
    ] {
        let shown = set("preset: quality\n", &[("FRAMEPACKD_PRESET", text)]);
        assert!(shown.iter().any(|line| line == expected), "{shown:#?}");
    }
}

#[test]
fn a_mistake_in_a_variable_of_the_application_or_in_a_preset_is_named() {
    for (file, environment, expected) in [
        (
            "",
            ("FRAMEPACK_VAE_CHUNK_SIZE", "9"),
            "FRAMEPACK_VAE_CHUNK_SIZE: ",
        ),
        ("", ("FRAMEPACK_USE_BNB", "true"), "FRAMEPACK_USE_BNB: "),
        (
            "",
            ("FRAMEPACK_VAE_CHUNKSIZE", "2"),
            "did you mean `FRAMEPACK_VAE_CHUNK_SIZE`?",
        ),
        (
            "",
            ("PYTORCH_CUDA_ALLOC_CONF", "max_split_size_mb:1"),
            "max_split_size_mb",
        ),
        (
            "worker: {cuda_alloc_conf: \"expandable_segmets:True\"}\n",
            ("A", "b"),
            "did you mean `expandable_segments`",
        ),
        (
            "presets: {night: {stpes: 3}}\n",
            ("A", "b"),
            "line 3, column 19: presets.night.stpes: unknown key (did you mean `steps`?)",
        ),
        (
            "presets: {night: {steps: 0}}\n",
            ("A", "b"),
            "presets.night.steps: 0 is out of range (1 to 100)",
        ),
        (
            "preset: nihgt\npresets: {night: {steps: 3}}\n",
            ("A", "b"),
            "did you mean `night`?",
        ),
        ("profile: bnb\n", ("A", "b"), "did you mean `bnb4`?"),
        (
            "presets: {bnb4: {steps: 3}}\n",
            ("A", "b"),
            "line 3, column 17: presets.bnb4: `bnb4` can't be a preset's name: it is that of a built-in profile or preset \
             (choose another name",
        ),
        (
            "presets: {hands: {steps: 3}}\n",
            ("A", "b"),
            "presets.hands: `hands` can't be a preset's name",
        ),
        (
            "presets: {'a,b': {steps: 3}}\n",
            ("A", "b"),
            "it has a comma (write it without)",
        ),
        (
            "preset: [quality]\n",
            ("FRAMEPACKD_PRESET", "hand"),
            "FRAMEPACKD_PRESET: no preset is called `hand`",
        ),
    ] {
        let error = loaded(&format!("{MINIMAL}{file}"), &[environment]).unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let both = [
        ("FRAMEPACK_VAE_CHUNK_SIZE", "2"),
        ("FRAMEPACKD_VAE_CHUNK", "3"),
    ];
    let error = loaded(MINIMAL, &both).unwrap_err();
    let expected = "FRAMEPACKD_VAE_CHUNK: sets vae.chunk to `3`, and FRAMEPACK_VAE_CHUNK_SIZE to `2` (set only one of them)";
    assert_eq!(error, expected);
}

#[test]
fn the_allocators_options_are_put_in_torchs_spelling() {
    let seed = [(
        "PYTORCH_CUDA_ALLOC_CONF",
        "expandable_segments:True,max_split_size_mb=128",
    )];
    let shown = set("", &seed);
    let expected = "worker.cuda_alloc_conf: \"expandable_segments:True,max_split_size_mb:128\"  # PYTORCH_CUDA_ALLOC_CONF";
    assert_eq!(shown, [expected]);
    let notices = loaded(MINIMAL, &seed).unwrap().notices;
    assert!(notices[0].contains("corrected"), "{notices:?}");
    let file = "worker: {cuda_alloc_conf: \"max_split_size_mb=128\"}\n";
    assert!(set(file, &[])[0].starts_with("worker.cuda_alloc_conf: \"max_split_size_mb:128\""));
}

#[test]
fn what_is_switched_off_by_a_variable_is_off_whatever_a_profile_says() {
    let off = [
        ("FRAMEPACK_USE_BNB", "0"),
        ("FRAMEPACK_BNB_CPU_OFFLOAD", "0"),
    ];
    let shown = set("profile: bnb4\nidle: {warm_after_secs: 60}\n", &off);
    for line in [
        "storage.transformer: \"auto\"  # FRAMEPACK_USE_BNB",
        "idle.warm_after_secs: \"never\"  # FRAMEPACK_BNB_CPU_OFFLOAD",
    ] {
        assert!(
            shown.iter().any(|shown| shown == line),
            "{line}: {shown:#?}"
        );
    }
}

#[test]
fn a_variable_that_leaves_a_key_as_it_is_overrules_nobody() {
    let one = ("FRAMEPACK_BNB_CPU_OFFLOAD", "1");
    for (file, environment, expected) in [
        ("", &[one][..], "300  # FRAMEPACK_BNB_CPU_OFFLOAD"),
        (
            "idle: {warm_after_secs: 60}\n",
            &[one],
            "60  # configuration file",
        ),
        (
            "idle: {warm_after_secs: never}\n",
            &[one],
            "\"never\"  # configuration file",
        ),
        (
            "idle: {warm_after_secs: 90}\n",
            &[one, ("FRAMEPACKD_IDLE_WARM_AFTER_SECS", "60")],
            "60  # FRAMEPACKD_IDLE_WARM_AFTER_SECS",
        ),
    ] {
        let shown = set(file, environment);
        let expected = format!("idle.warm_after_secs: {expected}");
        assert_eq!(shown, [expected], "{file} {environment:?}");
    }
    let both = [
        ("FRAMEPACK_BNB_CPU_OFFLOAD", "0"),
        ("FRAMEPACKD_IDLE_WARM_AFTER_SECS", "60"),
    ];
    let error = loaded(MINIMAL, &both).unwrap_err();
    assert!(error.contains("set only one of them"), "{error}");
}

#[test]
fn the_same_options_of_the_allocator_in_two_spellings_are_no_conflict() {
    let both = [
        ("FRAMEPACKD_WORKER_CUDA_ALLOC_CONF", "max_split_size_mb=64"),
        ("PYTORCH_CUDA_ALLOC_CONF", "max_split_size_mb:64"),
    ];
    assert!(set("", &both)[0].starts_with("worker.cuda_alloc_conf: \"max_split_size_mb:64\""));
    let error = loaded(MINIMAL, &[("PYTORCH_ALLOC_CONF", "foo:1")]).unwrap_err();
    assert!(error.contains("PYTORCH_ALLOC_CONF"), "{error}");
}

#[test]
fn presets_of_the_farm_are_listed() {
    let shown = set("presets: {night: {steps: 30, guidance: {cfg: 2}}}\n", &[]);
    assert_eq!(
        shown,
        ["presets.night: {\"guidance.cfg\":2.0,\"steps\":30}  # configuration file"]
    );
}
