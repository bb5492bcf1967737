//! Settings of a job: which source wins, what reaches the worker, and what `plan`, reports and `config show` say.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::{
    client::assert_code,
    fixture::{Farm, job},
    import_env::{START_LINES, imported},
};

/// A job's settings as its report has them: key to value, origin and whether it does nothing.
fn settings(report: &Value) -> impl Fn(&str) -> (Value, String, bool) {
    let list = report["settings"].as_array().unwrap().clone();
    move |key| {
        let found = list.iter().find(|setting| setting["key"] == key);
        let found = found.unwrap_or_else(|| panic!("{key}: {list:#?}"));
        let from = found["origin"]["from"].as_str().unwrap();
        let name = found["origin"]["name"].as_str();
        let origin = name.map_or_else(|| from.to_owned(), |name| format!("{from} {name}"));
        (
            found["value"].clone(),
            origin,
            found["inactive"].is_string(),
        )
    }
}

fn is(value: impl Into<Value>, origin: &str) -> (Value, String, bool) {
    (value.into(), origin.to_owned(), false)
}

/// What the fake worker was told beside the fields of a request.
pub(crate) fn told(farm: &Farm, report: &Value) -> Value {
    let video = report["job"]["result"]["video"].as_str().unwrap();
    let bytes = fs::read(farm.path(video)).unwrap();
    // The note is in the last box, of the kind `free`.
    let start = bytes.windows(5).rposition(|window| window == b"free{");
    let note: Value = serde_json::from_slice(&bytes[start.unwrap() + 4..]).unwrap();
    note["settings"].clone()
}

#[test]
fn the_strongest_source_of_a_setting_wins_and_the_report_says_which_it_was() {
    let mut farm = Farm::stopped();
    farm.configure(
        "profile: aggressive\npreset: night\npresets: {night: {steps: 30, guidance: {distilled: 7}, attention: off}}\n\
         guidance: {cfg: 2}\nnegative_prompt: blurry\nlatent_window: 5\n",
    );
    farm.set(&[("LATENT_WINDOW", "7"), ("MEMORY_PRESERVE_GB", "8")]);
    farm.start();
    farm.drop_job(
        "cat.yaml",
        job("a cat") + "preset: [quality, hands]\nsteps: 2\nguidance: {rescale: 0.5}\n",
    );
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "done");
    let of = settings(&report);
    assert_eq!(of("steps"), is(2, "job"));
    assert_eq!(of("guidance.rescale"), is(0.5, "job"));
    assert_eq!(of("guidance.distilled"), is(12.0, "preset hands"));
    assert_eq!(of("length.seconds"), is(3.5, "preset hands"));
    assert_eq!(of("latent_window"), is(7, "environment"));
    assert_eq!(of("memory.preserve_gb"), is(8.0, "environment"));
    assert_eq!(of("guidance.cfg"), is(2.0, "file"));
    assert_eq!(of("memory.offload"), is("aggressive", "profile aggressive"));
    // The job's presets replace the farm's, and not what is beneath those.
    assert_eq!(of("attention"), is("standard", "profile aggressive"));
    assert_eq!(of("size.bucket"), is(640, "bundle"));
    assert_eq!(of("output.crf"), is(16, "default"));
    let expected = json!({
        "attention": "standard",
        "cache.kind": "off",
        "memory.offload": "aggressive",
        "memory.preserve_gb": 8.0,
        "vae.quality": "on",
    });
    assert_eq!(told(&farm, &report), expected);

    // What is set beside the file wins, and is another job.
    let file = farm.write_job("again.yaml", "a cat\"\nsteps: 2\n#\"");
    let submit = [
        "submit",
        &file,
        "--wait",
        "--set",
        "steps=3",
        "--set",
        "profile=auto",
        "--set",
        "name=again",
    ];
    assert_code(&farm.ctl(&submit), 0);
    let again = farm.show("again").pop().unwrap();
    let again = serde_json::to_value(&again).unwrap();
    let set: Vec<_> = again["settings"].as_array().unwrap().iter().collect();
    let steps = set
        .iter()
        .find(|setting| setting["key"] == "steps")
        .unwrap();
    assert_eq!(
        (&steps["value"], &steps["origin"]["from"]),
        (&3.into(), &"set".into())
    );
    // Its profile replaces the farm's; presets of the farm stay.
    assert!(!set.iter().any(|setting| setting["key"] == "memory.offload"));
    let distilled = set
        .iter()
        .find(|setting| setting["key"] == "guidance.distilled")
        .unwrap();
    assert_eq!(
        distilled["origin"],
        json!({"from": "preset", "name": "night"})
    );
}

#[test]
fn a_mistake_beside_a_job_file_is_named_and_queues_nothing() {
    let farm = Farm::new();
    let file = farm.write_job("cat.yaml", "a cat");
    for (set, expected) in [
        ("steps=0", "--set steps: 0 is out of range (1 to 100)"),
        ("stpes=3", "did you mean `steps`?"),
        ("preset=hand", "did you mean `hands`?"),
        ("profile=fast", "`fast` is not a profile"),
        ("memory.preserve_gb=1", "1 is out of range (2 to 128)"),
        ("cache.kind=fbcaches", "did you mean `fbcache`?"),
        ("cache.max_skip=0", "0 is out of range (1 to 100)"),
        ("storage.transformer=nf4", "not quantized yet"),
        (
            "worker.fast_start=on",
            "set it in the daemon's configuration",
        ),
        (
            "memory.host_budget_gb=4",
            "set it in the daemon's configuration",
        ),
    ] {
        for command in ["submit", "plan"] {
            let output = farm.ctl(&[command, &file, "--set", set]);
            assert_code(&output, 6);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains(expected), "{set}: {said}");
        }
    }
    assert!(farm.show("1-9").is_empty());
}

#[test]
fn what_is_not_built_is_refused_to_the_job_and_inactive_for_the_farm() {
    let farm = Farm::with_settings(&[("STORAGE_TEXT_ENCODER", "int8"), ("PROFILE", "bnb4")]);
    farm.drop_job("own.yaml", job("a cat") + "storage: {transformer: nf4}\n");
    let (outcome, report) = farm.report("own");
    assert_eq!(outcome, "rejected");
    let problem = &report["problems"][0];
    assert_eq!(problem["path"], "storage.transformer");
    assert!(
        problem["message"]
            .as_str()
            .unwrap()
            .contains("not quantized yet"),
        "{problem}"
    );

    farm.drop_job("farms.yaml", job("a dog") + "vae: {tensorrt: on}\n");
    let (outcome, report) = farm.report("farms");
    assert_eq!(outcome, "done");
    let of = settings(&report);
    assert_eq!(
        of("storage.text_encoder"),
        ("int8".into(), "environment".to_owned(), true)
    );
    assert_eq!(of("vae.chunk"), is(2, "profile bnb4"));
    assert_eq!(
        of("storage.transformer"),
        ("nf4".into(), "profile bnb4".to_owned(), true)
    );
    assert_eq!(of("vae.tensorrt"), ("on".into(), "job".to_owned(), true));
    assert_eq!(of("storage.image_encoder"), is("auto", "default"));
    let warnings = report["job"]["warnings"].to_string();
    for part in [
        "storage.text_encoder: inactive: ",
        "FRAMEPACKD_STORAGE_TEXT_ENCODER",
        "storage.transformer: inactive: ",
        "profile bnb4",
        "vae.tensorrt: inactive: ",
    ] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
    let shown = farm.ctl(&["config", "show", "--origin", "storage.text_encoder"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.starts_with(
            "storage.text_encoder: \"int8\"  # FRAMEPACKD_STORAGE_TEXT_ENCODER; inactive: "
        ),
        "{shown}"
    );
}

#[test]
fn what_changes_no_video_counts_when_a_run_begins_and_the_rest_when_a_job_is_accepted() {
    let mut farm = Farm::with_settings(&[("STEPS", "2"), ("ATTENTION", "off")]);
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("it is queued", |farm| farm.show("cat").pop());
    farm.stop();
    farm.set(&[("STEPS", "9"), ("ATTENTION", "standard")]);
    farm.start();
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    let (_, report) = farm.report("cat");
    assert_eq!(report["job"]["result"]["plan"]["steps"], 2);
    assert_eq!(told(&farm, &report), json!({"attention": "standard"}));
    assert_eq!(
        settings(&report)("attention"),
        is("standard", "environment")
    );
}

#[test]
fn a_profile_is_printed_beside_the_start_line_of_the_application() {
    let farm = Farm::new();
    let by_daemon = farm.refused(&["config", "show", "--profile", "bnb4"]);
    let by_client = farm.ctl(&["config", "show", "--profile", "bnb4"]);
    assert_code(&by_daemon, 0);
    assert_eq!(by_daemon.stdout, by_client.stdout);
    let text = String::from_utf8(by_client.stdout).unwrap();
    assert!(
        text.contains("FRAMEPACK_BNB_CPU_OFFLOAD=1 FRAMEPACK_VAE_CHUNK_SIZE=2"),
        "{text}"
    );
    assert!(text.contains("storage:\n  transformer: nf4\n"), "{text}");
    farm.configure("presets: {night: {steps: 30}}\n");
    let own = farm.refused(&["config", "show", "--profile", "night"]);
    let own = String::from_utf8(own.stdout).unwrap();
    assert!(own.ends_with("\nsteps: 30\n"), "{own}");
    let unknown = farm.ctl(&["config", "show", "--profile", "bnb"]);
    assert_code(&unknown, 2);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean `bnb4`?"));
}

/// What a job is told, what its worker is started with, and what does nothing: for each start line of the application.
#[test]
fn a_start_line_of_the_application_is_followed_to_the_end() {
    let storage = ["storage.text_encoder", "storage.transformer"];
    for (line, told_to_job, flags, inactive) in [
        (
            START_LINES[0],
            json!({"attention": "standard", "memory.backend": "v2", "vae.chunk": 2}),
            "--attention standard",
            &[][..],
        ),
        (
            START_LINES[1],
            json!({"attention": "standard"}),
            "--attention standard",
            &[],
        ),
        (
            START_LINES[2],
            json!({"attention": "aggressive", "memory.backend": "v2"}),
            "--attention aggressive --flash-sdp off --mem-efficient-sdp off",
            &["vae.tensorrt"],
        ),
    ] {
        let mut farm = Farm::stopped();
        let paths = fs::read_to_string(farm.path("framepackd.yaml")).unwrap();
        // `worker` is a section of both.
        let meant = imported(line);
        let section = meant
            .find("worker:\n")
            .map(|at| at + "worker:\n".len())
            .unwrap();
        let own = "  devices: cpu\n  program: ";
        let program = paths
            .split(own)
            .nth(1)
            .and_then(|rest| rest.lines().next())
            .unwrap();
        let without_worker = paths.replace(&format!("worker:\n{own}{program}\n"), "");
        let (before, after) = meant.split_at(section);
        let config = format!("{without_worker}{before}{own}{program}\n{after}");
        fs::write(farm.path("framepackd.yaml"), config).unwrap();
        farm.start();
        farm.drop_prompt("cat.yaml", "a cat");
        let (outcome, report) = farm.report("cat");
        assert_eq!(outcome, "done");
        assert_eq!(told(&farm, &report), told_to_job);
        assert_eq!(farm.noted("flags.log"), [flags]);
        let list = report["settings"].as_array().unwrap().iter();
        let does_nothing = list.filter(|setting| setting["inactive"].is_string());
        let does_nothing: Vec<&str> = does_nothing
            .map(|setting| setting["key"].as_str().unwrap())
            .collect();
        let mut expected: Vec<&str> = inactive.iter().copied().chain(storage).collect();
        expected.sort_unstable();
        let mut found = does_nothing.clone();
        found.sort_unstable();
        assert_eq!(found, expected);
        let doctor = farm.ctl(&["doctor"]);
        let doctor = String::from_utf8(doctor.stdout).unwrap();
        for key in expected {
            assert!(doctor.contains(&format!("{key}: ")), "{key}: {doctor}");
        }
    }
}

#[test]
fn the_applications_variables_count_in_the_daemons_environment_and_not_in_the_clients() {
    let mut farm = Farm::stopped();
    for (name, value) in [
        ("FRAMEPACK_FAST_START", "1"),
        ("FRAMEPACK_USE_BNB", "1"),
        ("FRAMEPACK_BNB_LOAD_IN_4BIT", "1"),
        ("FRAMEPACK_VAE_CHUNK_SIZE", "2"),
        ("FRAMEPACK_XFORMERS_MODE", "standard"),
        ("PYTORCH_ENABLE_FLASH_SDP", "0"),
        (
            "PYTORCH_CUDA_ALLOC_CONF",
            "expandable_segments:True,max_split_size_mb=128",
        ),
    ] {
        farm.set_environment(name, value);
    }
    farm.start();
    farm.drop_prompt("cat.yaml", "a cat");
    let (_, report) = farm.report("cat");
    let of = settings(&report);
    assert_eq!(of("attention"), is("standard", "environment"));
    assert_eq!(of("vae.chunk"), is(2, "environment"));
    assert_eq!(
        of("storage.transformer"),
        ("nf4".into(), "environment".to_owned(), true)
    );
    assert_eq!(
        farm.noted("flags.log"),
        ["--attention standard --flash-sdp off"]
    );
    assert!(farm.log().contains("corrected"), "{}", farm.log());

    let farm = Farm::stopped();
    let refused = Command::new(env!("CARGO_BIN_EXE_framepackd"))
        .arg("--config")
        .arg(farm.path("framepackd.yaml"))
        .env("FRAMEPACK_VAE_CHUNK_SIZE", "many")
        .output()
        .unwrap();
    assert_code(&refused, 1);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("FRAMEPACK_VAE_CHUNK_SIZE") && said.contains("[FP8002]"),
        "{said}"
    );
}

#[test]
fn a_step_cache_reaches_the_worker_and_what_means_nothing_beside_it_does_not() {
    let mut farm = Farm::with_settings(&[("CACHE_THRESHOLD", "0.2"), ("CACHE_KIND", "fbcache")]);
    farm.drop_job(
        "own.yaml",
        job("a cat") + "cache: {kind: kv, refresh: 3, retention: 0.5}\n",
    );
    let (outcome, report) = farm.report("own");
    assert_eq!(outcome, "done");
    let of = settings(&report);
    assert_eq!(of("cache.kind"), is("kv", "job"));
    // The farm's threshold is another cache's.
    assert_eq!(of("cache.threshold"), is("auto", "default"));
    assert_eq!(of("cache.retention"), (0.5.into(), "job".to_owned(), true));
    let expected = json!({"cache.kind": "kv", "cache.refresh": 3});
    assert_eq!(told(&farm, &report), expected);

    farm.drop_job("farms.yaml", job("a dog"));
    let (_, report) = farm.report("farms");
    assert_eq!(
        settings(&report)("cache.kind"),
        is("fbcache", "environment")
    );
    let expected = json!({"cache.kind": "fbcache", "cache.threshold": 0.2});
    assert_eq!(told(&farm, &report), expected);

    // A job of a farm that says nothing has the bundle's.
    farm.stop();
    let farm = Farm::new();
    farm.drop_job("bundles.yaml", job("a cow"));
    let (_, report) = farm.report("bundles");
    assert_eq!(settings(&report)("cache.kind"), is("off", "bundle"));
}
