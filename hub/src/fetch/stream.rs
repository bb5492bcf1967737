//! The bytes of one file, over as many connections as it takes.

use std::{io::Read, path::PathBuf, sync::atomic::Ordering, thread};

use ureq::{
    Body,
    http::{Response, StatusCode, header},
};

use super::{
    error::FetchError, file::Fetch, partial::Partial, plan::Planned, progress::FileProgress,
};
use crate::{
    api::{ApiError, Resume, again, of_read},
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
        while partial.missing() > 0 {
            shown.set(partial.at());
            let error = match self.go_on(planned, &mut partial, &mut resume, shown) {
                Ok(()) => continue,
                Err(FetchError::Api(error)) => error,
                Err(other) => return Err(other),
            };
            if partial.at() > furthest {
                (failures, furthest) = (0, partial.at());
            }
            failures += 1;
            let Some(pause) = self.client.patience.pause(failures, &error) else {
                return Err(error.into());
            };
            self.progress.note(&again(&error, pause));
            thread::sleep(pause);
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
        resume.from = partial.at();
        let (name, commit) = (planned.listing.repository.name, &*planned.listing.commit);
        let response = self
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
            _ => return Err(unexpected(shown.name(), start, length, planned.file.bytes).into()),
        }
        resume.etag = strong_etag(&response);
        self.append(response, partial, shown)
    }

    fn append(
        &self,
        response: Response<Body>,
        partial: &mut Partial<'_>,
        shown: &FileProgress<'_>,
    ) -> Result<(), FetchError> {
        let mut reader = response.into_body().into_reader().take(partial.missing());
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(FetchError::Stopped);
            }
            let broken = |reason: String| ApiError::Broken {
                what: shown.name().to_owned(),
                host: "the server".to_owned(),
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
                    shown.came(length as u64, partial.at());
                }
            }
        }
    }
}

/// The first byte that an answer has: a server may ignore from where it was asked.
fn starts_at(response: &Response<Body>) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Some(0);
    }
    let range = response
        .headers()
        .get(header::CONTENT_RANGE)?
        .to_str()
        .ok()?;
    let (start, _) = range.trim().strip_prefix("bytes ")?.split_once('-')?;
    start.trim().parse().ok()
}

/// The version of what was answered, if the server stands by it.
fn strong_etag(response: &Response<Body>) -> Option<String> {
    let etag = response.headers().get(header::ETAG)?.to_str().ok()?;
    etag.starts_with('"').then(|| etag.to_owned())
}

fn unexpected(what: &str, start: Option<u64>, length: Option<u64>, bytes: u64) -> ApiError {
    let (start, length) = (start.unwrap_or_default(), length.unwrap_or_default());
    ApiError::Unexpected {
        what: what.to_owned(),
        host: "the server".to_owned(),
        said: format!("{length} bytes from byte {start} on, of {bytes} in all"),
    }
}
