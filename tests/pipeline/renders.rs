//! What comes out: the right number of frames, the same bytes for the same seed.

use std::{fs, path::Path, process::Command};

use framepack_ipc::worker::{FromWorker, Phase, RenderRequest, ToWorker};
use framepack_jobs::{Guidance, Model};
use serde_json::{Value, json};

use crate::worker::{Desk, Worker};

/// Names of what is in a folder, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Frames that the file itself declares.
pub(crate) fn frames_of(video: &Path) -> u32 {
    let file = fs::File::open(video).unwrap();
    let size_bytes = file.metadata().unwrap().len();
    let mp4 = mp4::Mp4Reader::read_header(file, size_bytes).unwrap();
    assert_eq!(mp4.tracks().len(), 1);
    mp4.tracks().values().next().unwrap().sample_count()
}

#[test]
fn every_length_has_its_frames_in_both_directions() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    // Five are more than the original's schedule counts down one by one.
    for (model, lengths) in [(Model::Original, &[1, 2, 5][..]), (Model::F1, &[2])] {
        for &sections in lengths {
            let request = desk.request(model, sections);
            let output = worker.render(&request);
            assert_eq!(output.video, request.output);
            assert_eq!(output.plan.sections, sections);
            assert_eq!(output.plan.frames, 36 * sections + 1);
            assert_eq!(frames_of(&request.output), 36 * sections + 1);
            assert_eq!(
                output.video_bytes,
                fs::metadata(&request.output).unwrap().len()
            );
            assert!(image::open(&output.contact_sheet).unwrap().width() > 0);
            let previews = (1..=sections).map(|number| format!("preview-{number:03}.png"));
            let checkpoints = (1..=sections).map(|n| format!("checkpoint-{n:03}.safetensors"));
            let kept = (1..=sections).map(|n| format!("checkpoint-frames-{n:03}.safetensors"));
            let mut expected: Vec<String> = checkpoints
                .chain(kept)
                .chain(["contact-sheet.png".into(), "latents.safetensors".into()])
                .chain(previews)
                .chain(["preview-latest.json".into(), "preview-strip.json".into()])
                .collect();
            expected.sort();
            assert_eq!(names_in(&request.work_dir), expected);
        }
    }
    let videos = names_in(desk.path());
    let videos = videos.iter().filter(|name| name.contains("mp4"));
    assert_eq!(videos.count(), 4);
}

/// What a video says of itself, as ffprobe reads it.
fn comment_of(video: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_format", "-of", "json"])
        .arg(video)
        .output()
        .expect("ffprobe is needed (apt-get install ffmpeg)");
    let probed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tags = &probed["format"]["tags"];
    assert_eq!(tags["title"], "test");
    serde_json::from_str(tags["comment"].as_str().unwrap()).unwrap()
}

#[test]
fn a_video_says_how_to_render_it_again() {
    let desk = Desk::new();
    let request = RenderRequest {
        bucket: None,
        image_name: "photos/of-the-user.png".into(),
        ..brief(desk.request(Model::Original, 1))
    };
    let output = Worker::ready(desk.path()).render(&request);
    assert!(output.warnings.is_empty(), "{:?}", output.warnings);
    let expected = json!({
        "image": "of-the-user.png", "prompt": "a cat", "negative_prompt": "", "model": "original", "seed": 31337,
        "length_secs": 0.4, "bucket": 128, "steps": 2, "latent_window": 3, "crf": 23,
        "guidance": {"distilled": 10.0, "cfg": 1.0, "rescale": 0.0},
    });
    let mut comment = comment_of(&request.output);
    let length_secs = comment["length_secs"].as_f64().unwrap();
    assert!((length_secs - 0.4).abs() < 1e-9, "{length_secs}");
    comment["length_secs"] = json!(0.4);
    assert_eq!(comment, expected);
}

/// The same request with sections of 3 latent frames, for tests that count none.
pub(crate) fn brief(request: RenderRequest) -> RenderRequest {
    RenderRequest {
        latent_window: Some(3),
        length_secs: request.length_secs / 3.,
        ..request
    }
}

#[test]
fn a_seed_gives_the_same_latents_cold_and_warm_and_another_gives_others() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 2));
    let mut first = Worker::ready(desk.path());
    let cold = first.render(&request).latents_sha256;
    let other = RenderRequest {
        seed: 31338,
        ..request.clone()
    };
    assert_ne!(first.render(&other).latents_sha256, cold);
    assert_eq!(first.render(&request).latents_sha256, cold);
    first.hang_up();
    assert_eq!(
        Worker::ready(desk.path()).render(&request).latents_sha256,
        cold
    );
}

#[test]
fn guidance_and_the_negative_prompt_count_only_together() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let mut render = |cfg: f64, negative_prompt: &str| {
        let request = RenderRequest {
            guidance: Guidance {
                cfg,
                ..Guidance::default()
            },
            negative_prompt: negative_prompt.into(),
            ..brief(desk.request(Model::Original, 1))
        };
        worker.render(&request).latents_sha256
    };
    assert_eq!(render(1.0, ""), render(1.0, "a dog"));
    assert_ne!(render(2.0, ""), render(2.0, "a dog"));
    assert_ne!(render(1.0, ""), render(2.0, ""));
}

#[test]
fn progress_counts_every_step_of_every_section_in_order() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    worker.send(&ToWorker::Render(Box::new(desk.request(Model::F1, 2))));
    let mut steps = vec![];
    let mut phases = vec![];
    let mut checkpoints = vec![];
    loop {
        match worker.next() {
            FromWorker::Started { plan, .. } => {
                assert_eq!((plan.sections, plan.steps, plan.frames), (2, 2, 73));
            }
            FromWorker::Progress { progress, .. } => {
                if progress.phase == Phase::Sample {
                    steps.push((progress.section, progress.step));
                }
                if !phases.contains(&progress.phase) {
                    phases.push(progress.phase);
                }
            }
            FromWorker::Checkpoint { sections_done, .. } => checkpoints.push(sections_done),
            FromWorker::Kept { .. } => {}
            FromWorker::Done { output, .. } => {
                let timed: Vec<Phase> = output.phases.iter().map(|time| time.phase).collect();
                assert!(
                    phases.iter().all(|phase| timed.contains(phase)),
                    "{timed:?}"
                );
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(checkpoints, [1, 2]);
    assert_eq!(steps, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
    let order = [
        Phase::Text,
        Phase::Load,
        Phase::Image,
        Phase::Sample,
        Phase::Decode,
        Phase::Encode,
        Phase::Verify,
    ];
    assert_eq!(phases, order);
}
