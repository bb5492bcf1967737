//! The daemon as a service: what it tells systemd, and where its log goes.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixDatagram,
    },
    sync::mpsc,
    thread,
    time::Duration,
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

/// A socket on which the test hears what systemd or journald would.
fn listen(farm: &Farm, name: &str) -> UnixDatagram {
    let path = farm.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let socket = UnixDatagram::bind(path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_mins(2)))
        .unwrap();
    socket
}

/// The next datagram, without waiting for more than the timeout.
fn hear(socket: &UnixDatagram) -> Vec<u8> {
    let mut bytes = vec![0; 64 << 10];
    let read = socket.recv(&mut bytes).expect("something is said in time");
    bytes.truncate(read);
    bytes
}

fn hear_until(socket: &UnixDatagram, wanted: &str) -> String {
    loop {
        let said = String::from_utf8(hear(socket)).unwrap();
        if said.contains(wanted) {
            return said;
        }
    }
}

fn supervised() -> (Farm, UnixDatagram) {
    let mut farm = Farm::stopped();
    let socket = listen(&farm, "notify");
    farm.set_environment("NOTIFY_SOCKET", farm.path("notify"));
    farm.set_environment("WATCHDOG_USEC", "300000");
    farm.start();
    (farm, socket)
}

#[test]
fn systemd_is_told_of_start_life_jobs_and_end() {
    let (mut farm, socket) = supervised();
    let pid = farm.pid();
    assert_eq!(
        hear_until(&socket, "READY"),
        format!("READY=1\nMAINPID={pid}")
    );
    hear_until(&socket, "STATUS=idle; 0 queued");
    hear_until(&socket, "WATCHDOG=1");
    farm.submit_gated();
    hear_until(&socket, "STATUS=job 1 (gated): ");
    assert!(farm.stop().success());
    hear_until(&socket, "STOPPING=1");
}

#[test]
fn systemd_is_told_when_the_configuration_is_read_again() {
    let (farm, socket) = supervised();
    hear_until(&socket, "READY");
    let mut before = 0;
    for text in ["steps: 7\n", "no: such key\n"] {
        farm.configure(text);
        farm.signal(Signal::SIGHUP);
        let reloading = hear_until(&socket, "RELOADING=1\n");
        let (_, usecs) = reloading.split_once("MONOTONIC_USEC=").unwrap();
        let usecs: u64 = usecs.parse().unwrap();
        assert!(usecs > before, "{usecs}");
        before = usecs;
        hear_until(&socket, "READY=1");
    }
    let status = hear_until(&socket, "STATUS=the configuration is not taken over: ");
    assert!(
        status.contains("framepackd.yaml") && status.ends_with("[FP8002]"),
        "{status}"
    );
    let shown = farm.ctl(&["config", "show", "steps"]);
    assert_eq!(String::from_utf8_lossy(&shown.stdout), "steps: 7\n");
}

#[test]
fn a_daemon_that_stands_still_beats_no_more() {
    let (farm, socket) = supervised();
    hear_until(&socket, "WATCHDOG=1");
    farm.signal(Signal::SIGSTOP);
    // What was sent before it stood still, and then nothing.
    socket
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let mut bytes = [0; 256];
    let mut last_words = 0;
    while socket.recv(&mut bytes).is_ok() {
        last_words += 1;
        assert!(last_words < 20, "it goes on");
    }
    farm.signal(Signal::SIGCONT);
    hear_until(&socket, "WATCHDOG=1");
}

#[test]
fn each_job_has_a_log_of_its_own() {
    let farm = Farm::new();
    farm.drop_job("cat.yaml", job("a cat"));
    farm.drop_job("oom.yaml", job("oom"));
    farm.report("cat");
    farm.report("oom");
    let events = |id: &str| -> Vec<Value> {
        let output = farm.ctl(&["logs", id, "--follow", "--json"]);
        assert_code(&output, 0);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let [cat, oom] = ["cat", "oom"].map(|name| farm.show(name).remove(0).id.to_string());
    let said = events(&cat);
    assert!(
        said.iter().all(|event| event["job"] == cat.as_str()),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|event| event["message"] == "started" && event["device"] == "cpu"),
        "{said:?}"
    );
    assert!(
        said.iter().any(|event| event["phase"] == "sample"),
        "{said:?}"
    );
    assert!(
        said.iter().any(|event| event["state"] == "done"),
        "{said:?}"
    );
    let code = |event: &Value| {
        event["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("FP"))
    };
    assert!(events(&oom).iter().any(code));
    let words = farm.ctl(&["logs", &cat]);
    assert!(
        String::from_utf8(words.stdout)
            .unwrap()
            .contains(" INFO  started ")
    );
    assert_code(&farm.ctl(&["logs", "99"]), 4);
}

#[test]
fn under_systemd_the_journal_gets_fields_and_stderr_nothing() {
    let mut farm = Farm::stopped();
    let journal = listen(&farm, "run-of-systemd/systemd/journal/socket");
    // The daemon sees the test's socket in journald's place, and its log file as what systemd connected.
    let script = format!(
        "#!/bin/sh\nexec unshare {} --mount sh -c 'mount --bind {} /run && exec {} \"$@\"' sh \"$@\"\n",
        if nix::unistd::geteuid().is_root() {
            ""
        } else {
            "--user --map-root-user"
        },
        farm.path("run-of-systemd").display(),
        env!("CARGO_BIN_EXE_framepackd"),
    );
    let program = farm.path("framepackd-with-journal");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(farm.path("log"), "").unwrap();
    let log = fs::metadata(farm.path("log")).unwrap();
    farm.set_environment("JOURNAL_STREAM", format!("{}:{}", log.dev(), log.ino()));
    // Read as they come, as journald does: a socket holds few of them.
    let (entries, journal) = {
        let (sender, entries) = mpsc::channel();
        let reader = thread::spawn(move || {
            loop {
                let entry = fields(&hear(&journal));
                let is_last = entry.contains_key("ERROR_CODE");
                if sender.send(entry).is_err() || is_last {
                    return;
                }
            }
        });
        (entries, reader)
    };
    farm.start_program(&program);
    farm.drop_prompt("oom.yaml", "oom");

    let mut begins = BTreeMap::new();
    let mut failed = BTreeMap::new();
    for entry in entries {
        if entry
            .get("MESSAGE")
            .is_some_and(|message| message == "started")
        {
            begins.clone_from(&entry);
        }
        failed = entry;
    }
    journal.join().unwrap();
    assert_eq!(begins["JOB_ID"], "1");
    assert_eq!(begins["DEVICE"], "cpu");
    assert_eq!(failed["JOB_ID"], "1");
    assert_eq!(failed["PRIORITY"], "4", "a warning");
    assert_eq!(failed["SYSLOG_IDENTIFIER"], "framepackd");
    assert!(failed["ERROR_CODE"].starts_with("FP"), "{failed:?}");
    assert_eq!(farm.log(), "", "said once");
}

/// An entry in journald's own protocol: `NAME=value`, or `NAME`, its length in eight bytes, and the value.
fn fields(entry: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut rest = entry;
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        let (name, value) = if let Some((name, value)) = line.split_once('=') {
            (name.to_owned(), value.to_owned())
        } else {
            let (length, after) = rest.split_first_chunk::<8>().unwrap();
            let (value, after) = after.split_at(u64::from_le_bytes(*length) as usize);
            rest = &after[1..];
            (line, String::from_utf8_lossy(value).into_owned())
        };
        fields.insert(name, value);
    }
    fields
}
