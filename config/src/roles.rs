//! `socket`: who may do what through the daemon's socket.

use std::{fmt, str::FromStr};

use framepack_yaml::{Mistake, Node};
use serde::{Serialize, Serializer};

use crate::reader::Reader;

/// Who has which role. `None` = the daemon's default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SocketRoles {
    /// Everything, the farm as a whole included. Default: root and the daemon's own user.
    pub admin: Option<Vec<Principal>>,
    /// Submitting and changing jobs. Default: everybody who may open the socket.
    pub submit: Option<Vec<Principal>>,
    /// Looking. Default: everybody who may open the socket.
    pub read: Option<Vec<Principal>>,
}

/// A user or a group of the system, by name or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// `alice` or `1000`
    User(String),
    /// `@artists` or `@1000`
    Group(String),
}

/// Text that names neither a user nor a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a user (`alice`) nor a group (`@artists`)")]
pub struct NoPrincipal(String);

impl SocketRoles {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            admin: reader.list("socket.admin", None, principals),
            submit: reader.list("socket.submit", None, principals),
            read: reader.list("socket.read", None, principals),
        }
    }
}

/// A user or group, or a list of them, which may be empty: nobody.
fn principals(node: &Node) -> Result<Option<Vec<Principal>>, Mistake> {
    if matches!(node, Node::List(items) if items.is_empty()) {
        return Ok(Some(Vec::new()));
    }
    let parsed = node.texts()?.into_iter().map(str::parse);
    let principals: Result<_, NoPrincipal> = parsed.collect();
    principals
        .map(Some)
        .map_err(|error| Mistake::out_of_range(error.to_string()))
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Principal {
    type Err = NoPrincipal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, principal): (_, fn(String) -> Self) = match text.strip_prefix('@') {
            Some(group) => (group, Self::Group),
            None => (text, Self::User),
        };
        let is_name = !name.is_empty()
            && !name.starts_with('-')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c));
        is_name
            .then(|| principal(name.to_owned()))
            .ok_or_else(|| NoPrincipal(text.to_owned()))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => f.write_str(name),
            Self::Group(name) => write!(f, "@{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups() {
        let user: Principal = "alice".parse().unwrap();
        assert_eq!(user, Principal::User("alice".to_owned()));
        let group: Principal = "@1000".parse().unwrap();
        assert_eq!(group, Principal::Group("1000".to_owned()));
        assert_eq!(group.to_string(), "@1000");
        for text in ["", "@", "a b", "-x", "@@x", "*"] {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
    }
}
