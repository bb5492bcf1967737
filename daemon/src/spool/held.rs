//! A claimed file without an answer: what it was when it was taken, when it is looked at again, and why it waits.

use std::{
    ffi::OsString,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    bundle::{Bundle, BundleError},
    claim::Claim,
    name::{self, Form},
    read::{JobText, ReadError, WriteStamp},
};

/// When something of the daemon's own failed, it is tried again after this long.
pub(super) const RETRY: Duration = Duration::from_secs(2);

/// A claimed file without an answer.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) claim: Claim,
    /// What it is, if it is a bundle and open.
    pub(super) bundle: Option<Bundle>,
    /// What it was when it was seen as finished, or read first.
    seen: FirstSeen,
    /// When it was claimed, or found by this daemon.
    pub(super) since: Instant,
    pub(super) next_look: Instant,
    /// The image that it waits for, once that is there.
    pub(super) image: Option<OsString>,
    /// Why it has no answer.
    pub(super) why: String,
    /// Whether the daemon itself is at fault, so that other files would fail, too.
    is_ours: bool,
}

#[derive(Debug)]
enum FirstSeen {
    Never,
    WriteStamp(WriteStamp),
    Read(JobText),
}

impl Held {
    pub(super) fn new(claim: Claim, written: Option<WriteStamp>) -> Self {
        let now = Instant::now();
        Self {
            claim,
            bundle: None,
            seen: written.map_or(FirstSeen::Never, FirstSeen::WriteStamp),
            since: now,
            next_look: now,
            image: None,
            why: String::new(),
            is_ours: false,
        }
    }

    pub(super) fn file(&self) -> String {
        self.claim.name.display().to_string()
    }

    /// How long it need not be looked at.
    pub(super) fn wait(&self) -> Duration {
        self.next_look.saturating_duration_since(Instant::now())
    }

    pub(super) fn later(self, after: Duration, why: String) -> Self {
        Self {
            next_look: Instant::now() + after,
            why,
            is_ours: false,
            ..self
        }
    }

    /// The same for something of the daemon's own that failed.
    pub(super) fn not_now(self, why: &str) -> Self {
        Self {
            is_ours: true,
            ..self.later(RETRY, why.to_owned())
        }
    }

    /// Opens the file if it is a bundle; once. `bundles`: where archives are unpacked.
    pub(super) fn open(&mut self, bundles: &Path) -> Result<(), BundleError> {
        let form = match name::form(&self.claim.name) {
            Some(form) if form != Form::Text && self.bundle.is_none() => form,
            _ => return Ok(()),
        };
        let path = &self.claim.path;
        let bundle = Bundle::open(path, form, &bundles.join(&self.claim.id))?;
        if let (FirstSeen::WriteStamp(written), Ok(metadata)) =
            (&self.seen, path.symlink_metadata())
            && form != Form::Folder
            && *written != WriteStamp::from(&metadata)
        {
            return Err(BundleError::Changed);
        }
        // From now on it is its job file that must stay as it is.
        self.seen = FirstSeen::Never;
        self.bundle = Some(bundle);
        Ok(())
    }

    /// Reads the file, and checks that nobody has written to it since it was seen.
    pub(super) fn read(&mut self) -> Result<&JobText, ReadError> {
        let path = self
            .bundle
            .as_ref()
            .map_or(&self.claim.path, |bundle| &bundle.job);
        let text = JobText::read(path)?;
        let is_same = match &self.seen {
            FirstSeen::Never => true,
            FirstSeen::WriteStamp(written) => text.is_of(*written),
            FirstSeen::Read(before) => text == *before,
        };
        if !is_same {
            return Err(ReadError::Changed);
        }
        self.seen = FirstSeen::Read(text);
        match &self.seen {
            FirstSeen::Read(text) => Ok(text),
            _ => unreachable!("set above"),
        }
    }
}

/// Why no more files are taken for now: something of the daemon's own fails (a full disk, the store), and they
/// are better left where everybody sees them.
pub(super) fn blocker(held: &[Held]) -> Option<&str> {
    let held = held.iter().find(|held| held.is_ours);
    held.map(|held| held.why.as_str())
}
