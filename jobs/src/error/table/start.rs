//! 8xxx: the daemon's start.

codes! {
    CONFIG_UNREADABLE "FP8001", Usage, Farm,
        "configuration can't be read",
        "name the configuration with `--config FILE`; its keys are in config/framepackd.yaml";
    CONFIG_INVALID "FP8002", Usage, Farm,
        "configuration is invalid; the message lists all mistakes with their places",
        "correct the listed mistakes; `framepackd --config FILE config check` lists them without starting";
    FOLDERS_OVERLAP "FP8003", Usage, Farm,
        "`paths.jobs`, `paths.state` and `paths.outputs` overlap once links are followed",
        "set `paths.jobs`, `paths.state` and `paths.outputs` to separate folders";
    FOLDER_UNUSABLE "FP8004", Resource, Farm,
        "a configured folder, or a file in it, can't be used",
        "correct the path in the configuration, or let the daemon's user write there";
    STATE_IN_USE "FP8005", Conflict, Farm,
        "state directory is in use by another framepackd",
        "stop it, or set another `paths.state`; while it runs, use `framepackctl state`";
    STATE_FOREIGN "FP8006", Policy, Farm,
        "state directory is owned by another user",
        "run it as the daemon's user, as in `sudo -u framepackd framepackd state check`";
    STATE_MISSING "FP8007", NotFound, Farm,
        "state directory does not exist",
        "check `paths.state`; the first start of framepackd, or an import, creates it";
    SOCKET_IN_USE "FP8008", Conflict, Farm,
        "socket is in use by another framepackd",
        "stop it, or set another `paths.socket`";
    SOCKET_UNUSABLE "FP8009", Resource, Farm,
        "socket can't be created",
        "check `paths.socket`: at most 107 bytes long, nothing else in its place, its folder writable by the daemon's user";
    WORKER_MISSING "FP8010", Usage, Farm,
        "worker program does not exist",
        "build it, or set `worker.program`";
    PRINCIPAL_UNKNOWN "FP8011", Usage, Farm,
        "user or group in `socket` is unknown to the system",
        "create it, or correct the name";
    START_MODEL_DEFAULTS "FP8012", Usage, Farm,
        "model bundle's framepack.json can't be read, or is invalid",
        "correct it, or download it again";
}
