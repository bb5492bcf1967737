//! The job's record as JSON, and which jobs a selector means.
#![expect(clippy::unwrap_used, reason = "a test's fixtures are right")]

use std::path::PathBuf;

use framepack_jobs::{
    Attention, ChosenBy, Code, Failure, Job, JobId, JobSpec, JobState, MemoryUse, Part, Partial,
    Phase, PhaseTime, Progress, RenderOutput, RenderPlan, Resumed, RungTaken, Runs, Selector,
    Source, StateName, StepTimeline, Surroundings, Timestamp, Value, Verified, select,
    settings::{Farm, used_or_default},
};

fn job(id: u64, name: &str, state: JobState) -> Job {
    let text = "api: framepack/v1\nstart: {image: cat.jpg}\n";
    let surroundings = Surroundings {
        file_stem: name.to_owned(),
        bundle_latent_window: 9,
        farm: Farm::default(),
    };
    let validated = JobSpec::parse(text)
        .unwrap()
        .validate(&surroundings)
        .unwrap();
    Job {
        id: JobId(id),
        key: validated.key_for("image", 1),
        name: validated.name,
        state,
        submitted_at: at("2026-11-23T05:16:08.000001Z"),
        source: Source::Folder {
            file: PathBuf::from("cat.yaml"),
        },
        spec: validated.spec,
        farm_defaults: validated.farm_defaults,
        origins: validated.origins,
        seed: u64::MAX,
        image: PathBuf::from("/jobs/cat.jpg"),
        output: PathBuf::from("/outputs/cat.mp4"),
        schedule: validated.schedule,
        runs: Runs {
            attempts: 1,
            ..Runs::default()
        },
        warnings: Vec::new(),
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn plan() -> RenderPlan {
    RenderPlan {
        width_px: 640,
        secs: 145.0 / 30.0,
        ..RenderPlan::default()
    }
}

fn every_state() -> [JobState; 6] {
    let (started_at, finished_at) = (
        at("2026-11-23T05:16:09.000001Z"),
        at("2026-11-23T05:18:09.000001Z"),
    );
    [
        JobState::Queued,
        JobState::Running {
            started_at,
            device: "cuda:0".to_owned(),
            plan: Some(plan()),
            progress: Some(Progress {
                phase: Phase::Sample,
                section: 1,
                sections: 4,
                step: 18,
                steps: 25,
                timeline: StepTimeline::default(),
            }),
            paused: false,
        },
        JobState::Done {
            started_at,
            finished_at,
            result: Box::new(RenderOutput {
                video: PathBuf::from("/outputs/cat.mp4"),
                contact_sheet: PathBuf::from("/state/1/contact_sheet.png"),
                plan: plan(),
                video_bytes: 123_456,
                latents_sha256: "0f".repeat(32),
                stream_sha256: Some("1e".repeat(32)),
                phases: vec![PhaseTime {
                    phase: Phase::Sample,
                    secs: 12.5,
                }],
                device: "cuda:0".to_owned(),
                dtype: "bf16".to_owned(),
                peak_device_bytes: Some(1 << 33),
                time_to_first_step_secs: Some(2.5),
                resumed: Some(Resumed {
                    sections_done: 2,
                    is_exact: false,
                    reason: Some("an earlier version began it".to_owned()),
                }),
                rungs: vec![RungTaken {
                    rung: 1,
                    name: "vae tiles".to_owned(),
                    reason: "decoding section 1 ran out of memory".to_owned(),
                }],
                attention: Some(Attention {
                    backend: "math".to_owned(),
                    chosen_by: ChosenBy::Checkpoint,
                    mode: None,
                    reason: None,
                }),
                memory_use: Some(Box::new(MemoryUse::Inactive {
                    reason: "a processor".to_owned(),
                })),
                verified: Verified::Ffmpeg,
                ..RenderOutput::default()
            }),
        },
        JobState::Failed {
            finished_at,
            failure: Failure::new(Code::DOES_NOT_FIT, "the device has 8 GiB, 9 GiB are needed"),
        },
        JobState::Cancelled {
            finished_at,
            result: Some(Box::new(RenderOutput {
                partial: Some(Partial {
                    part: Part::End,
                    sections: 2,
                    of_sections: 4,
                    frames: 69,
                    secs: 2.3,
                    of_secs: 145.0 / 30.0,
                }),
                ..RenderOutput::default()
            })),
        },
        JobState::Expired {
            finished_at,
            failure: Failure::new(Code::DEADLINE_PASSED, "its deadline passed"),
        },
    ]
}

#[test]
fn a_record_survives_json_in_every_state() {
    for state in every_state() {
        let job = job(1, "cat", state);
        let json = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&json).unwrap(), job);
    }
}

#[test]
fn fields_lists_exactly_the_keys_that_occur() {
    let mut seen = std::collections::BTreeSet::new();
    for state in every_state() {
        let mut job = job(1, "cat", state);
        // Left out where there are none.
        job.farm_defaults.set("steps", Value::Integer(12));
        job.runs.suspended_until = Some(job.submitted_at);
        job.runs.keep_sections = true;
        job.runs.changed_at = Some(job.submitted_at);
        job.runs.settings = used_or_default(&[]);
        let json = serde_json::to_value(job).unwrap();
        seen.extend(json.as_object().unwrap().keys().cloned());
    }
    let listed: std::collections::BTreeSet<String> =
        Job::FIELDS.iter().map(|&field| field.to_owned()).collect();
    assert_eq!(seen, listed);
}

#[test]
fn records_of_the_first_version_open() {
    for state in every_state() {
        let job = job(1, "cat", state);
        let mut json = serde_json::to_value(&job).unwrap();
        let record = json.as_object_mut().unwrap();
        for new in [
            "schedule",
            "held",
            "sections_done",
            "starts_without_progress",
            "rung",
            "retries",
            "retry_at",
            "last_failure",
        ] {
            assert!(record.remove(new).is_some(), "{new}");
        }
        record.remove("paused");
        assert_eq!(serde_json::from_value::<Job>(json).unwrap(), job);
    }
}

#[test]
fn the_state_is_a_word_beside_the_id() {
    let json = serde_json::to_value(job(7, "cat", JobState::Queued)).unwrap();
    assert_eq!(json["id"], 7);
    assert_eq!(json["state"], "queued");
    assert_eq!(json["submitted_at"], "2026-11-23T05:16:08.000001Z");
    assert_eq!(json["spec"]["output"]["name"], "{name}-{seed}");
}

#[test]
fn what_runs_have_come_to_stands_beside_the_id() {
    let json = serde_json::to_string(&job(7, "cat", JobState::Queued)).unwrap();
    let end = concat!(
        r#""output":"/outputs/cat.mp4","attempts":1,"held":false,"sections_done":0,"starts_without_progress":0,"#,
        r#""rung":0,"retries":0,"retry_at":null,"last_failure":null,"energy_joules":null,"warnings":[]}"#,
    );
    assert!(json.ends_with(end), "{json}");
}

#[test]
fn a_finished_job_stays_finished() {
    let [queued, running, done, ..] = every_state();
    let mut job = job(1, "cat", queued);
    job.transition(running.clone()).unwrap();
    job.transition(done.clone()).unwrap();
    let refused = job.transition(running).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "job 1 is done and cannot become running"
    );
    assert_eq!(job.state, done);
}

#[test]
fn selectors_mean_jobs() {
    let [queued, _, done, failed, ..] = every_state();
    let mut dog = job(2, "dog", failed);
    dog.schedule.group = Some("night".to_owned());
    let jobs = [
        job(1, "cat", done),
        dog,
        job(5, "cat", queued),
        job(7, "7", every_state()[0].clone()),
    ];
    for (selectors, expected) in [
        (&["1"][..], &[1][..]),
        (&["1-3"], &[1, 2]),
        (&["@failed"], &[2]),
        (&["@running"], &[]),
        (&["@last"], &[7]),
        (&["cat"], &[1, 5]),
        (&["name:7"], &[7]),
        (&["group:night"], &[2]),
        (&["5", "cat", "@done"], &[1, 5]),
        (&["@failed:FP5101"], &[2]),
        (&["@failed:FP3012"], &[]),
        (&["@failed:input"], &[]),
        (&["@failed:oom", "1"], &[1, 2]),
    ] {
        let parsed: Vec<Selector> = selectors.iter().map(|text| text.parse().unwrap()).collect();
        let ids: Vec<u64> = select(&parsed, &jobs)
            .unwrap()
            .iter()
            .map(|job| job.id.0)
            .collect();
        assert_eq!(ids, expected, "{selectors:?}");
        for (selector, text) in parsed.iter().zip(selectors) {
            assert_eq!(selector.to_string(), *text);
        }
    }
    for unmatched in ["3", "8-9", "bird", "group:day"] {
        let selector: Selector = unmatched.parse().unwrap();
        let err = select(&["1".parse().unwrap(), selector], &jobs).unwrap_err();
        assert_eq!(err.to_string(), format!("no such job: {unmatched}"));
    }
}

#[test]
fn what_is_no_selector_says_why() {
    for (text, expected) in [
        (
            "",
            "expected a job's number, a range, @state, group:NAME or a name",
        ),
        ("9-3", "the range `9-3` ends before it begins"),
        (
            "@faild",
            "`faild` is not a state; expected one of queued, running, done, failed, cancelled, expired",
        ),
    ] {
        assert_eq!(text.parse::<Selector>().unwrap_err().to_string(), expected);
    }
    assert_eq!("@done".parse(), Ok(Selector::State(StateName::Done)));
}

#[test]
fn what_is_no_reason_of_a_failure_names_the_reasons_that_there_are() {
    for (text, parts) in [
        (
            "@failed:omm",
            &[
                "`omm`",
                "input, policy, oom, ",
                "did you mean `@failed:oom`?",
            ][..],
        ),
        ("@failed:internel", &["did you mean `@failed:internal`?"]),
        (
            "@failed:fp0312",
            &["docs/ERRORS.md", "did you mean `@failed:FP3012`?"],
        ),
        ("@failed:quite something", &["neither an error code"]),
        ("@failed:", &["neither an error code"]),
        (
            "@done:oom",
            &["only failed jobs have a code and a class: `@failed:oom`"],
        ),
    ] {
        let error = text.parse::<Selector>().unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{text}: {part:?} is not in {error}");
        }
    }
    let lower: Selector = "@failed:fp3012".parse().unwrap();
    assert_eq!(lower.to_string(), "@failed:FP3012");
}

#[test]
fn results_of_earlier_versions_open_and_words_of_later_ones_survive() {
    let [_, _, done, ..] = every_state();
    let mut json = serde_json::to_value(job(1, "cat", done)).unwrap();
    let result = json["result"].as_object_mut().unwrap();
    for new in ["resumed", "rungs", "attention", "verified", "stream_sha256"] {
        assert!(result.remove(new).is_some(), "{new}");
    }
    let old: Job = serde_json::from_value(json.clone()).unwrap();
    let JobState::Done { result, .. } = old.state else {
        panic!("{:?}", old.state);
    };
    assert_eq!(
        (result.resumed, result.rungs, result.verified),
        (None, vec![], Verified::Container)
    );
    assert_eq!((result.attention, result.stream_sha256), (None, None));
    json["result"]["attention"] = serde_json::json!({"backend": "math", "chosen_by": "flag"});
    let before_modes: Job = serde_json::from_value(json.clone()).unwrap();
    let again = serde_json::to_value(before_modes).unwrap();
    assert_eq!(again["result"]["attention"], json["result"]["attention"]);
    json["result"]["attention"] = serde_json::json!({
        "backend": "torch", "chosen_by": "setting", "mode": "off", "reason": "on a processor"
    });
    let with_mode: Job = serde_json::from_value(json.clone()).unwrap();
    let JobState::Done { result, .. } = &with_mode.state else {
        panic!("{:?}", with_mode.state);
    };
    let attention = result.attention.as_ref().unwrap();
    assert_eq!(attention.chosen_by, ChosenBy::Setting);
    let again = serde_json::to_value(with_mode).unwrap();
    assert_eq!(again["result"]["attention"], json["result"]["attention"]);
    json["result"]["verified"] = "by_eye".into();
    json["result"]["attention"] = serde_json::json!({"backend": "sage", "chosen_by": "profile"});
    let new: Job = serde_json::from_value(json.clone()).unwrap();
    let new = serde_json::to_value(new).unwrap();
    for words in ["verified", "attention"] {
        assert_eq!(new["result"][words], json["result"][words]);
    }
}
