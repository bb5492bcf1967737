//! Jobs as the daemon would send them.

use std::path::PathBuf;

use framepack_jobs::{
    Attention, ChosenBy, Code, Failure, Job, JobId, JobSpec, JobState, Phase, Progress,
    RenderOutput, RenderPlan, Runs, Source, Surroundings, Timestamp, Verified, settings::Farm,
};

pub(crate) const YAML: &str = "api: framepack/v1\nstart: {image: cat.jpg}\nprompt: A cat yawns.\n";

pub(crate) fn job(id: u64, state: JobState) -> Job {
    let surroundings = Surroundings {
        file_stem: "cat".to_owned(),
        bundle_latent_window: 9,
        farm: Farm::default(),
    };
    let validated = JobSpec::parse(YAML)
        .unwrap()
        .validate(&surroundings)
        .unwrap();
    Job {
        id: JobId(id),
        name: validated.name,
        key: "k".to_owned(),
        state,
        submitted_at: at("2026-11-23T05:16:08.000001Z"),
        source: Source::Submit {
            folder: PathBuf::from("/photos"),
        },
        spec: validated.spec,
        farm_defaults: validated.farm_defaults,
        origins: validated.origins,
        seed: 7,
        image: PathBuf::from("/photos/cat.jpg"),
        output: PathBuf::from("/outputs/cat-7.mp4"),
        schedule: validated.schedule,
        runs: Runs {
            attempts: 1,
            ..Runs::default()
        },
        warnings: Vec::new(),
    }
}

pub(crate) fn running() -> JobState {
    JobState::Running {
        started_at: at("2026-11-23T05:16:09.000000Z"),
        device: "cpu".to_owned(),
        plan: Some(plan()),
        progress: Some(Progress {
            phase: Phase::Sample,
            section: 1,
            sections: 4,
            step: 18,
            steps: 25,
            timeline: framepack_jobs::StepTimeline::default(),
        }),
        paused: false,
    }
}

pub(crate) fn done() -> JobState {
    JobState::Done {
        started_at: at("2026-11-23T05:16:09.000000Z"),
        finished_at: at("2026-11-23T05:16:19.500000Z"),
        result: Box::new(RenderOutput {
            video: PathBuf::from("/outputs/cat-7.mp4"),
            contact_sheet: PathBuf::from("/state/jobs/1/contact_sheet.png"),
            plan: plan(),
            video_bytes: 4096,
            latents_sha256: "00".repeat(32),
            device: "cpu".to_owned(),
            dtype: "f32".to_owned(),
            attention: Some(Attention {
                backend: "math".to_owned(),
                chosen_by: ChosenBy::Checkpoint,
                mode: None,
                reason: None,
            }),
            verified: Verified::Ffmpeg,
            ..RenderOutput::default()
        }),
    }
}

pub(crate) fn failed() -> JobState {
    JobState::Failed {
        finished_at: at("2026-11-23T05:16:19.500000Z"),
        failure: Failure::new(Code::IMAGE_FORMAT, "cat.jpg is not an image"),
    }
}

pub(crate) fn cancelled() -> JobState {
    JobState::Cancelled {
        finished_at: at("2026-11-23T05:16:19.500000Z"),
        result: None,
    }
}

fn plan() -> RenderPlan {
    RenderPlan {
        width_px: 640,
        height_px: 608,
        frames: 145,
        secs: 145.0 / 30.0,
        ..RenderPlan::default()
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}
