//! A claimed file without an answer: what it was when it was taken, when it is looked at again, and why it waits.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    file::FileState,
    folder::{
        bundle::{Bundle, BundleError},
        claims::Claim,
        dropped::{self, Form, JobText, RETRY, ReadError, Wait},
    },
};

/// A claimed file without an answer.
#[derive(Debug)]
pub(crate) struct PendingFile {
    claim: Claim,
    /// What it is, if it is a bundle and open.
    bundle: Option<Bundle>,
    /// What it was when it was seen as finished; `None`: that is not held against it.
    seen: Option<FileState>,
    /// Its job file as it was read first.
    text: Option<JobText>,
    /// When it was claimed, or found by this daemon.
    since: Instant,
    /// The image that it waits for, once that is there.
    image: Option<PathBuf>,
    /// Why it has no answer, and when it is looked at again.
    wait: Wait,
    /// Whether the daemon itself is at fault, so that other files would fail, too.
    is_ours: bool,
}

impl PendingFile {
    pub(super) fn new(claim: Claim, seen: Option<FileState>) -> Self {
        let now = Instant::now();
        Self {
            claim,
            bundle: None,
            seen,
            text: None,
            since: now,
            image: None,
            wait: Wait {
                why: String::new(),
                until: now,
            },
            is_ours: false,
        }
    }

    pub(crate) fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(crate) fn into_claim(self) -> Claim {
        self.claim
    }

    /// Name under which it was dropped, for people.
    pub(crate) fn shown(&self) -> String {
        self.claim.name.display().to_string()
    }

    pub(super) fn bundle(&self) -> Option<&Bundle> {
        self.bundle.as_ref()
    }

    pub(super) fn image(&self) -> Option<&Path> {
        self.image.as_deref()
    }

    /// Why it has no answer.
    pub(super) fn why(&self) -> &str {
        &self.wait.why
    }

    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// How long it has been waiting.
    pub(super) fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.wait.until <= now
    }

    /// How long it need not be looked at.
    pub(super) fn patience(&self) -> Duration {
        self.wait.until.saturating_duration_since(Instant::now())
    }

    pub(super) fn awaits(&mut self, image: &Path) {
        self.image = Some(image.to_owned());
    }

    pub(super) fn later(self, wait: Wait) -> Self {
        Self {
            wait,
            is_ours: false,
            ..self
        }
    }

    /// The same after something that failed and may work next time.
    pub(super) fn again(self, why: String) -> Self {
        let until = Instant::now() + RETRY;
        self.later(Wait { why, until })
    }

    /// The same for something of the daemon's own that failed.
    pub(super) fn not_now(self, why: &str) -> Self {
        Self {
            is_ours: true,
            ..self.again(why.to_owned())
        }
    }

    /// Opens the file if it is a bundle; once. `bundles`: where archives are unpacked.
    pub(super) fn open(&mut self, bundles: &Path) -> Result<(), BundleError> {
        let form = match dropped::form(&self.claim.name) {
            Some(form) if form != Form::Text && self.bundle.is_none() => form,
            _ => return Ok(()),
        };
        let path = &self.claim.path;
        let bundle = Bundle::open(path, form, &bundles.join(&self.claim.id))?;
        if let (Some(seen), Ok(metadata)) = (&self.seen, path.symlink_metadata())
            && form != Form::Folder
            && !seen.is_same_content(&(&metadata).into())
        {
            return Err(BundleError::Changed);
        }
        // From now on it is its job file that must stay as it is.
        self.seen = None;
        self.bundle = Some(bundle);
        Ok(())
    }

    /// Reads the file, and checks that nobody has written to it since it was seen.
    pub(super) fn read(&mut self) -> Result<&str, ReadError> {
        let bundle = self.bundle.as_ref();
        let path = bundle.map_or(&self.claim.path, |bundle| &bundle.job);
        let read = JobText::read(path)?;
        let is_same = match (&self.text, &self.seen) {
            (Some(before), _) => read.is_same(before),
            (None, Some(seen)) => read.state.is_same_content(seen),
            (None, None) => true,
        };
        if !is_same {
            return Err(ReadError::Changed);
        }
        Ok(&self.text.insert(read).text)
    }
}
