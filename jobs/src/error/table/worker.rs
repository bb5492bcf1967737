//! 7xxx: the worker and the queue.

codes! {
    CANCELLED "FP7001", Cancelled, Job,
        "job cancelled by a user",
        "submit it again";
    VIDEO_GONE "FP7002", Internal, Farm,
        "worker reported a video that does not exist",
        "check whether something else removes files from `paths.outputs`";

    WORKERS_DIED "FP7101", Internal, Program,
        "three workers died on the job without completing a section",
        "see the daemon's log; if memory ran out, use a smaller `size.bucket`; `framepackctl retry JOB` tries again";
    DAEMON_DIED "FP7102", Internal, Farm,
        "daemon died ten times while the job ran, without completing a section",
        "see the system log for what kills framepackd; `framepackctl retry JOB` tries again";
    WORKER_HUNG "FP7103", Hang, Farm,
        "worker made no progress for too long and was killed",
        "see the logs of the daemon and the kernel; a device that hangs often may need a newer driver";
    WORKER_OOM_KILLED "FP7104", Oom, Farm,
        "worker killed by the kernel because memory ran out",
        "lower `memory.host_budget_gb`, or free memory on the machine";

    WORKER_PROGRAM "FP7110", Internal, Farm,
        "worker program is missing or can't be executed",
        "install framepack-worker beside framepackd, or correct `worker.program`";
    WORKER_LIBRARY "FP7111", Internal, Farm,
        "worker program can't load a library that it needs",
        "install framepackd again, libtorch included (`make install`); `ldd` on the worker lists what is missing";
    WORKER_BUILD "FP7112", Internal, Farm,
        "worker program is of another build than framepackd",
        "install both from the same build, then restart framepackd";
    WORKER_START "FP7113", Internal, Farm,
        "worker program crashes while it starts",
        "see the daemon's log; install framepackd again if its files may be damaged";

    DEPENDENCY_FAILED "FP7201", Policy, Job,
        "job that it runs `after` ended without a video",
        "get job JOB rendered (`framepackctl retry JOB`, or submit it again), then submit this one again";
    DEPENDENCY_CIRCLE "FP7202", Policy, Job,
        "jobs wait for each other: their `after` keys form a cycle",
        "remove one of them from `after`, and submit them again";
    DEADLINE_PASSED "FP7203", Policy, Job,
        "`deadline` passed before the job started",
        "submit it again with a later `deadline` or a higher `priority`";

    DEVICE_DISABLED "FP7301", Gpu, Farm,
        "device disabled after repeated faults; it gets no more jobs",
        "fix the cause that the message names, then run `framepackctl gpu enable DEVICE`";
}
