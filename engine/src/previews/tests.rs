use image::{ImageFormat, load_from_memory_with_format};
use tch::{Device, Kind};

use super::*;

const STEP: StepPlace = StepPlace {
    section: 2,
    step: 3,
    steps: 25,
};

fn previews(folder: &Path) -> Previews {
    Previews {
        folder: folder.into(),
        size: Size::new(512, 256),
        sections: 4,
        sent_at: None,
        on_the_way: None,
        took: Duration::ZERO,
        failure: None,
    }
}

fn read(folder: &Path, kind: PreviewKind) -> (Preview, RgbImage) {
    let message = fs::read(folder.join(kind.file_name())).unwrap();
    let preview: Preview = serde_json::from_slice(&message).unwrap();
    let format = ImageFormat::from_mime_type(&preview.media_type).unwrap();
    let data = BASE64_STANDARD.decode(&preview.data).unwrap();
    let picture = load_from_memory_with_format(&data, format)
        .unwrap()
        .to_rgb8();
    assert_eq!(
        picture.dimensions(),
        (preview.width_px, preview.height_px),
        "it is as large as it says"
    );
    (preview, picture)
}

fn latents(frames: i64) -> Tensor {
    Tensor::zeros([1, 16, frames, 3, 4], (Kind::Float, Device::Cpu))
}

#[test]
fn a_step_shows_frames_from_the_first_to_the_last_at_most_once_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let mut previews = previews(folder.path());
    let prediction = latents(9);
    let _ = prediction.select(1, 10).select(1, 8).fill_(4.0);
    previews.step(&prediction, STEP);
    previews.step(&latents(9), StepPlace { step: 4, ..STEP });
    let (preview, picture) = read(folder.path(), PreviewKind::Latest);
    assert_eq!(preview.of, "section 2/4 step 3/25");
    assert_eq!((preview.frames, picture.dimensions()), (3, (12, 3)));
    assert_eq!(picture.get_pixel(7, 0).0, [6, 0, 0]);
    assert_eq!(picture.get_pixel(8, 0).0, [125, 161, 78], "the last frame");
    previews.sent_at = Instant::now().checked_sub(PAUSE);
    previews.step(&latents(1), StepPlace { step: 5, ..STEP });
    let (preview, picture) = read(folder.path(), PreviewKind::Latest);
    assert_eq!(preview.of, "section 2/4 step 5/25");
    assert_eq!((preview.frames, picture.dimensions()), (1, (4, 3)));
    assert_eq!(previews.warning(), None);
}

#[test]
fn a_section_shows_its_own_frames_and_the_video_a_strip() {
    let folder = tempfile::tempdir().unwrap();
    let mut previews = previews(folder.path());
    let frame = |grey: u8| vec![grey; 512 * 256 * 3];
    let frames: Vec<u8> = (0..36).flat_map(frame).collect();
    previews.section(2, &frames);
    let (preview, picture) = read(folder.path(), PreviewKind::Latest);
    assert_eq!(preview.of, "section 2/4");
    assert_eq!((preview.frames, picture.dimensions()), (3, (768, 128)));
    let shown = [0, 256, 767].map(|x| picture.get_pixel(x, 5)[0]);
    assert_eq!(shown, [0, 18, 35]);

    let mut strip = Previews::strip_of(36, Size::new(512, 256));
    (0..36).for_each(|grey| strip.push_rgb(&frame(grey * 7)));
    previews.strip(&strip);
    let (preview, picture) = read(folder.path(), PreviewKind::Strip);
    assert_eq!(preview.of, "video");
    assert_eq!(
        (preview.frames, picture.dimensions()),
        (16, (224, 16 * 112))
    );
    assert!(picture.get_pixel(100, 50)[0] < 4);
    assert!(picture.get_pixel(100, 15 * 112 + 50)[0] > 240);
}

#[test]
fn what_can_not_be_written_is_one_warning() {
    let folder = tempfile::tempdir().unwrap();
    let mut previews = previews(&folder.path().join("gone"));
    previews.step(&latents(9), STEP);
    previews.section(1, &vec![0; 512 * 256 * 3]);
    let warning = previews.warning().unwrap();
    assert!(
        warning.starts_with("a preview is missing: writing "),
        "{warning}"
    );
    assert!(warning.contains("preview-latest.json"), "{warning}");
}
