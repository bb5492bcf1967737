//! A job for tests.

use framepack_jobs::{
    Job, JobId, JobSpec, JobState, Runs, Source, Surroundings, Timestamp, settings::Farm,
};

/// When it is like this.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T22:00:00.000000Z".parse().unwrap()
}

/// A job that waits for its first run.
pub(crate) fn queued() -> Job {
    let surroundings = Surroundings {
        file_stem: "cat".to_owned(),
        bundle_latent_window: 9,
        farm: Farm::default(),
    };
    let file = "api: framepack/v1\nstart: {image: cat.jpg}\nprompt: A cat yawns.\n";
    let job = JobSpec::parse(file)
        .unwrap()
        .validate(&surroundings)
        .unwrap();
    Job {
        id: JobId(7),
        name: job.name,
        key: "k".to_owned(),
        state: JobState::Queued,
        submitted_at: now(),
        source: Source::Submit {
            folder: "/photos".into(),
        },
        spec: job.spec,
        farm_defaults: job.farm_defaults,
        origins: job.origins,
        seed: 7,
        image: "/photos/cat.jpg".into(),
        output: "/outputs/cat-7.mp4".into(),
        schedule: job.schedule,
        runs: Runs::default(),
        warnings: Vec::new(),
    }
}
