//! `info`, `usage`, `gc` and `cache`: what is asked for, and how the answer is printed.

use framepack_ipc::{
    control::{Request, Response},
    upkeep::{
        Cache, CacheKind, CacheRequest, Collected, FolderUsage, GcMode, GcRequest, Junk, JunkKind,
        Measured, Usage, WorkUsage,
    },
};

use crate::{fake_daemon::talk, framepackctl_in};

fn usage() -> Response {
    let folder = |name: &str, measured| FolderUsage {
        name: name.to_owned(),
        path: format!("/farm/{name}").into(),
        bytes: 5 << 30,
        files: 7,
        measured,
        free_bytes: (measured != Measured::Silent).then_some(212 << 30),
    };
    Response::Usage(Usage {
        folders: vec![
            folder("outputs", Measured::All),
            folder("jobs", Measured::Part),
            folder("work", Measured::Silent),
        ],
        work: vec![WorkUsage {
            day: "2026-11-24".to_owned(),
            group: Some("night".to_owned()),
            done: 12,
            others: 1,
            render_secs: 5400.0,
            video_secs: 60.5,
            energy_joules: Some(3_600_000.0),
        }],
        since: None,
    })
}

#[test]
fn usage_is_two_tables() {
    let talk = talk(&["usage"], vec![usage()]);
    talk.ended.assert(
        0,
        "outputs\t5.0 GiB\t7\t212 GiB\t/farm/outputs\n\
         jobs\tover 5.0 GiB\t7\t212 GiB\t/farm/jobs\n\
         work\tno answer\t7\t\t/farm/work\n\
         \n\
         2026-11-24\tnight\t12\t1\t1.50 h\t60.5 s\t1000.0 Wh\n",
        "",
    );
}

#[test]
fn since_is_a_time() {
    let talk = talk(
        &["usage", "--since", "2026-11-24", "--json=work"],
        vec![usage()],
    );
    let [Request::Usage(request)] = &talk.requests[..] else {
        panic!("{:?}", talk.requests);
    };
    let since = request.since.unwrap().to_string();
    assert_eq!(since, "2026-11-24T00:00:00.000000Z");
    assert_eq!(
        talk.ended.json()[0]["work"][0]["energy_joules"],
        3_600_000.0
    );
}

#[test]
fn gc_says_what_and_how_much() {
    for (arguments, mode, said) in [
        (&["gc"][..], GcMode::Remove, "removed"),
        (&["gc", "--dry-run"], GcMode::DryRun, "would remove"),
    ] {
        let items = vec![
            Junk {
                kind: JunkKind::Work,
                path: "/state/work/7".into(),
                bytes: 3 << 20,
            },
            Junk {
                kind: JunkKind::Embeddings,
                path: "/state/embeddings/a.safetensors".into(),
                bytes: 1 << 20,
            },
        ];
        let remarks = vec!["something stays".to_owned()];
        let collected = Collected {
            mode,
            items,
            remarks,
        };
        let talk = talk(arguments, vec![Response::Collected(collected)]);
        assert_eq!(talk.requests, [Request::Gc(GcRequest { mode })]);
        talk.ended.assert(
            0,
            "work folder\t3.0 MiB\t/state/work/7\n\
             embeddings\t1.0 MiB\t/state/embeddings/a.safetensors\n",
            &format!("something stays\n{said} 2 files and folders, 4.0 MiB\n"),
        );
    }
}

#[test]
fn a_cache_is_listed_and_cleared_by_its_name() {
    let cache = || {
        let caches = vec![Cache {
            kind: CacheKind::Attention,
            path: "/state/choices-*.json".into(),
            files: 2,
            bytes: 2048,
            without: "it is measured again".to_owned(),
        }];
        vec![Response::Caches { caches }]
    };
    let row = "attention\t2.0 KiB\t2\t/state/choices-*.json\tit is measured again\n";
    talk(&["cache", "ls"], cache()).ended.assert(0, row, "");
    let cleared = talk(&["cache", "clear", "attention"], cache());
    let kind = Some(CacheKind::Attention);
    assert_eq!(
        cleared.requests,
        [Request::Caches(CacheRequest::Clear { kind })]
    );
    cleared.ended.assert(0, row, "removed 2 files, 2.0 KiB\n");
    let wrong = talk(&["cache", "clear", "video"], Vec::new());
    assert_eq!((wrong.ended.code, wrong.requests.len()), (2, 0));
    assert!(wrong.ended.stderr.contains("expected one of embeddings"));
}

#[test]
fn a_support_bundle_says_where_it_is_and_what_is_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["support-bundle", "--out", "farm.tar.gz", "--with-prompts"];
    let arguments = [&arguments[..], &["--json"]].concat();
    let ended = framepackctl_in(folder.path(), &arguments, "");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let told = ended.json();
    assert_eq!(told["kind"], "SupportBundle");
    let bundle = &told["items"][0];
    let path = std::path::Path::new(bundle["path"].as_str().unwrap());
    assert!(
        path.is_absolute() && path.ends_with("farm.tar.gz"),
        "{told}"
    );
    let bytes = std::fs::metadata(path).unwrap().len();
    assert_eq!(bundle["bytes"], bytes);
    let left_out = serde_json::json!(["pictures and their names"]);
    assert_eq!(bundle["left_out"], left_out);
    let missing = bundle["missing"][0].as_str().unwrap();
    assert!(missing.starts_with("status: cannot reach"), "{told}");
    let files = bundle["files"].as_array().unwrap();
    assert!(files.contains(&"README.txt".into()), "{told}");
    // A second one is an error, as JSON too.
    let again = framepackctl_in(folder.path(), &arguments, "");
    assert_ne!(again.code, 0);
    assert!(again.json()["error"]["message"].is_string());
}
