//! 5xxx: the device, memory, and the daemon's files.

codes! {
    OUT_OF_MEMORY "FP5001", Oom, Farm,
        "out of memory; the device is still usable",
        "use a smaller `size.bucket`, or free memory on the device";
    DEVICE_FAILED "FP5002", Gpu, Farm,
        "device or driver failed; the worker is replaced",
        "see the kernel log for NVRM Xid messages";
    TORCH "FP5003", Internal, Program,
        "torch operation failed",
        "report it with the worker's log";
    NOT_A_NUMBER "FP5004", Numerics, Job,
        "NaN or Inf in latents or frames",
        "try another seed";
    DEVICE_MISSING "FP5005", Gpu, Farm,
        "no such device",
        "compare `worker.devices` in the configuration with `nvidia-smi`";
    ENGINE "FP5006", Internal, Program,
        "internal error of the engine",
        "report it with the worker's log";
    DEVICE_MEMORY_SHORT "FP5010", Oom, Farm,
        "too little device memory, even without the weights that can leave it",
        "stop other programs on the device, or use a smaller `size.bucket`";
    IMAGE_NOT_COPIED "FP5011", Io, Farm,
        "image can't be copied into `paths.state`",
        "check the free space of `paths.state`";
    IMAGE_NOT_READ "FP5012", Io, Job,
        "daemon can't read the image",
        "check that the daemon's user may read the file";
    JOB_FILE_NOT_READ "FP5013", Io, Job,
        "daemon can't read the job file",
        "check that the daemon's user may read the file";
    OUTPUT_FOLDER "FP5014", Io, Farm,
        "output folder can't be created",
        "check that the daemon's user may write to `paths.outputs`, and its free space";
    BUNDLE_NOT_UNPACKED "FP5015", Io, Farm,
        "job bundle can't be unpacked into `paths.state`",
        "check free space and permissions of `paths.state`";
    HOST_OUT_OF_MEMORY "FP5016", Oom, Farm,
        "out of host memory; the worker is still usable",
        "free memory on the machine, lower `memory.host_budget_gb`, or use a smaller `size.bucket`";
    OUTPUT_NAME_REFUSED "FP5017", Input, Job,
        "file system of `paths.outputs` refuses the name of the video or of its folder",
        "use letters, digits, `.`, `_` and `-` in `output.dir` and `output.name`, and shorter names";
    STATE_WITHOUT_LOCKS "FP5018", Resource, Farm,
        "file system of `paths.state` has no file locks",
        "set `paths.state` to a folder on a local disk with a file system of Linux";
    JOBS_FOLDER_GONE "FP5020", State, Farm,
        "jobs folder is gone or can't be read",
        "mount or recreate it; queued jobs keep running, and the folder is read again when it is back";
    FILES_NOT_TAKEN "FP5021", State, Job,
        "files have waited in the jobs folder for longer than `spool.alarm_secs`",
        "complete, fix or remove them; STATUS.txt lists them with the reasons";
    GPU_DRIVER "FP5022", Gpu, Farm,
        "GPU can't be used: NVIDIA's driver is not loaded, or does not match its libraries",
        "reboot after an update of the driver; otherwise see `nvidia-smi`, `dkms status` and the kernel log";
    SHARE_SILENT "FP5023", Io, Farm,
        "file system does not answer, so jobs with files there wait",
        "check the server and network of that mount; everything continues automatically when it answers again";
    GPU_GONE "FP5024", Gpu, Farm,
        "GPU that this farm needs is not there; jobs wait instead of being rendered on the CPU",
        "check the card, or what passes it into the container or virtual machine; `worker.devices: cpu` renders on the CPU all the same";
    CLOCK_DOUBTED "FP5025", State, Farm,
        "system clock is far from the time that the daemon knows of, so no deadline passes and nothing is removed for its age",
        "set the clock or wait until it is synchronised; if it is right, run `framepackctl state acknowledge`";
    ATTENTION_BACKEND "FP5030", Policy, Farm,
        "attention backend that was asked for is not available on the device",
        "choose one that the message lists, or none";

    DOES_NOT_FIT "FP5101", Oom, Job,
        "job does not fit on the device",
        "use a smaller `size.bucket`, or free memory on the device";
    PRESERVED_MEMORY "FP5102", Oom, Job,
        "job does not fit with as much memory kept free as its own `memory.preserve_gb` requires",
        "lower `memory.preserve_gb`, or set it to auto";
    SPLIT_TOO_LARGE "FP5103", Oom, Job,
        "requested resident blocks and slots do not fit on the device",
        "ask for fewer resident blocks or fewer slots";
    SPLIT_IMPOSSIBLE "FP5104", Input, Job,
        "requested resident blocks and slots are impossible for this model",
        "use 0 to all blocks as resident ones, and at least one slot for the others";
    HOST_MEMORY "FP5105", Oom, Farm,
        "too little host memory may be page-locked to stream weights",
        "raise `memory.host_budget_gb`, or free memory on the host";
}
