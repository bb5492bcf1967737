//! Video files as ffprobe and ffmpeg see them, and what a failure leaves behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use framepack_engine::error::VideoError;
use framepack_engine::picture::Size;
use framepack_engine::video::colour::Yuv420;
use framepack_engine::video::{Created, Metadata, VideoSettings, VideoSummary, VideoWriter};
use serde_json::{Value, json};

const SIZE: Size = Size::new(96, 64);

fn settings(crf: u8) -> VideoSettings {
    VideoSettings {
        size: SIZE,
        fps: 30,
        crf,
    }
}

fn metadata() -> Metadata {
    Metadata {
        title: "häppy \"cat\"".to_owned(),
        comment: json!({"prompt": "a cat dances; 猫", "seed": 31337, "steps": 25}),
        created: created("2026-11-27T18:35:32.250000Z"),
    }
}

fn created(time: &str) -> Created {
    Created::at(time.parse().unwrap())
}

/// A picture with edges that move, so that the encoder has something to do.
fn moving(frame: usize) -> Vec<u8> {
    let pixel = |i: usize| {
        let (x, y) = (i % 96 + frame * 2, i / 96 + frame);
        [
            (x * 3) as u8,
            (y * 5) as u8,
            if (x / 16 + y / 16) % 2 == 0 { 220 } else { 30 },
        ]
    };
    (0..96 * 64).flat_map(pixel).collect()
}

fn write(path: &Path, settings: VideoSettings, frames: usize) -> VideoSummary {
    write_with((path, &metadata()), settings, frames)
}

fn write_with(
    (path, metadata): (&Path, &Metadata),
    settings: VideoSettings,
    frames: usize,
) -> VideoSummary {
    let mut writer = VideoWriter::create(path, settings).unwrap();
    for i in 0..frames {
        writer.push_rgb(&moving(i)).unwrap();
    }
    writer.finish(metadata).unwrap()
}

/// Standard output of a tool that must succeed and have nothing to complain of.
fn output(tool: &str, args: &[&str], file: &Path, more: &[&str]) -> Vec<u8> {
    let output = Command::new(tool)
        .args(args)
        .arg(file)
        .args(more)
        .output()
        .unwrap_or_else(|e| panic!("{tool} is needed (apt-get install ffmpeg): {e}"));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && complaint.is_empty(),
        "{complaint}"
    );
    output.stdout
}

fn probe(file: &Path) -> Value {
    let args = "-v error -count_frames -show_streams -show_format -of json".split(' ');
    let args: Vec<&str> = args.collect();
    serde_json::from_slice(&output("ffprobe", &args, file, &[])).unwrap()
}

fn decode(file: &Path, pix_fmt: &str) -> Vec<u8> {
    let more = ["-f", "rawvideo", "-pix_fmt", pix_fmt, "-"];
    output("ffmpeg", &["-v", "error", "-i"], file, &more)
}

/// Types of the boxes at the top level of a file.
fn top_level_boxes(file: &Path) -> Vec<String> {
    let bytes = std::fs::read(file).unwrap();
    let mut kinds = Vec::new();
    let mut rest = &bytes[..];
    while let Some((size, after)) = rest.split_first_chunk() {
        kinds.push(String::from_utf8_lossy(&after[..4]).into_owned());
        rest = &rest[u32::from_be_bytes(*size) as usize..];
    }
    kinds
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|e| e.unwrap().file_name().into()).collect()
}

#[test]
fn ffprobe_sees_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cat.mp4");
    let summary = write(&path, settings(16), 37);
    assert_eq!(summary.frames, 37);
    assert_eq!(summary.bytes, std::fs::metadata(&path).unwrap().len());

    let probed = probe(&path);
    let stream = &probed["streams"][0];
    let expected = json!({
        "codec_name": "h264", "profile": "High", "pix_fmt": "yuv420p", "width": 96, "height": 64,
        "nb_frames": "37", "nb_read_frames": "37", "r_frame_rate": "30/1", "avg_frame_rate": "30/1",
        "start_time": "0.000000", "duration": "1.233333", "is_avc": "true", "sample_aspect_ratio": "1:1",
        "color_range": "tv", "color_space": "bt709", "color_primaries": "bt709", "color_transfer": "bt709",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&stream[key], value, "{key}");
    }
    assert_eq!(probed["streams"].as_array().unwrap().len(), 1);
    let format = &probed["format"];
    assert_eq!(format["duration"], "1.233333");
    assert_eq!(format["start_time"], "0.000000");
    assert_eq!(format["tags"]["title"], "häppy \"cat\"");
    // What libraries sort by: the movie's time, its track's, and the date as a text.
    let time = "2026-11-27T18:35:32.000000Z";
    assert_eq!(format["tags"]["creation_time"], time);
    assert_eq!(stream["tags"]["creation_time"], time);
    assert_eq!(format["tags"]["date"], "2026-11-27T18:35:32Z");
    assert!(
        format["tags"]["encoder"]
            .as_str()
            .unwrap()
            .starts_with("framepackd ")
    );
    let comment: Value = serde_json::from_str(format["tags"]["comment"].as_str().unwrap()).unwrap();
    assert_eq!(comment, metadata().comment);

    assert_eq!(top_level_boxes(&path), ["ftyp", "moov", "mdat"]);
    output(
        "ffmpeg",
        &["-v", "error", "-i"],
        &path,
        &["-f", "null", "-"],
    );
}

#[test]
fn videos_of_any_length_play_from_zero() {
    let dir = tempfile::tempdir().unwrap();
    for frames in [1, 2, 3, 73, 301] {
        let path = dir.path().join(format!("{frames}.mp4"));
        let summary = write(&path, settings(30), frames);
        let probed = probe(&path);
        let stream = &probed["streams"][0];
        assert_eq!(stream["nb_read_frames"], frames.to_string());
        assert_eq!(stream["start_time"], "0.000000");
        let duration: f64 = stream["duration"].as_str().unwrap().parse().unwrap();
        assert!(
            (duration - summary.secs).abs() < 1e-6,
            "{frames}: {duration}"
        );
    }
}

#[test]
fn crf_0_is_lossless() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lossless.mp4");
    write(&path, settings(0), 5);
    let mut expected = Vec::new();
    for i in 0..5 {
        let mut frame = Yuv420::new(SIZE);
        frame.convert(&moving(i));
        expected.extend(frame.planes().concat());
    }
    assert!(decode(&path, "yuv420p") == expected);
    assert_eq!(
        probe(&path)["streams"][0]["profile"],
        "High 4:4:4 Predictive"
    );
    // As the warning says.
    write(&path, settings(1), 5);
    let stream = &probe(&path)["streams"][0];
    assert_eq!(
        (&stream["profile"], &stream["pix_fmt"]),
        (&json!("High"), &json!("yuv420p"))
    );
}

#[test]
fn colours_come_back_as_they_went_in() {
    let dir = tempfile::tempdir().unwrap();
    for rgb in [
        [255, 0, 0],
        [0, 200, 0],
        [30, 60, 240],
        [255, 255, 255],
        // A video that is black throughout is refused.
        [16, 16, 16],
        [120, 90, 60],
    ] {
        let path = dir.path().join("colour.mp4");
        let mut writer = VideoWriter::create(&path, settings(1)).unwrap();
        writer.push_rgb(&rgb.repeat(96 * 64)).unwrap();
        writer.finish(&metadata()).unwrap();
        // ffmpeg goes by the file's tags: a wrong matrix or range would shift colours by 10 and more.
        for pixel in decode(&path, "rgb24").chunks_exact(3) {
            let off = pixel.iter().zip(rgb).map(|(a, b)| a.abs_diff(b)).max();
            assert!(off <= Some(4), "{rgb:?} became {pixel:?}");
        }
    }
}

#[test]
fn a_rerun_replaces_the_file_and_leaves_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cat.mp4");
    let first = write(&path, settings(23), 3);
    let bytes = std::fs::read(&path).unwrap();
    let at = |time| Metadata {
        created: created(time),
        ..metadata()
    };
    let later = at("2026-11-28T07:00:01.000000Z");
    let again = write_with((&path, &later), settings(23), 3);
    assert_eq!(again.stream_sha256, first.stream_sha256);
    let told = ["-v", "error", "-i"];
    let hash = ["-c", "copy", "-f", "hash", "-hash", "sha256", "-"];
    let told = output("ffmpeg", &told, &path, &hash);
    let told = String::from_utf8(told).unwrap();
    assert_eq!(told.trim(), format!("SHA256={}", first.stream_sha256));
    // The same frames make the same file, but for six times of four bytes and the text of the date.
    let bytes_again = std::fs::read(&path).unwrap();
    assert_eq!(bytes_again.len(), bytes.len());
    let differing = bytes.iter().zip(&bytes_again).filter(|(a, b)| a != b);
    assert!((1..=6 * 4 + 20).contains(&differing.count()));
    let unknown = at("1970-01-01T00:01:00.000000Z");
    write_with((&path, &unknown), settings(23), 3);
    let tags = probe(&path)["format"]["tags"].clone();
    assert!(
        tags.get("creation_time").is_none() && tags.get("date").is_none(),
        "{tags}"
    );
    write(&path, settings(23), 8);
    assert_eq!(probe(&path)["streams"][0]["nb_read_frames"], "8");
    assert_eq!(names(dir.path()), [PathBuf::from("cat.mp4")]);
}

#[test]
fn a_dropped_or_failed_video_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cat.mp4");
    let mut writer = VideoWriter::create(&path, settings(23)).unwrap();
    writer.push_rgb(&moving(0)).unwrap();
    drop(writer);
    assert!(names(dir.path()).is_empty());

    let error = VideoWriter::create(&path, settings(23))
        .unwrap()
        .finish(&metadata());
    assert!(matches!(error, Err(VideoError::NoFrames)), "{error:?}");
    assert!(names(dir.path()).is_empty());

    // A folder at the final path: the rename fails after the whole file was written and checked.
    std::fs::create_dir(&path).unwrap();
    let mut writer = VideoWriter::create(&path, settings(23)).unwrap();
    writer.push_rgb(&moving(0)).unwrap();
    assert!(matches!(
        writer.finish(&metadata()),
        Err(VideoError::Io { .. })
    ));
    assert_eq!(names(dir.path()), [PathBuf::from("cat.mp4")]);
}

#[test]
fn mistakes_of_the_caller_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none/cat.mp4");
    let error = VideoWriter::create(&path, settings(23)).unwrap_err();
    assert!(matches!(error, VideoError::Io { .. }), "{error}");

    let mut writer = VideoWriter::create(&dir.path().join("cat.mp4"), settings(23)).unwrap();
    let error = writer.push_rgb(&[0; 100]).unwrap_err();
    assert!(
        matches!(
            error,
            VideoError::FrameSize {
                found_bytes: 100,
                ..
            }
        ),
        "{error}"
    );
}
