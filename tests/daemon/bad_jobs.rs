//! Files that never become a job: each is put into `rejected/` with an error that says what, where, and what to do.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
};

use nix::{sys::stat::Mode, unistd::mkfifo};

use crate::fixture::{Farm, job};

/// Drops bad job files and looks at the report of each.
struct Bench {
    farm: Farm,
}

/// What the report of a bad job file must say.
struct Expected {
    class: &'static str,
    code: &'static str,
    says: &'static str,
}

fn input(code: &'static str, says: &'static str) -> Expected {
    let class = "input";
    Expected { class, code, says }
}

fn policy(code: &'static str, says: &'static str) -> Expected {
    let class = "policy";
    Expected { class, code, says }
}

impl Bench {
    fn new() -> Self {
        Self { farm: Farm::new() }
    }

    /// Drops all files, then looks at their reports: none may hinder another.
    fn reject(&self, cases: &[(&str, String, Expected)]) {
        for (stem, text, _) in cases {
            self.farm.drop_job(format!("{stem}.yaml"), text);
        }
        for (stem, _, expected) in cases {
            self.assert_rejected(stem, expected);
        }
        assert!(self.farm.show("@last").is_empty(), "none became a job");
        assert!(self.farm.renders().is_empty());
    }

    fn assert_rejected(&self, stem: &str, expected: &Expected) {
        let (outcome, report) = self.farm.report(stem);
        assert_eq!(outcome, "rejected", "{stem}");
        let failure = &report["failure"];
        assert_eq!(failure["class"], expected.class, "{stem}: {report:#}");
        assert_eq!(failure["code"], expected.code, "{stem}: {report:#}");
        let (_, words) = self.farm.filed(stem, ".report.txt").remove(0);
        let words = fs::read_to_string(words).unwrap();
        for part in [expected.says, expected.code, "To try again"] {
            assert!(words.contains(part), "{stem}: {part:?} is not in\n{words}");
        }
    }
}

fn with(line: &str) -> String {
    format!("{}{line}\n", job("a cat"))
}

fn image(path: &str) -> String {
    format!("api: framepack/v1\nstart: {{image: {path}}}\n")
}

#[test]
fn mistakes_in_keys_and_values() {
    let unclosed = "api: framepack/v1\nstart: {image: [\n".to_owned();
    let no_start = "api: framepack/v1\nprompt: a cat\n".to_owned();
    let no_api = "start: {image: photo.png}\n".to_owned();
    let caches = with("caches: {teacache: {enabled: true}}");
    Bench::new().reject(&[
        ("syntax", unclosed, input("FP2106", "line ")),
        ("twice", with("prompt: a dog"), input("FP2106", "prompt")),
        (
            "unknown",
            with("stpes: 5"),
            input("FP2101", "did you mean `steps`"),
        ),
        ("type", with("steps: many"), input("FP2102", "steps")),
        (
            "nothing",
            "api: framepack/v1\nstart: {image: photo.png}\nprompt: #sunset\n".to_owned(),
            input("FP2110", "write `prompt: \"#sunset\"`"),
        ),
        (
            "colon",
            with("key: take: 2"),
            input(
                "FP2106",
                "line 5, column 10: key: a colon with a space behind it makes a key",
            ),
        ),
        (
            "range",
            with("steps: 500"),
            input("FP2103", "500 is out of range (1 to 100)"),
        ),
        ("no-start", no_start, input("FP2104", "start.image")),
        ("no-api", no_api, input("FP2104", "api")),
        ("not-yet", caches, input("FP2105", "`cache.kind` names it")),
        (
            "up",
            with("output: {dir: ../up}"),
            policy("FP2107", "output.dir"),
        ),
    ]);
}

#[test]
fn images_that_are_missing_or_out_of_bounds() {
    let bench = Bench::new();
    let (farm, jobs) = (&bench.farm, bench.farm.path("jobs"));
    fs::write(farm.path("secret.png"), "secret").unwrap();
    symlink(farm.path("secret.png"), jobs.join("link.png")).unwrap();
    symlink(farm.path(""), jobs.join("linked")).unwrap();
    mkfifo(&jobs.join("pipe.png"), Mode::S_IRWXU).unwrap();
    bench.reject(&[
        (
            "missing",
            image("inputs/gone.png"),
            input("FP2301", "inputs/gone.png does not exist"),
        ),
        (
            "outside",
            image("../secret.png"),
            policy("FP2201", "paths.inputs"),
        ),
        (
            "absolute",
            image("/etc/hostname"),
            policy("FP2201", "/etc/hostname"),
        ),
        ("folder", image("."), policy("FP2201", "outside")),
        ("link", image("link.png"), policy("FP2202", "symbolic link")),
        (
            "behind",
            image("linked/secret.png"),
            policy("FP2202", "symbolic link"),
        ),
        (
            "pipe",
            image("pipe.png"),
            policy("FP2203", "not a regular file"),
        ),
    ]);
}

#[test]
fn files_that_are_too_small_or_too_large() {
    let huge = "# ".to_owned() + &"x".repeat(2 << 20);
    Bench::new().reject(&[
        ("empty", String::new(), input("FP2401", "empty")),
        ("huge", huge, input("FP2402", "bytes")),
    ]);
}

#[test]
fn text_that_is_no_text_is_rejected() {
    let farm = Farm::new();
    farm.drop_job("binary.yaml", b"api: \xff\xfe\n");
    farm.drop_job("latin.yaml", b"# sch\xf6n\napi: framepack/v1\n");
    assert_eq!(farm.report("binary").1["failure"]["code"], "FP2403");
    let failure = farm.report("latin").1["failure"].clone();
    assert_eq!(failure["code"], "FP2403");
    let expected =
        "line 1, column 6: not UTF-8 text: byte 0xF6, which is `ö` in Latin-1: save it as UTF-8";
    assert_eq!(failure["message"], expected);
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let farm = Farm::new();
    farm.drop_job("two.yaml", with("steps: 500\nguidance: {cfg: -1}"));
    let (_, report) = farm.report("two");
    let paths: Vec<_> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| &problem["path"])
        .collect();
    assert_eq!(paths, ["steps", "guidance.cfg"]);
}

#[test]
fn rule_09_pipes_sockets_and_links_named_like_jobs_are_refused_without_waiting() {
    let farm = Farm::new();
    let jobs = farm.path("jobs");
    mkfifo(&jobs.join("pipe.yaml"), Mode::S_IRWXU).unwrap();
    let _listener = UnixListener::bind(jobs.join("socket.yaml")).unwrap();
    fs::write(farm.path("elsewhere.yaml"), job("a cat")).unwrap();
    symlink(farm.path("elsewhere.yaml"), jobs.join("link.yaml")).unwrap();
    fs::create_dir(jobs.join("folder.yaml")).unwrap();
    for (stem, kind) in [
        ("pipe", "a named pipe"),
        ("socket", "a socket"),
        ("link", "a symbolic link"),
    ] {
        let (outcome, report) = farm.report(stem);
        assert_eq!(
            (outcome.as_str(), &report["failure"]["code"]),
            ("rejected", &"FP2204".into())
        );
        let message = report["failure"]["message"].as_str().unwrap();
        assert!(message.contains(kind), "{message}");
    }
    // And the daemon works on.
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
    assert!(jobs.join("folder.yaml").is_dir(), "a folder is no file");
}

#[test]
fn a_rejected_job_is_taken_once_it_is_mended() {
    let farm = Farm::new();
    farm.drop_job("cat.yaml", image("later.png"));
    assert_eq!(farm.report("cat").0, "rejected");
    fs::write(farm.path("jobs/later.png"), "P1 1 1 0").unwrap();
    let (_, rejected) = farm.filed("cat", ".yaml").remove(0);
    fs::rename(rejected, farm.path("jobs/mended.yaml")).unwrap();
    assert_eq!(farm.report("mended").0, "done");
}
