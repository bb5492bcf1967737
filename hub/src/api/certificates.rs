//! Certificates that the user names: without them no host is trusted, and the client does not say why.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;

use crate::failure::Failure;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Checks those of this process.
pub(super) fn check_named() -> Result<(), Failure> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let folders = named("SSL_CERT_DIR").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let file = named("SSL_CERT_FILE").map(PathBuf::from);
    check(file.as_deref(), &folders)
}

/// Whether `SSL_CERT_FILE` and `SSL_CERT_DIR` have certificates, where they are set.
fn check(file: Option<&Path>, folders: &[PathBuf]) -> Result<(), Failure> {
    if let Some(file) = file {
        let reason = match fs::read(file) {
            Ok(text) if String::from_utf8_lossy(&text).contains(BEGIN) => return Ok(()),
            Ok(_) => format!("has no certificate: there is no line {BEGIN}"),
            Err(error) => format!("can't be read: {error}"),
        };
        return Err(refused("SSL_CERT_FILE", file, &reason));
    }
    let reads = folders.iter().map(|folder| (folder, fs::read_dir(folder)));
    let failed: Option<Vec<_>> = reads
        .map(|(folder, read)| Some((folder, read.err()?)))
        .collect();
    match failed.as_ref().and_then(|failed| failed.first()) {
        Some((folder, error)) => {
            let reason = format!("can't be read: {error}");
            Err(refused("SSL_CERT_DIR", folder, &reason))
        }
        None => Ok(()),
    }
}

fn refused(variable: &str, path: &Path, reason: &str) -> Failure {
    let message = format!("{variable} names {}, which {reason}", path.display());
    let hint = format!("correct {variable}, or unset it to use the system's certificates");
    ErrorBody::new(Code::USAGE, message).hint(hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_that_is_there_does() {
        let (there, gone) = (PathBuf::from("/"), PathBuf::from("/none"));
        assert!(check(None, &[]).is_ok());
        assert!(check(None, &[gone.clone(), there]).is_ok());
        assert!(check(None, &[gone]).is_err());
    }
}
