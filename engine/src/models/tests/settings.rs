//! A job's memory settings act on a device's memory, for which a part of the host's stands here, and change no bit.

use std::path::Path;

use framepack_jobs::{MemoryActs, MemoryBackend, MemoryUse, Model, Value};
use tch::Device;

use super::{BLOCKS, Fixture, resident};
use crate::{
    job::{Job, usual_request},
    models::Models,
    offload::{MemoryOptions, Residency, Staging},
    plan::{ModelOptions, Relief},
};

#[test]
fn every_backend_chunk_and_split_gives_the_same_bits() {
    let expected = resident();
    let fixture = Fixture::new(MemoryOptions {
        staging: Staging::Always,
        ..MemoryOptions::default()
    });
    let blocks = fixture.model.blocks();
    for backend in [MemoryBackend::V1, MemoryBackend::V2, MemoryBackend::V1] {
        for chunk_bytes in [1, 1000, 64 << 20] {
            for residents in [0, 2, BLOCKS] {
                blocks.memory().set_backend(backend);
                blocks.memory().set_chunk_bytes(chunk_bytes);
                blocks.place(Residency::interleaved(BLOCKS, residents, 2));
                blocks.fill_host(&[residents == 2; BLOCKS]).unwrap();
                let what = format!("{backend:?}, {chunk_bytes}, {residents} resident");
                assert_eq!(fixture.run().unwrap(), expected, "{what}");
            }
        }
    }
}

/// A job of the tiny bundle with these settings.
fn job(settings: &[(&str, &str)]) -> Job {
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/bundle");
    let mut request = usual_request(Path::new(bundle), None, Model::Original);
    for (key, value) in settings {
        let value = value
            .parse()
            .map_or_else(|_| Value::from(*value), Value::Integer);
        request.settings.set(*key, value);
    }
    Job::with_blank_picture(&request).unwrap()
}

/// Models on a device that has so much for blocks.
fn models(capacity_bytes: Option<u64>) -> Models {
    let memory = MemoryOptions {
        capacity_bytes,
        staging: Staging::Always,
        ..MemoryOptions::default()
    };
    let options = ModelOptions {
        memory,
        ..ModelOptions::default()
    };
    Models::new(Device::Cpu, options)
}

/// Has the transformer run once, and the decoder come after it. Returns what the blocks hold in between, what they hold
/// at the end, and the report.
fn section(models: &mut Models, job: &Job) -> (u64, u64, MemoryUse) {
    models.begin(job);
    models.place(job, Relief::default()).unwrap();
    let transformer = models.transformer(&job.transformer).unwrap();
    transformer.blocks().for_each(|_, _| {});
    let sampled_bytes = models.weights_bytes();
    models.decoder(&job.bundle).unwrap();
    (sampled_bytes, models.weights_bytes(), models.memory_use())
}

fn acts(found: MemoryUse) -> MemoryActs {
    match found {
        MemoryUse::Acted(acts) => acts,
        MemoryUse::Inactive { reason } => panic!("{reason}"),
    }
}

#[test]
fn what_leaves_for_the_decoder_is_what_has_to_or_more() {
    let (total_bytes, decoding_bytes) = {
        let (mut models, job) = (models(None), job(&[]));
        let (total_bytes, left_bytes, inactive) = section(&mut models, &job);
        assert_eq!(left_bytes, total_bytes, "nothing has to leave");
        let MemoryUse::Inactive { reason } = inactive else {
            panic!("{inactive:?}")
        };
        assert!(reason.contains("processor"), "{reason}");
        (total_bytes, models.placement().decoding_bytes)
    };
    // Room for half of the blocks beside the decoder, and for all without it.
    let capacity_bytes = decoding_bytes + total_bytes / 2;
    assert!(
        decoding_bytes / 4 > total_bytes,
        "80 % is more than all blocks"
    );
    let mut models = models(Some(capacity_bytes));
    for (word, leaves_all) in [("normal", false), ("aggressive", true), ("normal", false)] {
        let job = job(&[("memory.offload", word), ("memory.preserve_gb", "3")]);
        let (sampled_bytes, left_bytes, found) = section(&mut models, &job);
        let acts = acts(found);
        assert_eq!(sampled_bytes, total_bytes, "{word}");
        assert!(left_bytes <= total_bytes / 2, "{word}");
        assert_eq!(left_bytes == 0, leaves_all, "{word}: {left_bytes}");
        assert_eq!(acts.offload, word);
        assert_eq!(acts.offloaded_bytes, total_bytes - left_bytes, "{word}");
        assert!(
            acts.offloaded_blocks > 0 && acts.cache_clearings > 0,
            "{acts:?}"
        );
        assert_eq!(acts.preserved_bytes, 3 << 30);
        assert_eq!(
            acts.page_locked_bytes, 0,
            "there is no device to lock it for"
        );
        assert_eq!(acts.streamed_bytes, 0, "all blocks were resident");
    }
}

#[test]
fn chunk_and_backend_hold_for_their_job_alone() {
    let mut models = models(Some(u64::MAX));
    let everything = {
        let (_, _, found) = section(&mut models, &job(&[]));
        acts(found)
    };
    assert_eq!(
        (everything.chunk_bytes, everything.backend.as_str()),
        (256 << 20, "v2")
    );
    assert!(
        everything.largest_staging_bytes > 200 << 20,
        "{everything:?}"
    );
    assert!(everything.brought_bytes > 0);
    // Warm: nothing comes again.
    let (_, _, found) = section(&mut models, &job(&[("memory.load_chunk_mb", "64")]));
    let warm = acts(found);
    assert_eq!((warm.chunk_bytes, warm.brought_bytes), (64 << 20, 0));
    assert_eq!(
        warm.largest_staging_bytes, 0,
        "the buffers of the job before are gone"
    );

    models.clear();
    let (_, _, found) = section(&mut models, &job(&[("memory.backend", "v1")]));
    let v1 = acts(found);
    assert_eq!(v1.backend, "v1");
    // No buffers: only what is converted on its way.
    assert!(v1.largest_staging_bytes < 1 << 20, "{v1:?}");
    assert_eq!(v1.brought_bytes, everything.brought_bytes);

    models.clear();
    let (_, _, found) = section(&mut models, &job(&[("memory.load_chunk_mb", "64")]));
    let small = acts(found);
    assert_eq!(small.backend, "v2");
    let most_bytes = 64 << 20;
    assert!(
        (most_bytes / 2..=most_bytes).contains(&small.largest_staging_bytes),
        "{small:?}"
    );
}
