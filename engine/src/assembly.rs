//! Decoded sections joined to one video, as bytes as soon as nothing can change them any more.
//!
//! Neighbouring sections are decoded with an overlap over which they fade into each other. Only that many
//! frames at the growing end stay in floating point; FramePack keeps all of them and gets the same values.
//! Blending and conversion run on the device that decodes: bytes are all that leaves it.

use tch::{Device, Kind, Tensor};

use crate::{
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
    /// Frames that the next section will fade into, (1, 3, F, H, W) in the VAE's type.
    open: Option<Tensor>,
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
        }
    }

    /// Adds a decoded section, (1, 3, F, H, W), at the growing end. Returns the frames that are finished by it; the host
    /// need not wait for the device before it reads them. If the device fails here, the video is as it was.
    pub(crate) fn join(&mut self, decoded: &Tensor, place: Place) -> Rgb24 {
        let open = self.open.as_ref();
        let open = open.map(|open| open.to_device(decoded.device()));
        let joined = match (&open, self.order) {
            (None, _) => decoded.shallow_clone(),
            (Some(later), SectionOrder::Backward) => {
                soft_append(decoded, later, self.overlap_frames)
            }
            (Some(earlier), SectionOrder::Forward) => {
                soft_append(earlier, decoded, self.overlap_frames)
            }
        };
        if place == Place::Last {
            let settled = Rgb24::new(&joined);
            self.open = None;
            return settled;
        }
        let settled_frames = joined.size()[2] - self.overlap_frames;
        let settled_start = match self.order {
            SectionOrder::Backward => self.overlap_frames,
            SectionOrder::Forward => 0,
        };
        let settled = joined.narrow(TIME, settled_start, settled_frames);
        let open = self.growing_end(&joined);
        let settled = Rgb24::new(&settled);
        self.open = Some(open);
        settled
    }

    /// Does for a few small frames what is done for sections of such a video, so that the device has all kernels of it.
    pub(crate) fn rehearse(&self, (kind, device): (Kind, Device)) {
        let frames = self.overlap_frames + 1;
        let channels_first = Tensor::zeros([1, 3, frames, 16, 16], (kind, device));
        let channels_last = Tensor::zeros([1, frames, 16, 16, 3], (kind, device));
        let channels_last = channels_last.permute([0, 4, 1, 2, 3]); // (1, 3, F, H, W)
        for decoded in [channels_first, channels_last] {
            let mut video = Self::new(self.order, self.overlap_frames);
            for place in [Place::Inner, Place::Inner, Place::Last] {
                video.join(&decoded, place);
            }
        }
    }

    /// Takes up a video whose newest section, decoded again, has all but its growing end finished. The section is so long
    /// that what it was joined to does not reach that end.
    pub(crate) fn reopen(&mut self, decoded: &Tensor) {
        self.open = Some(self.growing_end(decoded));
    }

    /// Makes room on the device.
    pub(crate) fn leave_device(&mut self) {
        self.open = self.open.take().map(|open| open.to_device(Device::Cpu));
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
