//! 9xxx: anything else.

codes! {
    INTERNAL "FP9001", Internal, Program,
        "internal error of framepackd or framepackctl",
        "report it with the log";
}
