//! `forward video`: a whole section loop on prepared inputs, FramePack's backward or FramePack-F1's forward.
//!
//! - `noise`: (N, 1, C, T, h, w), a section's each, in the order of generation
//! - `start_latent`, and if the video is to end on a picture `end_latent`: (1, C, 1, h, w), scaled
//! - `keyframe_latents`: (K, 1, C, 1, h, w), and `keyframe_sections`: (K) i64, in the order of generation from 0
//! - the transformer's text and image arguments; with a leading (P) if several prompts are given, of which `section_prompt`,
//!   (N) i64, names that of each section. `negative_` arguments are those of one prompt for all.
//!
//! It gives `latents`: (1, C, 1 + N·T, h, w) in the order of time, the start latent first.

use anyhow::{Context as _, bail, ensure};
use framepack_engine::{
    guides::{EndMode, Guides},
    history::LatentHistory,
    sampler::Guided,
    section::{SectionOrder, SectionPlan},
    transformer::Conditioning,
    weights::ModelSource,
};
use tch::{Device, Kind, Tensor};

use super::{component::Common, sampling::SamplingFlags, transformer::conditioning};
use crate::cli::tensors::{Inputs, Outputs};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Sections of the video
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    sections: u32,
    /// Which section is made first
    #[arg(long, value_enum, default_value_t = Order::Backward)]
    order: Order,
    /// Which sections see the end latent
    #[arg(long, value_name = "MODE", default_value_t = EndMode::History)]
    end_mode: EndMode,
    #[command(flatten)]
    sampling: SamplingFlags,
}

/// The direction in which the video grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Order {
    /// The last section first (FramePack)
    Backward,
    /// The first section first (FramePack-F1)
    Forward,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        self.common
            .run(Kind::BFloat16, |model, inputs| self.forward(model, inputs))
    }

    fn forward(&self, model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
        let noise = inputs.exact("noise")?;
        let start = inputs.exact("start_latent")?;
        let guides = self.guides(inputs)?;
        let prompts = self.prompts(inputs)?;
        let negative = self.sampling.negative(inputs, &prompts.conditionings[0])?;
        inputs.finish()?;
        let size = noise.size();
        ensure!(
            size.len() == 6 && size[0] == i64::from(self.sections),
            "noise has the shape {size:?}, expected ({}, 1, C, T, h, w)",
            self.sections
        );

        let order = match self.order {
            Order::Backward => SectionOrder::Backward,
            Order::Forward => SectionOrder::Forward,
        };
        let plan = SectionPlan::new(order, self.sections, size[3] as u32);
        let sampler = self.sampling.open(model, inputs, &size[1..])?;
        let mut history = LatentHistory::new(order, &start, guides);
        let mut schedule = None;
        for (number, section) in plan.sections.iter().enumerate() {
            let prompt = prompts.of_sections[number];
            let (_, schedule) = match schedule.take() {
                Some((of, kept)) if of == prompt => schedule.insert((of, kept)),
                _ => schedule.insert((
                    prompt,
                    sampler.schedule(Guided {
                        positive: &prompts.conditionings[prompt],
                        negative: negative.as_ref(),
                    }),
                )),
            };
            let context = history.context(section, inputs.device());
            let (latents, _) = sampler.section(&noise.get(number as i64), schedule, &context);
            history.push(section, &latents);
        }
        Ok(vec![("latents", history.video())])
    }

    fn guides(&self, inputs: &Inputs) -> anyhow::Result<Guides> {
        let mut guides = Guides::default();
        if let Some(end) = inputs.exact_or_none("end_latent")? {
            ensure!(
                self.order == Order::Backward,
                "end_latent: a video that grows forward can't be made to end on a picture"
            );
            guides = guides.with_end(&end, self.end_mode, 1.);
        }
        let keyframes = inputs.exact_or_none("keyframe_latents")?;
        let sections = inputs.indices_or_none("keyframe_sections")?;
        let (keyframes, sections) = match (keyframes, sections) {
            (None, None) => return Ok(guides),
            (Some(keyframes), Some(sections)) => (keyframes, sections),
            _ => bail!("keyframe_latents and keyframe_sections belong together"),
        };
        let sections = numbers("keyframe_sections", &sections, i64::from(self.sections))?;
        ensure!(
            keyframes.size()[0] == sections.len() as i64,
            "keyframe_sections: {} sections for {} keyframe_latents",
            sections.len(),
            keyframes.size()[0]
        );
        for (nth, section) in sections.into_iter().enumerate() {
            guides = guides.with_keyframe(section, &keyframes.get(nth as i64));
        }
        Ok(guides)
    }

    fn prompts(&self, inputs: &Inputs) -> anyhow::Result<SectionPrompts> {
        let arguments = conditioning(inputs)?;
        let of_sections = inputs.indices_or_none("section_prompt")?;
        if of_sections.is_none() && !has_leading_axis(&arguments.encoder_hidden_states, 3) {
            return Ok(SectionPrompts {
                conditionings: vec![arguments],
                of_sections: vec![0; self.sections as usize],
            });
        }
        let prompts = arguments.encoder_hidden_states.size()[0];
        let of_sections = of_sections.context("several prompts need section_prompt")?;
        let of_sections = numbers("section_prompt", &of_sections, prompts)?;
        ensure!(
            of_sections.len() == self.sections as usize,
            "section_prompt: {} prompts for {} sections",
            of_sections.len(),
            self.sections
        );
        Ok(SectionPrompts {
            conditionings: (0..prompts).map(|prompt| nth(&arguments, prompt)).collect(),
            of_sections,
        })
    }
}

/// The prompts of a video, and which of them each section has.
struct SectionPrompts {
    conditionings: Vec<Conditioning>,
    of_sections: Vec<usize>,
}

/// One of several prompts. The arguments have a leading axis, or it is their batch axis; an image may be that of all.
fn nth(arguments: &Conditioning, prompt: i64) -> Conditioning {
    let pick = |tensor: &Tensor, axes: usize| {
        if has_leading_axis(tensor, axes) {
            tensor.get(prompt)
        } else {
            tensor.narrow(0, prompt, 1)
        }
    };
    let image = arguments.image_embeddings.as_ref();
    Conditioning {
        encoder_hidden_states: pick(&arguments.encoder_hidden_states, 3),
        encoder_attention_mask: arguments
            .encoder_attention_mask
            .as_ref()
            .map(|mask| pick(mask, 2)),
        pooled_projections: pick(&arguments.pooled_projections, 2),
        image_embeddings: image.map(|image| {
            if has_leading_axis(image, 3) {
                image.get(prompt)
            } else {
                image.shallow_clone()
            }
        }),
    }
}

/// Whether a tensor has an axis before those that an argument of one prompt has.
fn has_leading_axis(tensor: &Tensor, axes: usize) -> bool {
    tensor.dim() > axes
}

/// Numbers from 0 and below `end`.
fn numbers(name: &str, tensor: &Tensor, end: i64) -> anyhow::Result<Vec<usize>> {
    let numbers: Vec<i64> = tensor.to_device(Device::Cpu).view([-1]).try_into()?;
    let numbers = numbers.into_iter().map(|number| {
        ensure!(
            (0..end).contains(&number),
            "{name}: {number} is not from 0 to {}",
            end - 1
        );
        Ok(number as usize)
    });
    numbers.collect()
}
