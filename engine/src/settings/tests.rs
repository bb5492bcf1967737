//! Each setting of a job, from its key to its field.

use super::*;

fn read(key: &str, value: Value) -> Result<JobSettings, String> {
    let mut settings = Settings::default();
    settings.set(key, value);
    JobSettings::read(&settings).map_err(|error| {
        assert_eq!(error.failure().code, "FP2105");
        error.to_string()
    })
}

#[test]
fn what_is_not_said_is_the_default() {
    let settings = JobSettings::read(&Settings::default()).unwrap();
    assert_eq!(settings, JobSettings::default());
    assert_eq!(settings.background, Colour::WHITE);
    let memory = settings.memory;
    assert_eq!(memory.preserve, None);
    let default = |row: &Row| row.default_value().unwrap();
    let chunk_mb = Value::Integer((memory.load_chunk_bytes >> 20) as i64);
    assert_eq!(chunk_mb, default(&LOAD_CHUNK_MB));
    let offload = Value::from(memory.offloading.as_str());
    assert_eq!(offload, default(&OFFLOAD));
    assert_eq!(Value::from(memory.backend.as_str()), default(&BACKEND));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_key_sets_its_own_field() {
    let memory = |memory| JobSettings {
        memory,
        ..JobSettings::default()
    };
    let default = MemorySettings::default();
    let vae = |vae| JobSettings {
        vae,
        ..JobSettings::default()
    };
    let reference = VaeSettings {
        mode: VaeMode::Reference,
        ..VaeSettings::default()
    };
    for (key, value, expected) in [
        (
            "start.background",
            "#000000".into(),
            JobSettings {
                background: "#000000".parse().unwrap(),
                ..JobSettings::default()
            },
        ),
        (
            "attention",
            "aggressive".into(),
            JobSettings {
                attention: AttentionMode::Aggressive,
                ..JobSettings::default()
            },
        ),
        (
            "vae.mode",
            "chunked".into(),
            vae(VaeSettings {
                mode: VaeMode::Chunked,
                ..VaeSettings::default()
            }),
        ),
        ("vae.mode", "reference".into(), vae(reference)),
        ("vae.mode", "auto".into(), vae(VaeSettings::default())),
        (
            "vae.chunk",
            Value::Integer(8),
            vae(VaeSettings {
                chunk: Some(8),
                ..VaeSettings::default()
            }),
        ),
        ("vae.chunk", "auto".into(), vae(VaeSettings::default())),
        (
            "vae.blend",
            Value::Integer(0),
            vae(VaeSettings {
                blend_frames: Some(0),
                ..VaeSettings::default()
            }),
        ),
        (
            "vae.quality",
            "on".into(),
            vae(VaeSettings {
                has_quality: true,
                ..VaeSettings::default()
            }),
        ),
        ("vae.quality", "off".into(), vae(VaeSettings::default())),
        ("vae.overlap", "auto".into(), JobSettings::default()),
        (
            "vae.overlap",
            "off".into(),
            JobSettings {
                overlap: VaeOverlap::Off,
                ..JobSettings::default()
            },
        ),
        (
            "memory.preserve_gb",
            Value::Number(2.5),
            memory(MemorySettings {
                preserve: Some(MemoryAmount::Bytes(5 << 29)),
                ..default
            }),
        ),
        (
            "memory.preserve_gb",
            Value::Integer(128),
            memory(MemorySettings {
                preserve: Some(MemoryAmount::Bytes(128 << 30)),
                ..default
            }),
        ),
        (
            "memory.preserve_gb",
            "auto".into(),
            memory(MemorySettings {
                preserve: Some(MemoryAmount::Auto),
                ..default
            }),
        ),
        (
            "memory.load_chunk_mb",
            Value::Integer(64),
            memory(MemorySettings {
                load_chunk_bytes: 64 << 20,
                ..default
            }),
        ),
        (
            "memory.offload",
            "aggressive".into(),
            memory(MemorySettings {
                offloading: Offloading::Aggressive,
                ..default
            }),
        ),
        (
            "memory.backend",
            "v1".into(),
            memory(MemorySettings {
                backend: MemoryBackend::V1,
                ..default
            }),
        ),
    ] {
        assert_eq!(read(key, value), Ok(expected), "{key}");
    }
}

#[test]
fn the_reference_and_a_chunk_contradict_each_other() {
    for (key, value) in [
        ("vae.chunk", Value::Integer(2)),
        ("vae.blend", Value::Integer(0)),
        ("vae.quality", "on".into()),
    ] {
        let mut settings = Settings::default();
        settings.set("vae.mode", "reference".into());
        settings.set(key, value);
        let said = JobSettings::read(&settings).unwrap_err().to_string();
        assert!(said.starts_with("vae.mode: "), "{said}");
    }
}

#[test]
fn an_unknown_key_or_value_is_refused_by_its_name() {
    for key in [
        "storage.transformer",
        "memory.host_budget_gb",
        "memory.preserve",
    ] {
        let said = read(key, Value::Integer(8)).unwrap_err();
        let expected = format!("{key} is not available in this version of the worker");
        assert_eq!(said, expected);
    }
    for (key, value, expected) in [
        ("start.background", "white".into(), "colour"),
        ("start.background", Value::Integer(0), "colour"),
        ("attention", Value::Integer(1), "auto, off, standard"),
        (
            "attention",
            "agressive".into(),
            "did you mean `aggressive`?",
        ),
        ("vae.chunk", Value::Integer(0), "1 to 8"),
        ("vae.chunk", Value::Integer(9), "1 to 8"),
        ("vae.chunk", "2".into(), "1 to 8"),
        ("vae.blend", Value::Integer(17), "0 to 16"),
        ("vae.blend", Value::Number(4.5), "0 to 16"),
        ("vae.mode", "chunks".into(), "`chunked`"),
        ("vae.quality", "yes".into(), "on"),
        ("vae.overlap", "on".into(), "`off`"),
        ("memory.preserve_gb", Value::Number(1.9), "2 to 128"),
        ("memory.preserve_gb", Value::Number(129.0), "2 to 128"),
        ("memory.preserve_gb", Value::Number(f64::NAN), "2 to 128"),
        ("memory.preserve_gb", "6".into(), "2 to 128"),
        ("memory.load_chunk_mb", Value::Integer(63), "64 to 1024"),
        ("memory.load_chunk_mb", Value::Integer(1025), "64 to 1024"),
        ("memory.load_chunk_mb", Value::Integer(-64), "64 to 1024"),
        ("memory.load_chunk_mb", Value::Number(64.5), "64 to 1024"),
        ("memory.load_chunk_mb", "256".into(), "64 to 1024"),
        ("memory.offload", "Normal".into(), "aggressive"),
        ("memory.backend", "v3".into(), "v2"),
        ("memory.backend", Value::Integer(2), "v2"),
    ] {
        let said = read(key, value.clone()).unwrap_err();
        assert!(said.starts_with(&format!("{key}: ")), "{said}");
        assert!(said.contains(expected), "{value}: {said}");
    }
}
