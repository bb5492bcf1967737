//! Why a connection failed, in words of our own where the client's are of its inside.

use std::{error::Error as _, io};

use ureq::Timeout;

/// Why a request brought nothing.
pub(super) fn of_request(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => of_read(error),
        ureq::Error::Timeout(timeout) => of_timeout(*timeout).to_owned(),
        ureq::Error::HostNotFound => "no host of that name is known".to_owned(),
        ureq::Error::Rustls(error) => error.to_string(),
        ureq::Error::Protocol(error) => format!("the answer is no proper HTTP: {error}"),
        _ => chain(error),
    }
}

/// Why the bytes of an answer ended.
pub(crate) fn of_read(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(error) => of_request(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was closed too early".to_owned()
        }
        None => error.to_string(),
    }
}

fn of_timeout(timeout: Timeout) -> &'static str {
    match timeout {
        Timeout::Resolve | Timeout::Connect => "no connection came about in time (see --timeout)",
        Timeout::PerRead | Timeout::RecvBody => "no more bytes came in time (see --timeout)",
        _ => "no answer came in time (see --timeout)",
    }
}

/// An error with those that caused it, each told once.
fn chain(error: &ureq::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !told.contains(&reason) {
            told = format!("{told}: {reason}");
        }
        cause = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_those_of_the_client() {
        let timeout = || ureq::Error::Timeout(Timeout::PerRead);
        let wrapped = io::Error::other(timeout());
        assert_eq!(of_read(&wrapped), of_request(&timeout()));
        let refused = ureq::Error::Io(io::ErrorKind::ConnectionRefused.into());
        for (error, says) in [
            (timeout(), "no more bytes came in time"),
            (
                ureq::Error::Timeout(Timeout::RecvResponse),
                "no answer came in time",
            ),
            (
                ureq::Error::Timeout(Timeout::Connect),
                "no connection came about in time",
            ),
            (ureq::Error::HostNotFound, "no host of that name"),
            (refused, "connection refused"),
        ] {
            assert!(of_request(&error).starts_with(says), "{error}");
        }
    }
}
