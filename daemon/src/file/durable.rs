//! Files that a crash leaves whole, and folders that remember them.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Makes the entries of a folder durable, where that can be asked for: some shares write them by themselves, and refuse.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    match File::open(dir)?.sync_all() {
        Err(error) if is_not_supported(&error) => Ok(()),
        synced => synced,
    }
}

/// Whether a file system says that it does not know a request, and not that the request failed.
fn is_not_supported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

/// Writes a file so that it is either all there or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// The same, and durable when this returns.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    write_whole(path, content)?;
    path.parent().map_or(Ok(()), sync_dir)
}
