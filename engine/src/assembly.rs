//! Decoded sections joined to one video, as bytes as soon as nothing can change them any more.
//!
//! Neighbouring sections are decoded with an overlap over which they fade into each other. Only that many
//! frames at the growing end stay in floating point; FramePack keeps all of them and gets the same values.

use std::collections::VecDeque;

use tch::{Device, Tensor};

use crate::{
    error::Error,
    section::SectionOrder,
    video::frames::{soft_append, to_rgb24},
};

/// The axis of time in (B, C, F, H, W).
const TIME: i64 = 2;

/// A video that grows section by section.
#[derive(Debug)]
pub(crate) struct Assembly {
    order: SectionOrder,
    overlap_frames: i64,
    /// Frames that the next section will fade into, (1, 3, F, H, W) in the VAE's type on the CPU.
    open: Option<Tensor>,
    /// Finished frames in the order of time, packed RGB.
    finished: VecDeque<Vec<u8>>,
}

impl Assembly {
    /// An empty video whose sections fade over `overlap_frames`.
    pub(crate) fn new(order: SectionOrder, overlap_frames: i64) -> Self {
        Self {
            order,
            overlap_frames,
            open: None,
            finished: VecDeque::new(),
        }
    }

    /// Adds a decoded section, (1, 3, F, H, W), at the growing end.
    pub(crate) fn join(&mut self, decoded: &Tensor) -> Result<(), Error> {
        let decoded = decoded.to_device(Device::Cpu);
        let joined = match (self.open.take(), self.order) {
            (None, _) => decoded,
            (Some(later), SectionOrder::Backward) => {
                soft_append(&decoded, &later, self.overlap_frames)
            }
            (Some(earlier), SectionOrder::Forward) => {
                soft_append(&earlier, &decoded, self.overlap_frames)
            }
        };
        let settled_frames = joined.size()[2] - self.overlap_frames;
        match self.order {
            SectionOrder::Backward => {
                self.open = Some(joined.narrow(TIME, 0, self.overlap_frames).copy());
                let settled = joined.narrow(TIME, self.overlap_frames, settled_frames);
                self.finished.push_front(to_rgb24(&settled)?);
            }
            SectionOrder::Forward => {
                self.open = Some(
                    joined
                        .narrow(TIME, settled_frames, self.overlap_frames)
                        .copy(),
                );
                let settled = joined.narrow(TIME, 0, settled_frames);
                self.finished.push_back(to_rgb24(&settled)?);
            }
        }
        Ok(())
    }

    /// The whole video in the order of time: pieces of whole frames, packed RGB.
    pub(crate) fn finish(mut self) -> Result<VecDeque<Vec<u8>>, Error> {
        if let Some(open) = self.open {
            match self.order {
                SectionOrder::Backward => self.finished.push_front(to_rgb24(&open)?),
                SectionOrder::Forward => self.finished.push_back(to_rgb24(&open)?),
            }
        }
        Ok(self.finished)
    }
}
