//! What can go wrong between us and the Hub, and what a user can do about it.

use std::time::Duration;

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use ureq::http::StatusCode;
use url::Url;

use super::{proxy::Named, reason};

/// A request that brought nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No answer at all.
    #[error("{host} can't be reached for {what}: {reason}")]
    Unreachable {
        what: String,
        host: String,
        reason: String,
    },
    /// No answer through a proxy.
    #[error("{host} can't be reached through {}: {reason}", .proxy.name)]
    NotThrough {
        host: String,
        reason: String,
        proxy: Proxied,
    },
    /// A proxy that does not let us through.
    #[error("{} does not connect to {host}: {said}", .proxy.name)]
    ProxyRefused {
        host: String,
        said: StatusCode,
        proxy: Proxied,
    },
    /// Somebody who can't show to be the Hub.
    #[error("{host} is not trusted: {reason}")]
    Untrusted { host: String, reason: String },
    /// An answer that stopped in the middle.
    #[error("connection to {host} broke off while fetching {what}: {reason}")]
    Broken {
        what: String,
        host: String,
        reason: String,
    },
    /// A byte now and then.
    #[error("{host} gives {what} too slowly: {bytes} bytes in {:.1} s", window.as_secs_f64())]
    Slow {
        what: String,
        host: String,
        bytes: u64,
        window: Duration,
    },
    /// Later, perhaps.
    #[error("{host} refused {what} for now: {said}")]
    Busy {
        what: String,
        host: String,
        said: String,
        retry_after: Option<Duration>,
    },
    /// Not to us.
    #[error("{host} does not give {what} to us: {said}")]
    Denied {
        what: String,
        host: String,
        said: String,
        has_token: bool,
    },
    /// It does not have it.
    #[error("{host} has no {what}: {said}")]
    NotFound {
        what: String,
        host: String,
        said: String,
    },
    /// Not the bytes that were asked for; a few times that passes.
    #[error("unexpected answer of {host} about {what}: {said}")]
    Misfit {
        what: String,
        host: String,
        said: String,
    },
    /// Not what the Hub answers.
    #[error("unexpected answer of {host} about {what}: {said}")]
    Unexpected {
        what: String,
        host: String,
        said: String,
    },
}

/// What a request went through.
#[derive(Debug)]
pub(crate) struct Proxied {
    /// For the user.
    name: String,
    /// Which variable names it.
    variable: String,
}

impl ApiError {
    /// A request to `url` that got no answer.
    pub(super) fn unreachable(
        url: &Url,
        what: &str,
        through: Option<&Named>,
        error: &ureq::Error,
    ) -> Self {
        let (host, reason) = (host(url), reason::of_request(error));
        if is_of_certificate(error) {
            return Self::Untrusted { host, reason };
        }
        let Some(through) = through else {
            let what = what.to_owned();
            return Self::Unreachable { what, host, reason };
        };
        let proxy = Proxied {
            name: through.to_string(),
            variable: through.variable.clone(),
        };
        match proxy_status(error) {
            Some(said) => Self::ProxyRefused { host, said, proxy },
            None => Self::NotThrough {
                host,
                reason,
                proxy,
            },
        }
    }

    /// Whether the same request may succeed a little later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::NotThrough { .. }
            | Self::Broken { .. }
            | Self::Slow { .. }
            | Self::Busy { .. }
            | Self::Misfit { .. } => true,
            Self::ProxyRefused { said, .. } => said.is_server_error(),
            Self::Untrusted { .. }
            | Self::Denied { .. }
            | Self::NotFound { .. }
            | Self::Unexpected { .. } => false,
        }
    }

    /// When the server wants to be asked again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<ApiError> for ErrorBody {
    fn from(error: ApiError) -> Self {
        let message = error.to_string();
        match error {
            ApiError::Unreachable { .. } | ApiError::Broken { .. } | ApiError::Slow { .. } => {
                Self::new(Code::HUB_UNREACHABLE, message)
            }
            ApiError::NotThrough { proxy, .. } => {
                let variable = proxy.variable;
                Self::new(Code::HUB_UNREACHABLE, message).hint(format!(
                    "check the proxy, and {variable}; a host in NO_PROXY is asked without it; the same command goes on \
                     where it stopped"
                ))
            }
            ApiError::ProxyRefused { proxy, said, .. } => {
                let variable = proxy.variable;
                let hint = if said == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                    format!(
                        "it wants a login: set {variable}=http://USER:PASSWORD@HOST:PORT, with signs as %40 for @"
                    )
                } else {
                    format!(
                        "ask whoever runs the proxy to allow CONNECT to the host, or except the host in NO_PROXY, or \
                         correct {variable}"
                    )
                };
                Self::new(Code::HUB_UNREACHABLE, message).hint(hint)
            }
            ApiError::Untrusted { .. } => Self::new(Code::HUB_ANSWER, message).hint(
                "if a proxy of your network answers in its place, name the file with its certificate in SSL_CERT_FILE; else \
                 install the system's certificates (ca-certificates), and check HF_ENDPOINT",
            ),
            ApiError::Busy { .. } => Self::new(Code::HUB_BUSY, message),
            ApiError::Denied { has_token, .. } => {
                let body = Self::new(Code::HUB_DENIED, message);
                if !has_token {
                    return body;
                }
                body.hint(
                    "open the repository's page, accept its licence there, and check that the token in HF_TOKEN may \
                     read it; then run the same command again",
                )
            }
            ApiError::NotFound { .. } => Self::new(Code::HUB_NOT_FOUND, message),
            ApiError::Misfit { .. } | ApiError::Unexpected { .. } => Self::new(Code::HUB_ANSWER, message),
        }
    }
}

/// Whether a certificate is missing, wrong or unknown: the next attempt would meet the same.
fn is_of_certificate(error: &ureq::Error) -> bool {
    let error = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    matches!(
        error,
        Some(
            rustls::Error::General(_)
                | rustls::Error::InvalidCertificate(_)
                | rustls::Error::NoCertificatesPresented
        )
    )
}

/// What a proxy answered that was to connect us: its client has that in words only.
fn proxy_status(error: &ureq::Error) -> Option<StatusCode> {
    let ureq::Error::ConnectProxyFailed(said) = error else {
        return None;
    };
    let (_, status) = said.rsplit_once('/')?;
    status.parse().ok()
}

/// Host and port, as far as they are said.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::CertificateError;

    use super::*;

    #[test]
    fn certificate_that_is_not_known_is_not_tried_again() {
        let url = "https://hub.example/".parse().unwrap();
        let inner = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = ureq::Error::Io(io::Error::new(io::ErrorKind::InvalidData, inner));
        let error = ApiError::unreachable(&url, "a", None, &wrapped);
        assert!(!error.is_passing(), "{error}");
        assert_eq!(ErrorBody::from(error).code, Code::HUB_ANSWER);
        let reset = ureq::Error::Io(io::ErrorKind::ConnectionReset.into());
        assert!(ApiError::unreachable(&url, "a", None, &reset).is_passing());
    }
}
