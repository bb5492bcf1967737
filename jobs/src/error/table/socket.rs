//! 1xxx: framepackctl and the socket.

codes! {
    USAGE "FP1001", Usage, Job,
        "wrong command line",
        "see `framepackctl COMMAND --help`";
    UNREACHABLE "FP1002", Unreachable, Farm,
        "no daemon at the socket",
        "start it with `framepackd --config FILE`, or name its socket with `--socket PATH`";
    NO_SUCH_JOB "FP1003", NotFound, Job,
        "no such job",
        "see `framepackctl list`";
    KEY_TAKEN "FP1004", Conflict, Job,
        "the job file's `key` already belongs to another job",
        "choose another `key`, or leave it out";
    TIMEOUT "FP1005", Timeout, Job,
        "`--timeout` elapsed before the jobs had finished",
        "the jobs keep running; wait again, or cancel them";
    PROTOCOL_MISMATCH "FP1006", Protocol, Farm,
        "framepackctl and framepackd of different versions",
        "install framepackctl and framepackd of the same version";
    BAD_MESSAGE "FP1007", Protocol, Farm,
        "message that is malformed, too long or out of order",
        "check that the socket is framepackd's, and that client and daemon have the same version";
    SHUTTING_DOWN "FP1008", Unreachable, Farm,
        "daemon is stopping",
        "try again once it is running again";
    SOCKET_NOT_PERMITTED "FP1009", Policy, Farm,
        "no permission to use the socket",
        "ask to be added to the socket's group, then log in again";
    NO_WORKER "FP1010", Resource, Farm,
        "no worker is running that could plan the job",
        "see `framepackctl ping` and the daemon's log for the reason";
    WORKER_SILENT "FP1011", Timeout, Farm,
        "no answer from the worker in time: it is loading a model, in a long step, or dead",
        "ask again: a worker answers between two steps; if it never does, see the daemon's log";
    JOB_ENDED "FP1012", Conflict, Job,
        "job has ended, so there is nothing to plan",
        "see `framepackctl show` for what was planned and measured, or plan the job's file";
    NOT_PERMITTED "FP1013", Policy, Farm,
        "request that your role does not allow",
        "ask to be added to `socket.read`, `socket.submit` or `socket.admin` in the daemon's configuration";
    TOO_MANY_CONNECTIONS "FP1014", Resource, Job,
        "too many connections to the daemon, yours or those of all users together",
        "close some; one `framepackctl wait` can wait for many jobs";
    TOO_SLOW "FP1015", Timeout, Job,
        "message started but not completed within ten seconds",
        "find out why the client stopped in the middle of a message";
    PROGRAM_MISSING "FP1016", Usage, Farm,
        "program that framepackctl starts is not installed",
        "install it beside framepackctl, or in a folder of PATH";
    FILE_EXISTS "FP1017", Conflict, Job,
        "file that a command would write exists already",
        "choose another name or folder, or remove the file";
    OWN_DAEMON "FP1018", Internal, Farm,
        "framepackd that `framepackctl run` started for a job ended before the job",
        "the message has the end of its log; a job that had begun goes on with `framepackctl run --resume FOLDER`";
    QUEUE_FULL "FP1020", Resource, Farm,
        "queue has as many jobs as `queue.max_jobs` allows",
        "submit again when some jobs have ended, or raise `queue.max_jobs`";
    NO_PREVIEW "FP1025", NotFound, Job,
        "job has no such preview: there is a picture from its first step on, and a strip once its video is there",
        "ask again once the job has begun to sample; jobs of earlier versions have none";
    NO_SUCH_DEVICE "FP1030", NotFound, Job,
        "no worker for this device",
        "see `framepackctl ping` for the devices, and `worker.devices` in the configuration";
}
