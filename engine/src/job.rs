//! A request resolved against its bundle and its image: everything that is decided before the first step.

use std::path::{Path, PathBuf};

use framepack_ipc::worker::{Extent, Precaution, RenderPlan, RenderRequest};
use framepack_jobs::{
    Guidance, JobId, Model, Part, Partial, Row, Settings, Value,
    picture::Colour,
    settings::{ATTENTION, BACKGROUND},
};
use image::RgbImage;

use crate::{
    bundle::{Bundle, Component},
    error::Error,
    nn::attention::AttentionMemory,
    picture::{self, PictureError, Size, bucket, load::Picture},
    section::{FRAMES_PER_SECOND, SectionOrder, SectionPlan, sections_in},
    settings::JobSettings,
    transformer::StepCacheRule,
    video::{Created, Metadata},
};

/// Side of a square that stands for any start image.
const BLANK_SIDE_PX: u32 = 64;

/// A job, ready to be rendered.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) bundle: Bundle,
    /// Folder of the transformer.
    pub(crate) transformer: PathBuf,
    /// The start image in the video's size.
    pub(crate) image: RgbImage,
    pub(crate) prompt: String,
    pub(crate) negative_prompt: String,
    pub(crate) sampling: Sampling,
    pub(crate) output: Output,
    pub(crate) settings: JobSettings,
    /// Keys of settings that it asks for itself.
    own: Vec<String>,
    /// What the daemon hears of it.
    pub(crate) plan: RenderPlan,
    pub(crate) precaution: Precaution,
    pub(crate) extent: Extent,
    /// Which part of the video is made; `None`: all of it.
    pub(crate) partial: Option<Partial>,
    /// What the attention has in memory, once its backend is known.
    pub(crate) attention_memory: Option<AttentionMemory>,
    /// What was asked for and could not be had, each with its reason.
    pub(crate) warnings: Vec<String>,
}

/// What is written, and where.
#[derive(Debug)]
pub(crate) struct Output {
    /// The video.
    pub(crate) video: PathBuf,
    /// Folder for previews and the contact sheet.
    pub(crate) work_dir: PathBuf,
    pub(crate) crf: u8,
    pub(crate) metadata: Metadata,
}

/// What the section loop needs to know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sampling {
    /// The sections.
    pub(crate) sections: SectionPlan,
    /// Steps in each section, at least 1.
    pub(crate) steps: u32,
    /// Seed of the noise.
    pub(crate) seed: u64,
    /// Guidance scales.
    pub(crate) guidance: Guidance,
    /// What steps reuse, as long as there is memory for it.
    pub(crate) step_cache: StepCacheRule,
}

impl Job {
    /// Resolves `request`: reads the bundle's defaults and the image, and nothing that is large.
    pub(crate) fn resolve(request: &RenderRequest) -> Result<Self, Error> {
        Self::with_picture(request, |background| {
            picture::load::load(&request.image, background)
        })
    }

    /// The same with a start image that is not looked for.
    pub(crate) fn with_blank_picture(request: &RenderRequest) -> Result<Self, Error> {
        Self::with_picture(request, |_| {
            Ok(Picture {
                pixels: RgbImage::new(BLANK_SIDE_PX, BLANK_SIDE_PX),
                warnings: vec![],
            })
        })
    }

    /// Whether it is itself that asks for a setting, rather than its farm.
    pub(crate) fn asks_itself(&self, row: &Row) -> bool {
        self.own.iter().any(|key| key == row.key)
    }

    /// Makes do with the sections that are made first.
    pub(crate) fn end_after(&mut self, sections: u32) {
        let (whole, plan) = (&self.plan, &mut self.sampling.sections);
        if sections >= whole.sections {
            return;
        }
        *plan = plan.first(sections);
        let frames = plan.frames();
        let partial = Partial {
            part: match plan.order {
                SectionOrder::Backward => Part::End,
                SectionOrder::Forward => Part::Beginning,
            },
            sections,
            of_sections: whole.sections,
            frames,
            secs: f64::from(frames) / f64::from(FRAMES_PER_SECOND),
            of_secs: whole.secs,
        };
        self.output.metadata.comment["partial"] = partial.to_string().into();
        self.plan = RenderPlan {
            sections,
            frames,
            secs: partial.secs,
            ..whole.clone()
        };
        self.partial = Some(partial);
    }

    fn with_picture(
        request: &RenderRequest,
        load: impl FnOnce(Colour) -> Result<Picture, PictureError>,
    ) -> Result<Self, Error> {
        let settings = JobSettings::read(&request.settings)?;
        tracing::debug!(?settings.memory, attention = %settings.attention, "settings");
        let bundle = Bundle::open(&request.bundle)?;
        let defaults = bundle.defaults()?;
        let (order, transformer) = match request.model {
            Model::Original => (
                SectionOrder::Backward,
                bundle.component(Component::Transformer)?,
            ),
            Model::F1 => {
                let transformer = f1_transformer(&bundle, request.f1_bundle.as_deref())?;
                (SectionOrder::Forward, transformer)
            }
        };

        let loaded =
            load(settings.background).map_err(|error| error.naming(&request.image_name))?;
        let picture = loaded.pixels;
        let warnings = loaded.warnings;
        let side_px = request.bucket.unwrap_or(defaults.bucket_px);
        let size = bucket::nearest_size(Size::new(picture.width(), picture.height()), side_px);
        let window = request.latent_window.unwrap_or(defaults.latent_window);
        let sections = SectionPlan::new(order, sections_in(request.length_secs, window), window);
        let frames = sections.frames();
        let sampling = Sampling {
            sections,
            steps: request.steps.unwrap_or(defaults.steps),
            seed: request.seed,
            guidance: request.guidance,
            step_cache: StepCacheRule::new(
                &settings.step_cache,
                defaults.step_cache.unwrap_or_default(),
            ),
        };
        let metadata = metadata(request, side_px, &sampling);
        Ok(Self {
            plan: RenderPlan {
                width_px: size.width_px,
                height_px: size.height_px,
                sections: sampling.sections.sections.len() as u32,
                steps: sampling.steps,
                latent_window: window,
                frames,
                secs: f64::from(frames) / f64::from(FRAMES_PER_SECOND),
            },
            image: bucket::resize_and_center_crop(&picture, size),
            sampling,
            prompt: request.prompt.clone(),
            negative_prompt: request.negative_prompt.clone(),
            output: Output {
                video: request.output.clone(),
                work_dir: request.work_dir.clone(),
                crf: request.crf,
                metadata,
            },
            bundle,
            transformer,
            precaution: request.precaution,
            extent: request.extent,
            partial: None,
            attention_memory: None,
            settings,
            own: request.own.clone(),
            warnings,
        })
    }
}

/// A request of the size that a bundle is for, of one section, which is never rendered.
pub(crate) fn usual_request(
    bundle: &Path,
    f1_bundle: Option<&Path>,
    model: Model,
) -> RenderRequest {
    RenderRequest {
        job: JobId(0),
        name: String::new(),
        bundle: bundle.into(),
        f1_bundle: f1_bundle.map(Into::into),
        model,
        image: PathBuf::new(),
        image_name: PathBuf::new(),
        prompt: String::new(),
        negative_prompt: String::new(),
        seed: 0,
        length_secs: 1.0,
        steps: None,
        guidance: Guidance::default(),
        bucket: None,
        latent_window: None,
        crf: 0,
        settings: Settings::default(),
        own: vec![],
        output: PathBuf::new(),
        work_dir: PathBuf::new(),
        rung: 0,
        host_rung: 0,
        precaution: Precaution::None,
        extent: Extent::Whole,
    }
}

/// What the video says about itself: with the models and the start image, all that is needed to render it again.
fn metadata(request: &RenderRequest, bucket_px: u32, sampling: &Sampling) -> Metadata {
    let mut comment = serde_json::json!({
        "image": request.image_name.file_name().map(|name| name.to_string_lossy()),
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "model": request.model,
        "seed": request.seed,
        "length_secs": request.length_secs,
        "bucket": bucket_px,
        "steps": sampling.steps,
        "guidance": request.guidance,
        "latent_window": sampling.sections.latent_window,
        "crf": request.crf,
    });
    if let Some(background) = request.settings.get(&BACKGROUND).and_then(Value::text) {
        comment["background"] = background.into();
    }
    if let Some(mode) = request.settings.get(&ATTENTION).and_then(Value::text) {
        comment[ATTENTION.key] = mode.into();
    }
    Metadata {
        title: request.name.clone(),
        comment,
        created: Created::default(), // not yet
    }
}

/// F1's transformer, in the bundle or in the other one where one is named.
fn f1_transformer(bundle: &Bundle, f1_bundle: Option<&Path>) -> Result<PathBuf, Error> {
    let Some(root) = f1_bundle else {
        return Ok(bundle.component(bundle.f1_transformer()?)?);
    };
    let f1_bundle = Bundle::open(root)?;
    let found = f1_bundle
        .component(Component::TransformerF1)
        .or_else(|missing| {
            f1_bundle
                .component(Component::Transformer)
                .map_err(|_| missing)
        });
    Ok(found?)
}
