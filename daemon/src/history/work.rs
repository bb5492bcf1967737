//! How much there is to do for a video.

use framepack_jobs::{RenderPlan, sections_in};

use super::kind::Kind;

/// Pixels of a token's side.
const TOKEN_PX: f64 = 16.0;
/// Tokens of a section's context, in frames of its own: two whole ones, two of an eighth, and sixteen of a 64th.
const CONTEXT_FRAMES: f64 = 2.5;
/// Tokens of prompt and image.
const CONDITION_TOKENS: f64 = 1000.0;

/// How much there is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Work {
    /// Sections of the video.
    pub(super) sections: u32,
    /// Steps of a section.
    pub(super) steps: u32,
    /// What a step computes with, about.
    pub(super) tokens: f64,
    /// Pixels of all latent frames of a section, as they are shown.
    pub(super) section_pixels: f64,
}

impl Work {
    /// What a worker has found that it will do.
    pub(crate) fn of_plan(plan: &RenderPlan) -> Self {
        let pixels = f64::from(plan.width_px) * f64::from(plan.height_px);
        Self::new(
            plan.sections,
            plan.steps,
            [pixels, plan.latent_window.into()],
        )
    }

    /// What it will find.
    pub(super) fn foreseen(kind: &Kind) -> Self {
        let secs = kind.length_millis as f64 / 1000.0;
        let pixels = f64::from(kind.bucket_px).powi(2);
        let window = kind.latent_window.max(1);
        let sections = sections_in(secs, window);
        Self::new(sections, kind.steps, [pixels, window.into()])
    }

    fn new(sections: u32, steps: u32, [pixels, window]: [f64; 2]) -> Self {
        let frame_tokens = pixels / (TOKEN_PX * TOKEN_PX);
        Self {
            sections,
            steps,
            tokens: frame_tokens * (window + CONTEXT_FRAMES) + CONDITION_TOKENS,
            section_pixels: pixels * window,
        }
    }

    /// Steps of all sections.
    pub(super) fn all_steps(&self) -> f64 {
        f64::from(self.sections) * f64::from(self.steps)
    }

    /// Pixels of the latent frames of all sections.
    pub(super) fn all_pixels(&self) -> f64 {
        f64::from(self.sections) * self.section_pixels
    }
}
