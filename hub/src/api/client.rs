//! Requests to the Hub: redirects are followed here, because the token is for the Hub's own host alone.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use jiff::{Timestamp, fmt::rfc2822};
use ureq::{
    Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use url::Url;

use super::{
    agents::Agents,
    certificates,
    error::{ApiError, host},
    pace::Pace,
    patience::Patience,
    reason,
};
use crate::{
    environment::{Environment, Token},
    failure::Failure,
    output::tell,
};

const MAX_REDIRECTS: usize = 10;
/// A page of a listing has at most a thousand files.
const MAX_TEXT_BYTES: u64 = 64 << 20;
/// What is told of a page that is none of the Hub's.
const TOLD_CHARS: usize = 120;

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For a connection, for an answer, and for the next byte.
    pub(crate) timeout: Duration,
    /// And how often something is asked for again.
    pub(crate) patience: Patience,
}

/// Speaks to one Hub.
#[derive(Debug)]
pub(crate) struct Client {
    agents: Agents,
    endpoint: Url,
    /// What the Hub gets as `Authorization`.
    token: Option<HeaderValue>,
    timeout: Duration,
    pub(crate) patience: Patience,
}

/// What was answered, and by whom.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response<Body>,
    pub(crate) host: String,
}

/// Where an answer is to begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resume {
    /// The first byte.
    pub(crate) from: u64,
    /// The version of the file that the bytes before are of, where that is known.
    pub(crate) etag: Option<String>,
}

impl Client {
    pub(crate) fn new(environment: &Environment, limits: Limits) -> Result<Self, Failure> {
        if environment.endpoint.scheme() == "https" {
            certificates::check_named()?;
        }
        Ok(Self {
            agents: Agents::new(limits.timeout)?,
            endpoint: environment.endpoint.clone(),
            token: environment.token.as_ref().map(Token::header).transpose()?,
            timeout: limits.timeout,
            patience: limits.patience,
        })
    }

    /// The address of something on the Hub.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            let parts = segments.iter().flat_map(|segment| segment.split('/'));
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// A text from the Hub, `what` to the user; asked for until it comes or fails for good.
    pub(super) fn text(&self, url: &Url, what: &str) -> Result<(String, HeaderMap), ApiError> {
        self.patience.insist(tell, || self.text_once(url, what))
    }

    fn text_once(&self, url: &Url, what: &str) -> Result<(String, HeaderMap), ApiError> {
        let Answer { response, host } = self.get(url, what, &Resume::default())?;
        let (parts, body) = response.into_parts();
        let mut reader = body.into_reader().take(MAX_TEXT_BYTES);
        let broken = |reason: String| ApiError::Broken {
            what: what.to_owned(),
            host: host.clone(),
            reason,
        };
        let (mut text, mut buffer, mut pace) = (Vec::new(), vec![0; 64 << 10], self.pace());
        loop {
            let read = reader.read(&mut buffer);
            let read = read.map_err(|error| broken(reason::of_read(&error)))?;
            if read == 0 {
                break;
            }
            text.extend_from_slice(&buffer[..read]);
            keep(&mut pace, read, (what, &host))?;
        }
        let text = String::from_utf8(text).map_err(|error| broken(error.to_string()))?;
        Ok((text, parts.headers))
    }

    /// For one answer.
    pub(crate) fn pace(&self) -> Pace {
        Pace::new(self.timeout)
    }

    /// The bytes of a file from `resume` on; the answer's status says whether they begin there (206) or at the start.
    pub(crate) fn file(
        &self,
        (repository, commit, path): (&str, &str, &str),
        resume: &Resume,
    ) -> Result<Answer, ApiError> {
        let url = self.url(&[repository, "resolve", commit, path]);
        self.get(&url, &format!("{repository}/{path}"), resume)
    }

    fn get(&self, url: &Url, what: &str, resume: &Resume) -> Result<Answer, ApiError> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask(&url, what, resume)?;
            let status = response.status();
            let to = response.headers().get(header::LOCATION);
            let to = to.and_then(|to| to.to_str().ok());
            match to {
                Some(to) if status.is_redirection() => {
                    url = redirected(&url, to).ok_or_else(|| ApiError::Unexpected {
                        what: what.to_owned(),
                        host: host(&url),
                        said: format!("a redirect to {to:?}"),
                    })?;
                }
                _ if status.is_success() => {
                    let host = host(&url);
                    return Ok(Answer { response, host });
                }
                _ => return Err(self.refused(&url, what, &response)),
            }
        }
        Err(ApiError::Unexpected {
            what: what.to_owned(),
            host: host(&url),
            said: format!("more than {MAX_REDIRECTS} redirects"),
        })
    }

    fn ask(&self, url: &Url, what: &str, resume: &Resume) -> Result<Response<Body>, ApiError> {
        let (agent, through) = self.agents.of(url);
        // What is hashed and counted are the file's own bytes.
        let mut request = agent
            .get(url.as_str())
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(token) = self.token.as_ref().filter(|_| self.is_hub(url)) {
            request = request.header(header::AUTHORIZATION, token);
        }
        if resume.from > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", resume.from));
            if let Some(etag) = &resume.etag {
                request = request.header(header::IF_RANGE, etag);
            }
        }
        request
            .call()
            .map_err(|error| ApiError::unreachable(url, what, through, &error))
    }

    /// Whether an address is on the Hub itself: scheme, host and port.
    fn is_hub(&self, url: &Url) -> bool {
        url.origin() == self.endpoint.origin()
    }

    fn refused(&self, url: &Url, what: &str, response: &Response<Body>) -> ApiError {
        let status = response.status();
        let (what, host, said) = (what.to_owned(), host(url), said(response));
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ApiError::Denied {
                what,
                host,
                said,
                has_token: self.token.is_some(),
            },
            StatusCode::NOT_FOUND | StatusCode::GONE => ApiError::NotFound { what, host, said },
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => ApiError::Busy {
                what,
                host,
                said,
                retry_after: retry_after(response.headers(), Timestamp::now()),
            },
            _ if status.is_server_error() => ApiError::Busy {
                what,
                host,
                said,
                retry_after: retry_after(response.headers(), Timestamp::now()),
            },
            // Of a server that has less of the file than we have.
            StatusCode::RANGE_NOT_SATISFIABLE => ApiError::Misfit { what, host, said },
            _ => ApiError::Unexpected { what, host, said },
        }
    }
}

/// Where a redirect leads; nothing but HTTP is spoken.
fn redirected(url: &Url, to: &str) -> Option<Url> {
    let to = url.join(to).ok()?;
    matches!(to.scheme(), "http" | "https").then_some(to)
}

/// Fails when bytes come too slowly.
pub(crate) fn keep(
    pace: &mut Pace,
    read: usize,
    (what, host): (&str, &str),
) -> Result<(), ApiError> {
    pace.came(read, Instant::now())
        .map_err(|bytes| ApiError::Slow {
            what: what.to_owned(),
            host: host.to_owned(),
            bytes,
            window: pace.window(),
        })
}

/// The status, and what the Hub says of it in words.
fn said(response: &Response<Body>) -> String {
    let status = response.status();
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.chars().take(TOLD_CHARS).collect::<String>())
    };
    match header("x-error-message").or_else(|| header("x-error-code")) {
        Some(words) => format!("{status}, {words}"),
        None => status.to_string(),
    }
}

/// In seconds, or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = value.parse() {
        return Some(Duration::from_secs(secs));
    }
    let then = rfc2822::parse(value).ok()?.timestamp();
    // A date that has passed: now.
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

/// A Hub that may not be asked.
pub(crate) fn offline(what: &str) -> Failure {
    let error = format!("{what}, and HF_HUB_OFFLINE forbids to ask the Hub");
    ErrorBody::new(Code::HUB_OFFLINE, error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_says_in_seconds_or_by_the_clock_when_to_ask_again() {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        let read = |value: &str| {
            let headers = [(header::RETRY_AFTER, value.parse().unwrap())];
            retry_after(&headers.into_iter().collect(), now).map(|it| it.as_secs())
        };
        assert_eq!(read(" 30 "), Some(30));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(read("Sun, 06 Nov 1994 09:49:00 GMT"), Some(3600));
        assert_eq!(read("Sun, 06 Nov 1994 08:48:00 GMT"), Some(0));
        assert_eq!(read("soon"), None);
    }
}
