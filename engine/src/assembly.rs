//! Decoded sections joined to one video, as bytes as soon as nothing can change them any more.
//!
//! Neighbouring sections are decoded with an overlap over which they fade into each other. Only that many
//! frames at the growing end stay in floating point; FramePack keeps all of them and gets the same values.
//! Blending and conversion run on the device that decodes: bytes are all that leaves it.

use std::path::Path;

use tch::Tensor;

use crate::{
    error::Error,
    section::SectionOrder,
    video::{
        frames::{Rgb24, soft_append},
        pieces::Pieces,
    },
};

/// The axis of time in (B, C, F, H, W).
const TIME: i64 = 2;

/// A video that grows section by section.
#[derive(Debug)]
pub(crate) struct Assembly {
    order: SectionOrder,
    overlap_frames: i64,
    /// Frames that the next section will fade into, (1, 3, F, H, W) in the VAE's type on its device.
    open: Option<Tensor>,
    /// Finished frames that are still on the device.
    settled: Option<Rgb24>,
    /// Finished frames.
    finished: Pieces,
}

impl Assembly {
    /// An empty video whose sections fade over `overlap_frames`; what is finished is kept in `work_dir`.
    pub(crate) fn new(
        order: SectionOrder,
        overlap_frames: i64,
        work_dir: &Path,
    ) -> Result<Self, Error> {
        Ok(Self {
            order,
            overlap_frames,
            open: None,
            settled: None,
            finished: Pieces::in_folder(work_dir)?,
        })
    }

    /// Adds a decoded section, (1, 3, F, H, W), at the growing end. The host need not wait for the device;
    /// [`fetch`](Self::fetch) does, and comes before the next section. If the device fails here, the video is as it
    /// was.
    pub(crate) fn join(&mut self, decoded: &Tensor) {
        let joined = match (&self.open, self.order) {
            (None, _) => decoded.shallow_clone(),
            (Some(later), SectionOrder::Backward) => {
                soft_append(decoded, later, self.overlap_frames)
            }
            (Some(earlier), SectionOrder::Forward) => {
                soft_append(earlier, decoded, self.overlap_frames)
            }
        };
        let settled_frames = joined.size()[2] - self.overlap_frames;
        let (open_start, settled_start) = match self.order {
            SectionOrder::Backward => (0, self.overlap_frames),
            SectionOrder::Forward => (settled_frames, 0),
        };
        let open = joined.narrow(TIME, open_start, self.overlap_frames);
        let settled = joined.narrow(TIME, settled_start, settled_frames);
        let open = open.copy(); // a view would keep all frames
        self.settled = Some(Rgb24::new(&settled));
        self.open = Some(open);
    }

    /// Takes what is finished from the device; fails if a frame is not a number.
    pub(crate) fn fetch(&mut self) -> Result<(), Error> {
        if let Some(settled) = self.settled.take() {
            self.push(&settled.read()?)?;
        }
        Ok(())
    }

    /// The whole video.
    pub(crate) fn finish(mut self) -> Result<Pieces, Error> {
        self.fetch()?;
        if let Some(open) = self.open.take() {
            self.push(&Rgb24::new(&open).read()?)?;
        }
        Ok(self.finished)
    }

    /// Adds finished frames at the growing end.
    fn push(&mut self, frames: &[u8]) -> Result<(), Error> {
        match self.order {
            SectionOrder::Backward => self.finished.push_front(frames),
            SectionOrder::Forward => self.finished.push_back(frames),
        }
    }
}
