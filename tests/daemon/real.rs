//! The same with the real worker, on the tiny random bundle of `tests/fixtures`: folder → mp4.

mod first_video;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Instant,
};

use framepack_ipc::control::WorkerState;
use framepack_jobs::{Job, JobId, JobState, Phase, StateName};
use serde_json::Value;

use crate::{
    cancelling::Moments,
    client::assert_code,
    fixture::{Farm, binary},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// One section.
const JOB: &str =
    "api: framepack/v1\nstart: {image: photo.jpg}\nprompt: she smiles\nlength: {seconds: 1}\n";

/// A running daemon with the real worker and a real photo.
fn farm(bundle: &Path) -> Farm {
    let mut farm = Farm::with_worker(&binary("framepack-worker"), bundle);
    let photo = Path::new(ROOT).join("jobs/examples/inputs/astronaut.jpg");
    fs::copy(photo, farm.path("jobs/photo.jpg")).unwrap();
    farm.start();
    farm
}

fn bundle() -> PathBuf {
    Path::new(ROOT)
        .join("tests/fixtures/bundle")
        .canonicalize()
        .unwrap()
}

/// Pictures of every kind, made by `tests/oracle/pictures.py`.
fn pictures() -> PathBuf {
    Path::new(ROOT).join("tests/fixtures/pictures")
}

/// What ffprobe sees: the stream's properties, every frame counted.
fn probe(video: &str) -> Value {
    let arguments = [
        "-v",
        "error",
        "-count_frames",
        "-show_streams",
        "-of",
        "json",
        video,
    ];
    let output = Command::new("ffprobe")
        .args(arguments)
        .output()
        .expect("ffprobe is installed by `make test`");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["streams"][0].clone()
}

#[test]
fn a_photo_and_a_sentence_become_an_mp4() {
    let farm = farm(&bundle());
    farm.drop_job("smile.yaml", JOB);
    let (outcome, report) = farm.report("smile");
    assert_eq!(outcome, "done", "{report:#}");

    let result = &report["job"]["result"];
    let frames = result["plan"]["frames"].as_u64().unwrap();
    assert_eq!(
        frames,
        36 * result["plan"]["sections"].as_u64().unwrap() + 1
    );
    let stream = probe(report["job"]["output"].as_str().unwrap());
    assert_eq!(stream["codec_name"], "h264");
    assert_eq!(stream["pix_fmt"], "yuv420p");
    assert_eq!(stream["avg_frame_rate"], "30/1");
    assert_eq!(
        (&stream["width"], &stream["height"]),
        (&result["plan"]["width_px"], &result["plan"]["height_px"])
    );
    assert_eq!(stream["nb_read_frames"], frames.to_string());
    assert!(Path::new(result["contact_sheet"].as_str().unwrap()).is_file());
}

#[test]
fn a_missing_image_is_said_before_anything_runs() {
    let farm = farm(&bundle());
    farm.drop_job("smile.yaml", JOB.replace("photo.jpg", "gone.jpg"));
    let (outcome, report) = farm.report("smile");
    assert_eq!(
        (outcome.as_str(), &report["failure"]["code"]),
        ("rejected", &"FP2301".into())
    );
}

#[test]
fn an_image_whose_pixels_are_damaged_fails_as_the_jobs_fault() {
    let farm = farm(&bundle());
    // Its header and its end are as they should be.
    let mut photo = fs::read(pictures().join("png-palette.png")).unwrap();
    let pixels = photo.windows(4).position(|name| name == b"IDAT").unwrap() + 4;
    photo[pixels..pixels + 8].fill(0xFF);
    fs::write(farm.path("jobs/photo.jpg"), photo).unwrap();
    farm.drop_job("smile.yaml", JOB);
    let (outcome, report) = farm.report("smile");
    assert_eq!(
        (outcome.as_str(), &report["failure"]["class"]),
        ("failed", &"input".into())
    );
}

#[test]
fn what_is_not_shown_or_not_read_is_said_alike_everywhere() {
    let farm = farm(&bundle());
    let photo = fs::read(farm.path("jobs/photo.jpg")).unwrap();
    let film = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42 \xFF\xDA and so on";
    fs::write(farm.path("jobs/moving.jpg"), [&photo[..], film].concat()).unwrap();
    for name in ["png-alpha.png", "gif-animated.gif"] {
        fs::copy(pictures().join(name), farm.path("jobs").join(name)).unwrap();
    }
    let with = |picture: &str| JOB.replace("photo.jpg", picture);
    farm.drop_job("moving.yaml", with("moving.jpg"));
    farm.drop_job("animated.yaml", with("gif-animated.gif"));
    let text = with("png-alpha.png, background: \"#102030\"")
        .replace("she smiles", &"she smiles at us ".repeat(30));
    let path = farm.path("jobs/.incoming/clear.yaml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text.replace("png-alpha", "../png-alpha")).unwrap();
    let path = path.to_str().unwrap();
    farm.wait_until("a worker has started", |farm| {
        let worker = farm.status().workers.pop()?;
        matches!(worker.state, WorkerState::Idle | WorkerState::Busy).then_some(())
    });
    let planned = farm.ctl(&["plan", "--json", path]);
    assert_code(&planned, 0);
    let planned: Value = serde_json::from_slice(&planned.stdout).unwrap();
    // Known while the job waits.
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    assert_code(&farm.ctl(&["submit", path]), 0);
    let foreseen = farm.wait_until("its record warns", |farm| {
        let job = farm.show("clear").pop()?;
        (!job.warnings.is_empty()).then_some(job.warnings)
    });
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    assert_code(&farm.ctl(&["wait", "clear"]), 0);

    let warnings = |value: &Value| -> Vec<String> {
        let texts = value.as_array().unwrap().iter();
        texts
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let job = serde_json::to_value(farm.show("clear").pop().unwrap()).unwrap();
    let rendered = warnings(&job["result"]["warnings"]);
    assert_eq!(foreseen, rendered);
    for part in [
        "start.image: 82 % of it is transparent: put on #102030 (start.background)",
        "tokens, CLIP reads 75; not read from: \"",
        "tokens, Llama reads 256; not read from: \"",
    ] {
        assert!(
            rendered.iter().any(|warning| warning.contains(part)),
            "{rendered:#?}"
        );
    }
    let planned = warnings(&planned["items"][0]["warnings"]);
    assert!(
        rendered.iter().all(|warning| planned.contains(warning)),
        "{planned:#?} {rendered:#?}"
    );
    assert_eq!(
        farm.report("moving").1["job"]["result"]["warnings"],
        Value::Array(vec![])
    );
    let animated = warnings(&farm.report("animated").1["job"]["result"]["warnings"]);
    assert_eq!(
        animated,
        ["start.image: the GIF has several frames; the first is used"]
    );
}

#[test]
fn a_bundle_that_is_damaged_or_away_is_named_and_jobs_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(bundle())
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(copied.success());
    let broken = folder.path().join("bundle");
    let shard = broken.join("transformer/diffusion_pytorch_model.safetensors");
    let whole = fs::read(&shard).unwrap();
    fs::write(&shard, &whole[..whole.len() - 100]).unwrap();

    let farm = farm(&broken);
    farm.drop_job("smile.yaml", JOB);
    let outage = farm.wait_until("the fault is told", |farm| farm.status().outages.pop());
    assert_eq!(outage.code, "FP3005");
    assert!(
        outage
            .message
            .contains("transformer/diffusion_pytorch_model.safetensors"),
        "{outage:?}"
    );
    let videos = farm.outputs();
    let mut videos = videos
        .iter()
        .filter(|name| Path::new(name).extension() == Some("mp4".as_ref()));
    assert_eq!(videos.next(), None);

    // A downloader makes room first, and goes on where it was.
    let away = folder.path().join("bundle.away");
    fs::rename(&broken, &away).unwrap();
    farm.wait_until("the folder is away", |farm| {
        // The other model is not tried while no job wants it.
        let outages = farm.status().outages;
        outages
            .iter()
            .any(|outage| outage.code == "FP3012")
            .then_some(())
    });
    fs::write(
        away.join("transformer/diffusion_pytorch_model.safetensors"),
        whole,
    )
    .unwrap();
    fs::rename(away, broken).unwrap();
    let (outcome, report) = farm.report("smile");
    assert_eq!(outcome, "done", "{report:#}");
    assert_eq!(report["job"]["attempts"], 1, "nothing was consumed");
    farm.wait_until("all models look sound", |farm| {
        farm.status().outages.is_empty().then_some(())
    });
}

#[test]
fn a_killed_daemon_and_worker_make_the_same_video_after_all() {
    let undisturbed = farm(&bundle());
    undisturbed.drop_job("smile.yaml", JOB);
    let (_, expected) = undisturbed.report("smile");

    let mut farm = farm(&bundle());
    farm.drop_job("smile.yaml", JOB);
    farm.wait_until("it samples", |farm| {
        farm.show("smile").pop().filter(is_sampling)
    });
    farm.kill();
    farm.start();
    let (outcome, report) = farm.report("smile");
    assert_eq!(outcome, "done", "{report:#}");
    assert_eq!(report["job"]["attempts"], 2);
    assert_eq!(farm.outputs().len(), 1, "{:?}", farm.outputs());
    let latents = |report: &Value| report["job"]["result"]["latents_sha256"].clone();
    assert_eq!(latents(&report), latents(&expected));
}

#[test]
fn twenty_cancellations_at_any_moment_leave_nothing() {
    let farm = farm(&bundle());
    let job = |n: u32| format!("{JOB}seed: {n}\n");
    let first = farm.queue_job("first", job(0));
    let began = Instant::now();
    assert_eq!(farm.end_of(first), StateName::Done);
    let duration = began.elapsed();

    let mut moments = Moments::new();
    let mut done = 1;
    for n in 1..=20 {
        let cancelled = farm.queue_job(&format!("job{n}"), job(n));
        thread::sleep(moments.below(duration));
        farm.stop_job(cancelled);
        match farm.end_of(cancelled) {
            StateName::Cancelled => {
                farm.wait_until_nothing_is_left_of(cancelled);
            }
            StateName::Done => done += 1,
            other => panic!("job {cancelled} is {other}"),
        }
    }
    // Nothing of them is in the way of the same job once more.
    let last = farm.queue_job("last", format!("{}key: again\n", job(0)));
    assert_eq!(farm.end_of(last), StateName::Done);
    let latents = |job: JobId| match farm.show(&job.to_string()).remove(0).state {
        JobState::Done { result, .. } => result.latents_sha256,
        other => panic!("{other:?}"),
    };
    assert_eq!(latents(last), latents(first));
    eprintln!("20 cancellations, {} jobs were done already", done - 1);
    assert_eq!(farm.outputs().len(), done + 1, "{:?}", farm.outputs());
}

#[test]
fn a_second_job_encodes_nothing_again_and_each_tells_its_time_to_the_first_step() {
    let farm = farm(&bundle());
    farm.drop_job("first.yaml", JOB);
    let (_, first) = farm.report("first");
    farm.drop_job("second.yaml", format!("{JOB}seed: 2\n"));
    let (_, second) = farm.report("second");
    let phases = |report: &Value| {
        let phases = report["job"]["result"]["phases"].as_array().unwrap();
        let names = phases.iter().map(|time| time["phase"].to_string());
        names.collect::<Vec<_>>()
    };
    for phase in ["\"text\"", "\"image\""] {
        assert!(phases(&first).iter().any(|name| name == phase), "{first:#}");
        assert!(!phases(&second).iter().any(|name| name == phase));
    }
    for report in [first, second] {
        let secs = &report["job"]["result"]["time_to_first_step_secs"];
        assert!(secs.as_f64() > Some(0.0), "{report:#}");
        eprintln!("time to the first step: {secs} s");
    }
}

fn is_sampling(job: &Job) -> bool {
    match &job.state {
        JobState::Running { progress, .. } => {
            progress.is_some_and(|progress| progress.phase == Phase::Sample)
        }
        _ => false,
    }
}
