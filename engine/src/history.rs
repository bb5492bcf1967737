//! The latents generated so far, and what the next section sees of them at each resolution.
//!
//! Upstream: `history_latents` of `demo_gradio.py` (new latents in front) and `demo_gradio_f1.py` (behind); the end
//! latent of FramePack-Studio and of diffusers' `HunyuanVideoFramepackPipeline`; keyframes as FramePack-eichi has them.

use tch::{Device, Kind, Tensor};

use crate::{
    guides::{EndMode, Guides},
    section::{CONTEXT_LATENT_FRAMES, Section, SectionOrder},
    transformer::Context,
};

/// The axis of time in (B, C, T, h, w).
const TIME: i64 = 2;

/// All latents of a video that exist, f32 on the CPU, in the order of time.
#[derive(Debug)]
pub struct LatentHistory {
    order: SectionOrder,
    /// The start image's latent, (1, C, 1, h, w).
    start: Tensor,
    /// (1, C, T, h, w): the video's latents, and zeros where the first section finds no history.
    latents: Tensor,
    /// How many of them belong to the video.
    video_latent_frames: i64,
    /// Sections that are there.
    sections: usize,
    guides: Guides,
}

impl LatentHistory {
    /// A history before the first section; `start`: (1, C, 1, h, w), scaled. A video that grows forward has no end latent
    /// among its guides.
    pub fn new(order: SectionOrder, start: &Tensor, guides: Guides) -> Self {
        let start = start.to_device(Device::Cpu).to_kind(Kind::Float);
        let context_latent_frames: i64 = CONTEXT_LATENT_FRAMES.iter().sum();
        let nothing = start
            .zeros_like()
            .repeat([1, 1, context_latent_frames, 1, 1]);
        let (latents, video_latent_frames) = match order {
            SectionOrder::Backward => (guides.before_the_first_section(nothing), 0),
            SectionOrder::Forward => (Tensor::cat(&[&nothing, &start], TIME), 1),
        };
        Self {
            order,
            start,
            latents,
            video_latent_frames,
            sections: 0,
            guides,
        }
    }

    /// What `section`, the next one, sees, on `device`.
    pub fn context(&self, section: &Section, device: Device) -> Context {
        let [one, two, four] = CONTEXT_LATENT_FRAMES;
        // The history nearest to the section is seen at full resolution, the farthest at a quarter.
        let [near, half, quarter] = match self.order {
            SectionOrder::Backward => self.parts(0, [one, two, four]),
            SectionOrder::Forward => {
                let start = self.latents.size()[2] - (one + two + four);
                let [quarter, half, near] = self.parts(start, [four, two, one]);
                [near, half, quarter]
            }
        };
        let start = self.guides.keyframe(self.sections).unwrap_or(&self.start);
        let near = match &self.guides.end {
            Some(end) if end.mode == EndMode::FirstSection && self.sections == 0 => &end.latent,
            _ => &near,
        };
        let clean = Tensor::cat(&[start, near], TIME);
        let placed = |latents: Tensor, indices: &[i64]| {
            Some((latents.to_device(device), positions(indices, device)))
        };
        Context {
            latent_indices: positions(&section.latent_indices, device),
            clean: placed(clean, &section.clean_latent_indices),
            clean_2x: placed(half, &section.clean_latent_2x_indices),
            clean_4x: placed(quarter, &section.clean_latent_4x_indices),
        }
    }

    /// Adds what `section` generated: (1, C, window, h, w) on any device.
    pub fn push(&mut self, section: &Section, generated: &Tensor) {
        let generated = generated.to_device(Device::Cpu);
        let joined = match self.order {
            SectionOrder::Backward if section.joins_start => {
                vec![&self.start, &generated, &self.latents]
            }
            SectionOrder::Backward => vec![&generated, &self.latents],
            SectionOrder::Forward => vec![&self.latents, &generated],
        };
        let before = self.latents.size()[2];
        self.latents = Tensor::cat(&joined, TIME);
        self.video_latent_frames += self.latents.size()[2] - before;
        self.sections += 1;
    }

    /// The latents to decode after `section`: the newest and their neighbours, (1, C, n, h, w).
    pub fn newest(&self, section: &Section) -> Tensor {
        let frames = section.decoded_latent_frames;
        let start = match self.order {
            SectionOrder::Backward => 0,
            SectionOrder::Forward => self.latents.size()[2] - frames,
        };
        self.latents.narrow(TIME, start, frames)
    }

    /// All latents of the video, (1, C, T, h, w).
    pub fn video(&self) -> Tensor {
        let start = match self.order {
            SectionOrder::Backward => 0,
            SectionOrder::Forward => self.latents.size()[2] - self.video_latent_frames,
        };
        self.latents.narrow(TIME, start, self.video_latent_frames)
    }

    /// Consecutive parts of the latents from `start` on, of the given lengths.
    fn parts(&self, mut start: i64, lengths: [i64; 3]) -> [Tensor; 3] {
        lengths.map(|length| {
            let part = self.latents.narrow(TIME, start, length);
            start += length;
            part
        })
    }
}

/// Frame positions as the transformer takes them, (1, n) i64.
fn positions(indices: &[i64], device: Device) -> Tensor {
    Tensor::from_slice(indices).unsqueeze(0).to_device(device)
}
