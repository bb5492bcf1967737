use std::{fs, path::Path};

use tch::Kind;

use super::*;
use crate::{
    checkpoint::{DecodedSection, Provenance},
    section::SectionOrder,
    video::Metadata,
};

const SIZE: Size = Size::new(64, 64);
const SECTIONS: u32 = 3;
const SECTION_FRAMES: usize = 5;

fn target(path: PathBuf) -> Target {
    Target {
        path,
        settings: VideoSettings {
            size: SIZE,
            fps: FRAMES_PER_SECOND,
            crf: 20,
        },
        frames: SECTIONS as usize * SECTION_FRAMES,
    }
}

fn keep(kept: &mut KeptFrames, number: u32) {
    let frame = |frame: usize| {
        let pixels = 0..SIZE.pixels() as usize;
        pixels.flat_map(move |pixel| [pixel as u8, (frame * 40) as u8, number as u8 * 60])
    };
    let rgb: Vec<u8> = (0..SECTION_FRAMES).flat_map(frame).collect();
    let checkpoint = number.to_string();
    let of = DecodedSection {
        number,
        checkpoint: &checkpoint,
    };
    kept.save(of, &rgb, &Provenance::on_cpu(Kind::Float, 0))
        .unwrap();
}

/// The video's checksum, its number of frames and thumbnails.
fn made(encoding: Encoding, kept: &mut KeptFrames) -> (String, u32, usize) {
    let Encoded { writer, strip, .. } = encoding.finish(kept).unwrap();
    let summary = writer.finish(&Metadata::default()).unwrap();
    let thumbnails = strip.pictures().len();
    (summary.stream_sha256, summary.frames, thumbnails)
}

/// With as many sections kept before it begins.
fn encoded(folder: &Path, before: u32) -> (String, u32, usize) {
    let mut kept = KeptFrames::new(folder, SectionOrder::Forward);
    (1..=before).for_each(|number| keep(&mut kept, number));
    let encoding = Encoding::of(target(folder.join("video.mp4")), &mut kept);
    assert!(encoding.begun.is_some());
    (before + 1..=SECTIONS).for_each(|number| keep(&mut kept, number));
    made(encoding, &mut kept)
}

#[test]
fn sections_that_come_one_by_one_make_the_video_of_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let one_by_one = encoded(folder.path(), 0);
    assert_eq!(one_by_one.1, 15);
    assert_eq!(encoded(folder.path(), 2), one_by_one, "resumed");
    let mut kept = KeptFrames::new(folder.path(), SectionOrder::Forward);
    kept.find(&["1", "2", "3"].map(str::to_owned));
    let at_once = Encoding {
        target: target(folder.path().join("video.mp4")),
        begun: None,
    };
    assert_eq!(made(at_once, &mut kept), one_by_one);
}

#[test]
fn what_fails_beside_sampling_is_done_again_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = folder.path().join("outputs");
    let mut kept = KeptFrames::new(folder.path(), SectionOrder::Forward);
    let encoding = Encoding::of(target(outputs.join("video.mp4")), &mut kept);
    (1..=SECTIONS).for_each(|number| keep(&mut kept, number));
    let begun = encoding.begun.as_ref().unwrap();
    while !begun.thread.is_finished() {
        std::thread::yield_now(); // the folder is not there
    }
    fs::create_dir(&outputs).unwrap();
    assert_eq!(made(encoding, &mut kept).1, 15);
}

#[test]
fn what_is_given_up_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = KeptFrames::new(folder.path(), SectionOrder::Forward);
    let encoding = Encoding::of(target(folder.path().join("video.mp4")), &mut kept);
    let Begun { wanted, thread } = encoding.begun.unwrap();
    drop(wanted);
    keep(&mut kept, 1);
    drop(kept);
    let encoded = thread.join().unwrap().unwrap();
    assert!(encoded.strip.pictures().is_empty(), "no frame is encoded");
    drop(encoded);
    assert!(!folder.path().join("video.mp4").exists());
}
