//! A job that is interrupted goes on where it was: the same latents and the same frames as without.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use framepack_ipc::{
    preview::PreviewKind,
    worker::{FromWorker, Phase, Precaution, RenderOutput, RenderRequest, Resumed, ToWorker},
};
use framepack_jobs::{Class, Model};

use crate::{
    renders::brief,
    worker::{Desk, PROGRAM, Worker},
};

/// The same job in a work folder and with an output of its own.
pub(crate) fn fresh(desk: &Desk, request: &RenderRequest, name: &str) -> RenderRequest {
    let work_dir = desk.path().join(format!("work-{name}"));
    fs::create_dir(&work_dir).unwrap();
    RenderRequest {
        work_dir,
        output: desk.path().join(format!("{name}.mp4")),
        ..request.clone()
    }
}

/// All frames of a video as ffmpeg decodes them.
fn frames(video: &Path) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(video)
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .expect("ffmpeg is needed (apt-get install ffmpeg)");
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn assert_same(one: &RenderOutput, other: &RenderOutput) {
    assert_eq!(one.latents_sha256, other.latents_sha256);
    let (one, other) = (frames(&one.video), frames(&other.video));
    assert!(!one.is_empty() && one == other, "other frames");
}

pub(crate) fn exact(sections_done: u32) -> Resumed {
    Resumed {
        sections_done,
        is_exact: true,
        reason: None,
    }
}

fn checkpoint(request: &RenderRequest, section: u32) -> PathBuf {
    let name = format!("checkpoint-{section:03}.safetensors");
    request.work_dir.join(name)
}

/// Begins a job and kills its worker at the message that `last` accepts. `false` if the job ended before.
fn killed_at(desk: &Desk, request: &RenderRequest, last: impl FnMut(&FromWorker) -> bool) -> bool {
    killed(Worker::ready(desk.path()), request, last)
}

/// Begins a job on `worker`, which is killed once this section is kept. `false` if the job ended before.
pub(crate) fn interrupted(worker: Worker, request: &RenderRequest, section: u32) -> bool {
    killed(worker, request, |message| is_checkpoint(message, section))
}

fn killed(
    mut worker: Worker,
    request: &RenderRequest,
    mut last: impl FnMut(&FromWorker) -> bool,
) -> bool {
    worker.send(&ToWorker::Render(Box::new(request.clone())));
    loop {
        let message = worker.next();
        if matches!(message, FromWorker::Done { .. }) {
            return false;
        }
        if last(&message) {
            worker.kill();
            return true;
        }
    }
}

fn is_checkpoint(message: &FromWorker, section: u32) -> bool {
    matches!(message, FromWorker::Checkpoint { sections_done, .. } if *sections_done == section)
}

#[test]
fn a_worker_killed_after_any_section_is_continued_bit_for_bit_in_both_orders() {
    let desk = Desk::new();
    for model in [Model::Original, Model::F1] {
        let request = brief(desk.request(model, 3));
        let whole = Worker::ready(desk.path()).render(&request);
        assert_eq!(whole.resumed, None);
        for section in 1..=3 {
            let request = fresh(&desk, &request, &format!("{model:?}-after-{section}"));
            assert!(killed_at(&desk, &request, |message| is_checkpoint(
                message, section
            )));
            assert!(!request.output.exists());
            let output = Worker::ready(desk.path()).go_on(&request);
            assert_eq!(output.resumed, Some(exact(section)));
            assert_same(&output, &whole);
        }
    }
}

fn are_decoded(message: &FromWorker, section: u32) -> bool {
    matches!(message, FromWorker::Kept { sections, .. } if *sections == section)
}

/// How often a run of `worker` enters the decoding of a section.
fn decodings(worker: &mut Worker, request: &RenderRequest) -> (usize, RenderOutput) {
    let mut decodings = 0;
    worker.send(&ToWorker::Render(Box::new(request.clone())));
    loop {
        match worker.next() {
            FromWorker::Progress { progress, .. } if progress.phase == Phase::Decode => {
                decodings += 1;
            }
            FromWorker::Done { output, .. } => return (decodings, *output),
            FromWorker::Failed { failure, .. } => panic!("{failure:?}"),
            _ => {}
        }
    }
}

/// Of the sections whose frames are kept only the newest is decoded again, for the next one to fade into.
#[test]
fn frames_that_are_kept_are_not_decoded_again_in_both_orders() {
    let desk = Desk::new();
    for model in [Model::Original, Model::F1] {
        let request = brief(desk.request(model, 3));
        let whole = Worker::ready(desk.path()).render(&request);
        let request = fresh(&desk, &request, &format!("{model:?}-decoded"));
        // Three kills: after the first section's frames, and then after each further one's.
        for section in 1..=3 {
            let worker = Worker::ready(desk.path());
            assert!(killed(worker, &request, |message| are_decoded(
                message, section
            )));
        }
        let (decoded, output) = decodings(&mut Worker::ready(desk.path()), &request);
        assert_eq!(decoded, 0, "{model:?}");
        assert_same(&output, &whole);

        // A damaged one is made again, as it was, with what follows it.
        let kept = request.work_dir.join("checkpoint-frames-002.safetensors");
        let mut bytes = fs::read(&kept).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(&kept, bytes).unwrap();
        let request = RenderRequest {
            output: desk.path().join(format!("{model:?}-again.mp4")),
            ..request
        };
        let (decoded, output) = decodings(&mut Worker::ready(desk.path()), &request);
        assert_eq!(decoded, 3, "{model:?}: section 1 for its end, 2 and 3");
        assert_same(&output, &whole);
    }
}

#[test]
fn a_worker_killed_again_and_again_at_any_moment_gets_there() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 3));
    let whole = Worker::ready(desk.path()).render(&request);
    let request = fresh(&desk, &request, "killed");
    let mut random = 7_u64;
    let mut kills = 0;
    loop {
        // A linear congruential generator: the moments are the same on every machine.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let mut messages = 1 + (random >> 33 & 15);
        println!("killed after {messages} messages");
        let was_killed = killed_at(&desk, &request, |_| {
            messages -= 1;
            messages == 0
        });
        if !was_killed || kills == 6 {
            break;
        }
        kills += 1;
    }
    assert!(kills > 0);
    let output = Worker::ready(desk.path()).go_on(&request);
    assert!(
        output
            .resumed
            .as_ref()
            .is_none_or(|resumed| resumed.is_exact)
    );
    assert_same(&output, &whole);
}

#[test]
fn a_damaged_checkpoint_is_rendered_again_with_what_follows_it() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = brief(desk.request(Model::F1, 3));
    let whole = worker.render(&request);
    let again = RenderRequest {
        output: desk.path().join("again.mp4"),
        ..request.clone()
    };
    let mut bytes = fs::read(checkpoint(&request, 2)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(checkpoint(&request, 2), bytes).unwrap();
    let output = worker.go_on(&again);
    assert_eq!(output.resumed, Some(exact(1)));
    let warned = |output: &RenderOutput, words: &str| {
        output
            .warnings
            .iter()
            .any(|warning| warning.contains(words))
    };
    assert!(
        warned(&output, "section 2 was rendered again"),
        "{:?}",
        output.warnings
    );
    assert!(warned(&output, "checksum"), "{:?}", output.warnings);
    assert_same(&output, &whole);

    // Another seed's latents are not continued with this one's.
    let other = RenderRequest {
        seed: request.seed + 1,
        output: desk.path().join("other.mp4"),
        ..request
    };
    let output = worker.go_on(&other);
    assert_eq!(output.resumed, None);
    assert!(warned(&output, "another job"), "{:?}", output.warnings);
    assert_ne!(output.latents_sha256, whole.latents_sha256);
}

#[test]
fn writing_alone_is_retried() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 2));
    let whole = Worker::ready(desk.path()).render(&request);
    let request = RenderRequest {
        output: desk.path().join("not-yet/video.mp4"),
        ..fresh(&desk, &request, "decoding")
    };
    let failure = Worker::ready(desk.path()).fail(&request);
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (Class::Io, "FP6010")
    );

    fs::create_dir(request.output.parent().unwrap()).unwrap();
    let mut worker = Worker::ready(desk.path());
    let output = worker.go_on(&request);
    assert_eq!(output.resumed, Some(exact(2)));
    assert_same(&output, &whole);
    let phases: Vec<Phase> = output.phases.iter().map(|time| time.phase).collect();
    assert!(!phases.contains(&Phase::Sample), "{phases:?}");
    assert_eq!(worker.into_loads(), [""; 0], "its frames were kept");
}

#[test]
fn what_was_begun_otherwise_is_continued_and_said() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 2));
    let whole = Worker::ready(desk.path()).render(&request);
    let begin = |name: &str| {
        let request = fresh(&desk, &request, name);
        assert!(killed_at(&desk, &request, |message| is_checkpoint(
            message, 1
        )));
        request
    };
    let differs = |request: &RenderRequest| {
        let output = Worker::ready(desk.path()).go_on(request);
        let resumed = output.resumed.clone().unwrap();
        assert_eq!((resumed.sections_done, resumed.is_exact), (1, false));
        (output, resumed.reason.unwrap())
    };

    let (output, reason) = differs(&RenderRequest {
        rung: 1,
        ..begin("rung")
    });
    let expected = "since section 1: rung was 0 and is 1, tiling was Time and is TimeAndSpace";
    assert_eq!(reason, expected);
    assert_eq!(output.rungs.len(), 1);
    // Tiles are larger than these frames.
    assert_same(&output, &whole);

    let (output, reason) = differs(&RenderRequest {
        precaution: Precaution::Numerics,
        ..begin("precaution")
    });
    assert!(
        reason.contains("attention was torch and is torch without"),
        "{reason}"
    );
    assert!(
        output.warnings[0].contains("the VAE computed in f32"),
        "{:?}",
        output.warnings
    );
    assert_ne!(
        output.latents_sha256, whole.latents_sha256,
        "attention was the same"
    );
}

#[test]
fn a_checkpoint_that_does_not_fit_on_the_disk_is_an_io_failure_and_leaves_nothing_torn() {
    let desk = Desk::new();
    let request = desk.request(Model::Original, 1);
    // A limit of the file's size cuts the write short as a full disk does.
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"",
            PROGRAM,
        ])
        .args(["serve", "--device", "cpu", "--state-dir"])
        .arg(desk.path());
    let mut worker = Worker::spawn(command);
    assert!(matches!(worker.next(), FromWorker::Ready(_)));
    let failure = worker.fail(&request);
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (Class::Io, "FP6001")
    );
    assert!(
        failure.message.contains("checkpoint-001"),
        "{}",
        failure.message
    );
    let left = fs::read_dir(&request.work_dir).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left
        .filter(|name| *name != *PreviewKind::Latest.file_name())
        .collect();
    assert!(left.is_empty(), "a torn file: {left:?}");
    worker.kill();

    let output = Worker::ready(desk.path()).go_on(&request);
    assert_eq!(output.resumed, None);
}
