//! Rule 17: the folder in figures, and what lies there for too long.

use std::{
    collections::BTreeMap,
    fs::{self, File},
};

use crate::{
    client::assert_code,
    figures::samples,
    fixture::{Farm, job},
};

impl Farm {
    /// What `framepackctl metrics` says of the jobs folder, without the common part of the names.
    fn spool_figures(&self) -> BTreeMap<String, String> {
        let output = self.ctl(&["metrics"]);
        assert_code(&output, 0);
        let told = samples(&String::from_utf8(output.stdout).unwrap()).into_iter();
        told.filter_map(|(name, value)| {
            let name = name.strip_prefix("framepackd_spool_")?;
            Some((name.to_owned(), value))
        })
        .collect()
    }
}

#[test]
fn rule_17_the_folder_has_metrics() {
    let farm =
        Farm::with_spool("mode: poll, settle_secs: 0.1, scan_secs: 0.1, wait_inputs_secs: 0");
    let gate = farm.occupy_worker();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("it is queued", |farm| farm.show("cat").pop());
    farm.drop_job("again.yaml", format!("{}name: cat\n", job("a cat")));
    farm.drop_job("bad.yaml", "api: framepack/v1\n");
    assert_eq!(farm.report("bad").0, "rejected");
    assert_eq!(farm.report("again").0, "duplicate");
    File::create(farm.path("jobs/empty.yaml")).unwrap();
    let told = farm.wait_until("all is counted", |farm| {
        let told = farm.spool_figures();
        (told["seen_total"] == "5" && told["files{state=\"unsettled\"}"] == "1").then_some(told)
    });
    for (name, count) in [
        ("claimed_total", "4"),
        ("jobs_total", "2"),
        ("rejected_total", "1"),
        ("duplicates_total", "1"),
        ("overflows_total", "0"),
        ("files{state=\"claimed\"}", "2"),
        ("files{state=\"left\"}", "0"),
        ("mode{mode=\"listing\"}", "1"),
        ("mode{mode=\"events\"}", "0"),
    ] {
        assert_eq!(told[name], count, "{name}: {told:?}");
    }
    for name in ["scan_seconds", "scans_total"] {
        assert!(told[name] != "0", "{name}: {told:?}");
    }
    farm.wait_until("its age is told", |farm| {
        (farm.spool_figures()["oldest_unsettled_seconds"] != "0").then_some(())
    });
    fs::remove_file(farm.path("jobs/empty.yaml")).unwrap();
    farm.wait_until("there is no unsettled file", |farm| {
        (farm.spool_figures()["oldest_unsettled_seconds"] == "0").then_some(())
    });
    fs::write(gate, "").unwrap();
}

#[test]
fn rule_17_a_file_that_never_settles_makes_the_daemon_degraded() {
    let farm =
        Farm::with_spool("settle_secs: 0.1, scan_secs: 0.1, grace_secs: 3600, alarm_secs: 0.3");
    fs::write(farm.path("jobs/half.yaml"), job("a cat").trim_end()).unwrap();
    let note = farm.wait_until("it is told", |farm| farm.status().degraded.pop());
    assert_eq!(note.code, "FP5021");
    for part in ["1 files", "half.yaml: it does not end in a newline"] {
        assert!(note.message.contains(part), "{}", note.message);
    }
    farm.wait_for_status("Needs attention:\n  FP5021: 1 files");
    fs::write(farm.path("jobs/half.yaml"), job("a cat")).unwrap();
    assert_eq!(farm.report("half").0, "done");
    farm.wait_until("all is well", |farm| {
        farm.status().degraded.is_empty().then_some(())
    });
}
