//! A video of the sections that are finished: nothing is sampled, and what is there is what it would have been.

use std::{fs, path::Path};

use framepack_ipc::worker::{Extent, FromWorker, RenderRequest, ToWorker};
use framepack_jobs::{Model, Part, Verified};
use safetensors::SafeTensors;

use crate::{
    renders::{brief, frames_of},
    resume::fresh,
    worker::{Desk, Worker},
};

/// Bytes of a frame in the requests' smallest size.
fn frame_bytes(width_px: u32, height_px: u32) -> usize {
    (width_px * height_px * 3) as usize
}

/// The frames in a file of a work folder, packed RGB.
fn kept(work_dir: &Path, name: &str) -> Vec<u8> {
    let bytes = fs::read(work_dir.join(format!("checkpoint-{name}.safetensors"))).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.tensor("frames").unwrap().data().to_vec()
}

/// Leaves in a request's work folder what a run of `whole` had made that ended after so many sections.
fn stopped_after(sections: u32, whole: &RenderRequest, request: &RenderRequest) {
    for section in 1..=sections {
        for name in [
            format!("checkpoint-{section:03}.safetensors"),
            format!("checkpoint-frames-{section:03}.safetensors"),
        ] {
            fs::copy(whole.work_dir.join(&name), request.work_dir.join(&name)).unwrap();
        }
    }
}

fn finished(request: &RenderRequest) -> RenderRequest {
    RenderRequest {
        extent: Extent::FinishedSections,
        ..request.clone()
    }
}

#[test]
fn finished_sections_become_a_video_of_the_same_frames_in_both_orders() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    for (model, part, frames) in [
        (Model::Original, Part::End, 21),
        (Model::F1, Part::Beginning, 25),
    ] {
        let whole = brief(desk.request(model, 3));
        let output = worker.render(&whole);
        assert_eq!(output.partial, None);
        let request = fresh(&desk, &whole, &format!("{model:?}"));
        stopped_after(2, &whole, &request);

        let made = worker.go_on(&finished(&request));
        let partial = made.partial.unwrap();
        assert_eq!((partial.part, partial.frames), (part, frames));
        assert_eq!((partial.sections, partial.of_sections), (2, 3));
        assert_eq!((made.plan.sections, made.plan.frames), (2, frames));
        assert_eq!(frames_of(&request.output), frames);
        assert_eq!(made.verified, Verified::Ffmpeg);
        assert_ne!(made.latents_sha256, output.latents_sha256);

        // Where the third section would have faded in, the second one goes on alone.
        let (end, second) = (
            kept(&request.work_dir, "end-002"),
            kept(&whole.work_dir, "frames-002"),
        );
        let fading = 9 * frame_bytes(made.plan.width_px, made.plan.height_px);
        assert_eq!(end.len(), second.len() + fading);
        match part {
            Part::End => assert!(end.ends_with(&second)),
            _ => assert!(end.starts_with(&second)),
        }

        // What was made of it is no obstacle: the job would still become the whole video.
        let gone_on = worker.go_on(&request);
        assert_eq!(gone_on.latents_sha256, output.latents_sha256);
        assert_eq!(gone_on.stream_sha256, output.stream_sha256);
    }
}

#[test]
fn a_single_section_and_all_of_them_and_none() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let whole = brief(desk.request(Model::F1, 2));
    let output = worker.render(&whole);
    let all = worker.go_on(&finished(&whole));
    assert_eq!(
        (all.partial, all.stream_sha256),
        (None, output.stream_sha256)
    );

    let request = fresh(&desk, &whole, "single");
    stopped_after(1, &whole, &request);
    worker.hang_up();
    // A new process has only what is on the disk, and decodes with the VAE alone.
    let mut worker = Worker::ready(desk.path());
    let made = worker.go_on(&finished(&request));
    assert_eq!(made.partial.unwrap().sections, 1);
    assert_eq!(frames_of(&request.output), 13);

    let request = fresh(&desk, &whole, "none");
    worker.send(&ToWorker::Render(Box::new(finished(&request))));
    assert!(matches!(worker.next(), FromWorker::Cancelled { .. }));
    assert!(!request.output.exists());
    assert_eq!(worker.into_loads(), ["vae"]);
}
