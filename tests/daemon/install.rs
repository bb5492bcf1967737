//! What `make install` puts in place: programs that find their libraries, a unit that systemd accepts, its user.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use framepack_ipc::control::{Request, Response, WorkerState};

use crate::fixture::Farm;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The most that systemd may rate the unit's exposure, of 10; docs/INSTALL.md has the figure.
const MAX_EXPOSURE: f64 = 1.0;

/// Installs into an empty folder.
fn installed(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // From an earlier run.
    let _ = fs::remove_dir_all(&root);
    let output = run(Command::new("make")
        .current_dir(ROOT)
        .args(["install-files", "PREFIX=/usr", "COPY=cp -al"])
        .arg(format!("DESTDIR={}", root.display())));
    assert!(output.status.success(), "{}", text(&output));
    root
}

fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_owned();
    command.output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `make test` installs what the tests need",
            program.display()
        )
    })
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn installed_programs_find_libtorch_and_each_other() {
    let root = installed("install-programs");
    let program = |name: &str| root.join("usr/bin").join(name);
    for name in [
        "framepackd",
        "framepackctl",
        "framepack-models",
        "framepack-worker",
    ] {
        let output = run(Command::new(program(name)).arg("--version").env_clear());
        assert!(output.status.success(), "{name}: {}", text(&output));
    }
    // Kernels are compiled from what the program brings and the installed compiler alone.
    let doctor = run(Command::new(program("framepack-worker"))
        .args(["doctor", "--device", "cpu"])
        .env_clear());
    let compiler = text(&doctor);
    let compiler = compiler
        .lines()
        .find(|line| line.starts_with("kernel compiler"));
    let compiler = compiler.unwrap_or_else(|| panic!("{}", text(&doctor)));
    assert!(
        compiler.contains(" ok (NVRTC ") && compiler.contains("sm_90"),
        "{compiler}"
    );
    for page in [
        "man1/framepackctl.1",
        "man5/framepackd.yaml.5",
        "man8/framepackd.8",
    ] {
        let page = root.join("usr/share/man").join(page);
        assert!(page.is_file(), "{}", page.display());
    }
    for script in [
        "bash-completion/completions/framepackctl",
        "zsh/site-functions/_framepackctl",
        "fish/vendor_completions.d/framepackctl.fish",
    ] {
        let text = fs::read_to_string(root.join("usr/share").join(script)).unwrap();
        assert!(text.contains("framepackctl"), "{script}");
        assert!(!text.contains("target/release"), "{script}: {text}");
    }
    let farm = tempfile::tempdir().unwrap();
    let init = run(Command::new(program("framepackctl"))
        .arg("init")
        .arg(farm.path()));
    assert!(init.status.success(), "{}", text(&init));
    let written = fs::read_to_string(farm.path().join("framepackd.yaml")).unwrap();
    let demo = root.join("usr/share/framepackd/models/demo");
    assert!(written.contains(demo.to_str().unwrap()), "{written}");

    let config = root.join("etc/framepackd/framepackd.yaml");
    let checked = run(Command::new(program("framepackd"))
        .arg("--check-config")
        .arg("--config")
        .arg(&config));
    assert!(checked.status.success(), "{}", text(&checked));

    // The daemon starts the worker that lies beside it, and that one loads libtorch from the installation.
    let mut farm = Farm::with_worker(&program("framepack-worker"), Path::new("bundle"));
    let own = fs::read_to_string(farm.path("framepackd.yaml")).unwrap();
    let (without_program, _) = own.split_once("  program:").unwrap();
    fs::write(farm.path("framepackd.yaml"), without_program).unwrap();
    farm.start_program(&program("framepackd"));
    farm.wait_until("the worker is idle", |farm| {
        match farm.client().call(&Request::Ping).unwrap() {
            Response::Pong(status) => (status.workers[0].state == WorkerState::Idle).then_some(()),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_configuration_that_is_there_is_kept() {
    let root = installed("install-twice");
    let config = root.join("etc/framepackd/framepackd.yaml");
    fs::write(&config, "mine").unwrap();
    let again = run(Command::new("make")
        .current_dir(ROOT)
        .args(["install-files", "PREFIX=/usr", "COPY=cp -al"])
        .arg(format!("DESTDIR={}", root.display())));
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(fs::read_to_string(config).unwrap(), "mine");
}

#[test]
fn systemd_accepts_the_unit_its_user_and_its_folders() {
    let root = installed("install-unit");
    let unit = fs::read_to_string(root.join("usr/lib/systemd/system/framepackd.service")).unwrap();
    assert!(
        !unit.contains('@') || unit.contains("@system-service"),
        "{unit}"
    );
    // systemd wants to see the programs, which are not where they will be.
    let unit = ["ExecStart=", "ExecReload="]
        .into_iter()
        .fold(unit, |unit, key| {
            unit.replace(
                &format!("{key}/usr"),
                &format!("{key}{}/usr", root.display()),
            )
        });
    let path = root.join("framepackd.service");
    fs::write(&path, unit).unwrap();
    let verified = run(Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&path));
    assert!(verified.status.success(), "{}", text(&verified));
    let of_earlier_systemd = "Failed to parse service type, ignoring: notify-reload";
    let mistakes = text(&verified);
    let mistakes = mistakes
        .lines()
        .filter(|line| line.contains("framepackd.service:") && !line.ends_with(of_earlier_systemd));
    assert_eq!(mistakes.collect::<Vec<_>>(), [""; 0]);

    let security = run(Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(&path));
    let table = text(&security);
    let (_, rating) = table
        .rsplit_once("Overall exposure level for framepackd.service: ")
        .unwrap_or_else(|| panic!("{table}"));
    let exposure: f64 = rating.split_whitespace().next().unwrap().parse().unwrap();
    assert!(exposure <= MAX_EXPOSURE, "{table}");

    let users = run(Command::new("systemd-sysusers")
        .arg("--dry-run")
        .arg(format!("--root={}", root.display())));
    assert!(users.status.success(), "{}", text(&users));
    assert!(
        text(&users).contains("Creating user 'framepackd'"),
        "{}",
        text(&users)
    );
}

#[test]
fn the_installed_folders_are_those_of_the_installed_configuration() {
    let tmpfiles =
        fs::read_to_string(Path::new(ROOT).join("systemd/tmpfiles.d/framepackd.conf")).unwrap();
    let config = fs::read_to_string(Path::new(ROOT).join("config/framepackd.yaml")).unwrap();
    for folder in ["jobs", "state", "outputs"] {
        let path = format!("/var/lib/framepackd/{folder}");
        assert!(tmpfiles.contains(&format!("d {path} ")), "{path}");
        assert!(config.contains(&format!("{folder}: {path}\n")), "{path}");
    }
    assert!(config.contains("socket: /run/framepackd/framepackd.sock\n"));
}
