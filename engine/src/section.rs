//! Which latent frames each section makes and sees: integers, decided before the first step.
//!
//! FramePack (arXiv:2504.12626) generates a video section by section, each seeing the start image and the
//! latents nearest to it at full (1x), half (2x) and quarter (4x) resolution. FramePack itself works backward
//! from the end of the video ("inverted anti-drifting"), FramePack-F1 forward from the start.
//! Upstream: the section loops of `demo_gradio.py` and `demo_gradio_f1.py`.

use std::ops::Range;

pub use framepack_jobs::sections_in;
use serde::Serialize;

/// Latent frames of history that a section sees at full, half and quarter resolution.
pub const CONTEXT_LATENT_FRAMES: [i64; 3] = [1, 2, 16];

/// Frame rate of every video.
pub(crate) const FRAMES_PER_SECOND: u32 = 30;

/// Pixel frames for each latent frame but a video's first, which makes one.
pub(crate) const FRAMES_PER_LATENT: i64 = 4;

/// The direction in which a video grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionOrder {
    /// FramePack: the last section first, each joined before the latents that exist.
    Backward,
    /// FramePack-F1: the first section first, each joined behind the latents that exist.
    Forward,
}

/// One section: positions in time, as the transformer's rotary embedding counts them, and what to decode after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Frames to generate.
    pub latent_indices: Vec<i64>,
    /// The start image and the nearest history frame.
    pub clean_latent_indices: Vec<i64>,
    /// History at half resolution.
    pub clean_latent_2x_indices: Vec<i64>,
    /// History at quarter resolution.
    pub clean_latent_4x_indices: Vec<i64>,
    /// Whether the start image's latent joins the video in front of this section's.
    pub joins_start: bool,
    /// How many latent frames, at the end where the video grows, are decoded after this section.
    pub decoded_latent_frames: i64,
}

/// All sections of a video in the order of generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionPlan {
    /// The direction.
    pub order: SectionOrder,
    /// Latent frames that a section generates.
    pub latent_window: i64,
    /// The sections.
    pub sections: Vec<Section>,
}

impl SectionPlan {
    /// The plan of a video of `count` sections (at least 1) of `latent_window` latent frames (at least 1).
    pub fn new(order: SectionOrder, count: u32, latent_window: u32) -> Self {
        let window = i64::from(latent_window);
        let sections = match order {
            SectionOrder::Backward => backward(count, window),
            SectionOrder::Forward => forward(count, window),
        };
        Self {
            order,
            latent_window: window,
            sections,
        }
    }

    /// Those that are made first, as they are in the whole: the end of a video that grows backward, the beginning of another.
    pub(crate) fn first(&self, count: u32) -> Self {
        let sections = self.sections.iter().take(count as usize);
        Self {
            sections: sections.cloned().collect(),
            ..self.clone()
        }
    }

    /// Latent frames of the video, the start image's among them where a section joins it.
    pub fn latent_frames(&self) -> i64 {
        let joins_start = self.sections.iter().any(|section| section.joins_start);
        self.latent_window * self.sections.len() as i64 + i64::from(joins_start)
    }

    /// The latents that are decoded after the section with this index, as positions that mean the same after every
    /// section: from the video's first latent on, or where it grows backward from its end, below zero.
    pub(crate) fn decoded(&self, index: usize) -> Range<i64> {
        let sections = &self.sections[..=index];
        let joins_start = sections.iter().any(|section| section.joins_start);
        let there = self.latent_window * sections.len() as i64 + i64::from(joins_start);
        let decoded = sections[index].decoded_latent_frames;
        match self.order {
            SectionOrder::Backward => -there..decoded - there,
            SectionOrder::Forward => there - decoded..there,
        }
    }

    /// Pixel frames of the video.
    pub fn frames(&self) -> u32 {
        pixel_frames(self.latent_frames()) as u32
    }

    /// Pixel frames over which two decoded sections are blended.
    pub fn overlap_frames(&self) -> i64 {
        pixel_frames(self.latent_window)
    }
}

/// Pixel frames that a causal decoder makes from a run of latent frames, at least one.
pub(crate) fn pixel_frames(latent_frames: i64) -> i64 {
    FRAMES_PER_LATENT * (latent_frames - 1) + 1
}

/// `start | blank | generated | 1x | 2x | 4x`: the history lies in the future.
fn backward(count: u32, window: i64) -> Vec<Section> {
    let [one, two, four] = CONTEXT_LATENT_FRAMES;
    let last = count as usize - 1;
    let section = |(number, blank_windows): (usize, i64)| {
        let [start, _blank, latent, near, half, quarter] =
            consecutive([1, blank_windows * window, window, one, two, four]);
        let joins_start = number == last;
        Section {
            latent_indices: latent,
            clean_latent_indices: [start, near].concat(),
            clean_latent_2x_indices: half,
            clean_latent_4x_indices: quarter,
            joins_start,
            // Two windows, so that the new one is decoded with its neighbour's context and blended over it.
            decoded_latent_frames: window * (number as i64 + 1).min(2) + i64::from(joins_start),
        }
    };
    blank_windows(count)
        .into_iter()
        .enumerate()
        .map(section)
        .collect()
}

/// Windows left blank between the start image and each section, in the order of generation.
///
/// Beyond four sections the true distance is not given; upstream found that at most three blanks work better.
fn blank_windows(count: u32) -> Vec<i64> {
    let count = i64::from(count);
    if count <= 4 {
        return (0..count).rev().collect();
    }
    let middle = std::iter::repeat_n(2, count as usize - 3);
    std::iter::once(3).chain(middle).chain([1, 0]).collect()
}

/// `start | 4x | 2x | 1x | generated`: the history lies in the past; every section has the same positions.
fn forward(count: u32, window: i64) -> Vec<Section> {
    let [one, two, four] = CONTEXT_LATENT_FRAMES;
    let [start, quarter, half, near, latent] = consecutive([1, four, two, one, window]);
    let first = Section {
        latent_indices: latent,
        clean_latent_indices: [start, near].concat(),
        clean_latent_2x_indices: half,
        clean_latent_4x_indices: quarter,
        joins_start: true,
        decoded_latent_frames: window + 1,
    };
    let later = Section {
        joins_start: false,
        decoded_latent_frames: 2 * window,
        ..first.clone()
    };
    std::iter::once(first)
        .chain(std::iter::repeat_n(later, count as usize - 1))
        .collect()
}

/// Ranges of the given lengths, one behind the other, from 0.
fn consecutive<const N: usize>(lengths: [i64; N]) -> [Vec<i64>; N] {
    let mut next = 0;
    lengths.map(|length| {
        let range = (next..next + length).collect();
        next += length;
        range
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference's plans, as ranges `[first, last]`.
    fn reference() -> serde_json::Value {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/parity/data/sections.json"
        );
        serde_json::from_slice(&std::fs::read(path).expect(path)).expect(path)
    }

    fn both_orders() -> [SectionOrder; 2] {
        [SectionOrder::Backward, SectionOrder::Forward]
    }

    fn assert_indices(section: &Section, wanted: &serde_json::Value) {
        let range = |name: &str| -> Vec<i64> {
            let ends: [i64; 2] = serde_json::from_value(wanted[name].clone()).expect(name);
            (ends[0]..=ends[1]).collect()
        };
        assert_eq!(section.latent_indices, range("latent"), "{wanted}");
        assert_eq!(
            serde_json::json!(section.clean_latent_indices),
            wanted["clean"],
            "{wanted}"
        );
        assert_eq!(
            section.clean_latent_2x_indices,
            range("clean_2x"),
            "{wanted}"
        );
        assert_eq!(
            section.clean_latent_4x_indices,
            range("clean_4x"),
            "{wanted}"
        );
    }

    #[test]
    fn lengths_become_the_reference_number_of_sections() {
        for case in reference()["seconds"].as_array().expect("a list") {
            let secs = case["seconds"].as_f64().expect("a number");
            let window = case["window"].as_u64().expect("a number") as u32;
            assert_eq!(
                u64::from(sections_in(secs, window)),
                case["sections"],
                "{case}"
            );
        }
    }

    #[test]
    fn indices_are_the_reference() {
        let reference = reference();
        for case in reference["backward"].as_array().expect("a list") {
            let window = case["window"].as_u64().expect("a number") as u32;
            let blank = case["padding"].as_u64().expect("a number") as usize;
            let plan = SectionPlan::new(SectionOrder::Backward, 4, window);
            assert_indices(&plan.sections[3 - blank], case);
        }
        for case in reference["forward"].as_array().expect("a list") {
            let window = case["window"].as_u64().expect("a number") as u32;
            for section in &SectionPlan::new(SectionOrder::Forward, 5, window).sections {
                assert_indices(section, case);
            }
        }
    }

    #[test]
    fn distances_and_frames_are_the_reference_for_60_lengths() {
        let reference = reference();
        let videos = reference["videos"].as_array().expect("a list");
        assert_eq!(videos.len(), 60);
        for (count, video) in (1..).zip(videos) {
            let plan = SectionPlan::new(SectionOrder::Backward, count, 9);
            let blank: Vec<i64> = plan
                .sections
                .iter()
                .map(|s| (s.latent_indices[0] - 1) / 9)
                .collect();
            assert_eq!(serde_json::json!(blank), video["paddings"]);
            for order in both_orders() {
                assert_eq!(
                    serde_json::json!(SectionPlan::new(order, count, 9).frames()),
                    video["frames_window_9"]
                );
            }
        }
    }

    /// Decoding and blending section by section gives exactly the frames that the plan promises.
    #[test]
    fn decoded_frames_add_up() {
        for order in both_orders() {
            for (count, window) in (1..=60).flat_map(|n| [(n, 1), (n, 2), (n, 3), (n, 9), (n, 17)])
            {
                let plan = SectionPlan::new(order, count, window);
                assert_eq!(plan.sections.len(), count as usize);
                let (mut latents, mut frames) = (0, 0);
                for (number, section) in plan.sections.iter().enumerate() {
                    latents += plan.latent_window + i64::from(section.joins_start);
                    assert!(section.decoded_latent_frames <= latents);
                    let overlap = if number == 0 {
                        0
                    } else {
                        plan.overlap_frames()
                    };
                    assert!(overlap <= frames, "the blend lies within what is decoded");
                    frames += pixel_frames(section.decoded_latent_frames) - overlap;
                    assert_eq!(
                        frames,
                        pixel_frames(latents),
                        "no frame is missing and none doubled"
                    );
                }
                assert_eq!(latents, plan.latent_frames());
                assert_eq!(plan.frames(), 4 * window * count + 1);
                assert_eq!(frames, i64::from(plan.frames()));
            }
        }
    }

    #[test]
    fn the_start_joins_where_the_video_begins() {
        for count in 1..=60 {
            let joins = |order| -> Vec<usize> {
                let sections = SectionPlan::new(order, count, 9).sections;
                (0..sections.len())
                    .filter(|&i| sections[i].joins_start)
                    .collect()
            };
            assert_eq!(joins(SectionOrder::Backward), [count as usize - 1]);
            assert_eq!(joins(SectionOrder::Forward), [0]);
        }
    }
}
