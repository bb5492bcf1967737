//! Latents that lead a video beside its start image: of the picture on which it ends, and of pictures on its way.
//!
//! Sources: FramePack-Studio's "Original with Endframe", diffusers' `last_image` (`spec/sampling.md` §10), and
//! FramePack-eichi's keyframes of sections.

use std::{collections::BTreeMap, fmt, str::FromStr};

use tch::{Device, Kind, Tensor};

/// The latents of a video; none of them is part of the video itself. On the CPU, in f32.
#[derive(Debug, Default)]
pub struct Guides {
    /// Of the picture on which the video ends.
    pub(crate) end: Option<EndLatent>,
    /// By the section, in the order of generation from 0, whose start latent each replaces.
    keyframes: BTreeMap<usize, Tensor>,
}

/// Latent of the picture on which a video ends.
#[derive(Debug)]
pub(crate) struct EndLatent {
    /// (1, C, 1, h, w), scaled.
    pub(crate) latent: Tensor,
    pub(crate) mode: EndMode,
}

/// Which sections see the end latent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EndMode {
    /// It is the history's farthest frame: the first section sees it as its neighbour, later ones at half and quarter
    /// resolution. FramePack-Studio.
    #[default]
    History,
    /// The first section sees it as its neighbour, and no other sees it. diffusers.
    FirstSection,
}

impl Guides {
    /// The same with a latent, (1, C, 1, h, w), on which the video ends. With a strength below 1 it is that much weaker.
    #[must_use]
    pub fn with_end(mut self, latent: &Tensor, mode: EndMode, strength: f64) -> Self {
        self.end = Some(EndLatent {
            latent: on_cpu(latent) * strength,
            mode,
        });
        self
    }

    /// The same with a latent, (1, C, 1, h, w), that replaces the start latent in a section, in the order of generation
    /// from 0. A section has one: the last that is given.
    #[must_use]
    pub fn with_keyframe(mut self, section: usize, latent: &Tensor) -> Self {
        self.keyframes.insert(section, on_cpu(latent));
        self
    }

    /// A section's keyframe.
    pub(crate) fn keyframe(&self, section: usize) -> Option<&Tensor> {
        self.keyframes.get(&section)
    }

    /// The history that a video that grows backward begins with, (1, C, T, h, w), of `nothing` otherwise.
    pub(crate) fn before_the_first_section(&self, nothing: Tensor) -> Tensor {
        let Some(end) = self.end.as_ref().filter(|end| end.mode == EndMode::History) else {
            return nothing;
        };
        let behind = nothing.narrow(2, 1, nothing.size()[2] - 1);
        Tensor::cat(&[&end.latent, &behind], 2)
    }
}

impl EndMode {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::History, Self::FirstSection];

    fn as_str(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::FirstSection => "first_section",
        }
    }
}

impl fmt::Display for EndMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EndMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        found.ok_or_else(|| "expected history or first_section".to_owned())
    }
}

fn on_cpu(latent: &Tensor) -> Tensor {
    latent.to_device(Device::Cpu).to_kind(Kind::Float)
}
