//! Programs that framepackctl starts: beside it, or on PATH, as git finds its commands.

use std::{
    env, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;

/// The program of this name.
pub(crate) fn find(name: &str) -> Result<PathBuf, ErrorBody> {
    let folder = own_folder().ok();
    let on_path = env::var_os("PATH").unwrap_or_default();
    let folders = folder.clone().into_iter().chain(env::split_paths(&on_path));
    let mut programs = folders.map(|folder| folder.join(name));
    programs.find(|program| is_program(program)).ok_or_else(|| {
        let beside = folder.map_or_else(String::new, |folder| {
            format!("neither in {} nor ", folder.display())
        });
        ErrorBody::new(Code::PROGRAM_MISSING, format!("{name} is {beside}on PATH"))
    })
}

/// The folder that framepackctl itself is in.
pub(crate) fn own_folder() -> io::Result<PathBuf> {
    let program = env::current_exe()?.canonicalize()?;
    Ok(program.parent().unwrap_or(Path::new("/")).to_owned())
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
