//! Variables as `huggingface_hub` reads them: blank ones count as not set, and in paths `~`, `$NAME` and `${NAME}` are
//! what the shell would make of them (Python's `expanduser` and `expandvars`).

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use nix::unistd::User;

/// Where values come from.
pub(super) struct Variables<'v> {
    pub(super) find: &'v dyn Fn(&str) -> Option<OsString>,
    /// Of the user, where `HOME` does not say it.
    pub(super) home: Option<PathBuf>,
}

impl Variables<'_> {
    /// A text; bytes that are none are replaced, so that whatever checks the text refuses it.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.set(name)?;
        Some(value.to_string_lossy().trim().to_owned())
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.expanded(&self.set(name)?))
    }

    /// As in `HF_HUB_OFFLINE=1`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        let value = self.text(name).unwrap_or_default().to_ascii_uppercase();
        matches!(&*value, "1" | "ON" | "YES" | "TRUE")
    }

    /// The user's folder.
    pub(super) fn home(&self) -> Option<PathBuf> {
        let said = self.set("HOME").map(PathBuf::from);
        said.or_else(|| self.home.clone())
    }

    fn set(&self, name: &str) -> Option<OsString> {
        let value = (self.find)(name)?;
        (!value.as_bytes().trim_ascii().is_empty()).then_some(value)
    }

    fn expanded(&self, value: &OsStr) -> PathBuf {
        let with_home = self.with_home(value);
        let path = self.with_values(with_home.as_os_str().as_bytes());
        OsString::from_vec(path).into()
    }

    /// `~` and `~NAME` at the start are folders of users, if there are such.
    fn with_home(&self, value: &OsStr) -> PathBuf {
        let whole = Path::new(value);
        let Some(after) = value.as_bytes().strip_prefix(b"~") else {
            return whole.to_owned();
        };
        let end = after.iter().position(|byte| *byte == b'/');
        let (name, below) = after.split_at(end.unwrap_or(after.len()));
        let home = match str::from_utf8(name) {
            Ok("") => self.home(),
            Ok(name) => User::from_name(name).ok().flatten().map(|user| user.dir),
            Err(_) => None,
        };
        let below = below.strip_prefix(b"/").unwrap_or_default();
        match home {
            Some(home) if below.is_empty() => home,
            Some(home) => home.join(OsStr::from_bytes(below)),
            None => whole.to_owned(),
        }
    }

    /// `$NAME` and `${NAME}` are values, if they are set.
    fn with_values(&self, text: &[u8]) -> Vec<u8> {
        let (mut expanded, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
            let (before, from) = rest.split_at(at);
            let (name, said) = reference(from);
            let value = str::from_utf8(name).ok().and_then(|name| (self.find)(name));
            expanded.extend(before);
            match value {
                Some(value) => expanded.extend(value.as_bytes()),
                None => expanded.extend(&from[..said]),
            }
            rest = &from[said..];
        }
        expanded.extend(rest);
        expanded
    }
}

/// The name behind a `$`, and how many bytes refer to it, the `$` included.
fn reference(from: &[u8]) -> (&[u8], usize) {
    let after = &from[1..];
    let is_closed = |inner: &[u8]| inner.iter().position(|byte| *byte == b'}');
    if let Some(inner) = after.strip_prefix(b"{")
        && let Some(end) = is_closed(inner)
    {
        return (&inner[..end], 1 + 1 + end + 1);
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = after.iter().position(|byte| !is_name(byte));
    let end = end.unwrap_or(after.len());
    (&after[..end], 1 + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_expanded_as_python_does() {
        let find = |name: &str| match name {
            "HOME" => Some("/h".into()),
            "disk" => Some("/mnt".into()),
            "bytes" => Some(OsString::from_vec(b"/\xff".into())),
            _ => None,
        };
        let variables = Variables {
            find: &find,
            home: None,
        };
        for (value, path) in [
            ("~", "/h"),
            ("~/", "/h"),
            ("~/a/~", "/h/a/~"),
            ("~no.such.user/a", "~no.such.user/a"),
            ("$disk/a", "/mnt/a"),
            ("${disk}a$disk", "/mnta/mnt"),
            ("/a/$unset/${unset}/$/${disk", "/a/$unset/${unset}/$/${disk"),
            ("$HOME/y", "/h/y"),
            ("x/~", "x/~"),
        ] {
            let expanded = variables.expanded(OsStr::new(value));
            assert_eq!(expanded, Path::new(path), "{value}");
        }
        let bytes = variables.path("bytes").unwrap();
        assert_eq!(bytes.as_os_str().as_bytes(), b"/\xff");
    }
}
