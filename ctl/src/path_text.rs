//! Paths in what framepackctl writes.

use std::path::Path;

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;

/// As YAML quotes it: JSON is YAML.
///
/// # Errors
///
/// It is not UTF-8, as YAML is.
pub(crate) fn yaml(path: &Path) -> Result<String, ErrorBody> {
    let Some(text) = path.to_str() else {
        let path = path.display();
        let message = format!("{path} is not UTF-8, as job files and configurations are");
        return Err(ErrorBody::new(Code::USAGE, message).hint("rename it"));
    };
    Ok(serde_json::Value::from(text).to_string())
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    #[test]
    fn a_path_is_quoted_or_refused_and_never_bent() {
        assert_eq!(
            yaml(Path::new("/my \"cat\": 猫")).unwrap(),
            r#""/my \"cat\": 猫""#
        );
        let latin = Path::new(OsStr::from_bytes(b"/\xe9t\xe9.jpg"));
        assert_eq!(yaml(latin).unwrap_err().code, Code::USAGE);
    }
}
