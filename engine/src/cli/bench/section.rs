//! `bench section`: one section from noise to latents on random arguments, with a step cache.

use std::{convert::Infallible, ops::ControlFlow, time::Instant};

use anyhow::bail;
use framepack_engine::{
    device::{peak_bytes, reset_peak},
    models::hoist_schedule,
    nn::attention::Backend,
    sampler::{Denoiser, Guided, Sampled, ScheduleConditioning, Shift, sigmas, unipc},
    transformer::{
        CachedSection, Config, PackedTransformer, Run, ScheduleSteps, StepCache, StepCacheRule,
    },
    weights::ModelSource,
};
use framepack_jobs::{Guidance, StepTimeline};
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use super::{
    card::Card,
    inputs::RandomInputs,
    measure::{median, print, synchronize, timed},
    transformer::model_or_seed,
};
use crate::cli::{
    forward::transformer::Arguments,
    options::{Attention, DeviceName, Dtype, ModelKernels},
    split::SplitOptions,
    step_cache_flags::StepCacheFlags,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The component's folder, random:SEED:CONFIGDIR, or random:SEED for the sizes in bench/full-size/transformer
    #[arg(long, value_name = "DIR", value_parser = model_or_seed)]
    model: ModelSource,
    #[command(flatten)]
    inputs: RandomInputs,
    /// Denoising steps
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100))]
    steps: u32,
    #[command(flatten)]
    cache: StepCacheFlags,
    /// teacache: which steps are computed (C) and which reuse (r), whatever it would decide
    #[arg(long, value_name = "STEPS")]
    cache_computed: Option<StepTimeline>,
    /// Measured runs, after one for warming up
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Run as if on a card of G GiB, including the process's own CUDA context (CUDA only)
    #[arg(long, value_name = "G")]
    card_gib: Option<f64>,
    /// Limit on host memory for page-locked copies of streamed blocks, in GiB [default: what is available]
    #[arg(long, value_name = "G")]
    host_budget_gib: Option<f64>,
    #[command(flatten)]
    split: SplitOptions,
    #[command(flatten)]
    attention: Attention,
    #[command(flatten)]
    kernels: ModelKernels,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Dtype of weights and computation [default: bf16 on CUDA, f32 on the CPU]
    #[arg(long)]
    dtype: Option<Dtype>,
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Measurement {
    kind: &'static str,
    /// Which steps were computed: C, or r for those that reused something.
    computed: StepTimeline,
    /// Evaluating what depends on timestep, prompt and image only, for all steps, before the section.
    hoist_secs: f64,
    /// Each step with the device waited for at its end: medians of the runs.
    step_secs: Vec<f64>,
    /// A section without waiting in between: the median of the runs.
    section_secs: f64,
    /// What the cache was planned to keep.
    planned_cache_bytes: u64,
    /// What the plan said, context and libraries included; null without a card.
    planned_peak_bytes: Option<u64>,
    /// Peak of torch's tensors, weights included; null on the CPU.
    peak_device_bytes: Option<u64>,
}

/// Steps that bring weights to the device and choose kernels: the first ones, and one that may reuse them.
const WARM_UP_STEPS: usize = 4;

/// All that a section is sampled with.
struct Section<'a> {
    model: Sampled<'a>,
    schedule: ScheduleConditioning<'a>,
    arguments: &'a Arguments,
    attention: Backend,
    sigmas: Vec<f32>,
    device: Device,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let device = self.device.open()?;
        let card = Card::new(device, self.card_gib)?;
        let kind = Dtype::or_default(self.dtype, device, Kind::BFloat16);
        let config = Config::read(self.model.config_dir())?;
        let arguments = self.inputs.random(&config, (kind, device));
        let class = config.attention_class(kind, arguments.run().tokens);
        let attention = self.attention.resolve(device, &class)?.backend;
        let run = Run {
            attention: attention.memory(device, &class)?,
            kernels: self.kernels.kernel_use(),
            steps: self.steps.into(),
            step_cache: self.cache.rule(),
            ..arguments.run()
        };
        let transformer = PackedTransformer::open(&self.model, &self.split.memory(device), kind)?;
        let planned_peak_bytes =
            card.place(&transformer, &run, &self.split, self.host_budget_gib)?;
        let transformer = self.kernels.transformer(transformer, device);
        let model = Sampled {
            transformer: &transformer,
            kind,
            guidance: Guidance::default(),
        };
        let sigmas = sigmas(self.steps, Shift::of(&arguments.hidden_states.size()));
        let conditioning = Guided {
            positive: &arguments.conditioning,
            negative: None,
        };
        let hoist = || Ok(hoist_schedule(&model, &sigmas, conditioning));
        drop(timed(device, hoist)?); // warms up, too
        let (hoist_secs, steps) = timed(device, hoist)?;
        reset_peak(device);
        let section = Section {
            schedule: ScheduleConditioning::Hoisted(steps),
            model,
            arguments: &arguments,
            attention,
            sigmas,
            device,
        };
        let measured = Measurement {
            hoist_secs,
            planned_cache_bytes: transformer.cost(&run).step_cache_bytes,
            planned_peak_bytes,
            ..self.measure(&section)?
        };
        print(&measured, self.json)
    }

    fn measure(&self, section: &Section<'_>) -> anyhow::Result<Measurement> {
        section.warm_up(self.new_cache()?);
        let (mut sections_secs, mut steps_secs) = (vec![], vec![]);
        let mut computed = StepTimeline::default();
        for _ in 0..self.runs {
            let cache = self.new_cache()?;
            let (secs, timeline) = timed(section.device, || Ok(section.sample(cache, None)))?;
            sections_secs.push(secs);
            computed = timeline;
            let mut secs = Vec::new();
            section.sample(self.new_cache()?, Some(&mut secs));
            steps_secs.push(secs);
        }
        let of_step = |step| {
            let secs: Vec<f64> = steps_secs
                .iter()
                .map(|secs: &Vec<f64>| secs[step])
                .collect();
            median(&secs)
        };
        Ok(Measurement {
            kind: self.cache.rule().kind().as_str(),
            computed,
            step_secs: (0..self.steps as usize).map(of_step).collect(),
            section_secs: median(&sections_secs),
            hoist_secs: 0.,
            planned_cache_bytes: 0,
            planned_peak_bytes: None,
            peak_device_bytes: peak_bytes(section.device),
        })
    }

    fn new_cache(&self) -> anyhow::Result<StepCache> {
        let section = CachedSection {
            steps: ScheduleSteps {
                total: self.steps as usize,
                made: 0,
            },
            size_px: self.inputs.size_px(),
            table: self.cache.table(),
            branches: 1,
        };
        match (self.cache.rule(), self.cache_computed) {
            (rule, None) => Ok(StepCache::new(&rule, &section)),
            (StepCacheRule::TeaCache(limits), Some(timeline)) => {
                if timeline.steps() != self.steps || !timeline.computed().next().unwrap_or(false) {
                    bail!(
                        "--cache-computed: expected {} steps of which the first is C",
                        self.steps
                    );
                }
                Ok(StepCache::teacache_following(
                    limits,
                    section.steps,
                    timeline,
                ))
            }
            (_, Some(_)) => bail!("--cache-computed is of --cache teacache alone"),
        }
    }
}

impl Section<'_> {
    /// Makes its first steps.
    fn warm_up(&self, cache: StepCache) {
        let steps = WARM_UP_STEPS.min(self.sigmas.len() - 1);
        self.along(&self.sigmas[..=steps], cache, None);
    }

    /// Samples the section. With `steps_secs` the device is waited for after each step, and each step's seconds are added.
    fn sample(&self, cache: StepCache, steps_secs: Option<&mut Vec<f64>>) -> StepTimeline {
        self.along(&self.sigmas, cache, steps_secs)
    }

    fn along(
        &self,
        sigmas: &[f32],
        cache: StepCache,
        mut steps_secs: Option<&mut Vec<f64>>,
    ) -> StepTimeline {
        let noise = &self.arguments.hidden_states.to_kind(Kind::Float);
        let caches = Guided {
            positive: cache,
            negative: None,
        };
        let context = &self.arguments.context;
        let mut denoiser =
            Denoiser::new(self.model, &self.schedule, context, self.attention, caches);
        let mut begun = Instant::now();
        let after_step = |_, _: &Tensor| {
            if let Some(steps_secs) = &mut steps_secs {
                synchronize(self.device);
                steps_secs.push(begun.elapsed().as_secs_f64());
                begun = Instant::now();
            }
            ControlFlow::<Infallible>::Continue(())
        };
        let denoise = |x: &Tensor, sigma| denoiser.denoise(x, sigma);
        let ControlFlow::Continue(_) = unipc(noise, sigmas, denoise, after_step);
        denoiser.caches().positive.timeline()
    }
}
