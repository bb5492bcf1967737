//! 6xxx: the video.

codes! {
    FILE_IO "FP6001", Io, Farm,
        "worker can't read or write a file",
        "check free space and permissions";
    VIDEO_IO "FP6010", Io, Farm,
        "video can't be written",
        "check free space and permissions of the output folder";
    VIDEO_SIZE "FP6011", Internal, Program,
        "size that H.264 can't encode",
        "choose another `size.bucket`";
    VIDEO_ENCODER "FP6012", Internal, Program,
        "encoder failed",
        "report it with the worker's log";
    VIDEO_FRAME_SIZE "FP6013", Internal, Program,
        "frame of another size than the video's",
        "report it with the worker's log";
    VIDEO_WITHOUT_FRAMES "FP6014", Internal, Program,
        "video without frames",
        "report it with the worker's log";
    VIDEO_MALFORMED "FP6015", Io, Farm,
        "written file is not a valid mp4",
        "check the disk: the file was damaged between writing and reading";
    VIDEO_DIFFERS "FP6016", Io, Farm,
        "video differs from what was written when it is read back",
        "check the disk: the file was damaged between writing and reading";
    VIDEO_UNDECODABLE "FP6017", Io, Farm,
        "`ffmpeg` can't decode the written video, but decodes one that is known to be good",
        "check the disk: the file was damaged between writing and reading";
    VIDEO_BLACK "FP6018", Numerics, Job,
        "every frame of the written video is black",
        "try another seed, or a brighter start image";
    DISK_FULL_MIDWAY "FP6020", Io, Farm,
        "disk is full in the middle of a job; the job waits and does not fail",
        "make room; the job continues automatically after its last complete section";
}
