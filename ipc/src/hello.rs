//! The first message of a connection, and the daemon's answer. Part of [`crate::control`].

use framepack_jobs::Code;
use serde::{Deserialize, Serialize};

use crate::ErrorBody;

/// Version of the protocol. Within a version, keys and variants are only added.
///
/// 2: cancelling is a change, and what has many answers is asked for as a stream.
pub const CONTROL_PROTOCOL: u32 = 2;

/// The first message of a connection. It is the same in all versions, so that each can tell the other its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Greeting {
    /// Who asks. Answered by [`Response::Hello`](crate::control::Response::Hello).
    Hello(ClientInfo),
    /// Something else, which is refused.
    #[serde(other)]
    Other,
}

/// Who a client is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// [`CONTROL_PROTOCOL`] of the client.
    pub protocol: u32,
    /// Its version, for the log.
    pub version: String,
}

/// Who the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonInfo {
    /// [`CONTROL_PROTOCOL`] of the daemon.
    pub protocol: u32,
    /// Its version.
    pub version: String,
}

impl ClientInfo {
    /// This client, at `version`.
    pub fn new(version: &str) -> Self {
        Self {
            protocol: CONTROL_PROTOCOL,
            version: version.to_owned(),
        }
    }
}

impl Greeting {
    /// The daemon's answer: who it is, or why it won't talk.
    pub fn answer(&self, daemon_version: &str) -> Result<DaemonInfo, ErrorBody> {
        match self {
            Self::Hello(client) if client.protocol == CONTROL_PROTOCOL => Ok(DaemonInfo {
                protocol: CONTROL_PROTOCOL,
                version: daemon_version.to_owned(),
            }),
            Self::Hello(client) => {
                let message = format!(
                    "framepackctl {} speaks protocol {}, framepackd {daemon_version} speaks {CONTROL_PROTOCOL}",
                    client.version, client.protocol
                );
                Err(ErrorBody::new(Code::PROTOCOL_MISMATCH, message))
            }
            Self::Other => Err(ErrorBody::new(
                Code::PROTOCOL_MISMATCH,
                "the first message of a connection must be hello",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> Result<DaemonInfo, ErrorBody> {
        let greeting: Greeting = serde_json::from_str(line).unwrap();
        greeting.answer("0.1.0")
    }

    #[test]
    fn hello_is_refused_to_another_protocol_and_to_anything_else() {
        let same = Greeting::Hello(ClientInfo::new("1.2.3"));
        assert_eq!(same.answer("0.1.0").unwrap().version, "0.1.0");
        for (version, protocol) in [("0.1.0", 1), ("9.0.0", 3)] {
            let hello =
                format!(r#"{{"type":"hello","protocol":{protocol},"version":"{version}"}}"#);
            assert_eq!(
                answer(&hello).unwrap_err().message,
                format!(
                    "framepackctl {version} speaks protocol {protocol}, framepackd 0.1.0 speaks 2"
                )
            );
        }
        let refused = answer(r#"{"type":"ping"}"#).unwrap_err();
        assert_eq!(refused.code, Code::PROTOCOL_MISMATCH.as_str());
    }
}
