//! What a shell sources, so that it calls framepackctl back.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use clap_complete::{Shell, env::Shells};

use super::VARIABLE;

const PROGRAM: &str = "framepackctl";
/// Bash takes `=` and `:` for ends of words, which clap's own script does not undo.
const BASH: &str = include_str!("framepackctl.bash");

/// The script for a shell.
pub(crate) fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let completer = completer();
    if shell == Shell::Bash {
        // No path has a zero byte, which alone can't be quoted.
        let quoted = framepack_ipc::text::shell_quoted(Path::new(&completer));
        let script = BASH
            .replace("PROGRAM", &quoted)
            .replace("VARIABLE", VARIABLE);
        return Ok(script.into_bytes());
    }
    let name = shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&name).ok_or_else(|| {
        let message = format!("{name} can't be completed");
        io::Error::new(io::ErrorKind::Unsupported, message)
    })?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, PROGRAM, PROGRAM, &completer, &mut script)?;
    Ok(script)
}

/// As it was called: by its name, which stays right when it is installed elsewhere, or by a path.
fn completer() -> String {
    let called = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    if called.components().count() < 2 {
        return PROGRAM.to_owned();
    }
    let path = std::path::absolute(&called).unwrap_or(called);
    path.to_string_lossy().into_owned()
}
