//! The bytes of one file, over as many connections as it takes.

use std::{io::Read, path::PathBuf, sync::atomic::Ordering};

use ureq::{
    Body,
    http::{HeaderName, Response, StatusCode, header},
};

use super::{
    error::FetchError, file::Fetch, partial::Partial, plan::Planned, progress::FileProgress,
};
use crate::{
    api::{Answer, ApiError, Resume, again, keep, of_read},
    hash::Digests,
    output::size,
};

const BUFFER_BYTES: usize = 256 << 10;

impl Fetch<'_> {
    /// All bytes of a file, over as many connections as it takes.
    pub(super) fn to_the_end(
        &self,
        planned: &Planned<'_>,
        shown: &FileProgress<'_>,
    ) -> Result<(Digests, PathBuf), FetchError> {
        let mut partial = Partial::open(&planned.place, planned.file, |_| ())?;
        let mut resume = Resume::default();
        let (mut failures, mut furthest) = (0, partial.at());
        let mut has_rest = true;
        while partial.missing() > 0 {
            shown.set(partial.at());
            resume.from = if has_rest { partial.at() } else { 0 };
            let error = match self.go_on(planned, &mut partial, &mut resume, shown) {
                Ok(()) => continue,
                Err(FetchError::Api(error)) => error,
                Err(other) => return Err(other),
            };
            // What drips comes to no end.
            if partial.at() > furthest && !matches!(error, ApiError::Slow { .. }) {
                (failures, furthest) = (0, partial.at());
            }
            failures += 1;
            // Of a server that does not give the rest all of it may be had.
            has_rest = !matches!(error, ApiError::Misfit { .. }) || failures < 2;
            let Some(pause) = self.client.patience.pause(failures, &error) else {
                return Err(error.into());
            };
            self.progress.note(&again(&error, pause));
            if self.stop.wait(pause) {
                return Err(FetchError::Stopped);
            }
        }
        partial.finish()
    }

    /// Bytes from where the file is now, until the connection ends.
    fn go_on(
        &self,
        planned: &Planned<'_>,
        partial: &mut Partial<'_>,
        resume: &mut Resume,
        shown: &FileProgress<'_>,
    ) -> Result<(), FetchError> {
        let (name, commit) = (planned.listing.repository.name, &*planned.listing.commit);
        let Answer { response, host } = self
            .client
            .file((name, commit, &planned.file.path), resume)?;
        let start = starts_at(&response);
        let length = response.body().content_length();
        // Nothing is given up for an answer that can't be the file.
        let rest = start.and_then(|start| planned.file.bytes.checked_sub(start));
        let is_rest = rest.is_some() && length.is_none_or(|length| Some(length) == rest);
        match start {
            Some(start) if is_rest && start == partial.at() => {}
            Some(0) if is_rest => partial.restart()?,
            _ => {
                return Err(ApiError::Misfit {
                    what: shown.name().to_owned(),
                    host,
                    said: described(&response, planned.file.bytes),
                }
                .into());
            }
        }
        resume.etag = strong_etag(&response);
        self.append(Answer { response, host }, partial, shown)
    }

    fn append(
        &self,
        Answer { response, host }: Answer,
        partial: &mut Partial<'_>,
        shown: &FileProgress<'_>,
    ) -> Result<(), FetchError> {
        let mut reader = response.into_body().into_reader().take(partial.missing());
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut pace = self.client.pace();
        loop {
            if self.stop.is_set() {
                return Err(FetchError::Stopped);
            }
            let broken = |reason: String| ApiError::Broken {
                what: shown.name().to_owned(),
                host: host.clone(),
                reason,
            };
            let read = reader.read(&mut buffer);
            match read.map_err(|error| broken(of_read(&error)))? {
                0 if partial.missing() > 0 => {
                    let (at, missing) = (partial.at(), partial.missing());
                    return Err(broken(format!(
                        "it ended after {}, before the last {}",
                        size(at),
                        size(missing)
                    ))
                    .into());
                }
                0 => return Ok(()),
                length => {
                    partial.append(&buffer[..length])?;
                    let came = length as u64;
                    self.came_bytes.fetch_add(came, Ordering::Relaxed);
                    shown.came(came, partial.at());
                    keep(&mut pace, length, (shown.name(), &host))?;
                }
            }
        }
    }
}

/// The first byte that an answer has: a server may ignore from where it was asked.
fn starts_at(response: &Response<Body>) -> Option<u64> {
    // Other bytes than the file's own, though those were asked for.
    if said(response, header::CONTENT_ENCODING).is_some_and(|it| it != "identity") {
        return None;
    }
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Some(0);
    }
    let range = said(response, header::CONTENT_RANGE)?;
    let (start, _) = range.trim().strip_prefix("bytes ")?.split_once('-')?;
    start.trim().parse().ok()
}

/// The version of what was answered, if the server stands by it.
fn strong_etag(response: &Response<Body>) -> Option<String> {
    let etag = said(response, header::ETAG)?;
    etag.starts_with('"').then(|| etag.to_owned())
}

fn said(response: &Response<Body>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// What was answered instead of the bytes of a file that has so many.
fn described(response: &Response<Body>, bytes: u64) -> String {
    let status = response.status();
    let length = response.body().content_length();
    let mut text = match length {
        Some(length) => format!("{status} with {length} bytes"),
        None => format!("{status}"),
    };
    for (name, words) in [
        (header::CONTENT_RANGE, "as"),
        (header::CONTENT_TYPE, "of"),
        (header::CONTENT_ENCODING, "packed by"),
    ] {
        match said(response, name.clone()) {
            Some(value) => text = format!("{text} {words} {value}"),
            None if name == header::CONTENT_RANGE && status == StatusCode::PARTIAL_CONTENT => {
                text += " without saying which";
            }
            None => {}
        }
    }
    format!("{text}; the file has {bytes}")
}
