//! 4xxx: the job store.

codes! {
    STORE_REPAIRED "FP4001", State, Farm,
        "store or journal was damaged and has been repaired from the other",
        "no acknowledged job is missing; `framepackctl state acknowledge` removes this note";
    STORE_FAILED "FP4002", Resource, Farm,
        "store can't be written, so no job is accepted or started",
        "check the disk of `paths.state`; the daemon continues automatically";
    STORE_NO_SPACE "FP4003", Resource, Farm,
        "too little free space to open the store safely",
        "make room on the disk of `paths.state`, or lower `disk.floor_mib`; the daemon continues automatically";
    STORE_UNREADABLE "FP4004", State, Farm,
        "store can't be read, and its journal lacks the missing part",
        "save what can be read with `framepackctl state export`, then move the rest aside with `framepackctl state repair` (`framepackd state` while no daemon runs)";
    STORE_LOST "FP4005", State, Farm,
        "store and journal were both gone, so the list of jobs started empty",
        "claimed files become jobs again; `framepackctl state import` restores an export; `framepackctl state acknowledge` removes this note";
    DISK_FULL "FP4006", Resource, Farm,
        "too little free space for the next job, so the queue is paused",
        "make room, or lower `disk.reserve_mib`; the queue continues automatically";
}
