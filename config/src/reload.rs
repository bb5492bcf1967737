//! A configuration that was read again: what of it is taken over while the daemon runs, key by key.

use framepack_jobs::{
    Row,
    settings::{Applies, Setting, SettingChange, TABLE},
};

use crate::{Config, Disk, Loaded, Retention, Spool, Worker};

/// From when on a key counts whose value was changed.
fn applies(key: &str) -> Applies {
    if let Some(row) = TABLE.into_iter().find(|row| row.key == key) {
        return row.applies().unwrap_or(Applies::Restart);
    }
    match key.split_once('.') {
        // How the folder is watched and who writes there is decided once, and the store is opened once.
        Some(
            ("spool", "mode" | "readonly")
            | ("disk", "floor_mib")
            | ("retention", "events_days" | "events_mib"),
        ) => Applies::Restart,
        Some(
            ("idle" | "retention" | "queue" | "socket" | "metrics" | "spool" | "disk", _)
            | ("worker", "recycle_after" | "max_faults"),
        ) => Applies::AtOnce,
        Some((
            "worker",
            "first_step_deadline_secs" | "step_deadline_factor" | "min_step_deadline_secs",
        )) => Applies::NextRuns,
        Some(("presets", _)) => Applies::NewJobs,
        // Paths, models, and which workers there are: files and processes that are in use.
        _ => Applies::Restart,
    }
}

impl Loaded {
    /// What runs once this configuration, which runs now, has been read again: `read` as far as it is taken over, and every
    /// key that has another value there.
    pub fn reloaded(&self, read: Self) -> (Self, Vec<SettingChange>) {
        let changes = changes(&self.settings, &read.settings);
        let reloaded = Self {
            config: taken_over(&self.config, read.config),
            settings: read
                .settings
                .into_iter()
                .map(|setting| shown(setting, &self.settings))
                .collect(),
            notices: read.notices,
        };
        (reloaded, changes)
    }
}

/// Every part by itself: a new one does not compile without a decision.
fn taken_over(runs: &Config, read: Config) -> Config {
    let is_of_workers = |row: &Row| row.applies() == Some(Applies::Restart);
    Config {
        paths: runs.paths.clone(),
        models: runs.models.clone(),
        worker: Worker {
            devices: runs.worker.devices.clone(),
            program: runs.worker.program.clone(),
            ..read.worker
        },
        process: runs.process.clone(),
        idle: read.idle,
        spool: Spool {
            mode: runs.spool.mode,
            readonly: runs.spool.readonly,
            ..read.spool
        },
        queue: read.queue,
        disk: Disk {
            floor_mib: runs.disk.floor_mib,
            ..read.disk
        },
        retention: Retention {
            events_days: runs.retention.events_days,
            events_mib: runs.retention.events_mib,
            ..read.retention
        },
        socket: read.socket,
        metrics: read.metrics,
        farm: read.farm.with_rows_of(&runs.farm, is_of_workers),
    }
}

/// A setting as it is after the reload.
fn shown(read: Setting, runs: &[Setting]) -> Setting {
    if applies(&read.key) != Applies::Restart {
        return read;
    }
    let running = runs.iter().find(|setting| setting.key == read.key);
    running.cloned().unwrap_or(read)
}

/// What has another value, or is not there on one side: presets come and go.
fn changes(old: &[Setting], new: &[Setting]) -> Vec<SettingChange> {
    let value = |settings: &[Setting], key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key);
        setting.map_or(serde_json::Value::Null, |setting| setting.value.clone())
    };
    let is_gone = |setting: &&Setting| new.iter().all(|kept| kept.key != setting.key);
    let keys = new.iter().chain(old.iter().filter(is_gone));
    let changes = keys.map(|Setting { key, .. }| SettingChange {
        old: value(old, key),
        new: value(new, key),
        applies: applies(key),
        key: key.clone(),
    });
    changes.filter(|change| change.old != change.new).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::Load;

    /// Every key that is not of the table of job settings, with a value that is not its default.
    const OTHERS: [(&str, &str); 40] = [
        ("paths.jobs", "/other/jobs"),
        ("paths.state", "/other/state"),
        ("paths.outputs", "/other/outputs"),
        ("paths.socket", "/other/socket"),
        ("paths.inputs", "/other/inputs"),
        ("models.bundle", "/other/models"),
        ("models.f1_bundle", "/other/f1"),
        ("worker.devices", "cuda:1"),
        ("worker.program", "/other/worker"),
        ("worker.recycle_after", "7"),
        ("worker.max_faults", "7"),
        ("worker.first_step_deadline_secs", "7"),
        ("worker.step_deadline_factor", "7"),
        ("worker.min_step_deadline_secs", "7"),
        ("idle.warm_after_secs", "7"),
        ("idle.cold_after_secs", "7"),
        ("spool.mode", "poll"),
        ("spool.readonly", "true"),
        ("spool.dedupe", "off"),
        ("spool.settle_secs", "7"),
        ("spool.grace_secs", "7"),
        ("spool.scan_secs", "7"),
        ("spool.wait_inputs_secs", "7"),
        ("spool.alarm_secs", "7"),
        ("queue.max_jobs", "7"),
        ("disk.floor_mib", "7"),
        ("disk.reserve_mib", "7"),
        ("retention.done_days", "7"),
        ("retention.done_files", "7"),
        ("retention.failed_days", "7"),
        ("retention.then", "delete"),
        ("retention.work_days", "7"),
        ("retention.logs_days", "7"),
        ("retention.work_jobs", "7"),
        ("retention.events_days", "7"),
        ("retention.events_mib", "7"),
        ("socket.admin", "alice"),
        ("socket.submit", "alice"),
        ("socket.read", "alice"),
        ("metrics.textfile", "/other/figures.prom"),
    ];
    const MINIMAL: &str =
        "paths: {jobs: jobs, state: state, outputs: /videos, socket: run/socket}\n";

    fn loaded(more: &str, environment: &[(&str, &str)]) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("framepackd.yaml");
        fs::write(&file, MINIMAL.to_owned() + more).unwrap();
        let variable = |(key, value): &(&str, &str)| {
            let name = key.to_uppercase().replace('.', "_");
            (format!("FRAMEPACKD_{name}"), (*value).into())
        };
        let environment: Vec<_> = environment.iter().map(variable).collect();
        // Paths of the file are told by its name, so it has to be the same each time.
        let mut loaded = Loaded::read(&Load {
            file: &file,
            environment: &environment,
            current_dir: Path::new("/home/user"),
        })
        .unwrap();
        let here = folder.path().to_str().unwrap();
        let text = serde_json::to_string(&loaded.settings).unwrap();
        loaded.settings = serde_json::from_str(&text.replace(here, "/etc")).unwrap();
        loaded
    }

    #[test]
    fn each_key_is_taken_over_or_waits_for_a_restart_as_the_table_says() {
        let runs = loaded("", &[]);
        let of_rows = [
            ("steps", "7"),
            ("memory.preserve_gb", "7"),
            ("worker.kernels", "off"),
            ("attention", "aggressive"),
        ];
        for (key, value) in OTHERS.into_iter().chain(of_rows) {
            let read = loaded("", &[(key, value)]);
            let wanted = read.clone();
            let (reloaded, changes) = runs.reloaded(read);
            let change = changes.iter().find(|change| change.key == key);
            let applies = change.unwrap_or_else(|| panic!("{key}")).applies;
            assert_eq!(applies, super::applies(key));
            let kept = if applies == Applies::Restart {
                &runs
            } else {
                &wanted
            };
            let of_key = |loaded: &Loaded| {
                let mut settings = loaded.settings.iter();
                settings.find(|setting| setting.key == key).cloned()
            };
            assert_eq!(of_key(&reloaded), of_key(kept), "{key}");
            let mut expected = kept.config.clone();
            // The test's file lies in another folder each time, and nothing of these is taken over.
            expected.paths = runs.config.paths.clone();
            expected.models = runs.config.models.clone();
            assert_eq!(reloaded.config, expected, "{key}");
        }
    }

    #[test]
    fn every_key_is_decided_about() {
        for setting in loaded("", &[]).settings {
            let is_row = TABLE.into_iter().any(|row| row.key == setting.key);
            let is_listed = OTHERS.iter().any(|(key, _)| *key == setting.key);
            assert!(is_row != is_listed, "{}", setting.key);
        }
    }

    #[test]
    fn presets_come_and_go() {
        let [none, one] = ["", "presets: {night: {steps: 30}}\n"].map(|text| loaded(text, &[]));
        let (with, came) = none.reloaded(one.clone());
        assert_eq!(with.config.farm.presets(), one.config.farm.presets());
        let said: Vec<String> = came.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["presets.night: not set → {\"steps\":30}"]);
        assert_eq!(came[0].applies, Applies::NewJobs);
        let (without, went) = with.reloaded(none.clone());
        assert!(without.config.farm.presets().is_empty());
        assert_eq!(went[0].new, serde_json::Value::Null);
    }

    #[test]
    fn what_waits_for_a_restart_is_told_again_by_the_next_reload() {
        let runs = loaded("", &[]);
        let changed = || loaded("", &[("worker.devices", "cuda:1"), ("steps", "9")]);
        let (first, _) = runs.reloaded(changed());
        let (_, changes) = first.reloaded(changed());
        let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
        assert_eq!(keys, ["worker.devices"]);
    }
}
