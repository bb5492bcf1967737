//! Decoded sections joined to one video, as bytes as soon as nothing can change them any more.
//!
//! Neighbouring sections are decoded with an overlap over which they fade into each other. Only that many
//! frames at the growing end stay in floating point; FramePack keeps all of them and gets the same values.
//! Blending and conversion run on the device that decodes: bytes are all that leaves it.

use tch::Tensor;

use crate::{
    error::Error,
    section::SectionOrder,
    video::frames::{Rgb24, soft_append},
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
}

/// Which section is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Another one fades into it.
    Inner,
    /// Nothing comes after it.
    Last,
}

impl Assembly {
    /// An empty video whose sections fade over `overlap_frames`.
    pub(crate) fn new(order: SectionOrder, overlap_frames: i64) -> Self {
        Self {
            order,
            overlap_frames,
            open: None,
            settled: None,
        }
    }

    /// Adds a decoded section, (1, 3, F, H, W), at the growing end. The host need not wait for the device;
    /// [`fetch`](Self::fetch) does, and comes before the next section. If the device fails here, the video is as it
    /// was.
    pub(crate) fn join(&mut self, decoded: &Tensor, place: Place) {
        let joined = match (&self.open, self.order) {
            (None, _) => decoded.shallow_clone(),
            (Some(later), SectionOrder::Backward) => {
                soft_append(decoded, later, self.overlap_frames)
            }
            (Some(earlier), SectionOrder::Forward) => {
                soft_append(earlier, decoded, self.overlap_frames)
            }
        };
        if place == Place::Last {
            self.settled = Some(Rgb24::new(&joined));
            self.open = None;
            return;
        }
        let settled_frames = joined.size()[2] - self.overlap_frames;
        let settled_start = match self.order {
            SectionOrder::Backward => self.overlap_frames,
            SectionOrder::Forward => 0,
        };
        let settled = joined.narrow(TIME, settled_start, settled_frames);
        let open = self.growing_end(&joined);
        self.settled = Some(Rgb24::new(&settled));
        self.open = Some(open);
    }

    /// Takes up a video whose newest section, decoded again, has all but its growing end finished. The section is so long
    /// that what it was joined to does not reach that end.
    pub(crate) fn reopen(&mut self, decoded: &Tensor) {
        self.open = Some(self.growing_end(decoded));
    }

    /// Takes what is finished from the device, packed RGB; fails if a frame is not a number.
    pub(crate) fn fetch(&mut self) -> Result<Vec<u8>, Error> {
        let settled = self.settled.take();
        settled.map_or(Ok(Vec::new()), |settled| settled.read())
    }

    /// The frames that the next section fades into.
    fn growing_end(&self, frames: &Tensor) -> Tensor {
        let start = match self.order {
            SectionOrder::Backward => 0,
            SectionOrder::Forward => frames.size()[2] - self.overlap_frames,
        };
        let end = frames.narrow(TIME, start, self.overlap_frames);
        end.copy() // a view would keep all frames
    }
}
