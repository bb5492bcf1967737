//! What a job's video looks like while it is rendered, as its work folder has it.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use framepack_ipc::{
    preview::{Preview, PreviewKind},
    worker::{FromWorker, Phase, ToWorker},
};
use framepack_jobs::Model;

use crate::{
    renders::brief,
    resume::fresh,
    worker::{Desk, Worker},
};

fn read(work_dir: &Path, kind: PreviewKind) -> (Preview, image::RgbImage) {
    let message = fs::read(work_dir.join(kind.file_name())).unwrap();
    let preview: Preview = serde_json::from_slice(&message).unwrap();
    let data = BASE64_STANDARD.decode(&preview.data).unwrap();
    let picture = image::load_from_memory(&data).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (preview.width_px, preview.height_px));
    (preview, picture)
}

#[test]
fn there_is_a_picture_after_the_first_step_of_the_section_and_of_the_video() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = brief(desk.request(Model::Original, 2));
    worker.send(&ToWorker::Render(Box::new(request.clone())));
    worker.wait_for(|message| {
        matches!(message, FromWorker::Progress { progress, .. } if progress.phase == Phase::Sample && progress.step == 1)
    });
    let (preview, _) = read(&request.work_dir, PreviewKind::Latest);
    assert!(preview.of.starts_with("section 1/2"), "{}", preview.of);
    let done = worker.wait_for(|message| matches!(message, FromWorker::Done { .. }));
    let FromWorker::Done { output, .. } = done else {
        unreachable!("it is what was waited for");
    };
    let (width, height) = (output.plan.width_px, output.plan.height_px);
    let (preview, picture) = read(&request.work_dir, PreviewKind::Latest);
    assert_eq!((preview.of.as_str(), preview.frames), ("section 2/2", 3));
    assert_eq!(picture.dimensions(), (3 * width, height));
    let (preview, strip) = read(&request.work_dir, PreviewKind::Strip);
    assert_eq!((preview.of.as_str(), preview.frames), ("video", 16));
    assert_eq!(strip.dimensions(), (width, 16 * height));

    // Nobody waits for a picture, and nothing fails without it.
    let again = fresh(&desk, &request, "again");
    for kind in PreviewKind::ALL {
        fs::create_dir(again.work_dir.join(kind.file_name())).unwrap();
    }
    let without = worker.go_on(&again);
    assert_eq!(without.stream_sha256, output.stream_sha256);
    let warning = without.warnings.join("\n");
    assert!(
        warning.contains("a preview is missing: writing"),
        "{warning}"
    );
}
