//! What is wrong with a command line, which may have been pasted.

use std::process;

use clap::Error;
use framepack_ipc::text::harmless;

use crate::output::remark;

/// Prints the help, or what is wrong, and ends the process. A terminal obeys nothing in what was typed.
pub(super) fn tell(error: &Error) -> ! {
    let text = error.render().to_string();
    let shown = harmless(&text);
    if shown == text {
        error.exit();
    }
    remark(shown.trim_end());
    process::exit(error.exit_code())
}
